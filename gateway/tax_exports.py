"""Exports for the tax office: what of an enterprise was released, by list and by declaration, and is unreturned.

A list with statistics flag B is declared by the declaration that gathered it (CEB792), its lines merged by item; one
with flag A by its own number once it is closed.  What came back is taken off by its share.  An item that gathers lists
of which one is not released yet, or is later, is not told in part: the office knows it whole.

Known limits: that the prices of a list are free on board, that gseqno is the item of the gathered declaration and that
a list of flag A stands with its own number in the place of a declaration are our readings.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import msgspec

from gateway.aggregates import gathered_into
from gateway.fetching import number_of, paper_of
from gateway.living import life_in
from gateway.loaded_exports import in_dollars, of_declaration
from message_specs.amounts import amount
from message_specs.findings import Finding, finding
from message_specs.tax.forms import OVERSEAS, Export
from message_specs.tax.laws import Row
from message_specs.trade.expected import shares_back
from message_specs.trade.giving_back import accepted_returns
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper, unpack
from message_specs.trade.sharing import WIDE
from spool.ledger import Ledger

Texts = Mapping[str, str]
_GATHERED: Final = "B"
_PLACES: Final = Decimal("0.00001")
_ENDED: Final = "closed"


@dataclass(frozen=True, slots=True)
class Listed:
    """One released list: its paper, its number at customs, its day, and which share of each line came back."""

    paper: Paper
    invt_no: str
    exported_on: date
    back: dict[int, Decimal]
    is_closed: bool


def released(ledger: Ledger, codes: frozenset[str], until: date) -> Iterator[Listed]:
    """Yield the lists of an enterprise that were released until a day and are released still."""
    for row in ledger.all("released_lists"):
        paper = paper_of(row)
        if not codes & {paper.head.get(name, "").strip() for name in ("ebcCode", "ownerCode")}:
            continue
        life = life_in(ledger, row["mark"])
        day = life.released_on
        number = number_of(ledger, paper)
        exported_on = _day(paper.head.get("ieDate", "")) or day
        if day is not None and number and exported_on is not None and exported_on <= until:
            yield Listed(paper, number, exported_on, _back(ledger, paper, number), life.phase == _ENDED)


def _back(ledger: Ledger, paper: Paper, number: str) -> dict[int, Decimal]:
    marks = msgspec.json.encode([mark_of("inventory", number)]).decode()
    papers = [paper_of(row) for row in ledger.all("papers_by_marks", marks)]
    return shares_back(paper.lines, [one.lines for one in accepted_returns(papers)])


@dataclass(slots=True)
class Exports:
    """What may be declared of a taxpayer, and what may not with its reason."""

    items: list[Export]
    findings: list[Finding]


def exports(
    ledger: Ledger, taxpayer: str, codes: frozenset[str], until: date, dollars: Sequence[Row],
    told_on: Callable[[date], bool] = lambda _: True,
) -> Exports:  # fmt: skip
    """Return every item exported until a day, by lists here and by declarations that were loaded.

    What is wrong with a list is told where its day of export is one of `told_on`.
    """
    merged: dict[str, Export] = {}
    found: list[Finding] = []
    gathered = _Gathered()
    for listed in released(ledger, codes, until):
        is_told = told_on(listed.exported_on)
        if is_told and any(listed.back.values()):
            found.append(finding("X112", path=listed.invt_no, value=listed.invt_no, names=listed.invt_no))
        place = _place(ledger, listed, gathered)
        if isinstance(place, Finding):
            found += [place] if is_told else []
            continue
        for line in listed.paper.lines:
            gnum = int(amount(line.get("gnum")))
            stays = 1 - listed.back.get(gnum, Decimal(0))
            if stays > 0:
                one = _of_line(listed, line, place.of(gnum), stays, dollars)
                merged[one.number] = _merged(merged[one.number], one) if one.number in merged else one
    for number, missing in gathered.missing():
        if merged.pop(number, None) is not None:
            lists = "、".join(sorted(missing))
            found.append(finding("X134", path=number, value=number, names=number, found=lists))
    declared: dict[str, list[Any]] = {}
    for row in ledger.all("exports_of", taxpayer, until.isoformat()):
        declared.setdefault(row["declaration"], []).append(row)
    for rows in declared.values():
        for loaded in of_declaration(rows, dollars):
            if isinstance(loaded, Finding):
                found.append(loaded)
            elif loaded.number not in merged:
                merged[loaded.number] = loaded
    return Exports(list(merged.values()), found)


class _Gathered:
    """Which lists each item of a gathered declaration is made of, and which of them were seen."""

    def __init__(self) -> None:
        self._lists: dict[str, set[str]] = {}
        self._seen: set[str] = set()

    def add(self, listed: Listed, place: "_Place", made_of: Mapping[int, set[str]]) -> None:
        """The list was seen, and of which lists the items of its declaration are made."""
        self._seen.add(listed.invt_no)
        for item, lists in made_of.items():
            self._lists.setdefault(f"{place.number}{item:03d}", set()).update(lists)

    def missing(self) -> Iterator[tuple[str, set[str]]]:
        """Yield each item that lacks lists, and which."""
        for number, lists in sorted(self._lists.items()):
            if lists - self._seen:
                yield number, lists - self._seen


@dataclass(frozen=True, slots=True)
class _Place:
    """Under which number a list is declared, and which item each of its lines became."""

    number: str
    items: Mapping[int, int]

    def of(self, gnum: int) -> str:
        """The number with the item of a line."""
        return f"{self.number}{self.items.get(gnum, gnum):03d}"


def _place(ledger: Ledger, listed: Listed, gathered: _Gathered) -> _Place | Finding:
    """Return where a list is declared, or why it is not yet."""
    if listed.paper.head.get("statisticsFlag", "").strip() != _GATHERED:
        if not listed.is_closed:
            return finding("X101", path=listed.invt_no, value=listed.invt_no, names=listed.invt_no)
        return _Place(listed.invt_no, {})
    into = gathered_into(ledger, listed.paper, listed.invt_no, whole=True)
    if into is None or not into["entry"]:
        return finding("X118", path=listed.invt_no, value=listed.invt_no, names=listed.invt_no)
    row = ledger.one("aggregate", into["sum_no"])
    items: dict[int, int] = {}
    made_of: dict[int, set[str]] = {}
    for one in ledger.all("results", into["sum_no"], row["authority"]) if row else ():
        head, lines = unpack(one["body"])
        if head.get("declSeqNo") != into["declaration"]:
            continue
        for line in lines:
            name, item = line.get("invtNo", "").strip(), int(amount(line.get("gseqno")))
            made_of.setdefault(item, set()).add(name)
            if name == listed.invt_no:
                items[int(amount(line.get("gnum")))] = item
    place = _Place(str(into["entry"]), items)
    gathered.add(listed, place, made_of)
    return place


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
        mode=_mode(listed.paper.head.get("tradeMode", "").strip()),
        orders=((listed.paper.head.get("ebpCode", "").strip(), listed.paper.head.get("orderNo", "").strip()),),
    )


def _mode(mode: str) -> str:
    """Return the mode where it makes a difference to a refund, else ""."""
    return mode if mode == OVERSEAS else ""


def part_of(quantity: Decimal, stays: Decimal) -> Decimal:
    """Return a share of a quantity, to as many places as a list has.

    >>> part_of(Decimal(60), Decimal(58) / 60)
    Decimal('58.00000')
    """
    return WIDE.multiply(quantity, stays).quantize(_PLACES, ROUND_HALF_UP, WIDE)


def _merged(one: Export, other: Export) -> Export:
    """Return both as one item: customs merged their lines."""
    theirs = dict(other.amounts)
    amounts = tuple((unit, amount + theirs[unit]) for unit, amount in one.amounts if unit in theirs)
    fob = None if one.fob is None or other.fob is None else one.fob + other.fob
    on, orders = max(one.exported_on, other.exported_on), tuple(dict.fromkeys((*one.orders, *other.orders)))
    return replace(one, amounts=amounts, fob=fob, exported_on=on, orders=orders)


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None
