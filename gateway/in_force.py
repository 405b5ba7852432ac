"""The configuration in force: what the daemon read and arranged, kept for its workers.

A worker that replaces a dead one, or is told to read anew, works by what its
daemon goes by, also while the files in the home are half edited or wrong.
"""

from pathlib import Path
from typing import Any

import msgspec

from gateway.config import House, load_house
from spool import aside


def put_in_force(house: House) -> None:
    """Workers of this home go by this house from their next reading on."""
    aside.put(_place(house.home), msgspec.msgpack.encode(house, enc_hook=str), mode=0o600)


def nothing_in_force(home: Path) -> None:
    """Workers of this home go by its files."""
    _place(home).unlink(missing_ok=True)


def in_force(home: Path) -> House:
    """Return the house that the daemon put in force; where no daemon has yet, the one that the files describe."""
    try:
        kept = _place(home).read_bytes()
    except FileNotFoundError:
        return load_house(home)
    return msgspec.msgpack.decode(kept, type=House, dec_hook=_path)


def _path(kind: type[Any], text: Any) -> Any:
    return kind(text)


def _place(home: Path) -> Path:
    return home / "spool" / "house-in-force"
