"""The years of persons: what a record of foreign exchange uses of the quota of a person's year, to settle or to buy.

Which year is told by the day in the record's number, which person by his identity number.  A version that names
trades, deletes, or is about another person uses nothing of a year in which an earlier version still counts; that is
written down with it, so that the year is right whatever the exchange office says of which version (spent).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from gateway.case import Case
from gateway.desks import Records
from message_specs.amounts import number
from message_specs.exchange import limit_on
from message_specs.findings import Finding, finding
from message_specs.reporting import day_of
from message_specs.trade import spent
from message_specs.trade.papers import Paper
from message_specs.trade.persons import person_mark
from message_specs.trade.settled import LISTS, exchanged, standing

_PERSONS: Final = ("D", "F")
BUYS: Final = ("BOPB", "JSHE")
"""The records that buy foreign exchange, or pay with it."""
_NOTHING: Final = Decimal(0)


def quota_key(spec: str, head: Mapping[str, str], secret: bytes) -> str | None:
    """Return the key of a person's year, by the day in the record's number; None where no person's quota counts."""
    person, day = head.get("IDCODE", "").strip(), day_of(head.get("RPTNO", ""))
    if head.get("CUSTYPE") not in _PERSONS or not person or not day:
        return None
    return person_key(person, day[:4], secret, buys=spec in BUYS)


def person_key(person: str, year: str, secret: bytes, *, buys: bool = False) -> str:
    """Return the key under which stands what a person has used of a year to settle, or to buy."""
    return f"{'fxbought' if buys else 'fxquota'}|{person_mark(person, secret)}|{year}"


def years(case: Case, records: Records) -> list[str]:
    """Return the years in which versions of this record may count, this version's among them."""
    spec, head = case.document.spec.code, case.document.head
    heads = [head, *(one.head for one in versions(case, records))]
    found = [quota_key(spec, one, records.secret) for one in heads]
    return list(dict.fromkeys(key for key in found if key is not None))


def versions(case: Case, records: Records) -> tuple[Paper, ...]:
    """Return the other versions of this record that may be what holds."""
    mine = [
        one for one in records.papers(case.marks.get("report", ()))
        if one.spec == case.document.spec.code and one.name != case.name
    ]  # fmt: skip
    return standing(mine)


def over_quota(case: Case, records: Records, keeps: dict[str, str | None]) -> Iterator[Finding]:
    """A person who names no trade uses his year; every other year in which the record stood is told that it may not."""
    document = case.document
    spec, head = document.spec.code, document.head
    currency, total = exchanged(spec, head)
    key = quota_key(spec, head, records.secret) if total and not document.lines else None
    if key is None:
        count_nothing(case, records, keeps)
        return
    dollars = records.exchange.in_dollars(total, currency, records.today)
    if dollars is None:
        yield finding("F139", path="REC/FCYCCY" if spec in LISTS else "REC/TXCCY", currency=currency)
        return
    _note(case, records, keeps, key, dollars)
    before = spent.used(records.value(key), _state_of(records), but=_record(case))
    limit = limit_on(_limit(spec, head.get("CUSTYPE", "")), records.today)
    if before + dollars > limit:
        yield finding(
            "F131", path="REC/IDCODE", year=key[-4:], used=number(before), found=number(before + dollars),
            limit=number(limit),
        )  # fmt: skip


def count_nothing(case: Case, records: Records, keeps: dict[str, str | None]) -> None:
    """This version uses nothing of any year in which others of its record count."""
    _note(case, records, keeps, "", _NOTHING)


def _limit(spec: str, kind: str) -> str:
    """Return which limit holds; a person from abroad has a year to settle and none to buy (实施细则 article 2)."""
    if spec not in BUYS:
        return "person_year"
    return "person_year_bought" if kind == "D" else "stranger_year_bought"


def _note(case: Case, records: Records, keeps: dict[str, str | None], own: str, dollars: Decimal) -> None:
    """This version counts in the person's own year, and as nothing in the years where others of its record stand."""
    for key in years(case, records):
        value = records.value(key)
        if key == own or spent.holds(value, _record(case)):
            uses = dollars if key == own else _NOTHING
            keeps[key] = spent.noted(value, _record(case), case.name, uses, _state_of(records))


def _record(case: Case) -> str:
    return f"{case.document.spec.code} {case.key}"


def _state_of(records: Records) -> spent.StateOf:
    return lambda name: records.named[name].state if name in records.named else ""
