"""A partner's mailbox: in/, out/, refused/, and which names are never taken.

A partner sees these three folders and nothing else.  What we put there is
written aside, synced and renamed, so what he lists is whole.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TEMPORARY: Final = re.compile(
    r"^\.|^~|~$|\.(?:filepart|part|partial|tmp|temp|writing|swp|crdownload|download|uploading|lock)$"
    r"|\.(?:part|tmp)\.[0-9]+$|^\.?ocTransferId[0-9]+|\.ocTransferId[0-9]+\.part$|\.rclone[0-9a-z.]*$"
    r"|\.[0-9a-f]{8}\.partial$|^lftp-pget-status",
    re.IGNORECASE,
)
WHY: Final = ".why.txt"
"""How the name of a file ends that says why something lies in refused/."""
DONE: Final = (".done", ".ok", ".finish")


def is_temporary(name: str) -> bool:
    """Tell whether a client uses this name only while it writes.

    >>> [is_temporary(n) for n in ("a.xml", "a.xml.filepart", ".a.xml", "a.xml.tmp", "a.b7bd8374.partial", "a.xml~")]
    [False, True, True, True, True, True]
    """
    return _TEMPORARY.search(name) is not None


def is_done_file(name: str) -> bool:
    """Tell whether a name says that another file is whole: ORDERS.xml.done names ORDERS.xml.

    >>> is_done_file("ORDERS.xml.done"), is_done_file("ORDERS.xml")
    (True, False)
    """
    return name.lower().endswith(DONE)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The three folders of one partner."""

    root: Path

    @property
    def incoming(self) -> Path:
        """Where he drops."""
        return self.root / "in"

    @property
    def out(self) -> Path:
        """Where he finds acknowledgements and receipts."""
        return self.root / "out"

    @property
    def refused(self) -> Path:
        """Where he finds what he must mend, each with its reason."""
        return self.root / "refused"

    def make(self) -> None:
        """The folders are there, readable by our group only."""
        for folder in (self.incoming, self.out, self.refused):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)


def acknowledgement_name(file: str, number: int) -> str:
    """Return the name of the acknowledgement of a file.

    >>> acknowledgement_name("ORDERS.xml", 261121204432000017)
    'ORDERS.xml.261121204432000017.ack.json'
    """
    tail = f".{number}.ack.json"
    return f"{fitting(file, 255 - len(tail))}{tail}"


def fitting(file: str, most: int) -> str:
    """Return the name cut to `most` bytes, never inside a character.

    >>> fitting("订单.xml", 5)
    '订'
    """
    raw = file.encode("utf-8", "surrogateescape")
    return file if len(raw) <= most else raw[:most].decode("utf-8", "ignore")
