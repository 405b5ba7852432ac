"""Memory while messages of 100 MiB are refused by their size at each door."""

import contextlib
import http.client
import tempfile
import time
from pathlib import Path

import paramiko

from gateway import drill
from gateway.measuring import Running, running

SIZE = 100 * 1024 * 1024
TIMES = 3


def huge() -> bytes:
    text = drill.message("CEB311", 1)
    return text[:-1] + b" " * (SIZE - len(text)) + b"\n"


def by_folder(daemon: Running, body: bytes) -> None:
    box = daemon.home / "spool/partners/shop"
    for n in range(TIMES):
        (box / f"huge{n}.xml").write_bytes(body)
        (box / f"huge{n}.xml").rename(box / f"in/huge{n}.xml")
    _until(lambda: len(list((box / "out").glob("huge?.xml.*.ack.json"))) == TIMES)


def by_sftp(daemon: Running, body: bytes) -> None:
    host, _, port = daemon.where["sftp"].rpartition(":")
    transport = paramiko.Transport((host, int(port)))
    key = daemon.home / "keys/partners/shop/ssh_key"
    transport.connect(username="shop", pkey=paramiko.Ed25519Key.from_private_key_file(str(key)))
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None
    with client.open("/in/by-sftp.xml", "wb") as file:
        file.set_pipelined(True)
        file.write(body)
    transport.close()
    _until(lambda: any((daemon.home / "spool/partners/shop/out").glob("by-sftp.xml.*.ack.json")))


def by_http(daemon: Running, body: bytes) -> int:
    host, _, port = daemon.where["http"].rpartition(":")
    token = (daemon.home / "keys/partners/shop/token").read_text().strip()
    line = http.client.HTTPConnection(host, int(port), timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/xml"}
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        line.request("POST", "/v1/interchanges", body, headers)
    return line.getresponse().status


def _until(true: "object") -> None:
    deadline = time.monotonic() + 60
    while not true():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)


def main() -> None:
    body = huge()
    with tempfile.TemporaryDirectory(prefix="kouan-memory-") as name, running(Path(name) / "home") as daemon:
        print(f"before: largest process {daemon.memory_mib():.0f} MiB")
        by_folder(daemon, body)
        print(f"folder: largest process {daemon.memory_mib():.0f} MiB")
        print(f"http answered {by_http(daemon, body)}: largest process {daemon.memory_mib():.0f} MiB")
        by_sftp(daemon, body)
        print(f"sftp:   largest process {daemon.memory_mib():.0f} MiB")


if __name__ == "__main__":
    main()
