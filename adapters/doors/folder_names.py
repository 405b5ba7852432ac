"""The names in an in/ folder: read in pages however many there are, told to people, and what done-files say."""

import os
from typing import Final

from spool.mailbox import DONE, fitting

PAGE: Final = 20_000
_LONGEST: Final = 240


def page_of(folder: str, after: str) -> tuple[list[str], bool]:
    """Return the first names after this one in order, and whether there are more; two pages at most are in memory."""
    page: list[str] = []
    last = ""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name > after and (not last or name < last):
                page.append(name)
                if len(page) == 2 * PAGE:
                    page.sort()
                    del page[PAGE:]
                    last = page[-1]
    page.sort()
    return page[:PAGE], bool(last) or len(page) > PAGE


def tellable(folder: str, name: str) -> str | None:
    """Return the name as it can be told; None when the file could not get one.

    A name that is not UTF-8 is read as GB18030, as Chinese Windows clients mean it; the file is renamed so.
    """
    if name.isascii() or name == os.fsencode(name).decode("utf-8", "replace"):
        return name
    told = _cut(os.fsencode(name).decode("gb18030", "replace").lstrip(".~"))
    while os.path.lexists(f"{folder}/{told}"):
        told = f"_{told}"
    try:
        os.rename(f"{folder}/{name}", f"{folder}/{told}")
    except OSError:
        return None
    return told


def _cut(name: str) -> str:
    """Return the name with its ending, no longer than a file system holds: Chinese is longer in UTF-8 than in GBK."""
    stem, dot, ending = name.rpartition(".")
    tail = dot + ending if stem and len(ending) <= 10 else ""
    return fitting(name.removesuffix(tail), _LONGEST - len(tail.encode())) + tail


def says_done(path: str) -> bool:
    """Tell whether a done-file stands beside this file."""
    return any(os.path.lexists(f"{path}{ending}") for done in DONE for ending in (done, done.upper()))


def named_by(done: str) -> str:
    """Return the name of the file that a done-file says is whole.

    >>> named_by("ORDERS.xml.done")
    'ORDERS.xml'
    """
    return next(done[: -len(ending)] for ending in DONE if done.lower().endswith(ending))
