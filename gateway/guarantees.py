"""Guarantees: what a released retail import occupies of its guarantor's guarantee is booked, and given back.

A dossier is looked at whenever customs released, cancelled, billed or took back something of it (gateway.trading);
inside the transaction of that look its inventories are set to what they should occupy, so looking twice books nothing
twice and a crash between the receipt and the look loses nothing.

Known limits: an inventory without assureCode is booked under its declaring enterprise, and the statement says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from gateway.bills import expected_of, returned_of
from gateway.config_shapes import Tax
from gateway.desks.tax import expected_key
from gateway.fetching import number_of, paper_of
from gateway.living import life_in
from message_specs.findings import Finding
from message_specs.tax.laws import Row, in_force
from message_specs.tax.securing import Standing, account_findings, target, total, value_of
from message_specs.trade.bills import Bill, read_bill
from message_specs.trade.expected import read_expected
from message_specs.trade.life import Life
from message_specs.trade.papers import Paper
from spool.ledger import Ledger

Facts = dict[str, Any]
UNITS: Final = Decimal(100_000)
_IMPORT: Final = "CEB621"
_RELEASED: Final = frozenset({"released", "closed"})


@dataclass(frozen=True, slots=True)
class Inventory:
    """One inventory with all that is known of its tax."""

    paper: Paper
    invt_no: str
    released_on: date | None
    standing: Standing

    @property
    def account(self) -> str:
        """Who guarantees its tax: assureCode, else who declared it."""
        return self.paper.head.get("assureCode", "").strip() or self.paper.head.get("agentCode", "").strip()


def book(ledger: Ledger, dossier: int, phase: str, at: str, tax: Tax) -> None:
    """The inventories of a trade in this phase occupy what they should, inside the caller's transaction."""
    places = {(one["number"], one["ordinal"]) for one in ledger.all("guarantees_of_dossier", dossier)}
    if not places and phase not in _RELEASED:
        return
    life = life_in(ledger, dossier)
    current = _standing_place(life)
    if current is not None and life.phase in _RELEASED:
        places.add(current)
    for place in sorted(places):
        paper = ledger.one("paper", *place)
        if paper is not None and paper["spec"] == _IMPORT:
            _book(ledger, inventory_of(ledger, paper_of(paper), life if place == current else None, tax), at)


def _standing_place(life: Life) -> tuple[int, int] | None:
    """Return the inventory of which customs speaks: a version that was refused leaves the one before it standing."""
    if life.deciding is None:
        return None
    number, _, ordinal = life.deciding.of.partition(".")
    return int(number), int(ordinal)


def inventory_of(ledger: Ledger, paper: Paper, life: Life | None, tax: Tax) -> Inventory:
    """Return an inventory with its standing; without a life another stands in its place and it is released no more."""
    place = (paper.number, paper.ordinal)
    record = ledger.one("record", expected_key(*place))
    bills = bills_of(ledger, *place)
    numbers = [one.duty_no for one in bills if one.duty_no]
    paid = frozenset(row["duty_no"] for row in ledger.all("duties_paid", msgspec.json.encode(numbers).decode()))
    whole, left = read_expected(record["value"]) if record else None, expected_of(ledger, *place, tax)
    standing = Standing(
        life is not None and life.phase in _RELEASED,
        total(whole),
        total(left),
        bills,
        paid,
        returned_of(ledger, *place),
        (value_of(whole), value_of(left)),
    )
    return Inventory(paper, number_of(ledger, paper), released_on(life, paper.name) if life else None, standing)


def released_on(life: Life, name: str) -> date | None:
    """Return the day on which this version was released, while the trade is; what is declared anew has its own day.

    >>> from message_specs.trade.life import Said
    >>> told = (Said("20261101090000000", "800", "CEB622", "1.1"), Said("20261105090000000", "700", "CEB622", "1.1"),
    ...         Said("20261120090000000", "800", "CEB622", "2.1"))
    >>> released_on(Life("import", told), "2.1"), released_on(Life("import", told[:1]), "1.1")
    (datetime.date(2026, 11, 20), datetime.date(2026, 11, 1))
    """
    mine = replace(life, said=tuple(one for one in life.said if one.of == name))
    return life.released_on and (mine.released_on or life.released_on)


def bills_of(ledger: Ledger, number: int, ordinal: int) -> tuple[Bill, ...]:
    """Return what is known of the bills of an inventory, by their numbers."""
    return tuple(read_bill(row["value"]) for row in ledger.all("bills_of", number, ordinal) if row["value"])


def _book(ledger: Ledger, one: Inventory, at: str) -> None:
    place = (one.paper.number, one.paper.ordinal)
    before = ledger.one("guarantee_of", *place)
    reason, amount = target(one.standing)
    account = before["account"] if before else one.account
    released_on = before["released_on"] if before else (one.released_on.isoformat() if one.released_on else "")
    if amount is None:
        ledger.run("guarantee_unknown", *place, account, released_on)
        return
    if before is None and not amount and one.standing.is_released:
        # Nothing was ever occupied, as where its bill was void at once; the statement lists it all the same.
        ledger.run("guarantee_unknown", *place, account, released_on)
        return
    ledger.run("guarantee_known", *place)
    difference = int(amount * UNITS) - (before["occupied"] if before else 0)
    if difference:
        sequence = before["entries"] + 1 if before else 1
        what = "occupy" if difference > 0 else "release"
        ledger.run("add_guarantee", *place, sequence, account, released_on, at, what, reason, difference)


def yuan(units: int) -> str:
    """Return an amount of the book as people write it.

    >>> yuan(1820000), yuan(1820500)
    ('18.20', '18.205')
    """
    text = f"{Decimal(units) / UNITS:f}".rstrip("0") if units % 1000 else f"{Decimal(units) / UNITS:.2f}"
    return text.rstrip(".")


def accounts(ledger: Ledger, limits: Sequence[Row], on: date, account: str | None = None) -> Iterator[Facts]:
    """Yield each guarantee with what is occupied of it and what its holder is to know."""
    rows = {row["account"]: row for row in ledger.all("guarantee_accounts", account)}
    held = {row["account"] for row in limits if account in (None, row["account"])}
    for name in sorted(held | set(rows)):
        limit = in_force(limits, on, account=name)
        used = Decimal(rows[name]["occupied"]) / UNITS if name in rows else Decimal(0)
        most = Decimal(limit["amount"]) if limit else None
        found = account_findings(name, most, used)
        yield {
            "account": name,
            "limit": f"{most:f}" if most is not None else None,
            "occupied": yuan(rows[name]["occupied"] if name in rows else 0),
            "free": f"{max(most - used, Decimal(0)):.2f}" if most is not None else None,
            "inventories": rows[name]["inventories"] if name in rows else 0,
            "findings": [_plain(one) for one in found],
        }


def entries(ledger: Ledger, account: str | None, since: str) -> Iterator[Facts]:
    """Yield every movement since a time, the oldest first."""
    for row in ledger.all("guarantee_entries", account, since):
        yield {
            "at": row["at"], "account": row["account"], "number": f"{row['number']}.{row['ordinal']}",
            "what": row["what"], "reason": row["reason"], "amount": yuan(row["amount"]),
            "released_on": row["released_on"],
        }  # fmt: skip


def pay(ledger: Ledger, duty_no: str, paid_on: date, at: str, by: str) -> bool:
    """A pay-in document is paid, and what its bills occupy is given back at the next look; False if it was before."""
    with ledger.writing():
        fresh = ledger.run("duty_paid", duty_no, paid_on.isoformat(), at, by) == 1
        ledger.run("wake_billed", at, duty_no)
    return fresh


def is_billed(ledger: Ledger, duty_no: str) -> bool:
    """Tell whether a tax bill is known under this pay-in document; one may be told as paid before its bills come."""
    row = ledger.one("billed_under", duty_no)
    return bool(row and row["bills"])


def _plain(one: Finding) -> Mapping[str, object]:
    return {"code": one.code, "severity": str(one.severity), "zh": one.zh, "en": one.en, "hint": one.hint}
