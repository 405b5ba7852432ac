"""Declared since: what became of what was declared, what of a refund is to be given back, and what is due.

An export that was declared may come back or be cancelled, its foreign exchange may never come, and the office may
approve less than was asked.  All that is looked up anew each time it is asked for, so nothing is told that is no more
true.

Known limits: what a partner declared himself is not looked at.  The refund to be given back of a part is the share of
its 关联号; the office reckons by the invoices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from gateway.exemptions import lines_of
from gateway.proceeds import in_usd, proof_of
from gateway.receipts import message_of
from gateway.tax_exports import Exports, exports
from gateway.tax_files import own, table
from gateway.taxpayers import NotATaxpayer, Taxpayer, taxpayer_of
from message_specs.amounts import amount, number
from message_specs.codes import receipt_status
from message_specs.document import Document
from message_specs.findings import Finding, finding
from message_specs.opening import open_message, open_receipt
from message_specs.tax.deadlines import deadline, index_until
from message_specs.tax.forms import Export
from message_specs.tax.once import exported
from message_specs.trade.sharing import WIDE, fen
from spool.ledger import Ledger

Texts = Mapping[str, str]
_EVER: Final = date.max
_TOLD_BEFORE: Final = timedelta(days=90)
"""So long before its last day a receipt of foreign exchange is asked after (our choice; no law)."""
_WAITS: Final = frozenset({"X101", "X118", "X126", "X134"})
_APPROVED: Final = "3"
_REFUSED: Final = "4"


@dataclass(frozen=True, slots=True)
class _Declared:
    """One declaration as it was written, and its row: its number in the hall, and whether it was undone or refused."""

    name: str
    document: Document
    row: Any


def since(ledger: Ledger, home: Path, taxpayer: str, today: date) -> list[Finding]:
    """Return everything that a taxpayer is to know on that day of what he declared."""
    found: list[Finding] = []
    rows = own(home, "enterprises")
    firms = 0
    for kind, told in (("refund", _refunds), ("exempt", _exemptions)):
        try:
            firm = taxpayer_of(rows, taxpayer, kind, today)
        except NotATaxpayer:
            continue
        firms += 1
        found += told(ledger, home, firm, today)
    if not firms:
        raise NotATaxpayer(f"{taxpayer} {today}")
    return found


def _drawn(ledger: Ledger, kind: str, firm: Taxpayer) -> Iterator[_Declared]:
    for row in ledger.all("drawn_of", kind, f"{kind}|{firm.number}"):
        [document] = open_message(bytes(row["body"])).documents
        yield _Declared("-".join(row["key"].split("|")[2:]), document, row)


def _refunds(ledger: Ledger, home: Path, firm: Taxpayer, today: date) -> Iterator[Finding]:
    declared = list(_drawn(ledger, "refund", firm))
    for one in declared:
        yield from _approved(ledger, home, one)
    standing = [one for one in declared if not one.row["undone"]]
    if not standing:
        return
    dollars, windows = table(home, "dollars"), table(home, "windows")
    known = exports(ledger, firm.number, firm.codes, _EVER, dollars)
    now = {one.agency or one.number: one for one in known.items}
    for one in standing:
        yield from _came_back(one, known, now)
        for line in one.document.lines:
            export = now.get(exported(line)) if "ckrq" in line else None
            if export is not None:
                yield from _received(ledger, home, one, export, today)
        last = index_until(_day(one.document.head["appTime"]), windows)
        if last is not None and today <= last:
            yield finding("X140", path=one.name, value=one.name, key=one.name, until=last.isoformat())


def _came_back(one: _Declared, known: Exports, now: Mapping[str, Export]) -> Iterator[Finding]:
    """Yield each export of which less stands by now than was declared, with its share of the refund."""
    waiting = {said.path for said in known.findings if said.code in _WAITS}
    refunds, sold = _sums(one.document, "ktse"), _sums(one.document, "cksl")
    for line in one.document.lines:
        name, link = exported(line), line.get("glh", "")
        if "ckrq" not in line or name in waiting or name[:-3] in waiting:
            continue
        export, declared = now.get(name), amount(line.get("cksl"))
        stays = (export.in_unit(line.get("jldw", "")) if export is not None else None) or Decimal(0)
        back = declared - stays
        if back <= 0 or not sold.get(link):
            continue
        share = fen(WIDE.divide(WIDE.multiply(refunds.get(link, Decimal(0)), back), sold[link]))
        code = "X128" if stays else "X129"
        yield finding(
            code, path=name, value=name, names=name, key=one.name, found=number(back), expected=f"{share:f}"
        )  # fmt: skip


def _sums(document: Document, name: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in document.lines:
        if line.get(name):
            link = line.get("glh", "")
            found[link] = found.get(link, Decimal(0)) + amount(line[name])
    return found


def _received(ledger: Ledger, home: Path, one: _Declared, export: Export, today: date) -> Iterator[Finding]:
    last = deadline("evidence", export.exported_on, table(home, "windows"))
    proof = proof_of(ledger, export, table(home, "receipts"))
    names, place = export.number, export.number
    if proof.is_whole:
        # What is filed by the whole declaration is not held against one of its items.
        came = in_usd(proof.proceeds, table(home, "dollars")) if proof.is_of_item else None
        fob, excused = export.fob or Decimal(0), any(each.reason for each in proof.proceeds)
        if came is not None and came < fob and not excused:
            yield finding("X135", path=place, value=f"{came:f}", names=names, found=f"{came:f}", expected=f"{fob:f}")
    elif last is not None and today > last:
        yield finding("X133", path=place, value=names, names=names, key=one.name, until=last.isoformat())
    elif last is not None and today >= last - _TOLD_BEFORE:
        yield finding("X132", path=place, value=names, names=names, key=one.name, until=last.isoformat())


def _verdicts(ledger: Ledger, home: Path, number: int | None) -> list[Texts]:
    """Return the verdicts on a declaration by the time that the office gave them, whenever they came."""
    verdicts: list[Texts] = []
    for row in ledger.all("answers_of", number, 1) if number else ():
        try:
            data = (home / "spool/store" / row["evidence"]).read_bytes()
        except OSError:
            # Evidence that was archived away.
            continue
        verdicts += [unit.head for unit in open_receipt(message_of(data)).documents if unit.ordinal == row["unit"]]
    final = [head for head in verdicts if head.get("returnStatus") in (_APPROVED, _REFUSED)]
    return sorted(final, key=lambda head: head.get("returnTime", ""))


def _approved(ledger: Ledger, home: Path, one: _Declared) -> Iterator[Finding]:
    """Yield where the office approved another refund than was declared, or said one thing and then the other."""
    final = _verdicts(ledger, home, one.row["number"])
    said = [head["returnStatus"] for head in final]
    if len(set(said)) > 1:
        first, last = (receipt_status("TAX102", status).zh for status in (said[0], said[-1]))
        yield finding("X143", path=one.name, value=said[-1], key=one.name, found=first, expected=last)
        return
    if not final or said[-1] != _APPROVED or not final[-1].get("refundTotal"):
        return
    asked, given = amount(one.document.head.get("refundTotal")), amount(final[-1].get("refundTotal"))
    if asked != given:
        told = f"{given:.2f}"
        yield finding("X138", path=one.name, value=told, key=one.name, found=told, expected=f"{asked:.2f}")


def _exemptions(ledger: Ledger, home: Path, firm: Taxpayer, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """Yield each registered line of which less stands by now than was registered."""
    standing = [one for one in _drawn(ledger, "exempt", firm) if not one.row["undone"]]
    now = {one.number: one.quantity for one in lines_of(ledger, firm, _EVER, [])} if standing else {}
    for one in standing:
        for line in one.document.lines:
            name = exported(line)
            back = amount(line.get("sl")) - now.get(name, Decimal(0))
            if back > 0:
                yield finding("X208", path=name, value=name, names=name, key=one.name, found=number(back))


def _day(text: str) -> date:
    return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007  the office's own day
