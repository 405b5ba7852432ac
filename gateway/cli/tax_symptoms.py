"""What is wrong with guarantees of retail import: those that are used up, and tax that is nearly or over due."""

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gateway.cli.symptoms import ERROR, OK, WARNING, Symptom

if TYPE_CHECKING:
    from gateway.config import House
    from message_specs.tax.laws import Row
    from spool.ledger import Ledger

NAME = "guarantees"


def guarantees(house: "House", now: datetime) -> Iterator[Symptom]:
    """Yield which guarantees are used up, and of which tax is nearly due or overdue, where a limit is filed."""
    from gateway.tax_files import NoTaxLaw, TaxTableBroken
    from spool.ledger import Ledger
    from spool.number import CHINA

    file = house.home / "ledger.sqlite3"
    if not file.exists():
        return
    try:
        book = Ledger(file, read_only=True)
    except sqlite3.Error:
        return  # the symptom "ledger" tells of it
    try:
        found = list(_found(book, house, now.astimezone(CHINA).date()))
    except (sqlite3.Error, TaxTableBroken):
        return  # the symptoms "ledger" and "configuration" tell of it
    except NoTaxLaw as lacking:
        found = [Symptom(NAME, ERROR, str(lacking), "kouan tax load due FILE")]
    finally:
        book.close()
    yield from found


def _found(book: "Ledger", house: "House", today: date) -> Iterator[Symptom]:
    from gateway.guarantees import accounts
    from gateway.tax_files import own, table

    # Where no limit is filed nobody watches his guarantee here; kouan tax guarantee show says so (X303).
    watched = [one for one in accounts(book, table(house.home, "guarantees"), today) if one["limit"] is not None]
    if not watched:
        return
    found = [*_used_up(watched), *_due(book, own(house.home, "due"), today, {one["account"] for one in watched})]
    yield from found or [Symptom(NAME, OK, f"{len(watched)} filed; none is nearly used up, no tax is due")]


def _used_up(watched: "list[dict[str, Any]]") -> Iterator[Symptom]:
    for one in watched:
        for said in one["findings"]:
            seen, cure = f"{said['code']} {said['zh']} {said['en']}", f"{said['hint']} See kouan tax guarantee show."
            status = ERROR if said["severity"] == "error" else WARNING
            yield Symptom(f"guarantee of {one['account']}", status, seen, cure)


def _due(book: "Ledger", calendar: "tuple[Row, ...]", today: date, watched: set[str]) -> Iterator[Symptom]:
    """Yield one symptom an account for what is nearly due, and one for what is overdue."""
    from gateway.guarantees import yuan
    from gateway.statements import days_due
    from message_specs.findings import wordings

    days: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in days_due(book, calendar, today):
        if one["account"] in watched:
            days.setdefault((one["account"], one["code"]), []).append(one)
    for (account, code), listed in sorted(days.items()):
        inventories, open_units = (sum(one[name] for one in listed) for name in ("inventories", "occupied"))
        first = min(one["until"] for one in listed)
        seen = f"{code} inventories: {inventories}, yuan: {yuan(open_units)}; the first tax is due until {first}"
        cure = f"{wordings()[code].hint} See kouan tax guarantee due {account}."
        yield Symptom(f"guarantee of {account}", WARNING, seen, cure)
