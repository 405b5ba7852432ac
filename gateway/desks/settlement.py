"""The desk `settlement`: an amount is settled against released, unreturned trades, each once; the rest is held.

What a record settles: of income (BOPA) the part that becomes yuan (LCYAMT); of a settlement (JSHD) all of it; of a
remittance (BOPB) what it names.  The trades are the record's TradeList, and each is looked up in this ledger: its
order, what customs has said of its inventory, cancels and returns.  Which record uses an order stands in the record
`fxused|KIND|ORDER`; one that was refused or deleted since uses it no more.

A firm must stand in the directory with class A.  A person who names no trade uses his year's quota, which stands in
`fxquota|PERSON|YEAR`, PERSON being a keyed hash; with trades the quota is not touched.  A payment institution
settles no item above its limit.

An operator's release lets pass what people may judge (class, directory, quota); what the trades say is never
overruled, so a release only looks again.

**Known limits.** Only this ledger's trades are seen, and no order of the platform 无, whose number alone says little.
A return of part of a trade returns it whole.  Small firms below
USD 200,000 a year need no directory by the law; here they need a line in it.  A change that the office refuses leaves
the quota with the changed amount.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from gateway.case import Case, Outcome
from gateway.desks import Needs, Records, released_key
from message_specs.amounts import amount, number
from message_specs.exchange import currency_of, limit_on
from message_specs.findings import Finding, Severity, finding
from message_specs.reader import named
from message_specs.reporting import day_of
from message_specs.trade import quotas
from message_specs.trade.choosing import live
from message_specs.trade.papers import Paper, mark_of
from message_specs.trade.persons import person_mark
from spool.states import State

_DELETES: Final = "3"
_PERSONS: Final = ("D", "F")
_MAY_BE_RELEASED: Final = frozenset({"F131", "F137", "F138"})
_WITHIN: Final = Decimal("1.03")
"""So far a trade in another currency may be above its order: rates differ by their day (our choice of 2026-11)."""
_GRADES: Final[Mapping[str, tuple[str, str]]] = {
    "B": ("逐笔核查", "each item is checked"),
    "C": ("须先登记", "each item is registered first"),
}


def settled(case: Case) -> tuple[str, Decimal]:
    """Return the currency and the amount that a record settles."""
    head = case.document.head
    if case.document.spec.code == "JSHD":
        return head.get("FCYCCY", ""), amount(head.get("FCYAMT"))
    name = "LCYAMT" if case.document.spec.code == "BOPA" else "TXAMT"
    return head.get("TXCCY", ""), amount(head.get(name))


def _orders(case: Case) -> dict[int, Mapping[str, str]]:
    """Return the lines of the record by the mark of the order that each names."""
    return {mark_of("order", one.get("ebpCode", ""), one.get("orderNo", "")): one for one in case.document.lines}


def used_key(spec: str, order: int) -> str:
    """Return the key under which stands which record settles an order."""
    return f"fxused|{spec}|{order}"


def quota_key(head: Mapping[str, str], secret: bytes) -> str | None:
    """Return the key of a person's year, by the day in the record's number; None where no person's quota counts."""
    person, day = head.get("IDCODE", "").strip(), day_of(head.get("RPTNO", ""))
    if head.get("CUSTYPE") not in _PERSONS or not person or not day:
        return None
    return person_key(person, day[:4], secret)


def person_key(person: str, year: str, secret: bytes) -> str:
    """Return the key under which stands what a person has used of a year."""
    return f"fxquota|{person_mark(person, secret)}|{year}"


def needs(case: Case, records: Records) -> Needs:
    """Return the trades that the record names, who uses them, and the person's year."""
    orders = _orders(case)
    spec = case.document.spec.code
    keys = [released_key(case.number, case.ordinal), *(used_key(spec, one) for one in orders)]
    if spec == "JSHD" and not orders and (key := quota_key(case.document.head, records.secret)):
        keys.append(key)
    return Needs((*orders, *case.marks.get("settled", ())), tuple(keys), lives=True)


def decide(case: Case, records: Records) -> Outcome:
    """Hold what does not fit, with every reason; pass the rest with what it uses written down."""
    if case.document.app_type == _DELETES:
        return Outcome(State.CHECKED)
    keeps: dict[str, str | None] = {}
    found = [*_dated(case, records), *_single(case, records), *_firm(case, records), *_trades(case, records, keeps)]
    found += _quota(case, records, keeps)
    released = (records.value(released_key(case.number, case.ordinal)) or "").split()
    found = [one for one in found if not (one.code in _MAY_BE_RELEASED and _MAY_BE_RELEASED.intersection(released))]
    told = tuple(_said(case, one) for one in found)
    if any(one.code == "F130" for one in told):
        return Outcome(State.REFUSED, told)
    if told:
        return Outcome(State.HELD, told, f"{told[0].code} {told[0].zh} {told[0].en}")
    return Outcome(State.CHECKED, keeps=keeps)


def _dated(case: Case, records: Records) -> Iterator[Finding]:
    """A number of tomorrow would use the quota of a year that has not come."""
    day, today = day_of(case.document.head.get("RPTNO", "")), f"{records.today:%Y%m%d}"
    if day > today:
        yield finding("F148", path="REC/RPTNO", found=day, day=today)


def _single(case: Case, records: Records) -> Iterator[Finding]:
    if case.partner not in records.exchange.institutions:
        return
    currency, total = settled(case)
    if case.document.spec.code == "BOPA":
        total = amount(case.document.head.get("TXAMT"))
    dollars = records.exchange.in_dollars(total, currency, records.today)
    limit = limit_on("institution_item", records.today)
    if dollars is None:
        yield finding("F139", path="REC", currency=currency)
    elif dollars > limit:
        yield finding("F130", path="REC", found=number(dollars), limit=number(limit))


def _firm(case: Case, records: Records) -> Iterator[Finding]:
    head = case.document.head
    code = head.get("CUSTCOD", "")
    if head.get("CUSTYPE") != "C":
        return
    grade = records.exchange.grade_on(code, records.today)
    if grade is None:
        yield finding("F138", path="REC/CUSTCOD", firm=code, day=records.today.isoformat())
    elif grade in _GRADES:
        zh, en = _GRADES[grade]
        yield finding("F137", path="REC/CUSTCOD", firm=code, grade=grade, why=zh, why_en=en)


def _trades(case: Case, records: Records, keeps: dict[str, str | None]) -> Iterator[Finding]:
    currency, total = settled(case)
    orders, spec = _orders(case), case.document.spec.code
    covered = sum((amount(one.get("amount")) for one in orders.values()), Decimal(0))
    must = bool(orders) or (spec == "BOPA" and total > 0) or (spec == "JSHD" and _is_firm(case))
    if must and total > covered:
        yield finding("F136", path="TradeList", found=number(total), expected=number(covered))
    for mark, line in orders.items():
        told = list(_trade(case, records, mark, line, currency))
        yield from told
        if not told:
            keeps[used_key(spec, mark)] = json.dumps({"by": case.key})


def _is_firm(case: Case) -> bool:
    return case.document.head.get("CUSTYPE") == "C"


def _trade(case: Case, records: Records, mark: int, line: Mapping[str, str], currency: str) -> Iterator[Finding]:
    """Yield why this trade may not be settled by this record."""
    name, path = line.get("orderNo", ""), "TradeList/orderNo"
    papers = [one for one in records.papers((mark,)) if one.kind]
    alive = live(papers)
    order = next((one for one in alive if one.kind == "order"), None)
    if order is None:
        yield finding("F132", path=path, order=name)
        return
    life = records.life(one for one in papers if one.kind in ("inventory", "cancel"))
    if life.cancelled or any(one.kind in ("refund", "tally") for one in alive):
        yield finding("F134", path=path, order=name)
    elif life.phase not in ("released", "closed"):
        yield finding("F133", path=path, order=name, state=life.zh, state_en=life.en)
    if other := _other_user(case, records, mark):
        yield finding("F135", path=path, order=name, other=other)
    yield from _worth(records, order, line, currency)


def _other_user(case: Case, records: Records, mark: int) -> str:
    """Return the record that uses the order already, "" where none that stands does."""
    value = records.value(used_key(case.document.spec.code, mark))
    by = json.loads(value)["by"] if value else ""
    if not by or by == case.key:
        return ""
    spec = case.document.spec.code
    users = [one for one in records.papers(case.marks.get("settled", ()))
             if one.spec == spec and one.head.get("RPTNO") == by]  # fmt: skip
    last = max(users, key=lambda one: (one.version, one.number, one.ordinal), default=None)
    if last is None or _uses(last, users, mark):
        return f"{spec} {by}"
    return ""


def _uses(last: Paper, users: Sequence[Paper], mark: int) -> bool:
    """Tell whether a record still settles the order: not where it was deleted, nor where all of it was refused."""
    if last.app_type == _DELETES and last.state == State.CLOSED:
        return False
    standing = [one for one in users if one.state != State.REFUSED and one.app_type != _DELETES]
    return any(mark in _marks(one) for one in standing)


def _marks(one: Paper) -> set[int]:
    return {mark_of("order", line.get("ebpCode", ""), line.get("orderNo", "")) for line in one.lines}


def _worth(records: Records, order: Paper, line: Mapping[str, str], currency: str) -> Iterator[Finding]:
    """A line is no more than its order; where the currencies differ, both are held against each other in dollars."""
    asked = amount(line.get("amount"))
    worth = amount(order.head.get("acturalPaid") or order.head.get("goodsValue"))
    theirs = currency_of(order.head.get("currency", ""))
    name = line.get("orderNo", "")
    if theirs == currency:
        if asked > worth:
            yield _too_much(name, number(asked), currency, number(worth))
        return
    of_order = records.exchange.in_dollars(worth, theirs, records.today)
    of_line = records.exchange.in_dollars(asked, currency, records.today)
    for dollars, missing in ((of_order, theirs), (of_line, currency)):
        if dollars is None:
            yield finding("F139", path="TradeList/amount", currency=missing)
    if of_order is not None and of_line is not None and of_line > of_order * _WITHIN:
        yield _too_much(name, number(asked), currency, f"{number(worth)} {theirs}")


def _too_much(order: str, found: str, currency: str, expected: str) -> Finding:
    return finding("F144", path="TradeList/amount", order=order, found=found, currency=currency, expected=expected)


def _quota(case: Case, records: Records, keeps: dict[str, str | None]) -> Iterator[Finding]:
    head = case.document.head
    key = quota_key(head, records.secret)
    if case.document.spec.code != "JSHD" or key is None or _orders(case):
        return
    currency, total = settled(case)
    dollars = records.exchange.in_dollars(total, currency, records.today)
    if dollars is None:
        yield finding("F139", path="REC/FCYCCY", currency=currency)
        return
    before = records.value(key)
    before = quotas.given_back(before, case.key) if before else None
    used, limit = quotas.used(before), limit_on("person_year", records.today)
    keeps[key] = quotas.counted(before, case.key, dollars)
    if used + dollars > limit:
        yield finding(
            "F131", path="REC/IDCODE", year=key[-4:], used=number(used), found=number(used + dollars),
            limit=number(limit),
        )  # fmt: skip


def _said(case: Case, one: Finding) -> Finding:
    document = case.document
    unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    return replace(one, document=document.ordinal, path=f"{unit}/{one.path}", severity=Severity.ERROR)
