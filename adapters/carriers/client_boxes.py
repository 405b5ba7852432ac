"""The boxes of an official client on our disk: OutBox, SentBox, FailBox, and where a file of ours lies among them.

We drop into OutBox one zip that holds one xml of the same name, or the xml
itself.  The client moves the file to SentBox when it has sent it and to FailBox
when it could not; some put `Successed_` or `Failed_` before the name and a time
behind it.  A file is known by its message type and number, wherever it lies.

Known limits: the boxes must be on one local file system or a share that renames
atomically; a box of many thousand old files is listed at each look at which a
file of ours does not stand under its own name.
"""

import os
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from adapters.carriers.carrier import Carried, Parcel, quoted
from message_specs.plain import plain
from spool import aside

OUT, SENT, FAIL, IN = "OutBox", "SentBox", "FailBox", "InBox"
AGAIN: Final = "FailBox-again"
"""Where a file lies that had failed, was told, and is given again."""
_NAME: Final = re.compile(r"(?:Successed_|Failed_)?([A-Za-z0-9]+_\d{18})(?:_\d*)?\.\w+", re.ASCII)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_READ: Final = 4096


@dataclass(frozen=True, slots=True)
class Rules:
    """How this client wants its files, and how long a file of ours may lie nowhere."""

    pack: Literal["zip", "xml"] = "zip"
    vanished: timedelta = timedelta(seconds=60)


def base_of(parcel: Parcel) -> str:
    """Return the name of a parcel's file without its ending.

    >>> base_of(Parcel(261122030405000001, "", "CEB311Message", b""))
    'CEB311Message_261122030405000001'
    """
    return f"{parcel.message_type}_{parcel.number}"


def packed(parcel: Parcel, pack: Literal["zip", "xml"]) -> bytes:
    """Return the bytes of the file: always the same for the same parcel."""
    if pack == "xml":
        return parcel.body
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{base_of(parcel)}.xml", _EPOCH), parcel.body, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


class Boxes:
    """The boxes below one folder."""

    def __init__(self, folder: Path, rules: Rules, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._rules = rules
        self._now = now

    def carry(self, parcels: Iterable[Parcel]) -> list[Carried]:
        """Each parcel that the client was never given lies in OutBox; return where every one stands."""
        parcels = list(parcels)
        lying = self._where(parcels)
        results: dict[int, Carried] = {}
        fresh: list[Parcel] = []
        for parcel in parcels:
            place = lying.get(base_of(parcel))
            if parcel.given_at or (place is not None and place.parent.name != FAIL):
                results[parcel.number] = self._stands(parcel, place)
            else:
                if place is not None:
                    self._put_by(place)
                fresh.append(parcel)
        results |= self._give(fresh)
        return [results[parcel.number] for parcel in parcels]

    def _where(self, parcels: list[Parcel]) -> dict[str, Path]:
        """Return where each file lies: what the client has sent before what it has still to send."""
        found: dict[str, Path] = {}
        missing = {base_of(parcel) for parcel in parcels}
        for box in (SENT, OUT, FAIL):
            plain = {base: self._folder / box / f"{base}.{self._rules.pack}" for base in missing}
            here = {base: path for base, path in plain.items() if path.exists()}
            found |= here
            missing -= set(here)
        for box in (SENT, FAIL) if missing else ():
            for name in os.listdir(self._folder / box):
                base = match[1] if (match := _NAME.fullmatch(name)) else ""
                if base in missing and not (box == SENT and name.startswith("Failed_")):
                    found.setdefault(base, self._folder / box / name)
        return found

    def _stands(self, parcel: Parcel, place: Path | None) -> Carried:
        number = parcel.number
        if place is None:
            return self._nowhere(parcel)
        shown = f"{place.parent.name}/{place.name}"
        if place.parent.name == SENT:
            return Carried(number, ok=True, acknowledgement=shown)
        if place.parent.name == FAIL:
            why = self._reason(base_of(parcel))
            trouble = f"the client could not send it and put it into {shown}" + (f": {quoted(why)}" if why else "")
            return Carried(number, ok=False, trouble=trouble, permanent=True)
        return Carried(number, ok=False, trouble=f"it lies in {shown}; the client has not taken it yet", given=True)

    def _nowhere(self, parcel: Parcel) -> Carried:
        since = datetime.fromisoformat(parcel.given_at)
        if self._now() - since < self._rules.vanished:
            return Carried(parcel.number, ok=False, trouble="the client has it in hand", given=True)
        trouble = "it lies in none of the client's boxes any more: see in the client whether it was sent"
        return Carried(parcel.number, ok=False, trouble=trouble, permanent=True)

    def _give(self, parcels: list[Parcel]) -> dict[int, Carried]:
        out = self._folder / OUT
        if not parcels:
            return {}
        for parcel in parcels:
            aside.write(f"{out}/{base_of(parcel)}.tmp", packed(parcel, self._rules.pack))
        aside.sync_filesystem(out)
        for parcel in parcels:
            os.rename(out / f"{base_of(parcel)}.tmp", out / f"{base_of(parcel)}.{self._rules.pack}")
        aside.sync_folder(out)
        said = "it lies in OutBox; the client has not taken it yet"
        return {parcel.number: Carried(parcel.number, ok=False, trouble=said, given=True) for parcel in parcels}

    def _put_by(self, place: Path) -> None:
        """What failed before and is given again does not stand in FailBox any more."""
        again = self._folder / AGAIN
        again.mkdir(exist_ok=True)
        base = match[1] if (match := _NAME.fullmatch(place.name)) else ""
        for name in os.listdir(place.parent):
            if (other := _NAME.fullmatch(name)) and other[1] == base:
                os.replace(place.parent / name, again / name)

    def _reason(self, base: str) -> str:
        """Return what the client wrote beside a file that failed, as a person would read it."""
        for name in sorted(os.listdir(self._folder / FAIL)):
            match = _NAME.fullmatch(name)
            if match and match[1] == base and name.startswith("Failed_") and name.endswith(".xml"):
                with open(self._folder / FAIL / name, "rb") as file:
                    return plain(file.read(_READ))
        return ""
