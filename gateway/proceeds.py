"""Proceeds (收汇): the foreign exchange that was received for an export, and what of the exports is declared without.

It is known from the home's table `receipts`, by declaration or item, and from the records of income (BOPA), else of
settlement (JSHD), of this ledger that name the orders behind a list.  What is declared after its filing period needs
it; what has none until its last day is to be paid back (gateway.declared_since).

Known limits: a record counts once it is with the exchange office, also before that has answered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from gateway.fetching import paper_of
from message_specs.amounts import amount
from message_specs.exchange import currency_of
from message_specs.findings import Finding, finding
from message_specs.reporting import day_of
from message_specs.tax.deadlines import deadline, late_until
from message_specs.tax.forms import Export
from message_specs.tax.laws import Row, holds
from message_specs.trade.choosing import live
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper
from message_specs.trade.sharing import WIDE, fen
from spool.ledger import Ledger
from spool.states import State

_TELL: Final = {"BOPA": "TXCCY", "JSHD": "FCYCCY"}
"""Which records tell that foreign exchange came, the stronger first, and where they name its currency."""
_DELETES: Final = "3"
_WITH_THE_OFFICE: Final = frozenset({State.SENT, State.CLOSED})
_NOTE: Final = 250


@dataclass(frozen=True, slots=True)
class Proceeds:
    """One receipt of foreign exchange, or why there is none that must be (视同收汇)."""

    received_on: date
    currency: str
    amount: Decimal
    voucher: str
    reason: str = ""

    @property
    def text(self) -> str:
        """As it stands beside an export."""
        return f"收汇 {self.received_on.isoformat()} {self.voucher} {self.reason}".strip()


@dataclass(frozen=True, slots=True)
class Proof:
    """What was received for an export, and whether that is all of it: every order behind it has some."""

    proceeds: tuple[Proceeds, ...]
    is_whole: bool
    is_of_item: bool = True
    """Whether it is of this very item, and not of the whole declaration."""

    @property
    def note(self) -> str:
        """As it stands beside the export in the declaration."""
        return "；".join(one.text for one in self.proceeds)[:_NOTE]


def proof_of(ledger: Ledger, one: Export, receipts: Iterable[Row]) -> Proof:
    """Return what is known to have been received for an export."""
    mine = [row for row in receipts if row["declaration"] in (one.number, one.number[:-3])]
    filed = tuple(_filed(row) for row in mine)
    if filed:
        return Proof(filed, is_whole=True, is_of_item=all(row["declaration"] == one.number for row in mine))
    by_order = {order: _told(ledger, *order) for order in one.orders if order[1]}
    every = tuple(dict.fromkeys(each for found in by_order.values() for each in found))
    return Proof(every, is_whole=bool(by_order) and all(by_order.values()))


def _filed(row: Row) -> Proceeds:
    on, worth = date.fromisoformat(row["received_on"]), Decimal(row["amount"])
    return Proceeds(on, currency_of(row["currency"]), worth, row["voucher"], row.get("reason", ""))


def _told(ledger: Ledger, platform: str, order: str) -> tuple[Proceeds, ...]:
    """Return what the records of one kind say of an order; what came and was settled is not counted twice."""
    marks = msgspec.json.encode([mark_of("settled", order)]).decode()
    papers = [paper_of(row) for row in ledger.all("papers_by_marks", marks)]
    for spec, currency in _TELL.items():
        mine = [one for one in live([each for each in papers if each.spec == spec]) if one.app_type != _DELETES]
        found = tuple(
            Proceeds(on, one.head.get(currency, ""), amount(line.get("amount")), one.head.get("RPTNO", ""))
            for one in mine
            if one.state in _WITH_THE_OFFICE and (on := _day(one)) is not None
            for line in one.lines
            if (line.get("ebpCode", "").strip(), line.get("orderNo", "").strip()) == (platform, order)
        )
        if found:
            return found
    return ()


def _day(one: Paper) -> date | None:
    day = day_of(one.head.get("RPTNO", ""))
    return date(int(day[:4]), int(day[4:6]), int(day[6:])) if day else None


def timely(
    ledger: Ledger, exports: Iterable[Export], receipts: Sequence[Row], windows: Sequence[Row], today: date
) -> tuple[list[Export], list[Finding]]:
    """Return what may be declared on that day, with what was received beside what is late, and what may not."""
    good: list[Export] = []
    found: list[Finding] = []
    for one in exports:
        on, place = one.exported_on, one.number
        last, never = deadline("filing", on, windows), late_until(on, windows)
        if (on.year, on.month) >= (today.year, today.month):
            found.append(finding("X109", path=place, value=on.isoformat(), day=on.isoformat()))
        elif never is not None and today > never:
            found.append(finding("X131", path=place, value=on.isoformat(), names=place, until=never.isoformat()))
        elif last is None or today <= last:
            good.append(one)
        elif (proof := proof_of(ledger, one, receipts)).is_whole:
            good.append(replace(one, note=proof.note))
        else:
            found.append(finding("X130", path=place, value=on.isoformat(), names=place, until=last.isoformat()))
    return good, found


def in_usd(proceeds: Iterable[Proceeds], dollars: Sequence[Row]) -> Decimal | None:
    """Return what was received in dollars, by the rates of its days; None where a rate is lacking."""
    total = Decimal(0)
    for one in proceeds:
        rates = [row["rate"] for row in dollars if currency_of(row["currency"]) == one.currency
                 and holds(row, one.received_on)]  # fmt: skip
        if not rates:
            return None
        total += fen(WIDE.multiply(one.amount, Decimal(rates[0])))
    return total
