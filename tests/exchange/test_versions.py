"""Two versions of one record that wait at the same time are told in two files, and each has its own answer."""

import re
from pathlib import Path

import pytest

from tests.exchange.house import House
from tests.exchange.office import BASIC, report, reporting, told
from tests.exchange.traded import income
from tests.homes import demo_home


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(reporting(demo_home(tmp_path)))


CHANGED = {"操作类型": "修改", "修改或删除原因": "更正", "收付款金额": "12000"}


def row(serial: int, **more: str) -> dict[str, str]:
    return BASIC | {"申报号码": report(serial)} | more


def settled(house: House) -> tuple[list[tuple[str, str]], list[tuple[str, str, bool]]]:
    house.carry()
    house.meets()
    house.meets()
    return house.states(), [(one["action"], one["report"], one["good"]) for one in told(house.home)]


def test_a_record_and_its_change_that_came_in_two_files(house: House) -> None:
    house.drop("BOPA-1.csv", row(1), row(2))
    house.drop("BOPA-2.csv", row(1, **CHANGED), row(3))
    states, office = settled(house)
    assert states == [(report(n), "closed") for n in (1, 2, 1, 3)]
    assert office == [("A", report(1), True), ("A", report(2), True), ("C", report(1), True), ("A", report(3), True)]
    assert len(house.rows("SELECT name FROM fx_batch")) == 1


def test_a_record_and_its_change_that_came_in_one_message(house: House) -> None:
    first, second = income(1, 100, 0), income(1, 120, 0).replace(b"TYPE>A<", b"TYPE>C<")
    second = second.replace(b"<fx:RPTNO>", "<fx:ACTIONDESC>更正</fx:ACTIONDESC><fx:RPTNO>".encode())
    unit = re.search(rb"<fx:BOPA>.*</fx:BOPA>", second, re.DOTALL)
    assert unit is not None
    both = first.replace(b"</fx:BOPA>", b"</fx:BOPA>" + unit[0])
    answer = house.take("bank", "both.xml", body=both)
    assert [one["state"] for one in answer["documents"]] == ["ready", "ready"], answer
    states, office = settled(house)
    assert states == [(report(1), "closed"), (report(1), "closed")]
    assert office == [("A", report(1), True), ("C", report(1), True)]
