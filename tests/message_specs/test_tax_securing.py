"""What of a guarantee an inventory occupies follows from all that is known of its tax, and from nothing else."""

from decimal import Decimal

import pytest

from message_specs.tax.securing import Standing, target
from message_specs.trade.bills import Bill
from message_specs.trade.taxing import Taxes


def bill(vat: str, number: int = 1, status: str = "1", duty_no: str = "") -> Bill:
    return Bill("I1", f"T{number}", status, duty_no, Taxes(vat=Decimal(vat)))


def told(expected: str | None, remaining: str | None, *bills: Bill, paid: frozenset[str] = frozenset()) -> object:
    whole, stays = (Decimal(one) if one is not None else None for one in (expected, remaining))
    reason, amount = target(Standing(True, whole, stays, bills, paid))
    return reason, None if amount is None else f"{amount:f}"


@pytest.mark.parametrize(
    ("expected", "remaining", "bills", "occupied"),
    [
        # A bill before the return is of the whole, one after it of what stays, though by a little more than was told.
        ("42.89", "35.50", (bill("42.99"),), ("returned", "35.60")),
        ("42.89", "35.50", (bill("35.60"),), ("billed", "35.60")),
        ("42.89", "35.50", (bill("35.40"),), ("billed", "35.40")),
        ("42.89", "35.50", (bill("42.80"),), ("returned", "35.41")),
        ("42.89", "0", (bill("42.89"),), ("returned", "0.00")),
        # Customs made a new bill in the place of one it voided.
        ("42.89", "35.50", (bill("42.89", status="3"), bill("35.50", 2)), ("billed", "35.50")),
        # What could not be told came back whole: what stays is known.
        (None, "0", (bill("50.00"),), ("returned", "0")),
        (None, "9.10", (bill("50.00"),), ("returned", "9.10")),
        (None, None, (bill("50.00"),), ("billed", "50.00")),
        (None, None, (), ("released", None)),
        # Of two bills one is paid: the other is open, whichever the return belongs to.
        ("42.89", "42.89", (bill("20.00", 1, "2", "D1"), bill("22.89", 2, "2", "D2")), ("billed", "22.89")),
        ("42.89", "35.50", (bill("20.00", 1, "2", "D1"), bill("22.89", 2, "2", "D2")), ("returned", "15.50")),
        ("42.89", "35.50", (bill("20.00", 1, "2", "D1"), bill("15.50", 2, "2", "D2")), ("billed", "15.50")),
    ],
)
def test_an_open_bill_occupies_what_is_still_owed_of_it(
    expected: str | None, remaining: str | None, bills: tuple[Bill, ...], occupied: tuple[str, str]
) -> None:
    paid = frozenset({"D1"})
    assert told(expected, remaining, *bills, paid=paid) == occupied
