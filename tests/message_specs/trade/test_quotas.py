"""A purchase counts once to its buyer's year, and what is given back is given back once."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from message_specs.trade.limits import limits_on, over_year
from message_specs.trade.persons import person_mark
from message_specs.trade.quotas import counted, given_back, returned, used

NAMES = st.sampled_from(["7.1", "7.2", "8.1"])
AMOUNTS = st.decimals(min_value=0, max_value=26000, places=2)


def year_of(entries: dict[str, Decimal]) -> str | None:
    value: str | None = None
    for name, amount in entries.items():
        value = counted(value, name, amount)
    return value


YEARS = st.dictionaries(NAMES, AMOUNTS).map(year_of)


def test_the_worked_year() -> None:
    law = limits_on(date(2026, 11, 21))
    year = counted(None, "1.1", Decimal(24800))
    assert over_year(used(year), Decimal(1300), law)
    year = counted(None, "1.1", Decimal(20000))
    assert not over_year(used(year), Decimal(5600), law)
    assert used(counted(year, "2.1", Decimal(5600))) == 25600


@given(YEARS, NAMES, AMOUNTS)
def test_counting_twice_is_counting_once(year: str | None, name: str, amount: Decimal) -> None:
    once = counted(year, name, amount)
    assert counted(once, name, amount) == once
    assert used(once) == used(given_back(year, name)) + amount


@given(YEARS, NAMES, AMOUNTS)
def test_giving_back_is_idempotent_and_undoes_counting(year: str | None, name: str, amount: Decimal) -> None:
    without = given_back(year, name)
    assert given_back(without, name) == without
    assert given_back(counted(year, name, amount), name) == without
    assert used(without) <= used(year)


@given(YEARS, NAMES, st.dictionaries(st.sampled_from(["9.1", "9.2"]), AMOUNTS))
def test_returns_never_give_back_more_than_was_counted_and_stand_for_themselves(
    year: str | None, name: str, returns: dict[str, Decimal]
) -> None:
    after = returned(year, name, returns)
    assert returned(after, name, returns) == after
    assert used(given_back(year, name)) <= used(after) <= used(returned(year, name, {}))
    assert given_back(after, name) == given_back(year, name)
    assert returned(after, name, {}) == returned(year, name, {})


def test_a_mark_names_one_person_and_needs_the_secret() -> None:
    marks = {
        person_mark(number, secret)
        for number in ("33019919510202001X", " 33019919510202001x ", "330199195102020018")
        for secret in (b"one home", b"another")
    }
    assert len(marks) == 4
    assert {len(mark) for mark in marks} == {32}
