"""The register of files of foreign exchange: which message stands in which file, and how the files are called.

A row is written before a file is.  A batch takes everything that waits for its authority; a message is in one file
and in no other, whatever crashes.  Names count two digits a day, so batches are `gather_seconds` apart, and when a
day has no more names, what is left waits for the next.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from adapters import fx
from adapters.carriers.batch import Batch, DataFile, Gathered
from gateway.config_authorities import Authority
from gateway.settling import iso
from spool.ledger import Ledger
from spool.number import CHINA
from spool.store import Store

_MOST_PARTS: Final = 2000


class FileRegister:
    """The register of one authority's files."""

    def __init__(self, ledger: Ledger, store: Store, authority: Authority, now: Callable[[], datetime]) -> None:
        """`ledger` is a connection of its own, for it is asked in a thread of its own."""
        self._ledger = ledger
        self._store = store
        self._authority = authority
        self._now = now

    def gather(self, messages: Sequence[int]) -> Gathered:
        """Return the batches that hold these messages, all of each; who is in none yet is told when to ask again."""
        asked = _json(messages)
        later: Mapping[int, tuple[str, int]] = {}
        with self._ledger.writing() as ledger:
            open_ones = [row["message"] for row in ledger.all("fx_unassigned", asked)]
            if open_ones and (wait := self._assign(ledger, self._now())) is not None:
                later = dict.fromkeys(open_ones, wait)
            names = [row["batch"] for row in ledger.all("fx_batches_of", asked)]
        return Gathered(tuple(self._batch(name) for name in names), later)

    def _assign(self, ledger: Ledger, now: datetime) -> tuple[str, int] | None:
        """All that waits stands in files of new batches; else why not, and for how many seconds."""
        exchange = self._authority.exchange
        row = ledger.one("fx_last_batch", self._authority.name)
        if row is not None and row["made_at"] is not None:
            following = datetime.fromisoformat(row["made_at"]) + timedelta(seconds=exchange.gather_seconds)
            if now < following:
                return f"gathered until {iso(following)}", max(1, int((following - now).total_seconds()) + 1)
        waiting = ledger.all("fx_waiting", self._authority.name)
        apps = groupby(waiting, key=lambda one: fx.kind_of(one["spec"])[0])
        trouble = None
        for app, rows in apps:
            if not self._one_batch(ledger, app, list(rows), now):
                trouble = _until_tomorrow(now)
        return trouble

    def _one_batch(self, ledger: Ledger, app: str, rows: list[sqlite3.Row], now: datetime) -> bool:
        """One batch holds these messages; False where the names of the day are used up."""
        names = _Names(ledger, app, self._authority.exchange.institution, now)
        files = [
            (names.take(fx.kind_of(spec)[1]), part)
            for spec, of_spec in groupby(rows, key=itemgetter("spec"))
            for part in _parts(list(of_spec), self._authority.exchange.records)
        ]
        control = names.take(fx.CONTROL)
        if control is None or any(name is None for name, _ in files):
            return False
        ledger.run("add_fx_batch", control.folder, self._authority.name, app, iso(now))
        for name, part in files:
            assert name is not None
            listen = iso(now + timedelta(days=self._authority.exchange.silent_days))
            ledger.run("add_fx_file", str(name), control.folder, name.type, sum(map(_count, part)), listen)
            ledger.run_many("add_fx_part", [(row["message"], str(name)) for row in part])
        return True

    def _batch(self, name: str) -> Batch:
        control = fx.name_of(f"{name}.XML")
        assert control is not None
        rows = self._ledger.all("fx_in_batch", name)
        files = []
        for file, of_file in groupby(rows, key=itemgetter("name")):
            ones, file_name = list(of_file), fx.name_of(file)
            assert file_name is not None
            places = tuple(self._store.path(row["evidence"]) for row in ones)
            files.append(DataFile(file_name, ones[0]["records"], tuple(row["message"] for row in ones), places))
        return Batch(control, tuple(files))


class _Names:
    """The names of one day that are not taken yet."""

    def __init__(self, ledger: Ledger, app: str, institution: str, now: datetime) -> None:
        self._ledger = ledger
        self._app, self._institution = app, institution
        self._day = fx.day_of(now.astimezone(CHINA).date())
        self._last: dict[str, int] = {}

    def take(self, kind: str) -> fx.Name | None:
        """Return the next name of a type; None where the day has no more."""
        if kind not in self._last:
            first, last = (fx.Name(self._app, kind, self._institution, self._day, n) for n in (0, fx.MOST_FILES))
            if kind == fx.CONTROL:
                rows = self._ledger.all("fx_batch_names", first.folder, last.folder)
            else:
                rows = self._ledger.all("fx_file_names", str(first), str(last))
            known = [fx.name_of(f"{row['name'].removesuffix('.XML')}.XML") for row in rows]
            self._last[kind] = max((one.serial for one in known if one is not None), default=0)
        self._last[kind] += 1
        if self._last[kind] > fx.MOST_FILES:
            return None
        return fx.Name(self._app, kind, self._institution, self._day, self._last[kind])


def _parts(rows: Iterable[sqlite3.Row], most: int) -> Iterator[list[sqlite3.Row]]:
    """Yield the messages of each file: so many records at most, one message at least, and of no record two versions.

    Feedback names a record by its number alone, so what it says of two versions in one file could not be told apart.
    """
    part: list[sqlite3.Row] = []
    records = 0
    for row in rows:
        count = _count(row)
        if part and (records + count > most or len(part) >= _MOST_PARTS or _has_another_version(part, row)):
            yield part
            part, records = [], 0
        part.append(row)
        records += count
    if part:
        yield part


def _has_another_version(part: Sequence[sqlite3.Row], row: sqlite3.Row) -> bool:
    """Tell whether a message changes what stands in one of these; they are in the order of their numbers."""
    return row["after"] is not None and bool(row["after"] >= part[0]["message"])


def _count(row: sqlite3.Row) -> int:
    return str(row["documents"]).count(" ") + 1


def _until_tomorrow(now: datetime) -> tuple[str, int]:
    here = now.astimezone(CHINA)
    tomorrow = here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return "the names of this day are used up", int((tomorrow - here).total_seconds()) + 1


def _json(values: Sequence[int]) -> str:
    return msgspec.json.encode(list(values)).decode()
