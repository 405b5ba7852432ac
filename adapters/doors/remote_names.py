"""Which files of a remote folder are surely whole, judged by two listings and the done-files in it.

A file is whole when its size and time are the same in two listings that lie apart, or when a done-file names it.
Names that clients use while they write are left alone, and so is what is not a plain file name.
"""

import fnmatch
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from adapters.doors.folder_names import named_by
from adapters.remote_wire import Entry
from spool.mailbox import is_done_file, is_temporary

_DONE_BYTES: Final = 256
"""A done-file holds nothing, or a line; what is longer is a file like any other."""
_NAME_BYTES: Final = 255


class Whole(msgspec.Struct, frozen=True, gc=False):
    """A whole file there: its name as the server has it and as we tell it, and what its listing said.

    `done` is the name of its done-file; `since` is since when, by our own clock, it has looked so.
    """

    name: bytes
    told: str
    size: int
    mtime: int
    since: float
    done: bytes | None = None


class Law:
    """What the listings before this one said."""

    def __init__(self, pattern: str, apart_seconds: float) -> None:
        """Names that fit the pattern count, and listings that lie so far apart."""
        self._pattern = pattern
        self._apart = apart_seconds
        self._seen: dict[bytes, tuple[int, int, float]] = {}
        self._told: dict[bytes, str | None] = {}

    def whole(self, entries: Iterable[Entry], now: float) -> Iterator[Whole]:
        """Yield the whole files of a listing; the rest is looked at again in the next one."""
        sizes: dict[bytes, tuple[int, int]] = {}
        done: dict[str, bytes] = {}
        known = self._told
        self._told = {}
        for entry in entries:
            name, facts = entry.name, entry.facts
            if facts.size is None or facts.mtime is None:
                continue
            told = self._told[name] = known[name] if name in known else tellable(name)
            if told is None:
                continue
            if is_done_file(told) and facts.size <= _DONE_BYTES:
                done[named_by(told)] = name
            elif fnmatch.fnmatchcase(told, self._pattern):
                sizes[name] = (facts.size, facts.mtime)
        before, self._seen = self._seen, {}
        for name, (size, mtime) in sizes.items():
            earlier = before.get(name)
            same = earlier is not None and earlier[:2] == (size, mtime)
            since = earlier[2] if same and earlier is not None else now
            self._seen[name] = (size, mtime, since)
            told = self._told[name] or ""
            if told in done or (same and now - since >= self._apart):
                yield Whole(name, told, size, mtime, since, done.get(told))

    def forget(self, name: bytes) -> None:
        """The file begins anew: what was listed did not hold."""
        self._seen.pop(name, None)


def tellable(name: bytes) -> str | None:
    """Return the name as people read it; None where it is left alone: no plain name, or one that is still written to.

    A name that is not UTF-8 is read as GB18030, as Chinese Windows servers mean it.

    >>> tellable("订单.xml".encode("gb18030")), tellable(b"a.xml.part"), tellable(b"../a.xml"), tellable(b".a.xml")
    ('订单.xml', None, None, None)
    """
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name or len(name) > _NAME_BYTES:
        return None
    try:
        told = name.decode()
    except UnicodeDecodeError:
        told = name.decode("gb18030", "replace")
    told = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in told)
    return None if is_temporary(told) else told
