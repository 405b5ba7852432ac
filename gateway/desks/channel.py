"""The desk `channel`: goods of 9710 and 9810 go by list only inside the limit, and on an order of their own type.

Above the limit of limits.csv they go by declaration (报关单), which is lodged elsewhere: the list is refused before
customs refuses it. A list of 9710 rests on an order of type B, one of 9810 on a booking of type W; where the order
has not come yet the list is looked at again when it comes.

Known limits: without a rate of exchange a consignment is only known to be worth between two amounts (exchange.csv);
one that may be inside or above the limit goes on with a warning. Licence, inspection and tax, which ask for the
declaration too, are not looked at. Who splits a consignment into several lists is not found out.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from gateway.case import Case, Outcome, is_error
from gateway.desks import Needs, Records
from message_specs.amounts import number
from message_specs.codes import table, trade_modes_of
from message_specs.findings import Finding, finding
from message_specs.reader import named
from message_specs.trade.choosing import choose
from message_specs.trade.consignments import Worth, worth
from message_specs.trade.limits import list_limit_on
from spool.states import State

_SPEC = "CEB603"
_MODES = frozenset({"9710", "9810"})
_MEET = ("order", "sold")
_DELETED = "3"


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  a desk's signature
    """Return by what the order is found."""
    if not _is_asked(case):
        return Needs()
    return Needs(tuple(mark for kind in _MEET for mark in case.marks.get(kind, ())))


def decide(case: Case, records: Records) -> Outcome:
    """Refuse a list that belongs to the declaration, and one whose order is of another type; pass every other on."""
    if not _is_asked(case):
        return Outcome(State.CHECKED)
    told = (*_of_limit(case, records), *_of_type(case, records))
    found = tuple(_said(one, case, records) for one in told)
    return Outcome(State.REFUSED if any(map(is_error, found)) else State.CHECKED, found)


def _is_asked(case: Case) -> bool:
    document = case.document
    if document.spec.code != _SPEC or document.app_type == _DELETED:
        return False
    return (document.head.get("tradeMode") or "").strip() in _MODES


def _of_limit(case: Case, records: Records) -> Iterator[Finding]:
    limit = list_limit_on(records.today)
    if limit is None:
        return
    value, mode = worth(case.document.lines), case.document.head.get("tradeMode", "")
    least = number(value.least)
    zh, en = _goods(value, english=False), _goods(value, english=True)
    said = partial(
        finding, path="InventoryHead/tradeMode", value=mode, limit=number(limit), goods=zh, goods_en=en, mode=mode
    )
    if value.least > limit:
        yield said("T331", found=least)
    elif value.most is None:
        found = f"{least}+ {'、'.join(value.unknown)}"
        yield said("T332", found=found)
    elif value.most > limit:
        found = f"{least}–{number(value.most)}"
        yield said("T332", found=found)


def _goods(value: Worth, *, english: bool) -> str:
    """The sums in their own currencies, as their sender knows them."""
    told = []
    for currency, amount in value.sums:
        row = table("currency").get(currency, (None,))[-1]
        told.append(f"{number(amount)} {(row.en if english else row.zh) if row else currency}")
    return (" + " if english else "、").join(told)


def _of_type(case: Case, records: Records) -> Iterator[Finding]:
    papers = records.papers(needs(case, records).marks)
    mine = next((one for one in papers if (one.number, one.ordinal) == (case.number, case.ordinal)), None)
    order = choose(papers, mine).order if mine is not None else None
    mode = (case.document.head.get("tradeMode") or "").strip()
    if order is None:
        return
    kind = order.head.get("orderType", "").strip()
    if mode not in trade_modes_of(kind):
        place = "InventoryHead/tradeMode"
        yield finding("T333", path=place, value=mode, mode=mode, names=order.name, found=kind or "–")


def _said(one: Finding, case: Case, records: Records) -> Finding:
    """The finding as the partner reads it: with its document, its whole path, and the operator's severity."""
    document = case.document
    unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    severity = records.severity(one.code) or one.severity
    return replace(one, document=document.ordinal, path=f"{unit}/{one.path}", severity=severity)
