"""The folder carrier: parcels appear in a folder, each whole or not at all.

All parcels of a group are written aside, share one sync, are renamed into place,
and the folder is synced.  A parcel that stands there already with the same bytes
has been carried: that is what a crash leaves behind.

**Known limits**: the folder must be on a local file system that renames
atomically, and whoever empties it must ignore dot files; a parcel that was taken
away before a crash let us note it appears a second time under the same name.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.threads import deferToThread

from adapters.carriers.carrier import Carried, Parcel
from spool import aside

_WORDS = {
    errno.ENOENT: "the folder {folder} is not there",
    errno.ENOTDIR: "{folder} is not a folder",
    errno.EACCES: "this process may not write into {folder}",
    errno.EPERM: "this process may not write into {folder}",
    errno.EROFS: "the file system of {folder} is read-only",
    errno.ENOSPC: "no space is left in {folder}",
    errno.EDQUOT: "the quota of {folder} is used up",
}


class FolderCarrier:
    """Carries into one folder, one group at a time."""

    together = 64
    side_by_side = 1

    def __init__(self, folder: Path) -> None:
        """Carry into this folder; it may still be missing."""
        self._folder = folder
        self._one_group = DeferredLock()

    def carry(self, parcels: Sequence[Parcel]) -> Deferred[list[Carried]]:
        """Fire with one result a parcel once all that were carried are synced under their names."""
        parcels = tuple(parcels)
        return self._one_group.run(deferToThread, self._carry, parcels)

    def _carry(self, parcels: tuple[Parcel, ...]) -> list[Carried]:
        try:
            return self._carry_group(parcels)
        except Exception as trouble:  # noqa: BLE001  the outermost call: whatever it is, the parcels stay ours
            return [self._troubled(parcel, trouble) for parcel in parcels]

    def _carry_group(self, parcels: tuple[Parcel, ...]) -> list[Carried]:
        written: dict[str, Parcel] = {}
        results = [self._write_aside(parcel, written) for parcel in parcels]
        aside.sync_filesystem(self._folder)
        shown = {name: self._show(parcel) for name, parcel in written.items()}
        aside.sync_folder(self._folder)
        return [
            replace(shown.get(parcel.name, result), number=parcel.number) if result.ok else result
            for parcel, result in zip(parcels, results, strict=True)
        ]

    def _write_aside(self, parcel: Parcel, written: dict[str, Parcel]) -> Carried:
        trouble = self._wrong_name(parcel.name)
        if trouble:
            return Carried(parcel.number, ok=False, trouble=trouble)
        try:
            other = written.get(parcel.name)
            stands = self._standing(parcel) if other is None else other.body
            if stands is not None and stands != parcel.body:
                return Carried(parcel.number, ok=False, trouble=f"other bytes stand under the name {parcel.name}")
            if stands is None:
                aside.write(self._aside(parcel), parcel.body)
                written[parcel.name] = parcel
        except (OSError, ValueError) as trouble_of_disk:
            self._remove_aside(parcel)
            return self._troubled(parcel, trouble_of_disk)
        return Carried(parcel.number, ok=True, acknowledgement=parcel.name)

    @staticmethod
    def _wrong_name(name: str) -> str:
        plain = name and "/" not in name and "\0" not in name and not name.startswith(".")
        return "" if plain else f"{name!r} is not the name of a plain visible file"

    def _standing(self, parcel: Parcel) -> bytes | None:
        """Return what stands under the parcel's name; never much more than would be equal."""
        try:
            with open(self._folder / parcel.name, "rb") as file:
                return file.read(len(parcel.body) + 1)
        except FileNotFoundError:
            return None

    def _show(self, parcel: Parcel) -> Carried:
        try:
            os.rename(self._aside(parcel), self._folder / parcel.name)
        except OSError as trouble:
            self._remove_aside(parcel)
            return self._troubled(parcel, trouble)
        return Carried(parcel.number, ok=True, acknowledgement=parcel.name)

    def _aside(self, parcel: Parcel) -> str:
        return f"{self._folder}/.{parcel.name}.writing"

    def _remove_aside(self, parcel: Parcel) -> None:
        try:
            os.unlink(self._aside(parcel))
        except (OSError, ValueError):
            return

    def _troubled(self, parcel: Parcel, trouble: Exception) -> Carried:
        code = trouble.errno if isinstance(trouble, OSError) else None
        words = _WORDS.get(code or 0, "writing into {folder} failed: {trouble}")
        return Carried(parcel.number, ok=False, trouble=words.format(folder=self._folder, trouble=trouble))
