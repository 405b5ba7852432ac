"""What the SFTP door asks of the house: who may come in, where his mailbox is, whom to tell.

The door knows nobody.  It asks at each login, so a new partner needs no restart.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SftpAccount:
    """One partner as the door sees him: `mailbox` holds in/, out/ and refused/; `keys` are public key lines."""

    name: str
    mailbox: Path
    keys: tuple[bytes, ...]
    suspended: bool = False
    quota_bytes: int = 10 * 1024**3
    quota_files: int = 200_000
    sessions: int = 16
    may_write: bool = True


class Accounts(Protocol):
    """Who may come in; asked at each login, in the reactor thread."""

    def find(self, name: str) -> SftpAccount | None:
        """Return the partner of this name, or None."""


class Arrivals(Protocol):
    """Who is told that a file is whole."""

    def arrived(self, partner: str, name: str) -> None:
        """A file stands in the partner's in/ under its final name, whole; called in the reactor, must be cheap."""


class DiskGuard(Protocol):
    """Who knows whether the disk has room."""

    def may_take(self) -> bool:
        """Tell whether intake may go on; asked at each upload and each MiB of it, must be cheap."""


class Refusals(Protocol):
    """Who may want to leave a note beside a refused upload, since most clients show only "Failure"."""

    def refused(self, partner: str, name: str, reason: str) -> None:
        """We refused or broke off an upload of this name; called in the reactor, at most once an upload."""


class Log(Protocol):
    """Where past facts go; a structlog logger will do."""

    def info(self, event: str, **facts: object) -> object:
        """The fact is written down."""

    def warning(self, event: str, **facts: object) -> object:
        """The fact is written down as one that somebody should look at."""
