"""The operator's verbs in the ledger: hold, release, refuse.

Each is one transaction a slice: stamps with the reason and the name, the state,
the outbox.  A message that may be on its way at this very moment is never taken
back, and documents that leave together are never parted behind a signature.
What goes into a partner's folder goes after commit.

| verb | from | to |
|---|---|---|
| hold | received, checked, filed, ready, sent | held; the message of a ready one does not leave |
| release | held | where it was held from; what stood for an unread interchange is replayed |
| refuse | all but closed, refused | refused; the message of a ready one is void, the rest of it sealed again |
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from gateway.desks import released_key
from gateway.letting_go import Parting
from gateway.living import go_on
from gateway.refusing import let_go_refusal
from gateway.replaying import Replayed, Ruling, is_placeholder, replay
from gateway.selecting import Name, Selection, contains, documents, slices
from gateway.settling import iso
from gateway.stopping import Messages
from gateway.submitting import Counter, daemon_runs
from gateway.turning import turned
from message_specs.opening import open_message
from spool.ledger import NEVER
from spool.states import State

DESK: Final = "operator"
RESTING: Final = frozenset({State.RECEIVED, State.CHECKED, State.FILED})
ALIVE: Final = frozenset({*RESTING, State.READY, State.SENT, State.HELD})
APPLIES: Final = {
    "hold": ALIVE - {State.HELD},
    "release": frozenset({State.HELD}),
    "refuse": ALIVE,
}
"""The states from which a verb can move a document; a selection without states means these."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a verb did to one document, or would do; `note` says why not, or what else follows."""

    number: str
    spec: str
    key: str | None
    partner: str
    before: str
    after: str
    done: bool
    note: str = ""


class _Undo(Exception):  # noqa: N818  it is not an error
    """A dry run ends here, before anything is written."""


class Verbs:
    """What one operator decides in one home."""

    def __init__(self, counter: Counter, ruling: Ruling, *, dry_run: bool = False) -> None:
        """With `dry_run` everything is worked out in transactions that are undone."""
        self._counter = counter
        self._ledger = counter.ledger
        self._ruling = ruling
        self._dry_run = dry_run
        self._done: set[Name] = set()
        self._signed: dict[int, bool] = {}
        self._at = ""

    def carry_out(self, verb: str, selection: Selection) -> Iterator[Result]:
        """Yield what became of each selected document, slice by committed slice."""
        if not selection.numbers and not selection.states:
            selection = replace(selection, states=tuple(APPLIES[verb]))
        act = {"hold": self._hold, "release": self._release, "refuse": self._refuse}[verb]
        for rows in slices(documents(self._ledger, selection)):
            yield from self._slice(verb, act, rows, selection)

    def _slice(
        self, verb: str, act: Callable[[sqlite3.Row], Result], rows: list[sqlite3.Row], selection: Selection
    ) -> Iterator[Result]:
        parting = Parting()
        results: list[Result] = []
        unread: dict[int, sqlite3.Row] = {}
        with suppress(_Undo), self._ledger.writing():
            self._begin(verb, rows, selection)
            for number, ordinal in sorted(self._chosen):
                row = self._ledger.one("document", number, ordinal)
                assert row is not None
                if verb == "release" and row["state"] == State.HELD and self._stands_for_more(row):
                    unread[number] = row
                    continue
                results.append(act(row))
                self._part(verb, row, results[-1], parting)
            self._end()
        if self._dry_run:
            results += [_result(row, State.CLOSED, "its interchange is replayed") for row in unread.values()]
        else:
            parting.do(self._counter.house.home)
            results += [self._replayed(unread, one) for one in self._replay(unread)]
        yield from results

    def _begin(self, verb: str, rows: Iterable[sqlite3.Row], selection: Selection) -> None:
        counter = self._counter
        self._at = iso(counter.clerk.now())
        self._messages = Messages(
            counter.house, self._ledger, self._ruling, self._at, daemon_runs=daemon_runs(counter.house.home)
        )
        self._chosen = self._names(verb, rows, selection)

    def _end(self) -> None:
        if self._dry_run:
            raise _Undo

    def _names(self, verb: str, rows: Iterable[sqlite3.Row], selection: Selection) -> set[Name]:
        """Return the slice's documents, and when refusing all selected ones that share their messages."""
        names = {(row["number"], row["ordinal"]) for row in rows} - self._done
        if verb != "refuse":
            return names
        mates = {mate for name in names for mate in self._messages.mates(*name)} - names - self._done
        mates = {mate for mate in mates if contains(self._ledger, selection, *mate)}
        self._done |= mates
        return names | mates

    def _hold(self, row: sqlite3.Row) -> Result:
        state = State(row["state"])
        if state not in APPLIES["hold"]:
            return _cannot(row, f"it is {state} already" + (f": {row['why']}" if state is State.HELD else ""))
        if state in RESTING and (others := self._torn(row, RESTING)):
            return _cannot(row, f"its message is signed and leaves whole; hold these with it: {others}")
        note = self._messages.stop(row) if state is State.READY else ""
        self._stamp(row, state, State.HELD)
        self._ledger.run("set_waiting", NEVER, self._ruling.reason, row["number"], row["ordinal"])
        turned(self._ledger, row["number"], row["ordinal"], self._at)
        return _result(row, State.HELD, note)

    def _release(self, row: sqlite3.Row) -> Result:
        if row["state"] != State.HELD:
            return _cannot(row, f"it is not held but {row['state']}")
        origin = self._origin(row)
        if origin in RESTING and (others := self._torn(row, {State.HELD})):
            return _cannot(row, f"its message is signed and leaves whole; release these with it: {others}")
        answered = self._ledger.one("receipt_that_ends", row["number"], row["ordinal"])
        if origin is State.READY and (answered or self._messages.has_left(row)):
            origin = State.SENT
        self._stamp(row, State.HELD, origin)
        self._remember(row)
        resting = origin in RESTING
        self._ledger.run("set_waiting", self._at if resting else None, None, row["number"], row["ordinal"])
        turned(self._ledger, row["number"], row["ordinal"], self._at)
        note = "it goes on within a second while the daemon runs" if resting else ""
        if origin is State.READY:
            note = self._messages.go_on(row)
        elif origin is State.SENT:
            return self._ended(row)
        return _result(row, origin, note)

    def _remember(self, row: sqlite3.Row) -> None:
        """The desk that held the document will know that an operator has let it go on."""
        code, key = (row["why"] or "").partition(" ")[0], released_key(row["number"], row["ordinal"])
        if code.startswith(("T", "F")):
            known = self._ledger.one("record", key)
            self._ledger.run("put_record", key, f"{known['value']} {code}" if known else code)

    def _ended(self, row: sqlite3.Row) -> Result:
        """What an authority decided while the document was held holds."""
        receipt = self._ledger.one("receipt_that_ends", row["number"], row["ordinal"])
        if receipt is None:
            return _result(row, State.SENT, "the authority has it")
        end = State.CLOSED if receipt["outcome"] == "final" else State.REFUSED
        said = f"{receipt['spec']} {receipt['status']}"
        self._stamp(row, State.SENT, end, f"{said} came while it was held")
        return _result(row, end, f"{said} came while it was held{self._messages.arrived(row, said)}")

    def _refuse(self, row: sqlite3.Row) -> Result:
        state = State(row["state"])
        if state not in ALIVE:
            return _cannot(row, f"it is {state} already; nothing more happens to it")
        standing = self._origin(row) if state is State.HELD and not self._stands_for_more(row) else state
        note = ""
        there = standing is State.READY and (self._messages.has_left(row) or self._messages.was_answered(row))
        if standing is State.READY and not there:
            trouble, note = self._messages.void(row, self._chosen)
            if trouble:
                return _cannot(row, trouble)
        elif standing in (State.READY, State.SENT):
            note = f"{row['authority'] or 'the authority'} has it already: see that it is cancelled there too"
        elif standing in RESTING and (others := self._torn(row, RESTING | {State.HELD})):
            return _cannot(row, f"its message is signed and leaves whole; refuse these with it: {others}")
        self._stamp(row, state, State.REFUSED)
        self._ledger.run("set_waiting", None, self._ruling.reason, row["number"], row["ordinal"])
        turned(self._ledger, row["number"], row["ordinal"], self._at)
        if state is not State.SENT and standing is not State.SENT and not there:
            # Customs has never heard of it, so its trade stands as if it had not been declared.
            go_on(self._ledger, {(row["number"], row["ordinal"]): ()}, self._at)
        if there:
            note += self._messages.arrived(row, "all its documents have ended")
        return _result(row, State.REFUSED, note)

    def _part(self, verb: str, row: sqlite3.Row, result: Result, parting: Parting) -> None:
        """The partner is told of a refusal; again of one that stands, in case a crash kept it back."""
        if verb == "refuse" and (result.done or row["state"] == State.REFUSED):
            stamp = self._ledger.all("stamps_of", row["number"], row["ordinal"])[-1]
            if stamp["desk"] == DESK and row["partner"] in self._counter.house.partners:
                let_go_refusal(parting, self._counter.house.home, row, stamp)

    def _origin(self, row: sqlite3.Row) -> State:
        """Return the state from which a document was held; a message that is void meanwhile is no origin."""
        found = self._ledger.one("held_from", row["number"], row["ordinal"])
        origin = State(found["from_state"]) if found else State.RECEIVED
        return State.CHECKED if origin in (State.READY, State.SENT) and row["message"] is None else origin

    def _torn(self, row: sqlite3.Row, states: Collection[State]) -> str:
        """Return the documents of the same signed interchange in these states that were not chosen too."""
        mates = self._ledger.all("documents_of", row["number"])
        others = [
            f"{mate['number']}.{mate['ordinal']}"
            for mate in mates
            if mate["state"] in states and (mate["number"], mate["ordinal"]) not in self._chosen
        ]
        return " ".join(others) if others and self._is_signed(row["number"]) else ""

    def _is_signed(self, number: int) -> bool:
        if number not in self._signed:
            row = self._ledger.one("interchange", number)
            assert row is not None
            self._signed[number] = open_message(self._counter.clerk.store.read(row["evidence"])).signed
        return self._signed[number]

    def _stands_for_more(self, row: sqlite3.Row) -> bool:
        return is_placeholder(row, self._counter.house.authorities)

    def _stamp(self, row: sqlite3.Row, before: State, after: State, reason: str = "") -> None:
        self._ledger.run(
            "add_next_stamp", row["number"], row["ordinal"], self._at, DESK, before, after, self._ruling.by,
            reason or self._ruling.reason, None,
        )  # fmt: skip

    def _replay(self, unread: dict[int, sqlite3.Row]) -> Iterator[Replayed]:
        found = [self._ledger.one("interchange", number) for number in unread]
        yield from replay(self._counter, [row for row in found if row is not None], self._ruling)

    @staticmethod
    def _replayed(unread: dict[int, sqlite3.Row], one: Replayed) -> Result:
        row = unread[one.row["number"]]
        if one.told is None:
            return _cannot(row, one.trouble)
        return _result(row, State.CLOSED, f"its interchange was replayed as {one.told['number']}")


def _result(row: sqlite3.Row, after: State, note: str = "") -> Result:
    return Result(_name(row), row["spec"], row["key"], row["partner"], row["state"], after, True, note)


def _cannot(row: sqlite3.Row, why: str) -> Result:
    return Result(_name(row), row["spec"], row["key"], row["partner"], row["state"], row["state"], False, why)


def _name(row: sqlite3.Row) -> str:
    return f"{row['number']}.{row['ordinal']}"
