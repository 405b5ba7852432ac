"""Securing: what of a guarantee a released retail import occupies, and when its tax is to be paid.

The collector (代收代缴) gives a guarantee; a release occupies what customs is expected to levy, the bill corrects it,
and a return, a void bill, a cancel or the payment gives it back (海关总署公告2018年第194号).

Known limits: whether the day of release is day 0 and whether a holiday moves the last day is not published; both stand
in due.csv.  Partly returned goods are given back by their share of what was expected, or of the lines of the bill where
nothing could be; whether a bill was made before
the return is told by its amount, which is nearer to the whole or to what stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from message_specs.findings import Finding, finding
from message_specs.tax.laws import NoLaw, Row, in_force, with_own
from message_specs.trade.bills import LEVIED, VOID, Bill, amount_of
from message_specs.trade.expected import Expected
from message_specs.trade.sharing import WIDE, fen
from message_specs.trade.windows import next_working

NOTHING: Final = Decimal(0)
_WARN: Final = Decimal("0.8")
"""From this share of a guarantee on its holder is warned (a warehouse system does so; no law)."""


@dataclass(frozen=True, slots=True)
class Due:
    """When the tax on what was released is to be paid: from, when it is told, until."""

    first: date
    alarm: date
    last: date


def due(released_on: date, own: Sequence[Row] = ()) -> Due:
    """The window by the law of the day of release; NoLaw where none holds.

    >>> due(date(2026, 11, 21))
    Due(first=datetime.date(2026, 12, 22), alarm=datetime.date(2026, 12, 31), last=datetime.date(2027, 1, 5))
    """
    row = in_force(with_own("due", own), released_on)
    if row is None:
        raise NoLaw(released_on.isoformat())
    start = released_on + timedelta(days=row["day_zero"] == "day_after")
    first, alarm, last = (start + timedelta(days=int(row[name])) for name in ("first", "alarm", "last"))
    return Due(first, alarm, next_working(last) if row["shift"] == "next_working" else last)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the tax on one inventory at one moment."""

    is_released: bool
    expected: Decimal | None
    """What was expected of the whole; None where a line cannot be told."""
    remaining: Decimal | None
    """What is expected after the returns that customs accepted."""
    bills: tuple[Bill, ...] = ()
    paid: frozenset[str] = frozenset()
    """The pay-in documents (缴款书) that are paid."""
    back: Mapping[int, Decimal] = field(default_factory=dict)
    """Which share of each line came back."""
    values: tuple[Decimal, Decimal] = (NOTHING, NOTHING)
    """The taxable value of the whole, and of what stays."""


def total(one: Expected | None) -> Decimal | None:
    """What was expected altogether; None where it is not known."""
    return one.payable.total if one is not None and one.payable is not None else None


def value_of(one: Expected | None) -> Decimal:
    """The taxable value altogether, which is known where the taxes are not; 0 where nothing is known."""
    return sum((line.value for line in one.lines), NOTHING) if one is not None else NOTHING


def target(one: Standing) -> tuple[str, Decimal | None]:
    """Why an inventory occupies its guarantee, and how much of it; None while the amount cannot be told.

    >>> from message_specs.trade.taxing import Taxes
    >>> bill = Bill("I1", "T1", "1", "", Taxes(vat=Decimal("18.00")))
    >>> target(Standing(True, Decimal("18.20"), Decimal("18.20")))
    ('released', Decimal('18.20'))
    >>> target(Standing(True, Decimal("18.20"), Decimal("9.10"), (bill,)))
    ('returned', Decimal('8.90'))
    >>> target(Standing(False, Decimal("18.20"), Decimal("18.20"), (bill,)))
    ('void', Decimal('0'))
    """
    if not one.is_released:
        return "void", NOTHING
    if not one.bills:
        return ("released" if one.remaining == one.expected else "returned"), one.remaining
    if all(bill.status == VOID for bill in one.bills):
        return "void", NOTHING
    living = [bill for bill in one.bills if bill.status != VOID]
    open_ones = [bill for bill in living if not (bill.duty_no and bill.duty_no in one.paid)]
    if not open_ones:
        return "paid", NOTHING
    if any(bill.owed is None for bill in open_ones):
        return "released", one.remaining
    if one.remaining is None and one.back:
        return _of_lines(one, open_ones, living)
    return _of_open(one, _sum(open_ones), _sum(living))


def _sum(bills: Sequence[Bill]) -> Decimal:
    return sum((bill.owed.total for bill in bills if bill.owed is not None), NOTHING)


def _of_lines(one: Standing, open_ones: Sequence[Bill], living: Sequence[Bill]) -> tuple[str, Decimal]:
    """Return what open bills occupy where it could not be told beforehand: their lines less what came back of each."""
    still, (whole, left) = _sum(open_ones), one.values
    billed = sum((amount_of(line.get("taxPrice")) or NOTHING for bill in living for line in bill.lines), NOTHING)
    if abs(WIDE.subtract(billed, left)) <= abs(WIDE.subtract(whole, billed)):
        return "billed", still
    back = NOTHING
    for bill in open_ones:
        for line in bill.lines:
            told = line.get("gnum", "").strip()
            share = one.back.get(int(told), NOTHING) if told.isascii() and told.isdigit() else NOTHING
            taxes = (amount_of(line.get(name)) or NOTHING for name in LEVIED)
            back = WIDE.add(back, WIDE.multiply(share, sum(taxes, NOTHING)))
    return "returned", max(fen(WIDE.subtract(still, back)), NOTHING)


def _of_open(one: Standing, still: Decimal, billed: Decimal) -> tuple[str, Decimal]:
    """Return what open bills occupy: less what came back, where they were made before it did."""
    if one.remaining is None or one.remaining == one.expected:
        return "billed", still
    if one.expected is None:
        # What could not be told came back whole, and what stays can be.
        return "returned", min(still, one.remaining)
    if abs(WIDE.subtract(billed, one.remaining)) <= abs(WIDE.subtract(one.expected, billed)):
        return "billed", still
    return "returned", max(WIDE.subtract(still, WIDE.subtract(one.expected, one.remaining)), NOTHING)


def account_findings(account: str, limit: Decimal | None, used: Decimal) -> tuple[Finding, ...]:
    """What the holder of a guarantee is to know: that he has none, that it is nearly used up, that it is exceeded.

    >>> [[one.code for one in account_findings("A", Decimal(most), Decimal(80))] for most in (101, 100, 79)]
    [[], ['X301'], ['X302']]
    """
    if limit is None:
        return (finding("X303", path="assureCode", value=account, account=account),) if used else ()
    code = "X302" if used > limit else "X301" if used >= limit * _WARN else ""
    told, most = f"{used:f}", f"{limit:f}"
    return (finding(code, path="amount", value=told, account=account, used=told, limit=most),) if code else ()


def due_findings(name: str, window: Due, today: date, open_amount: Decimal | None) -> tuple[Finding, ...]:
    """What the collector is to know of one inventory's tax on that day; nothing once nothing is open."""
    if open_amount is not None and not open_amount:
        return ()
    unknown = (finding("X306", path="tax", names=name),) if open_amount is None else ()
    code = "X305" if today > window.last else "X304" if today >= window.alarm else ""
    until = window.last.isoformat()
    return (*unknown, finding(code, path="due", value=until, names=name, until=until)) if code else unknown
