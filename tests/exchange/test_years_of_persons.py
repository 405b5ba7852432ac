"""A person's year holds what stands of his records, whatever is changed, deleted, refused or asked at the same time."""

from pathlib import Path

import pytest

from gateway.replaying import Ruling
from gateway.selecting import Selection
from gateway.submitting import Counter
from gateway.verbs import Verbs
from spool.interchange import BATCH, Claim
from tests.exchange.house import House
from tests.exchange.office import reporting
from tests.exchange.traded import OTHER, PERSON, TABLES, Bank, exchange, income, line, second
from tests.homes import demo_home, with_trades

Capsys = pytest.CaptureFixture[str]
LARGE, SMALL = "50000.00", "20000.00"


def home_of_persons(tmp_path: Path) -> Path:
    home = with_trades(reporting(demo_home(tmp_path)))
    for name, text in TABLES.items():
        (home / name).write_text(text, "utf-8")
    return home


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(House(home_of_persons(tmp_path)))


def test_a_change_that_is_refused_leaves_what_was_taken_before(bank: Bank, capsys: Capsys) -> None:
    assert bank.hands(exchange(1, SMALL, person=PERSON)) == ("ready", [])
    bank.hears()
    assert bank.hands(exchange(1, LARGE, person=PERSON, action="C")) == ("ready", [])
    assert bank.used(capsys) == "50000"
    bank.hears("reject-some=1")
    assert bank.used(capsys) == "20000"
    assert bank.hands(exchange(2, "30000.01", person=PERSON)) == ("held", ["F131"])
    assert bank.hands(exchange(3, "30000.00", person=PERSON)) == ("ready", [])


def test_a_change_to_less_gives_back_only_when_it_is_taken(bank: Bank, capsys: Capsys) -> None:
    bank.hands(exchange(1, LARGE, person=PERSON))
    bank.hears()
    assert bank.hands(exchange(1, SMALL, person=PERSON, action="C")) == ("ready", [])
    assert bank.used(capsys) == "50000"
    bank.hears()
    assert bank.used(capsys) == "20000"


def test_a_deletion_gives_back_when_it_is_taken_and_not_when_it_is_refused(bank: Bank, capsys: Capsys) -> None:
    bank.hands(exchange(1, LARGE, person=PERSON))
    bank.hears()
    bank.hands(exchange(1, LARGE, person=PERSON, action="D"))
    bank.hears("reject-some=1")
    assert bank.used(capsys) == "50000"
    assert bank.hands(exchange(1, LARGE, person=OTHER, action="D")) == ("ready", [])
    bank.hears()
    assert bank.used(capsys) == "0"


def test_a_change_to_another_person_frees_the_first(bank: Bank, capsys: Capsys) -> None:
    bank.hands(exchange(1, LARGE, person=PERSON))
    bank.hears()
    assert bank.hands(exchange(1, LARGE, person=OTHER, action="C")) == ("ready", [])
    assert (bank.used(capsys), bank.used(capsys, OTHER)) == ("50000", "50000")
    bank.hears()
    assert (bank.used(capsys), bank.used(capsys, OTHER)) == ("0", "50000")


def test_a_change_that_names_trades_frees_the_year_it_was_counted_in(bank: Bank, capsys: Capsys) -> None:
    bank.hands(exchange(1, LARGE, person=PERSON))
    bank.hears()
    assert bank.hands(exchange(1, LARGE, line((1, LARGE)), person=PERSON, action="C")) == ("held", ["F132"])
    assert bank.used(capsys) == "50000"


def test_what_an_operator_refuses_before_it_leaves_uses_nothing(bank: Bank, capsys: Capsys) -> None:
    bank.hands(exchange(1, LARGE, person=PERSON))
    with Counter(bank.house.home, clock=bank.house.now) as counter:
        list(Verbs(counter, Ruling("重复", "li")).carry_out("refuse", Selection(spec="JSHD")))
    assert bank.used(capsys) == "0"
    assert bank.hands(exchange(2, LARGE, person=PERSON)) == ("ready", [])


def test_what_is_bought_has_a_year_of_its_own_and_a_person_from_abroad_has_none(bank: Bank, capsys: Capsys) -> None:
    assert bank.hands(exchange(1, LARGE, person=PERSON)) == ("ready", [])
    assert bank.hands(exchange(1, "49000.00", person=PERSON, spec="JSHE")) == ("ready", [])
    assert bank.hands(exchange(2, "1000.01", person=PERSON, spec="JSHE")) == ("held", ["F131"])
    assert bank.hands(exchange(3, "1.00", person="E12345678", kind="F", spec="JSHE")) == ("held", ["F131"])
    assert (bank.used(capsys), bank.used(capsys, PERSON, "--bought")) == ("50000", "49000")


def test_income_that_a_person_sells_at_once_uses_his_year_too(bank: Bank, capsys: Capsys) -> None:
    firm = "<fx:CUSTYPE>C</fx:CUSTYPE><fx:CUSTCOD>600037341</fx:CUSTCOD>"
    person = f"<fx:CUSTYPE>D</fx:CUSTYPE><fx:IDCODE>{PERSON}</fx:IDCODE>"

    def sold(serial: int, dollars: int) -> bytes:
        return income(serial, 60000, dollars, letter="U").replace(firm.encode(), person.encode())

    assert bank.hands(sold(1, 40000)) == ("ready", [])
    assert bank.hands(exchange(1, "10000.01", person=PERSON)) == ("held", ["F131"])
    assert bank.hands(sold(2, 10000)) == ("ready", [])
    assert bank.used(capsys) == "50000"


def test_two_banks_that_ask_at_the_same_moment_do_not_both_have_the_year(tmp_path: Path, capsys: Capsys) -> None:
    home = second(home_of_persons(tmp_path))
    others = exchange(9, LARGE, person=PERSON).replace(b"91330100MA00000015", b"91330100MA00000023")
    others = others.replace(b"DXPENT0000030009", b"DXPENT0000030019").replace("示例商业".encode(), "听泉商业".encode())
    answers = []

    def pulse(step: str) -> None:
        # Between the look at what was used and the writing of it another worker does the whole of his own.
        if step == "sealed" and not answers:
            answers.append(None)
            with Counter(home, clock=house.now) as counter:
                answers.extend(counter.hand_in([Claim(0, "other", BATCH, "o.xml", "", others)]))

    house = House(home, pulse=pulse)
    bank = Bank(house)
    mine = bank.hands(exchange(1, LARGE, person=PERSON))
    assert answers[1]["documents"][0]["state"] == "ready", answers
    assert mine == ("held", ["F131"])
    assert bank.used(capsys) == "50000"
