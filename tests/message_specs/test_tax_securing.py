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


def test_a_bill_of_what_could_not_be_told_is_given_back_by_its_lines() -> None:
    lines = tuple(
        {"gnum": str(gnum), "taxPrice": value, "customsTax": "0", "valueAddedTax": vat, "consumptionTax": "0"}
        for gnum, value, vat in ((1, "200.00", "18.20"), (2, "100.00", "9.11"))
    )
    whole = Bill("I1", "T1", "1", "", Taxes(vat=Decimal("27.31")), {}, lines)
    half = {2: Decimal("0.5")}
    values = (Decimal("300.00"), Decimal("250.00"))
    assert target(Standing(True, None, None, (whole,), frozenset(), half, values)) == ("returned", Decimal("22.76"))
    assert target(Standing(True, None, None, (whole,))) == ("billed", Decimal("27.31"))
    # A bill of what stays was made after the return.
    after = Bill("I1", "T2", "1", "", Taxes(vat=Decimal("22.76")), {}, (lines[0], lines[1] | {"taxPrice": "50.00"}))
    assert target(Standing(True, None, None, (after,), frozenset(), half, values)) == ("billed", Decimal("22.76"))
