"""Linking: exports and the purchases they came from become the two detail forms of a refund declaration.

Exports of one tariff code, unit, rate, mode and name share a 关联号; purchases of the same code, unit and name are used
first in, first out, each unit of quantity once.  What no purchase of its own name covers takes what is left of others,
and is told.  The rate is that of the day of export and never above the tax that was paid; consumption tax is refunded
as it was paid, beside the value added tax and for no more goods.  What cannot be declared is left out, each with its
reason; nothing here is guessed.

Known limits: of consumption tax only what is levied by value; a document of so much a litre has no rate here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from message_specs.amounts import number
from message_specs.findings import Finding, finding
from message_specs.tax.forms import CONSUMPTION, NOTHING, Export, ExportRow, Forms, Purchase, PurchaseRow, refund_of
from message_specs.tax.rebating import Law

_IN_TURN = attrgetter("issued_on", "voucher", "line")


class _Group(NamedTuple):
    """What shares a 关联号: code, unit, rate, mode, and the name of the goods; "" for what is left of any name."""

    hs: str
    unit: str
    rate: Decimal
    mode: str
    name: str


class _Stock:
    """What is left of the purchases, by tax, code, unit and name, the earliest first."""

    def __init__(self, purchases: Iterable[Purchase]) -> None:
        self._now: dict[tuple[str, int], Purchase] = {}
        self._by_name: dict[tuple[str, str, str, str], list[tuple[str, int]]] = {}
        for one in sorted(purchases, key=_IN_TURN):
            place = (one.voucher, one.line)
            self._now[place] = one
            for name in {one.name, ""}:
                self._by_name.setdefault((one.tax, one.hs, one.unit, name), []).append(place)

    def of(self, tax: str, group: _Group) -> Sequence[Purchase]:
        """Return what is left for a group: purchases of its name, or of any where it has none."""
        places = self._by_name.get((tax, group.hs, group.unit, group.name), ())
        return [self._now[place] for place in places if self._now[place].left > 0]

    def take(self, tax: str, group: _Group, wanted: Decimal, serial: str) -> Iterator[PurchaseRow]:
        """Yield the purchases that cover so many, and take them off."""
        for one in self.of(tax, group):
            if wanted <= 0:
                return
            amount = min(one.left, wanted)
            rate = one.tax_rate if tax == CONSUMPTION else min(group.rate, one.tax_rate)
            base = one.base_of(amount)
            yield PurchaseRow(serial, one, amount, base, rate, refund_of(base, rate))
            self._now[one.voucher, one.line] = replace(one, used=one.used + amount)
            wanted -= amount


def link(exports: Iterable[Export], purchases: Sequence[Purchase], law: Law) -> Forms:
    """The forms of a declaration: all exports that these purchases cover, the earliest first."""
    found: list[Finding] = []
    groups: dict[_Group, list[Export]] = {}
    units = {(one.hs, one.unit) for one in purchases if one.left > 0 and one.tax != CONSUMPTION}
    for one in sorted(exports, key=lambda one: (one.exported_on, one.number)):
        placed = _placed(one, units, law)
        if isinstance(placed, Finding):
            found.append(placed)
        else:
            groups.setdefault(_Group(one.hs, *placed, one.mode, one.name), []).append(one)
    drawing = _Drawing(law, _Stock(purchases))
    rest: dict[_Group, list[Export]] = {}
    for group, members in sorted(groups.items()):
        left = drawing.cover(group, members)
        if left:
            rest.setdefault(group._replace(name=""), []).extend(left)
    for group, members in sorted(rest.items()):
        members.sort(key=lambda one: (one.exported_on, one.number))
        found += [_left_out(one, group.unit) for one in drawing.cover(group, members)]
    found += [*_names(drawing.exports, drawing.purchases), *drawing.findings]
    return Forms(tuple(drawing.exports), tuple(drawing.purchases), tuple(found))


class _Drawing:
    """A declaration as it is drawn up: the rows there are, and what is left of the purchases."""

    def __init__(self, law: Law, stock: _Stock) -> None:
        self.exports: list[ExportRow] = []
        self.purchases: list[PurchaseRow] = []
        self.findings: list[Finding] = []
        self._law, self._stock, self._links = law, stock, 0

    def cover(self, group: _Group, members: Sequence[Export]) -> Sequence[Export]:
        """The first of these exports have rows, as many as the purchases of the group cover; return the others."""
        covered = _covered(members, group.unit, self._stock.of("V", group))
        if covered:
            self._links += 1
            serial = f"{self._law.month}{self._law.batch}{self._links:08d}"
            rows = [ExportRow(serial, one, group.unit, one.in_unit(group.unit) or NOTHING) for one in covered]
            wanted = sum((one.amount for one in rows), NOTHING)
            self.exports += rows
            self.purchases += self._stock.take("V", group, wanted, serial)
            self._consumption(group, wanted, serial)
        return members[len(covered) :]

    def _consumption(self, group: _Group, wanted: Decimal, serial: str) -> None:
        if not self._stock.of(CONSUMPTION, group):
            return
        rows = list(self._stock.take(CONSUMPTION, group, wanted, serial))
        self.purchases += rows
        paid = sum((one.amount for one in rows), NOTHING)
        if paid < wanted:
            told, whole = number(paid), number(wanted)
            self.findings.append(
                finding("X136", path=serial, value=told, link=serial, hs=group.hs, found=told, expected=whole)
            )


def _placed(one: Export, units: set[tuple[str, str]], law: Law) -> tuple[str, Decimal] | Finding:
    """In which unit and at which rate it can be declared, or why not."""
    day = one.exported_on.isoformat()
    if law.is_excluded(one.hs, one.exported_on):
        return finding("X116", path=one.number, value=one.hs, names=one.number, hs=one.hs)
    rates = law.rates_on(one.hs, one.exported_on)
    if not rates:
        return finding("X105", path=one.number, value=one.hs, names=one.number, hs=one.hs, day=day)
    if len(rates) > 1:
        told = " / ".join(number(rate) for rate in rates)
        return finding("X124", path=one.number, value=one.hs, names=one.number, hs=one.hs, day=day, found=told)
    if not rates[0]:
        return finding("X125", path=one.number, value=one.hs, names=one.number, hs=one.hs, day=day)
    if one.fob is None:
        return finding("X111", path=one.number, names=one.number)
    for unit, amount in one.amounts:
        if (one.hs, unit) in units and amount > 0:
            return unit, rates[0]
    return finding("X103", path=one.number, value=one.hs, names=one.number, hs=one.hs)


def _covered(members: Sequence[Export], unit: str, purchases: Sequence[Purchase]) -> list[Export]:
    room = sum((one.left for one in purchases), NOTHING)
    covered = []
    for one in members:
        room -= one.in_unit(unit) or NOTHING
        if room < 0:
            break
        covered.append(one)
    return covered


def _left_out(one: Export, unit: str) -> Finding:
    amount = number(one.in_unit(unit) or NOTHING)
    return finding("X121", path=one.number, value=amount, names=one.number, found=amount, hs=one.hs)


def _names(exports: Sequence[ExportRow], purchases: Sequence[PurchaseRow]) -> Iterator[Finding]:
    """Yield a warning for each purchase whose name no export of its link has: the office holds them together."""
    names: dict[str, set[str]] = {}
    for row in exports:
        names.setdefault(row.link, set()).add(row.export.name)
    for bought in purchases:
        if bought.purchase.name not in names[bought.link]:
            place = f"{bought.purchase.voucher}/{bought.purchase.line}"
            other = "、".join(sorted(names[bought.link]))
            yield finding("X102", path=place, value=bought.purchase.name, found=bought.purchase.name, expected=other)
