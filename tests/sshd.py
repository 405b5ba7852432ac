"""OpenSSH's own server on loopback, with keys of its own, for tests and benches; nothing of it is left afterwards."""

import contextlib
import getpass
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.daemon import children
from tests.ports import free_port
from tests.programs import needs


def key_pair(file: Path) -> str:
    """A fresh key lies there; its public line is returned."""
    subprocess.run([needs("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return file.with_suffix(".pub").read_text().strip()


@dataclass
class Sshd:
    """A server that lets the one user key in; `subsystem` are the words for its sftp server."""

    folder: Path
    subsystem: str = "internal-sftp"
    port: int = field(default_factory=free_port)
    user: str = field(default_factory=getpass.getuser)

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700)
        self.host_key = " ".join(key_pair(self.folder / "host").split()[:2])
        self.user_key = self.folder / "user"
        (self.folder / "authorized").write_text(key_pair(self.user_key))
        self.allow(self.subsystem)
        self._server: subprocess.Popen[bytes] | None = None

    def allow(self, subsystem: str) -> None:
        """From its next start it serves so."""
        (self.folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\n"
            f"AuthorizedKeysFile {self.folder}/authorized\nPidFile {self.folder}/pid\n"
            f"StrictModes no\nUsePAM no\nMaxStartups 100\nSubsystem sftp {subsystem}\n"
        )

    def start(self) -> None:
        """It listens."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        with (self.folder / "words").open("ab") as words:
            self._server = subprocess.Popen(
                [needs("sshd"), "-D", "-e", "-f", self.folder / "config"], stdin=subprocess.DEVNULL, stderr=words
            )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise TimeoutError((self.folder / "words").read_text())

    def cut(self) -> None:
        """Every session is dead; the server listens on."""
        assert self._server is not None
        for child in children(self._server.pid):
            for pid in (*children(child), child):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """Nothing listens, no session lives."""
        if self._server is not None:
            self.cut()
            self._server.kill()
            self._server.wait(10)
            self._server = None


@contextlib.contextmanager
def sshd(folder: Path, subsystem: str = "internal-sftp") -> Iterator[Sshd]:
    """The server, listening; at the end it and its sessions are dead."""
    server = Sshd(folder, subsystem)
    server.start()
    try:
        yield server
    finally:
        server.stop()
