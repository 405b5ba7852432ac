"""Replaying: stored evidence is taken in again, under a fresh number that names the old one.

A partner's interchange is judged by the law of today: what was refused gets its
chance, what is alive is a duplicate and never declared twice.  An authority's
answer is settled again.  Evidence of the old number stays as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from sqlite3 import Row
from typing import Any, Final

from gateway.settling import decided_units, iso
from gateway.submitting import Counter
from mapping.cells import is_table
from spool.interchange import Claim
from spool.states import State

AT_ONCE: Final = 100
DOOR: Final = "replay"


@dataclass(frozen=True, slots=True)
class Ruling:
    """Why an operator decides, and who he is."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """One interchange taken in again: its row, the acknowledgement, or why it could not be."""

    row: Row
    told: dict[str, Any] | None
    trouble: str = ""


def replay(counter: Counter, rows: Iterable[Row], ruling: Ruling) -> Iterator[Replayed]:
    """Yield what became of each interchange; they go in by hundreds, each hundred one transaction."""
    for part in _parts(rows, counter.house.kouan.workers.group_bytes):
        ready: list[tuple[Row, Claim]] = []
        for row in part:
            claim = _claim(counter, row)
            if isinstance(claim, str):
                yield Replayed(row, None, claim)
            else:
                ready.append((row, claim))
        if not ready:
            continue
        told = counter.hand_in([claim for _, claim in ready])
        with counter.ledger.writing():
            for (row, _), one in zip(ready, told, strict=True):
                _stamp(counter, row["number"], int(one["number"]), ruling)
        for (row, _), one in zip(ready, told, strict=True):
            yield Replayed(row, one)


def would_be(row: Row) -> Replayed:
    """Return what a dry run says of an interchange: nothing has become of it."""
    return Replayed(row, None)


def as_facts(one: Replayed) -> dict[str, Any]:
    """Return a replay as programs read it: the keys of the acknowledgement, `replay_of` and `trouble`."""
    row = one.row
    told = one.told or {
        "number": None,
        "file": row["file"],
        "partner": row["sender"],
        "sha256": row["sha256"].hex(),
        "received_at": None,
        "duplicate_of": None,
        "documents": [],
        "findings": [],
    }
    return {"replay_of": str(row["number"]), "spec": row["spec"], **told, "trouble": one.trouble}


def is_placeholder(row: Row, authorities: Iterable[str]) -> bool:
    """Tell whether a held document only stands for an interchange that could not be settled or read."""
    return row["spec"] == "?" or row["partner"] in authorities


def _parts(rows: Iterable[Row], most_bytes: int) -> Iterator[list[Row]]:
    ahead = iter(rows)
    while part := list(islice(ahead, AT_ONCE)):
        group: list[Row] = []
        size = 0
        for row in part:
            if group and size + row["size"] > most_bytes:
                yield group
                group, size = [], 0
            group.append(row)
            size += row["size"]
        yield group


def _claim(counter: Counter, row: Row) -> Claim | str:
    """Return the claim that takes a row's evidence in again, or why there can be none."""
    house, store = counter.house, counter.clerk.store
    if row["sender"] not in house.partners and row["sender"] not in house.authorities:
        return f"no file in partners/ or authorities/ names {row['sender']}"
    if not store.path(row["evidence"]).is_file():
        return f"its evidence is gone: {row['evidence']}"
    if row["size"] > house.kouan.limits.message_bytes or is_table(row["file"]):
        # Never read whole into memory, so it is looked at where it lies.
        return Claim(0, row["sender"], DOOR, row["file"], place=row["evidence"], replay_of=row["number"])
    return Claim(0, row["sender"], DOOR, row["file"], body=store.read(row["evidence"]), replay_of=row["number"])


def _stamp(counter: Counter, old: int, new: int, ruling: Ruling) -> None:
    """Both lives tell of the replay; what only stood for the old interchange is closed by it."""
    ledger, at = counter.ledger, iso(counter.clerk.now())
    authorities = counter.house.authorities
    for number, what in ((old, f"replayed as {new}"), (new, f"replay of {old}")):
        rows = ledger.all("documents_of", number)
        decided = decided_units(rows) if number == old else frozenset()
        for row in rows:
            if row["ordinal"] in decided and is_placeholder(row, authorities):
                continue
            states = [row["state"], row["state"]]
            if number == old and row["state"] == State.HELD and is_placeholder(row, authorities):
                states = [State.HELD, State.RECEIVED, State.CLOSED]
                ledger.run("set_waiting", None, None, number, row["ordinal"])
            for before, after in pairwise(states):
                ledger.run(
                    "add_next_stamp", number, row["ordinal"], at, DOOR, before, after, ruling.by,
                    f"{what}: {ruling.reason}", None,
                )  # fmt: skip
