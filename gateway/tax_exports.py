"""Exports for the tax office: what of an enterprise was released, by list and by declaration, and is unreturned.

A list with statistics flag B is declared by the declaration that gathered it (CEB792), its lines merged by item; one
with flag A by its own number.  What came back is taken off by its share.

Known limits: that the prices of a list are free on board, that gseqno is the item of the gathered declaration and that
a list of flag A stands with its own number in the place of a declaration are our readings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from gateway.aggregates import gathered_into
from gateway.fetching import number_of, paper_of
from gateway.living import life_in
from gateway.purchases import texts_of
from message_specs.amounts import amount
from message_specs.findings import Finding, finding
from message_specs.tax.laws import Row, in_force
from message_specs.tax.linking import Export
from message_specs.trade.expected import shares_back
from message_specs.trade.giving_back import accepted_returns
from message_specs.trade.papers import Paper, mark_of, unpack
from message_specs.trade.sharing import WIDE, shares
from spool.ledger import Ledger

Texts = Mapping[str, str]
_GATHERED: Final = "B"
_FEN: Final = Decimal("0.01")
_PLACES: Final = Decimal("0.00001")
_CLOSED: Final = "9"
_FOB: Final = "3"


@dataclass(frozen=True, slots=True)
class Listed:
    """One released list: its paper, its number at customs, its day, and which share of each line came back."""

    paper: Paper
    invt_no: str
    exported_on: date
    back: dict[int, Decimal]


def released(ledger: Ledger, codes: frozenset[str], until: date) -> Iterator[Listed]:
    """Yield the lists of an enterprise that were released until a day and are released still."""
    for row in ledger.all("released_lists"):
        paper = paper_of(row)
        if not codes & {paper.head.get(name, "").strip() for name in ("ebcCode", "ownerCode")}:
            continue
        day = life_in(ledger, row["mark"]).released_on
        number = number_of(ledger, paper)
        exported_on = _day(paper.head.get("ieDate", "")) or day
        if day is not None and number and exported_on is not None and exported_on <= until:
            yield Listed(paper, number, exported_on, _back(ledger, paper, number))


def _back(ledger: Ledger, paper: Paper, number: str) -> dict[int, Decimal]:
    marks = msgspec.json.encode([mark_of("inventory", number)]).decode()
    papers = [paper_of(row) for row in ledger.all("papers_by_marks", marks)]
    return shares_back(paper.lines, [one.lines for one in accepted_returns(papers)])


@dataclass(slots=True)
class Exports:
    """What may be declared of a taxpayer, and what may not with its reason."""

    items: list[Export]
    findings: list[Finding]


def exports(ledger: Ledger, taxpayer: str, codes: frozenset[str], until: date, dollars: Sequence[Row]) -> Exports:
    """Return every item exported until a day, by lists here and by declarations that were loaded."""
    merged: dict[str, Export] = {}
    found: list[Finding] = []
    for listed in released(ledger, codes, until):
        if any(listed.back.values()):
            found.append(finding("X112", path=listed.invt_no, value=listed.invt_no, names=listed.invt_no))
        places = _places(ledger, listed)
        if places is None:
            found.append(finding("X118", path=listed.invt_no, value=listed.invt_no, names=listed.invt_no))
            continue
        number, items = places
        for line in listed.paper.lines:
            gnum = int(amount(line.get("gnum")))
            stays = 1 - listed.back.get(gnum, Decimal(0))
            if stays > 0:
                one = _of_line(listed, line, f"{number}{items.get(gnum, gnum):03d}", stays, dollars)
                merged[one.number] = _merged(merged[one.number], one) if one.number in merged else one
    declared: dict[str, list[Any]] = {}
    for row in ledger.all("exports_of", taxpayer, until.isoformat()):
        declared.setdefault(row["declaration"], []).append(row)
    for rows in declared.values():
        for loaded in _of_declaration(rows, dollars):
            if isinstance(loaded, Finding):
                found.append(loaded)
            elif loaded.number not in merged:
                merged[loaded.number] = loaded
    return Exports(list(merged.values()), found)


def _places(ledger: Ledger, listed: Listed) -> tuple[str, dict[int, int]] | None:
    """Return under which number a list is declared and which item each line became; None while it is not gathered."""
    if listed.paper.head.get("statisticsFlag", "").strip() != _GATHERED:
        return listed.invt_no, {}
    gathered = gathered_into(ledger, listed.paper, listed.invt_no, whole=True)
    if gathered is None or not gathered["entry"]:
        return None
    row = ledger.one("aggregate", gathered["sum_no"])
    items: dict[int, int] = {}
    for one in ledger.all("results", gathered["sum_no"], row["authority"]) if row else ():
        for line in unpack(one["body"])[1]:
            if line.get("invtNo", "").strip() == listed.invt_no:
                items[int(amount(line.get("gnum")))] = int(amount(line.get("gseqno")))
    return str(gathered["entry"]), items


def _of_line(listed: Listed, line: Texts, number: str, stays: Decimal, dollars: Sequence[Row]) -> Export:
    amounts: dict[str, Decimal] = {}
    for unit, quantity in (("unit", "qty"), ("unit1", "qty1"), ("unit2", "qty2")):
        if line.get(unit) and line.get(quantity):
            amounts.setdefault(line[unit].strip(), part_of(amount(line[quantity]), stays))
    value = WIDE.multiply(amount(line.get("totalPrice")), stays)
    return Export(
        number,
        listed.exported_on,
        line.get("gcode", "").strip(),
        line.get("gname", "").strip(),
        tuple(amounts.items()),
        in_dollars(value, line.get("currency", ""), listed.exported_on, dollars),
        listed.paper.head.get("orderNo", "").strip(),
        listed.paper.name,
    )


def part_of(quantity: Decimal, stays: Decimal) -> Decimal:
    """Return a share of a quantity, to as many places as a list has.

    >>> part_of(Decimal(60), Decimal(58) / 60)
    Decimal('58.00000')
    """
    return WIDE.multiply(quantity, stays).quantize(_PLACES)


def _merged(one: Export, other: Export) -> Export:
    """Return both as one item: customs merged their lines."""
    theirs = dict(other.amounts)
    amounts = tuple((unit, amount + theirs[unit]) for unit, amount in one.amounts if unit in theirs)
    fob = None if one.fob is None or other.fob is None else one.fob + other.fob
    return replace(one, amounts=amounts, fob=fob, exported_on=max(one.exported_on, other.exported_on))


def in_dollars(value: Decimal, currency: str, on: date, dollars: Sequence[Row]) -> Decimal | None:
    """Return an amount in dollars by the rate of that day; None where no rate is filed.

    >>> yuan = {"currency": "142", "since": "2026-01-01", "rate": "0.14"}
    >>> in_dollars(Decimal("7.1"), "142", date(2026, 1, 1), [yuan])
    Decimal('0.99')
    """
    row = in_force(dollars, on, currency=currency.strip())
    return WIDE.multiply(value, Decimal(row["rate"])).quantize(_FEN) if row else None


def _of_declaration(rows: Sequence[Any], dollars: Sequence[Row]) -> Iterator[Export | Finding]:
    """Yield the items of a declaration, their values free on board: freight and insurance are spread by value."""
    items = [texts_of(row["body"]) for row in rows]
    values = [amount(one.get("totalPrice")) for one in items]
    terms = items[0].get("transMode")
    # 1 CIF bears both, 2 C&F the freight alone, 3 FOB neither.
    names = () if terms == _FOB else ("freight", "insuredFee") if terms == "1" else ("freight",)
    costs = shares(sum((amount(items[0].get(name)) for name in names), Decimal(0)), values)
    for row, texts, value, cost in zip(rows, items, values, costs, strict=True):
        number, on = f"{row['declaration']}{row['item']:03d}", date.fromisoformat(row["exported_on"])
        if texts.get("decState") != _CLOSED:
            yield finding("X101", path=number, value=texts.get("decState"), names=number)
            continue
        amounts: dict[str, Decimal] = {}
        for unit, quantity in (("unit", "qty"), ("unit1", "qty1"), ("unit2", "qty2")):
            if texts.get(unit) and texts.get(quantity):
                amounts.setdefault(texts[unit], amount(texts[quantity]))
        in_usd = in_dollars(value - cost, texts.get("currency", ""), on, dollars)
        named = (texts.get("gcode", ""), texts.get("gname", ""))
        yield Export(number, on, *named, tuple(amounts.items()), in_usd, texts.get("ckfphm", ""), row["declaration"])


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None
