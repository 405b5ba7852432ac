"""Check digits: every right number passes, and no mistyped one does."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from message_specs.identity import (
    citizen_check,
    credit_check,
    is_born,
    is_citizen_number,
    is_credit_code,
    is_date,
    is_party_code,
)
from message_specs.verbs import check_digit

LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DATES = st.dates().map(lambda day: f"{day.year:04}{day.month:02}{day.day:02}")
CITIZENS = st.builds(
    lambda area, day, serial: f"{area:06}{day}{serial:03}",
    st.integers(0, 999_999),
    DATES,
    st.integers(0, 999),
).map(lambda body: body + citizen_check(body))
CREDIT_CODES = (
    st.text(LETTERS, min_size=17, max_size=17)
    .filter(lambda body: body[8:17] != "000000000")
    .map(lambda body: body + credit_check(body))
)


@given(CITIZENS)
def test_a_right_citizen_number_passes_in_capitals_and_small(number: str) -> None:
    assert is_citizen_number(number)
    assert is_citizen_number(number.lower())


@given(CITIZENS, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_in_a_citizen_number_is_noticed(number: str, place: int, step: int) -> None:
    wrong = str((int(number[place]) + step) % 10)
    assert not is_citizen_number(number[:place] + wrong + number[place + 1 :])


@given(CREDIT_CODES, st.integers(0, 17), st.integers(1, 30))
def test_one_wrong_letter_in_a_credit_code_is_noticed(code: str, place: int, step: int) -> None:
    wrong = LETTERS[(LETTERS.index(code[place]) + step) % 31]
    assert is_credit_code(code)
    assert not is_credit_code(code[:place] + wrong + code[place + 1 :])


@given(st.text())
def test_no_text_upsets_a_check(text: str) -> None:
    assert is_date(text) in {True, False}
    assert is_citizen_number(text) in {True, False}
    assert is_credit_code(text) in {True, False}
    assert is_party_code(text) in {True, False}


def test_the_worked_examples_of_the_standards_hold() -> None:
    assert is_citizen_number("360426199101010071")
    assert is_credit_code("91110000600037341L")
    assert not is_citizen_number("11204416541220243X")
    assert not is_citizen_number("360426199102300071")
    assert not is_credit_code("91110000000000000" + credit_check("91110000000000000"))


def test_customs_registration_codes_may_hold_letters_after_the_region() -> None:
    assert is_party_code("330766K00Q")
    assert is_party_code("4403961X7S")
    assert not is_party_code("33A766K00Q")
    assert not is_party_code("330766k00q")
    assert not is_party_code("33０766K00Q")


def test_whoever_is_born_tomorrow_has_no_number_yet() -> None:
    check = check_digit({"that": "OrderHead/buyerIdNumber", "kind": "citizen"})
    number = "33019920261123001" + citizen_check("33019920261123001")
    assert is_born(number, date(2026, 11, 23))
    assert [len(check({"buyerIdNumber": number}, [], date(2026, 11, day))) for day in (22, 23)] == [1, 0]
