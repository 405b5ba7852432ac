"""A home's own rate table is read with the configuration, told wrong with its line, and replaced whole."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from gateway.config import fingerprint, inspect_house, load_house
from gateway.in_force import in_force, put_in_force
from gateway.rates import Change, changes, install
from message_specs.trade.rates import Consumption, Rate, Rates

HEAD = "hs,valid_from,valid_to,duty,vat,ct_type,ct_rate,ct_threshold,ct_per\n"
OWN = Rate(
    "4202210090", date(2026, 1, 1), date(2026, 12, 31), Decimal(6), Decimal(9), Consumption.THRESHOLD, Decimal(15),
    Decimal(10), "g",
)  # fmt: skip
TEXT = f"{HEAD}4202210090,2026-01-01,2026-12-31,6,9,threshold,15,10,g\n".encode()


def test_a_home_without_a_table_goes_by_ours(home: Path) -> None:
    assert load_house(home).rates == ()


def test_a_table_is_part_of_the_house_and_of_what_workers_go_by(home: Path) -> None:
    before = fingerprint(home)
    install(home, TEXT)
    house = load_house(home)
    assert (house.rates, fingerprint(home) == before) == ((OWN,), False)
    put_in_force(house)
    assert in_force(home).rates == (OWN,)


def test_a_wrong_table_keeps_the_house_shut_and_tells_its_line(home: Path) -> None:
    install(home, TEXT + b"42022100,2026-01-01,,6,9,none,,,\n")
    house, problems = inspect_house(home, {})
    assert house is None
    assert [str(one) for one in problems] == [
        "rates.csv:3: T322 a tariff code has 10 digits. Format the column as text, so that leading zeros stay."
    ]


def test_what_an_earlier_kouan_took_in_keeps_no_house_shut_and_is_told(home: Path) -> None:
    install(home, f"{HEAD}4202210090,2026-01-01,2026-12-31,6,+9.,none\n".encode())
    house, problems = inspect_house(home, {})
    assert house is not None
    assert house.rates == (replace(OWN, ct_type=Consumption.NONE, ct_rate=None, ct_threshold=None, ct_per=""),)
    assert [(one.severity, one.line, one.what[:4], one.cure.partition(". ")[0]) for one in problems] == [
        ("warning", 2, code, "It is read as before; mend it and load the table anew:  kouan rates load FILE")
        for code in ("T324", "T330")
    ]


def test_a_row_with_too_much_in_it_keeps_the_house_shut_as_before(home: Path) -> None:
    install(home, TEXT.replace(b"15,10,g", b"15,10,g,1"))
    assert inspect_house(home, {})[0] is None


def test_changes_are_told_against_what_held_before() -> None:
    ours = Rates().on("4202210090", date(2026, 1, 1))
    new = Rate("9000000001", date(2027, 1, 1), None, Decimal(0), Decimal(13), Consumption.NONE)
    assert list(changes((), (OWN, new))) == [
        Change("4202210090", "2026-01-01", ours, OWN),
        Change("9000000001", "2027-01-01", None, new),
    ]
    assert list(changes((OWN, new), (OWN,))) == [Change("9000000001", "2027-01-01", new, None)]
    assert list(changes((OWN,), (OWN,))) == []


def test_where_a_row_ends_and_ours_holds_again_is_a_change() -> None:
    whole = replace(OWN, valid_to=None)
    first, second = replace(OWN, valid_to=date(2026, 6, 30)), replace(whole, valid_from=date(2026, 8, 1))
    ours = Rates().on("4202210090", date(2026, 7, 1))
    assert list(changes((whole,), (first, second))) == [
        Change("4202210090", "2026-01-01", whole, first),
        Change("4202210090", "2026-07-01", whole, ours),
        Change("4202210090", "2026-08-01", whole, second),
    ]
