"""The batch carrier: parcels appear as a folder of files, whole or not at all, as an exchange office takes them.

Which parcels stand in which file, and under which names, is a row of the ledger before anything is written
(`Register`), so what is carried again after a crash is the same folder with the same bytes.  A folder is written
aside, synced and renamed; `Token.lock` is in it by then.

**Known limits**: as those of the folder carrier: a batch that was taken away before a crash let us note it appears
a second time under the same names.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.threads import deferToThread

from adapters import fx
from adapters.carriers.carrier import Carried, Parcel
from spool import aside


@dataclass(frozen=True, slots=True)
class DataFile:
    """One data file: its name, how many records, and where the sealed messages lie of which it is made."""

    name: fx.Name
    records: int
    messages: tuple[int, ...]
    places: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """One folder: its control file and the data files that it lists."""

    control: fx.Name
    files: tuple[DataFile, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Which batches hold these messages; a message that is in none yet waits so many seconds, for this reason."""

    batches: tuple[Batch, ...] = ()
    later: Mapping[int, tuple[str, int]] = field(default_factory=dict)


class Register(Protocol):
    """What knows, durably, which message stands in which file."""

    def gather(self, messages: Sequence[int]) -> Gathered:
        """Return the batches of these messages; it is written down before this returns."""


class BatchCarrier:
    """Carries batches into one folder."""

    together = 64
    side_by_side = 1

    def __init__(self, folder: Path, register: Register) -> None:
        """Carry into this folder; it may still be missing."""
        self._folder = folder
        self._register = register
        self._one = DeferredLock()

    def carry(self, parcels: Sequence[Parcel]) -> "Deferred[list[Carried]]":
        """Fire with one result a parcel once the batches that hold them are synced under their names."""
        return self._one.run(deferToThread, self._carry, tuple(parcels))

    def _carry(self, parcels: tuple[Parcel, ...]) -> list[Carried]:
        try:
            gathered = self._register.gather([one.number for one in parcels])
            carried = dict(self._written(gathered))
        except Exception as trouble:  # noqa: BLE001  the outermost call: whatever it is, the parcels stay ours
            return [Carried(one.number, ok=False, trouble=f"{self._folder}: {trouble}") for one in parcels]
        return [carried.get(one.number) or _waits(one, gathered) for one in parcels]

    def _written(self, gathered: Gathered) -> Iterator[tuple[int, Carried]]:
        for batch in gathered.batches:
            write_batch(self._folder, batch)
            for file in batch.files:
                for number in file.messages:
                    yield number, Carried(number, ok=True, acknowledgement=str(file.name))


def _waits(parcel: Parcel, gathered: Gathered) -> Carried:
    if parcel.number not in gathered.later:
        return Carried(parcel.number, ok=False, trouble="it stands in no file")
    trouble, seconds = gathered.later[parcel.number]
    return Carried(parcel.number, ok=False, trouble=trouble, retry_after=seconds or None, fault="nobody")


def write_batch(folder: Path, batch: Batch) -> None:
    """The batch stands in the folder, durably and whole; what stood there as it is stays untouched."""
    final = folder / batch.control.folder
    control = fx.control_file(batch.control.app, [str(file.name) for file in batch.files])
    if final.exists():
        _same(final, batch, control)
        return
    writing = folder / f".{final.name}.writing"
    shutil.rmtree(writing, ignore_errors=True)
    writing.mkdir(mode=0o750)
    for file in batch.files:
        pieces = fx.data_file(file.name.app, file.name.type, file.records, _each(file))
        aside.write_all(str(writing / str(file.name)), pieces)
    aside.write_new(str(writing / str(batch.control)), control, 0o640)
    aside.write_new(str(writing / fx.TOKEN), b"", 0o640)
    aside.sync_filesystem(folder)
    writing.rename(final)
    aside.sync_folder(folder)


def _each(file: DataFile) -> Iterator[bytes]:
    for place in file.places:
        yield place.read_bytes()


def _same(final: Path, batch: Batch, control: bytes) -> None:
    """A folder appears whole under its name, so its control file tells whether it is this batch."""
    path = final / str(batch.control)
    if path.exists() and path.read_bytes() != control:
        raise FileExistsError(f"another batch stands under the name {final.name}")
