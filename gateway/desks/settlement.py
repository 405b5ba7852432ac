"""The desk `settlement`: an amount is settled against released, unreturned trades, each once; the rest is held.

What a record settles: of income (BOPA) the part that becomes yuan (LCYAMT); of a settlement (JSHD) or a purchase
(JSHE) all of it; of a remittance (BOPB) what it names.  The trades are the record's TradeList, and each is looked up
in this ledger: its order, what customs has said of its inventory, cancels and returns.  Which record uses an order
stands in the record `fxused|sells|ORDER` or `fxused|buys|ORDER`; whether it still does follows from all versions of
that record (settled).
Two kinds that sell, or buy, for one trade (BOPA and JSHD, BOPB and JSHE) may share its worth and not exceed it.

A firm must stand in the directory with class A.  A person who names no trade uses his year's quota, of settlement in
`fxquota|PERSON|YEAR`, of purchase in `fxbought|PERSON|YEAR`, PERSON being a keyed hash; what counts in it follows from
where the versions of his records stand (spent).  With trades the quota is not touched.  A payment institution settles
no item above its limit.

An operator's release lets pass what people may judge (class, directory, quota, whose trade it is and in which
direction); what else the trades say is never overruled, so a release only looks again.

**Known limits.** Only this ledger's trades are seen.  A return of part of a trade returns it whole, and one that
comes after the settlement is not told.  Small firms below USD 200,000 a year need no directory by the law; here they
need a line in it.  A record that an operator refuses although the office has it uses nothing any more.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from gateway.case import Case, Outcome
from gateway.desks import Needs, Records, released_key
from gateway.person_years import BUYS, count_nothing, over_quota, quota_key, years
from message_specs.amounts import amount, number
from message_specs.exchange import currency_of, limit_on
from message_specs.findings import Finding, Severity, finding
from message_specs.reader import named
from message_specs.reporting import day_of
from message_specs.trade import spent
from message_specs.trade.choosing import live
from message_specs.trade.papers import Paper, marks_of, side_of
from message_specs.trade.settled import OTHER_KIND, by_order, exchanged, part_of, users
from spool.states import State

_DELETES: Final = "3"
_PROVEN: Final = ("BOPA", "JSHD")
"""Of these a firm must name the trades behind what it settles."""
_MAY_BE_RELEASED: Final = frozenset({"F131", "F137", "F138", "F146", "F147"})
_WITHIN: Final = Decimal("1.03")
"""So far a trade in another currency may be above its order: rates differ by their day (our choice of 2026-11)."""
_GRADES: Final[Mapping[str, tuple[str, str]]] = {
    "B": ("逐笔核查", "each item is checked"),
    "C": ("须先登记", "each item is registered first"),
}
_SIDES: Final[Mapping[str, tuple[str, str]]] = {"import": ("进口", "an import"), "export": ("出口", "an export")}
_USES: Final[Mapping[str, tuple[str, str]]] = {
    "import": ("收汇、结汇", "income"),
    "export": ("购汇、付汇", "payment"),
}
_NOTHING: Final = Decimal(0)
_NOT_SHOWN: Final = "（不予显示 not shown）"


def settled(case: Case) -> tuple[str, Decimal]:
    """Return the currency and the amount for which a record needs trades."""
    head, spec = case.document.head, case.document.spec.code
    return (head.get("TXCCY", ""), amount(head.get("TXAMT"))) if spec == "BOPB" else exchanged(spec, head)


def used_key(spec: str, order: int) -> str:
    """Return the key under which stands which record of each kind sells, or buys, for an order.

    Both kinds write it, so that of two workers one always sees what the other has let pass.
    """
    return f"fxused|{'buys' if spec in BUYS else 'sells'}|{order}"


def needs(case: Case, records: Records) -> Needs:
    """Return the trades that the record names, who uses them, its own versions, and the years of their persons."""
    document = case.document
    spec, orders = document.spec.code, by_order(document.lines)
    keys = [released_key(case.number, case.ordinal)]
    keys += [used_key(spec, one) for one in orders]
    if year := quota_key(spec, document.head, records.secret):
        keys.append(year)
    marks = (*orders, *case.marks.get("settled", ()), *case.marks.get("report", ()))

    def of_others(known: Records) -> Iterable[str]:
        return [key for key in years(case, known) if key != year]

    def counted(known: Records) -> Iterable[str]:
        return [name for key in years(case, known) for name in spent.asked(known.value(key))]

    return Needs(marks, tuple(keys), lives=True, then=_reports, keys=of_others, names=counted)


def _reports(papers: Iterable[Paper]) -> Iterable[int]:
    """By what every version of the records that may use these orders is found."""
    return [mark for one in papers if one.spec in OTHER_KIND for mark in marks_of("report", one.spec, one.head)]


def decide(case: Case, records: Records) -> Outcome:
    """Hold what does not fit, with every reason; pass the rest with what it uses written down."""
    keeps: dict[str, str | None] = {}
    if case.document.app_type == _DELETES:
        count_nothing(case, records, keeps)
        return Outcome(State.CHECKED, keeps=keeps)
    found = [*_dated(case, records), *_single(case, records), *_firm(case, records), *_trades(case, records, keeps)]
    found += over_quota(case, records, keeps)
    released = (records.value(released_key(case.number, case.ordinal)) or "").split()
    found = [one for one in found if not (one.code in _MAY_BE_RELEASED and one.code in released)]
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
    orders, spec = by_order(case.document.lines), case.document.spec.code
    covered = sum((amount(one["amount"]) for one in orders.values()), _NOTHING)
    must = bool(orders) or (spec in _PROVEN and case.document.head.get("CUSTYPE") == "C")
    if must and total > covered:
        yield finding("F136", path="TradeList", found=number(total), expected=number(covered))
    for mark, line in orders.items():
        yield from _trade(case, records, mark, line, currency)
        # It is written down only if the record passes, also when an operator has released what was found.
        key = used_key(spec, mark)
        keeps[key] = json.dumps(_uses(records, key) | {spec: case.key}, sort_keys=True)


def _uses(records: Records, key: str) -> dict[str, str]:
    value = records.value(key)
    return dict(json.loads(value)) if value else {}


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
    yield from _direction(case, order)
    yield from _owner(case, records, order, alive)
    spec = case.document.spec.code
    other, _ = _user(case, records, spec, mark)
    if other:
        yield finding("F135", path=path, order=name, other=f"{spec} {other}")
    yield from _worth(case, records, order, mark, line, currency)


def _direction(case: Case, order: Paper) -> Iterator[Finding]:
    """What comes in is paid for with what is bought, what goes out brings what is sold."""
    side = side_of(order.spec)
    if side == ("import" if case.document.spec.code in BUYS else "export"):
        return
    (zh, en), (use, use_en) = _SIDES[side], _USES[side]
    name = order.head.get("orderNo", "")
    yield finding("F146", path="TradeList/orderNo", order=name, side=zh, side_en=en, use=use, use_en=use_en)


def _owner(case: Case, records: Records, order: Paper, papers: Iterable[Paper]) -> Iterator[Finding]:
    """A firm settles its own trades, or those that it sold or was paid for as platform or payment firm.

    Codes of customs name no organisation; where no partner's file tells the merchant's other code, nothing is said.
    """
    firm = case.document.head.get("CUSTCOD", "")
    of = records.exchange.organisations_of
    owners = of(order.head.get("ebcCode", ""))
    if case.document.head.get("CUSTYPE") != "C" or not owners or firm in owners:
        return
    named = [order.head.get("ebpCode", ""), *(one.head.get("payCode", "") for one in papers)]
    named += records.codes.get(case.partner, ())
    if not any(firm in of(code) for code in named):
        name = order.head.get("orderNo", "")
        yield finding("F147", path="REC/CUSTCOD", order=name, firm=firm, owner=" ".join(sorted(owners)))


def _user(case: Case, records: Records, kind: str, mark: int) -> tuple[str, tuple[Paper, ...]]:
    """Return the other record of a kind that settles the order, and its versions that do; "" where none does.

    Of a record that is known by its use alone there are no versions: it still settles the order.
    """
    spec = case.document.spec.code
    by = _uses(records, used_key(kind, mark)).get(kind, "")
    if not by or (kind == spec and by == case.key):
        return "", ()
    near = _marks_of(case)
    papers = records.papers((*near, *_reports(records.papers(near))))
    known = [one for one in papers if one.spec == kind and one.head.get("RPTNO") == by]
    using = users(known, mark)
    return (by, using) if using or not known else ("", ())


def _marks_of(case: Case) -> tuple[int, ...]:
    return (*case.marks.get("settled", ()), *case.marks.get("report", ()))


def _worth(
    case: Case, records: Records, order: Paper, mark: int, line: Mapping[str, str], currency: str
) -> Iterator[Finding]:
    """A line is no more than its order, nor is it together with what another kind of record sells or buys for it."""
    spec, name = case.document.spec.code, line.get("orderNo", "")
    worth = amount(order.head.get("acturalPaid") or order.head.get("goodsValue"))
    theirs = currency_of(order.head.get("currency", ""))
    asked = amount(line.get("amount"))
    # What a house sold is told to nobody else; operators see it in the trade.
    shown = f"{number(worth)} {theirs}" if order.partner == case.partner else _NOT_SHOWN
    too_much = list(_within(records, name, (worth, theirs), [(asked, currency)], shown))
    yield from too_much
    other, versions = _user(case, records, OTHER_KIND[spec], mark)
    mine = part_of(spec, case.document.head, line)
    if not other or not mine or too_much:
        return
    parts = [
        (part_of(one.spec, one.head, by_order(one.lines)[mark]), exchanged(one.spec, one.head)[0]) for one in versions
    ]
    most = max(parts, default=(worth, theirs))
    is_own = all(one.partner == case.partner for one in versions)
    beside = f"{number(most[0])} {most[1]}" if is_own else _NOT_SHOWN
    for one in _within(records, name, (worth, theirs), [(mine, currency), most], shown):
        is_known = one.code != "F144"
        yield one if is_known else finding(
            "F145", path=one.path, order=name, other=f"{OTHER_KIND[spec]} {other}", used=beside,
            found=f"{number(mine)} {currency}", expected=shown,
        )  # fmt: skip


def _within(
    records: Records, order: str, worth: tuple[Decimal, str], parts: list[tuple[Decimal, str]], shown: str
) -> Iterator[Finding]:
    """Where a currency differs, all are held against each other in dollars; `shown` is how the worth is told."""
    path, asked = "TradeList/amount", sum((one for one, _ in parts), _NOTHING)
    if all(currency == worth[1] for _, currency in parts):
        if asked > worth[0]:
            yield _too_much(order, number(asked), worth[1], shown)
        return
    in_dollars = [records.exchange.in_dollars(*one, records.today) for one in (worth, *parts)]
    missing = [currency for (_, currency), dollars in zip((worth, *parts), in_dollars, strict=True) if dollars is None]
    for currency in dict.fromkeys(missing):
        yield finding("F139", path=path, currency=currency)
    of_order, *of_parts = [one for one in in_dollars if one is not None] or [_NOTHING]
    if not missing and sum(of_parts, _NOTHING) > of_order * _WITHIN:
        yield _too_much(order, number(asked), parts[0][1], shown)


def _too_much(order: str, found: str, currency: str, expected: str) -> Finding:
    return finding("F144", path="TradeList/amount", order=order, found=found, currency=currency, expected=expected)


def _said(case: Case, one: Finding) -> Finding:
    document = case.document
    unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    return replace(one, document=document.ordinal, path=f"{unit}/{one.path}", severity=Severity.ERROR)
