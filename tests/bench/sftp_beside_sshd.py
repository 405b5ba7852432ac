"""SFTP intake beside OpenSSH's sshd: the same client puts the same files, in pairs, to both."""

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gateway import drill
from gateway.measuring import running

FILES = 1000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[tuple[int, Path]]:
    """OpenSSH's server on loopback with a key of its own, for the user who runs this."""
    host, user = folder / "host", folder / "user"
    for key in (host, user):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    os.chmod(folder, 0o700)
    (folder / "authorized").write_text(user.with_suffix(".pub").read_text())
    port = free_port()
    config = folder / "config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nAuthorizedKeysFile {folder}/authorized\n"
        f"PidFile {folder}/pid\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port, user
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(port)


def put(port: int, user: str, key: Path, batch: Path) -> float:
    command = ["sftp", "-q", "-b", batch, "-P", str(port), "-i", key, "-o", "StrictHostKeyChecking=no"]
    command += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", f"{user}@127.0.0.1"]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return FILES / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory(prefix="kouan-sftp-") as name:
        root = Path(name)
        there = root / "there"
        there.mkdir()
        (root / "sshd").mkdir()
        with running(root / "home") as daemon, sshd(root / "sshd") as (port, user_key):
            ours = int(daemon.where["sftp"].rpartition(":")[2])
            key = daemon.home / "keys/partners/shop/ssh_key"
            ratios = []
            for pair in range(pairs):
                mine, theirs = root / f"mine{pair}", root / f"theirs{pair}"
                lines = {mine: [], theirs: []}
                for n in range(FILES):
                    file = root / f"{pair}-{n}.xml"
                    file.write_bytes(drill.message("CEB311", pair * FILES + n + 1))
                    lines[mine].append(f"put {file} /in/{file.name}")
                    lines[theirs].append(f"put {file} {there}/{file.name}")
                for batch, text in lines.items():
                    batch.write_text("\n".join(text))
                beside = put(port, os.environ.get("USER", "root"), user_key, theirs)
                here = put(ours, "shop", key, mine)
                ratios.append(here / beside)
                print(f"ours {here:.0f} files/s, sshd {beside:.0f} files/s, ratio {here / beside:.2f}")
            print(f"median ratio {statistics.median(ratios):.2f} (ours are checked, signed and acknowledged meanwhile)")


if __name__ == "__main__":
    main()
