"""Which place a partner's path means: the root, one of three folders, or one file in one of them.

A path is read as text, never by the file system, so there is nothing to escape through.
"""

import re
from typing import Final, NamedTuple

from adapters.doors.sftp_status import Refused
from spool.mailbox import fitting

FOLDERS: Final = ("in", "out", "refused")
# What is answered about a file carries its name and 28 characters more; a file name has 255 bytes.
LONGEST: Final = 200
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Place(NamedTuple):
    """A place in a mailbox: ("", "") is its root, ("in", "") a folder, ("in", "a.xml") a file."""

    folder: str
    name: str


def place(path: bytes) -> Place:
    """Return the place a path means; a path that means none is refused.

    >>> place(b"/in/a.xml"), place(b"../../in/./a.xml"), place(b"."), place(b"out/")
    (Place(folder='in', name='a.xml'), Place(folder='in', name='a.xml'), Place(folder='', name=''), Place(folder='out', name=''))
    >>> place(b"/etc/passwd")
    Traceback (most recent call last):
    adapters.doors.sftp_status.Refused: missing
    """  # noqa: E501
    parts = steps(path)
    if not parts:
        return Place("", "")
    if parts[0] not in FOLDERS or len(parts) > 2:
        raise Refused("missing")
    return Place(parts[0], parts[1] if len(parts) == 2 else "")


def steps(path: bytes) -> list[str]:
    """Return the names along a path, with `.` and `..` worked out; `..` of the root is the root.

    >>> steps(b"/a/../../b//c")
    ['b', 'c']
    """
    if len(path) > 4 * LONGEST:
        raise Refused("long")
    try:
        text = path.decode()
    except UnicodeDecodeError:
        raise Refused("name") from None
    if _CONTROL.search(text):
        raise Refused("name")
    found: list[str] = []
    for part in text.split("/"):
        if part == "..":
            del found[-1:]
        elif part not in ("", "."):
            if len(part.encode()) > LONGEST:
                raise Refused("long")
            found.append(part)
    return found


def numbered(name: str, number: int) -> str:
    """Return the name with a number before its ending, cut where it would be too long.

    >>> numbered("ORDERS.xml", 2), numbered("ORDERS", 3), numbered("a" * 200, 2) == "a" * 198 + "~2"
    ('ORDERS~2.xml', 'ORDERS~3', True)
    """
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 16:
        stem, dot, ending = name, "", ""
    tail = f"~{number}{dot}{ending}"
    return fitting(stem, LONGEST - len(tail.encode())) + tail


def can_be_named(name: str) -> bool:
    """Tell whether a client could ask for a file of this name, so that it may be listed.

    >>> can_be_named("a.xml"), can_be_named("a" + chr(10)), can_be_named(chr(0xDC80))
    (True, False, False)
    """
    return _CONTROL.search(name) is None and not any("\ud800" <= letter <= "\udfff" for letter in name)
