"""Aggregates: what customs made of an aggregate application (CEB792) is held against the predicted merge.

A result that settles makes its application due; it is compared outside of that transaction, anew with every result
that comes.  What differs is stamped on the parts of the application, once, and told to whoever declared it as far as
it is about lists of his; the operator sees all of it.  What is lacking is told when customs goes on to declare, or a
day after the last result.

Known limits: results are compared by the lists that are known here; an application for a period is expected to gather
what was closed in it and may be gathered.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from gateway.desks.aggregating import gathered_key, holder_of
from gateway.fetching import number_of, paper_of
from gateway.living import said_of
from gateway.notices import notice
from gateway.ripening import ripe_mark
from gateway.settling import iso
from message_specs.amounts import amount
from message_specs.findings import Finding
from message_specs.trade.aggregated import compare_792, weights
from message_specs.trade.aggregation import asked, can_gather, predicted
from message_specs.trade.choosing import key_of, live
from message_specs.trade.giving_back import known_as
from message_specs.trade.life import Life, life_of
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper, unpack
from spool.ledger import Ledger

AT_ONCE: Final = 20
PATIENCE: Final = timedelta(days=1)
"""So long after the last result the next may come before something is said to be lacking (our choice)."""
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_RESULT: Final = "CEB792"


@dataclass(frozen=True)
class Aggregate:
    """One application with its results, and every list that one of them names, by number."""

    sum_no: str
    parts: tuple[Paper, ...]
    results: tuple[Paper, ...]
    lists: dict[str, Paper] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
    """Lists that another application gathers."""

    @property
    def named(self) -> list[str]:
        """The lists that the results name, sorted."""
        return sorted(set(_numbers(self.results)))

    def expected(self) -> tuple[str, ...]:
        """The lists that this application is expected to gather."""
        numbers = asked(self.parts, self.lists, self.lives)
        if any(_numbers(self.parts)):
            return tuple(number for number in numbers if number in self.lists)
        return tuple(
            number
            for number in numbers
            if not can_gather(number, self.lists[number], self.lives[number], self.elsewhere)
        )

    def differences(self, on: date, *, whole: bool) -> tuple[Finding, ...]:
        """How the results differ from the prediction; with `whole` what they lack too."""
        groups = predicted({number: self.lists[number] for number in self.expected()}, self.parts[0])
        found = compare_792(groups, self.results, self.lists, on, whole=whole)
        return (*found, *weights(groups, self.results))

    @property
    def is_complete(self) -> bool:
        """Whether no part of a result is missing and customs went on to declare what it gathered."""
        seen: dict[str, set[int]] = {}
        count: dict[str, int] = {}
        for one in self.results:
            key = one.head.get("declSeqNo", "")
            seen.setdefault(key, set()).add(int(amount(one.head.get("msgSeqNo"))))
            count[key] = max(count.get(key, 1), int(amount(one.head.get("msgCount"))))
        went_on = any(not one.lines for one in self.results)
        return went_on and all(len(seen[key]) >= count[key] for key in seen)


def compare_due(ledger: Ledger, now: datetime) -> int:
    """Up to twenty applications whose results came have been compared; return how many."""
    rows = ledger.all("due_aggregates", iso(now), AT_ONCE)
    for row in rows:
        _compare(ledger, row, now)
    return len(rows)


def _compare(ledger: Ledger, row: sqlite3.Row, now: datetime) -> None:
    one = read(ledger, row["sum_no"], row["authority"])
    if not one.parts or not one.results:
        with ledger.writing():
            ledger.run("aggregate_compared", None, None, None, row["sum_no"], row["authority"], row["turn"])
        return
    patient_until = datetime.fromisoformat(row["came_at"]) + PATIENCE
    whole = one.is_complete or now >= patient_until
    found = one.differences(now.astimezone(_CHINA).date(), whole=whole)
    verdict = "differs" if found else "agrees" if whole else None
    told = msgspec.json.encode([each.as_dict() for each in found]).decode()
    known = {(each["code"], each["zh"]) for each in msgspec.json.decode(row["findings"] or "[]")}
    fresh = [each for each in found if (each.code, each.zh) not in known]
    place = (row["sum_no"], row["authority"], row["turn"])
    with ledger.writing():
        if not ledger.run("aggregate_compared", None if whole else iso(patient_until), verdict, told, *place):
            return  # a further result came meanwhile
        if fresh or (verdict == "agrees" and row["verdict"] != "agrees"):
            _stamp(ledger, one, fresh, iso(now))
        _tell(ledger, one, fresh)
        _gather(ledger, one, iso(now))


def read(ledger: Ledger, sum_no: str, authority: str) -> Aggregate:
    """Return the application that was given a number, its results, and the lists of both."""
    papers = [ledger.one("paper", *place) for place in ledger.all("documents_given", sum_no, "sumNo", authority)]
    parts = live(paper_of(row) for row in papers if row is not None and row["kind"] == "aggregate")
    results = [_result(row, authority) for row in ledger.all("results", sum_no, authority)]
    if not parts or not results:
        return Aggregate(sum_no, tuple(parts), tuple(results))
    numbers = {*_numbers(parts), *_numbers(results)}
    lists, lives, found = _lists(ledger, numbers, tuple(_of_period(ledger, parts)))
    elsewhere = frozenset(_elsewhere(ledger, parts, lists, found))
    return Aggregate(sum_no, tuple(parts), tuple(results), lists, lives, elsewhere)


def _result(row: sqlite3.Row, authority: str) -> Paper:
    head, lines = unpack(row["body"])
    state = head.get("decState", "")
    return Paper(
        row["number"], row["ordinal"], _RESULT, "aggregate_result", authority, "", "1", 0, state, head, lines
    )  # fmt: skip


def _numbers(papers: Iterable[Paper]) -> Iterator[str]:
    return (number for one in papers for line in one.lines if (number := line.get("invtNo", "").strip()))


def _of_period(ledger: Ledger, parts: Sequence[Paper]) -> Iterator[tuple[str, Paper]]:
    """Yield the lists, with their numbers, that were closed in the months of an application for a period."""
    marks: dict[int, None] = {}
    for part in parts:
        start, end = (part.head.get(name, "").strip()[:6] for name in ("startTime", "endTime"))
        if part.lines or not (start.isdigit() and end.isdigit()):
            continue
        for month in range(int(start[:4]) * 12 + int(start[4:]) - 1, int(end[:4]) * 12 + int(end[4:])):
            marks[ripe_mark(part.head.get("ebcCode", ""), date(month // 12, month % 12 + 1, 1))] = None
    for paper in _by_marks(ledger, marks).values():
        for one in paper:
            yield number_of(ledger, one), one


def _lists(
    ledger: Ledger, numbers: Iterable[str], more: Iterable[tuple[str, Paper]]
) -> tuple[dict[str, Paper], dict[str, Life], dict[str, list[Paper]]]:
    """Return of each number its live list, what customs said of it, and everything that names the number."""
    wanted = {mark_of("inventory", number): number for number in (*numbers, *[number for number, _ in more]) if number}
    found = {wanted[mark]: papers for mark, papers in _by_marks(ledger, wanted).items()}
    lists: dict[str, Paper] = {}
    lives: dict[str, Life] = {}
    for number, papers in found.items():
        listed = known_as(papers, number)
        if listed is not None:
            lists[number] = listed
            rows = [row for one in papers if one.kind in ("inventory", "cancel")
                    for row in ledger.all("receipts_of", one.number, one.ordinal)]  # fmt: skip
            lives[number] = life_of("export", map(said_of, rows))
    return lists, lives, found


def _by_marks(ledger: Ledger, marks: Iterable[int]) -> dict[int, list[Paper]]:
    found: dict[int, list[Paper]] = {}
    for row in ledger.all("papers_by_marks", msgspec.json.encode(list(marks)).decode()):
        found.setdefault(row["mark"], []).append(paper_of(row))
    return found


def _records(ledger: Ledger, numbers: Iterable[str]) -> dict[str, str]:
    keys = msgspec.json.encode([gathered_key(number) for number in numbers]).decode()
    return {row["key"]: row["value"] for row in ledger.all("records", keys)}


def _elsewhere(
    ledger: Ledger, parts: Sequence[Paper], lists: Iterable[str], found: dict[str, list[Paper]]
) -> Iterator[str]:
    mine, names = {key_of(part) for part in parts}, {part.name for part in parts}
    kept = _records(ledger, lists)
    for number in lists:
        holder = holder_of(kept.get(gathered_key(number)), found[number])
        if holder is None or (isinstance(holder, str) and holder in names):
            continue
        if isinstance(holder, str) or key_of(holder) not in mine:
            yield number


def _stamp(ledger: Ledger, one: Aggregate, fresh: Sequence[Finding], at: str) -> None:
    codes = " ".join(dict.fromkeys(each.code for each in fresh))
    reason = f"{_RESULT} {one.sum_no} {codes or '与预计归并一致 as predicted'}"
    findings = msgspec.json.encode([each.as_dict() for each in fresh]).decode() if fresh else None
    for part in one.parts:
        row = ledger.one("document", part.number, part.ordinal)
        if row is not None:
            place = (part.number, part.ordinal)
            ledger.run("add_next_stamp", *place, at, "aggregate", row["state"], row["state"], "kouan", reason, findings)


def _tell(ledger: Ledger, one: Aggregate, fresh: Sequence[Finding]) -> None:
    """Whoever declared the application hears what is about lists that he declared, or that nobody here did."""
    part = one.parts[0]
    theirs = {number for number, listed in one.lists.items() if listed.partner != part.partner}
    mine = [each for each in fresh if each.value is None or each.value not in theirs]
    if mine:
        told = notice(part, mine)
        ledger.run("add_notice", told.partner, told.name, told.body)


def _gather(ledger: Ledger, one: Aggregate, at: str) -> None:
    """The lists that customs named are gathered by this application, and wait for no day any more."""
    named = [number for number in one.named if number in one.lists and number not in one.elsewhere]
    kept, names = _records(ledger, named), {part.name for part in one.parts}
    for number in named:
        if kept.get(gathered_key(number)) not in names:
            ledger.run("put_record", gathered_key(number), one.parts[0].name)
    marks = msgspec.json.encode([mark_of("inventory", number) for number in named]).decode()
    ledger.run("wake_lists", at, marks)


def gathered_into(ledger: Ledger, listed: Paper, number: str, *, whole: bool) -> dict[str, Any] | None:
    """Return what became of a list among aggregate applications; None where none gathers it.

    `whole`: with the number of the application, which is its own partner's and the operator's to know.
    """
    value = _records(ledger, [number]).get(gathered_key(number))
    papers = _by_marks(ledger, [mark_of("inventory", number)]).get(mark_of("inventory", number), [])
    holder = holder_of(value, papers)
    if holder is None:
        return None
    if isinstance(holder, str):
        first, _, ordinal = holder.partition(".")
        row = ledger.one("paper", int(first), int(ordinal))
        if row is None:
            return None
        holder = paper_of(row)
    sum_no = number_of(ledger, holder, "sumNo")
    row = ledger.one("aggregate", sum_no)
    results = [_result(each, "") for each in ledger.all("results", sum_no, row["authority"])] if row else []
    declared = next((one.head.get("declSeqNo") for one in results if number in _numbers([one])), None)
    last: dict[str, str] = {}
    for one in results:
        if declared and one.head.get("declSeqNo") == declared:
            last |= one.head
    return {
        "state": "aggregated" if declared else "applied",
        "application": holder.name if whole or holder.partner == listed.partner else None,
        "sum_no": sum_no or None,
        "declaration": declared,
        "entry": last.get("entryId"),
        "declaration_state": last.get("decState"),
        "verdict": row["verdict"] if row else None,
        "findings": msgspec.json.decode(row["findings"] or "[]") if row and whole else [],
    }
