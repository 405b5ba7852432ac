"""A home with an SFTP door in its own process, and the ways in that the tests use."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko

from tests.crash.daemon import patient
from tests.programs import needs

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0


def until(true: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What a condition gives once it holds; the test fails when it does not in time."""
    end, tick = time.monotonic() + patient(patience), threading.Event()
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        tick.wait(0.01)
    raise AssertionError(f"not in {patience} s: {what}")


def new_key(path: Path, kind: str = "ed25519", *options: str) -> str:
    """A key pair at `path`; its public line is returned."""
    command = [needs("ssh-keygen"), "-q", "-t", kind, *options, "-N", "", "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True)
    return path.with_suffix(".pub").read_text()


class Home:
    """One door with the partner acme, who may be told otherwise by `account`."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.key = home / "acme"
        self.accounts: dict[str, dict[str, object]] = {}
        # paramiko lets go of its socket a tenth of a second after it closes, so sessions of quick tests overlap
        self.account("acme", keys=[new_key(self.key)], sessions=200)
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("sftp_server.py")), str(home)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())
        self.port = self.ready["port"]

    def account(self, name: str, **facts: object) -> None:
        self.accounts.setdefault(name, {}).update(facts)
        aside = self.home / "accounts.writing"
        aside.write_text(json.dumps(self.accounts))
        aside.rename(self.home / "accounts.json")

    def box(self, folder: str, partner: str = "acme") -> Path:
        return self.home / "partners" / partner / folder

    def names(self, folder: str, partner: str = "acme") -> list[str]:
        return sorted(os.listdir(self.box(folder, partner)))

    def put(self, folder: str, name: str, data: bytes, partner: str = "acme") -> None:
        self.box(folder, partner).mkdir(parents=True, exist_ok=True)
        (self.box(folder, partner) / name).write_bytes(data)

    def events(self, event: str) -> list[dict[str, Any]]:
        lines = (self.home / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [found for line in lines if (found := json.loads(line))["event"] == event]

    def arrivals(self) -> list[str]:
        return [event["name"] for event in self.events("arrived")]

    def ssh_options(self, key: Path | None = None) -> list[str]:
        settings = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR")
        return ["-i", str(key or self.key), *(word for setting in settings for word in ("-o", setting))]

    def sftp(
        self, batch: str, *options: str, user: str = "acme", port: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [
            needs("sftp"),
            "-P",
            str(port or self.port),
            *self.ssh_options(),
            *options,
            "-b",
            "-",
            f"{user}@127.0.0.1",
        ]
        return subprocess.run(command, input=batch, capture_output=True, text=True, check=False, timeout=120)

    @contextmanager
    def line(self, user: str = "acme", key: Path | None = None) -> Iterator[paramiko.Transport]:
        transport = paramiko.Transport(("127.0.0.1", self.port))
        try:
            transport.connect(username=user, pkey=paramiko.PKey.from_path(key or self.key))
            yield transport
        finally:
            transport.close()

    @contextmanager
    def client(self, user: str = "acme", key: Path | None = None) -> Iterator[paramiko.SFTPClient]:
        with self.line(user, key) as transport:
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            yield client

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def home(folder: Path, **environment: str) -> Iterator[Home]:
    """A home with its door open."""
    opened = Home(folder, **environment)
    try:
        yield opened
    finally:
        opened.close()
