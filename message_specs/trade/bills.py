"""The tax bill of customs (CEB816) held against what was expected, and what its status (CEB818) makes of it.

The bill is the truth; a difference is shown, never refused. Both messages name a bill by (invtNo, taxNo) and may
come in any order: a status before its bill is kept and joined. A status goes 1 made, 2 collected, or 3 void, never
back; a void bill owes nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal, InvalidOperation

from message_specs.findings import Finding, finding
from message_specs.trade.expected import Expected, ExpectedLine
from message_specs.trade.taxing import Taxes

Texts = Mapping[str, str]
VOID = "3"
_TAXES = {"customsTax": "duty", "valueAddedTax": "vat", "consumptionTax": "consumption"}
LEVIED = tuple(_TAXES)
_OF_LINE = ("gnum", "gcode", "taxPrice", *_TAXES)


@dataclass(frozen=True, slots=True)
class Bill:
    """What is known of one tax bill; the taxes are None while only its status has come."""

    invt_no: str
    tax_no: str
    status: str = ""
    duty_no: str = ""
    taxes: Taxes | None = None
    totals: Texts = field(default_factory=dict)
    """The taxes as customs wrote them."""
    lines: tuple[Texts, ...] = ()
    compared: str = ""
    """Of what the inventory has been told: "made" of its amounts, "void" of its end."""

    @property
    def is_news(self) -> bool:
        """Whether the inventory is still to be told of it: its amounts once they came, its end once it is void."""
        if self.compared == "void":
            return False
        return self.status == VOID or (self.taxes is not None and not self.compared)

    def told(self) -> "Bill":
        """The bill after the inventory was told of it."""
        return replace(self, compared="void" if self.status == VOID else "made")

    @property
    def owed(self) -> Taxes | None:
        """What is to be paid by it: nothing once it is void, None while the amounts are not known."""
        return Taxes() if self.status == VOID else self.taxes

    def written(self) -> str:
        """The bill as the value of a record."""
        return json.dumps(asdict(self), default=lambda value: f"{value:f}", sort_keys=True)


def read_bill(value: str) -> Bill:
    """The bill that a record holds.

    >>> bill = Bill("I1", "T1", "1", "", Taxes(vat=Decimal("18.20")))
    >>> read_bill(bill.written()) == bill
    True
    """
    told = json.loads(value)
    taxes, lines = told.pop("taxes"), told.pop("lines")
    taxes = taxes and Taxes(**{name: Decimal(text) for name, text in taxes.items()})
    return Bill(**told, taxes=taxes, lines=tuple(lines))


def after(bill: Bill | None, head: Texts, lines: Sequence[Texts] = ()) -> Bill:
    """The bill after one more CEB816 or CEB818 about it, by the head of either; None where nothing was known.

    >>> made = after(None, {"invtNo": "I", "taxNo": "T", "status": "1", "customsTax": "0", "valueAddedTax": "18.2"})
    >>> void = after(made, {"invtNo": "I", "taxNo": "T", "status": "3"})
    >>> void.taxes.vat, void.owed.vat, after(void, {"invtNo": "I", "taxNo": "T", "status": "2"}) == void
    (Decimal('18.2'), Decimal('0'), True)
    """
    bill = bill or Bill(head.get("invtNo", ""), head.get("taxNo", ""))
    if "valueAddedTax" in head:
        read = {name: amount_of(head.get(field)) for field, name in _TAXES.items()}
        taxes = Taxes(**{name: value or Decimal(0) for name, value in read.items()})
        totals = {name: head[name] for name in _TAXES if name in head}
        told = tuple({name: line[name] for name in _OF_LINE if name in line} for line in lines)
        same = (totals, told) == (bill.totals, bill.lines) or bill.compared == "void"
        bill = replace(bill, taxes=taxes, totals=totals, lines=told, compared=bill.compared if same else "")
    status = head.get("status", "").strip()
    if status in ("1", "2", VOID):
        bill = replace(bill, status=max(bill.status, status))
    return replace(bill, duty_no=head.get("entDutyNo", "").strip() or bill.duty_no)


def amount_of(text: str | None) -> Decimal | None:
    """The number that customs wrote; None where it is none.

    >>> amount_of("18.20"), amount_of("NaN"), amount_of("")
    (Decimal('18.20'), None, None)
    """
    try:
        found = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def compare(prediction: Expected, head: Texts, lines: Sequence[Texts], tolerance: Decimal) -> tuple[Finding, ...]:
    """Everything in which the bill differs from the prediction by more than the tolerance; a void bill only says so.

    A line that was not predicted is compared by its taxable value alone, and the totals not at all.
    """
    if head.get("status", "").strip() == VOID:
        return (finding("T315", path="TaxHeadRd/status", value=VOID, tax=head.get("taxNo", "")),)
    ours = {line.gnum: line for line in prediction.lines}
    seen: set[int] = set()
    found: list[Finding] = []
    for ordinal, line in enumerate(lines, 1):
        told = line.get("gnum", "").strip()
        gnum = int(told) if told.isascii() and told.isdigit() else 0
        place = f"TaxListRd[{ordinal}]"
        if gnum not in ours:
            found.append(finding("T313", path=f"{place}/gnum", value=told, gnum=told))
            continue
        seen.add(gnum)
        found += _of_line(ours[gnum], line, place, tolerance)
    found += [finding("T312", path="TaxListRd", gnum=str(gnum)) for gnum in ours if gnum not in seen]
    if prediction.payable is not None:
        expected = {field: getattr(prediction.payable, name) for field, name in _TAXES.items()}
        found += _differences("T311", expected, head, "TaxHeadRd", tolerance)
    return tuple(found)


def _of_line(ours: ExpectedLine, line: Texts, place: str, tolerance: Decimal) -> Iterator[Finding]:
    gnum, told = str(ours.gnum), line.get("gcode", "").strip()
    if told != ours.hs:
        yield finding("T314", path=f"{place}/gcode", value=told, gnum=gnum, found=told, expected=ours.hs)
    expected = {"taxPrice": ours.value}
    if ours.shown is not None:
        expected |= {field: getattr(ours.shown, name) for field, name in _TAXES.items()}
    yield from _differences("T310", expected, line, place, tolerance, gnum)


def _differences(
    code: str, expected: Mapping[str, Decimal], told: Texts, place: str, tolerance: Decimal, gnum: str = ""
) -> Iterator[Finding]:
    for name, wanted in expected.items():
        text = told.get(name)
        value = amount_of(text)
        if value is None:
            yield finding("T316", path=f"{place}/{name}", value=text, name=name)
        elif abs(value - wanted) > tolerance:
            yield finding(
                code,
                path=f"{place}/{name}",
                value=text,
                gnum=gnum,
                name=name,
                found=f"{value:f}",
                expected=f"{wanted:f}",
                difference=f"{value - wanted:+f}",
            )
