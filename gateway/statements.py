"""Statements: what a collecting enterprise is to pay on the retail imports of a month, line by line, to be checked.

Every released inventory stands in it with what the order took from the buyer, what was predicted, what customs billed,
how both differ, under which pay-in document it is collected, what of it is paid and what is open, when it is due, and
what of it still occupies the guarantee.  The sums are those of the lines; each pay-in document has the sum of its own
bills.
"""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from gateway.config_shapes import Tax
from gateway.fetching import paper_of
from gateway.guarantees import Inventory, inventory_of, yuan
from gateway.living import life_in
from gateway.tax_files import NoTaxLaw
from message_specs.amounts import amount
from message_specs.findings import finding
from message_specs.tax.laws import NoLaw, Row
from message_specs.tax.securing import Due, due, due_findings, target
from message_specs.trade.bills import VOID, Bill, compare
from message_specs.trade.choosing import live
from message_specs.trade.expected import read_expected
from spool.ledger import Ledger

Facts = dict[str, Any]
COLUMNS: Final = (
    "invt_no", "order_no", "number", "released_on", "collected", "predicted", "billed", "difference", "tax_no",
    "duty_no", "paid", "open", "state", "due_from", "due_until", "occupied", "findings",
)  # fmt: skip
_SUMMED: Final = ("collected", "predicted", "billed", "difference", "paid", "open", "occupied")
_DUE: Final = frozenset({"X304", "X305", "X306"})
_NOTHING: Final = Decimal(0)


def statement(ledger: Ledger, account: str, month: str, calendar_rows: Sequence[Row], today: date, tax: Tax) -> Facts:
    """Return the statement of an account for the inventories released in a month (YYYY-MM)."""
    year, number = int(month[:4]), int(month[5:7])
    first, last = date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
    rows = ledger.all("guaranteed", account, first.isoformat(), last.isoformat())
    lines = [_line(ledger, row, calendar_rows, today, tax) for row in rows]
    return {"account": account, "month": month, "on": today.isoformat(), "lines": lines, "totals": _totals(lines)}


def open_dues(ledger: Ledger, account: str | None, calendar_rows: Sequence[Row], today: date, tax: Tax) -> list[Facts]:
    """Return every released inventory whose tax is to be told of on that day, the earliest due first."""
    found: list[Facts] = []
    for row in ledger.all("guarantee_days", account):
        window = _window(row["released_on"], calendar_rows)
        if today < window.alarm:
            continue
        rows = ledger.all("guaranteed", row["account"], row["released_on"], row["released_on"])
        for one in rows:
            line = _line(ledger, one, calendar_rows, today, tax)
            # What a bill differs in is told by the statement; what is paid is not due for that.
            due_ones = [said for said in line["findings"] if said["code"] in _DUE]
            found += [line | {"account": row["account"], "findings": due_ones}] if due_ones else []
    return sorted(found, key=lambda one: (one["due_until"], one["invt_no"]))


def days_due(ledger: Ledger, calendar_rows: Sequence[Row], today: date) -> Iterator[Facts]:
    """Yield each day of release of which tax is nearly due or overdue: its account, its code, how many inventories."""
    for row in ledger.all("guarantee_open_days"):
        window = _window(row["released_on"], calendar_rows)
        for said in due_findings(row["released_on"], window, today, Decimal(row["occupied"])):
            yield {**row, "code": said.code, "until": window.last.isoformat()}


def _line(ledger: Ledger, row: Any, calendar_rows: Sequence[Row], today: date, tax: Tax) -> Facts:
    paper_row = ledger.one("paper", row["number"], row["ordinal"])
    assert paper_row is not None
    paper = paper_of(paper_row)
    life = life_in(ledger, paper_row["dossier"])
    stands = life.deciding is not None and life.deciding.of == paper.name
    one = inventory_of(ledger, paper, life if stands else None, tax)
    reason, still = target(one.standing)
    window = _window(row["released_on"], calendar_rows)
    living = [bill for bill in one.standing.bills if bill.status != VOID]
    duties = _by_duty(living)
    billed = sum(duties.values(), _NOTHING)
    paid = sum((duties[name] for name in duties if name in one.standing.paid), _NOTHING)
    collected = _collected(ledger, paper_row["dossier"]) if one.standing.is_released else _NOTHING
    # Of what customs took back nothing is expected any more.
    ours = one.standing.remaining if one.standing.is_released else _NOTHING
    differs = billed - ours if living and ours is not None else None
    name = one.invt_no or paper.name
    found = [*due_findings(name, window, today, still), *_against(ledger, one, tax)]
    is_whole = one.standing.is_released and not one.standing.back
    if collected is not None and living and is_whole and billed - collected > tax.tolerance:
        told, owed = f"{collected:.2f}", f"{billed:.2f}"
        found.append(finding("X308", path="collected", value=told, names=name, found=told, expected=owed))
    return {
        "invt_no": one.invt_no, "order_no": paper.head.get("orderNo", ""), "number": paper.name,
        "released_on": row["released_on"], "collected": _text(collected), "predicted": _text(ours),
        "billed": _text(billed if living else None),
        "difference": _text(differs), "tax_no": [bill.tax_no for bill in one.standing.bills],
        "duty_no": {name: _text(duties[name]) for name in sorted(duties) if name}, "paid": _text(paid),
        "open": _text(still), "state": reason,
        "due_from": window.first.isoformat(), "due_until": window.last.isoformat(), "occupied": yuan(row["occupied"]),
        "findings": [{"code": said.code, "zh": said.zh, "en": said.en, "hint": said.hint} for said in found],
    }  # fmt: skip


def _collected(ledger: Ledger, dossier: int | None) -> Decimal | None:
    """Return the tax that the order took from the buyer; None where no order is known here."""
    marks = msgspec.json.encode([dossier]).decode() if dossier is not None else "[]"
    orders = [one for row in ledger.all("papers_by_marks", marks) if (one := paper_of(row)).kind == "order"]
    order = next(iter(live(orders)), None)
    return amount(order.head.get("taxTotal")) if order is not None else None


def _window(released_on: str, calendar_rows: Sequence[Row]) -> Due:
    """Return when the tax on what was released that day is due; NoTaxLaw where no row of the table says."""
    try:
        return due(date.fromisoformat(released_on), calendar_rows)
    except NoLaw as lacking:
        raise NoTaxLaw(f"due {lacking}") from lacking


def _by_duty(bills: Iterable[Bill]) -> dict[str, Decimal]:
    """Return what is owed by the bills of each pay-in document, "" being those of none yet."""
    found: dict[str, Decimal] = {}
    for bill in bills:
        owed = bill.owed.total if bill.owed is not None else _NOTHING
        found[bill.duty_no] = found.get(bill.duty_no, _NOTHING) + owed
    return found


def _against(ledger: Ledger, one: Inventory, tax: Tax) -> Iterator[Any]:
    """Yield how each bill differs from what was expected when it was declared."""
    record = ledger.one("record", f"expected|{one.paper.name}")
    whole = read_expected(record["value"]) if record else None
    back = one.standing.expected != one.standing.remaining
    if whole is None or back:
        return
    for bill in one.standing.bills:
        if bill.taxes is not None and bill.status != VOID:
            yield from compare(whole, bill.totals, bill.lines, tax.tolerance)


def _totals(lines: Iterable[Facts]) -> Facts:
    """Return the sums of the lines, whole and by pay-in document."""
    listed = list(lines)
    duties: dict[str, Decimal] = {}
    for line in listed:
        for duty_no, owed in line["duty_no"].items():
            duties[duty_no] = duties.get(duty_no, _NOTHING) + Decimal(owed)
    return {
        "inventories": len(listed),
        **{name: _text(_sum(listed, name)) for name in _SUMMED},
        "unknown": sum(line["predicted"] is None for line in listed),
        "unbilled": sum(line["billed"] is None and line["state"] != "void" for line in listed),
        "duty_no": {name: _text(duties[name]) for name in sorted(duties)},
    }


def _sum(lines: Iterable[Facts], name: str) -> Decimal:
    return sum((Decimal(line[name]) for line in lines if line[name] is not None), _NOTHING)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}" if amount == round(amount, 2) else f"{amount:f}"
