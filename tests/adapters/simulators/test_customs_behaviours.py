"""Each named misbehaviour does what its name says, alone and together, and the book stays true."""

import base64
import time

import pytest
from lxml import etree

from adapters.simulators.behaviours import NAMES, UnknownBehaviour, behaviours
from message_specs.dxp.envelope import unwrap
from tests import samples
from tests.adapters.simulators.box import Box, soon


def statuses(box: Box, count: int) -> list[str]:
    return [status for _, _, status in box.answered(count)]


def test_late_answers_come_late(box: Box) -> None:
    box.start("late=1.5")
    told = time.time()
    box.tell("CEB311")
    assert statuses(box, 2) == ["2", "120"]
    assert min(path.stat().st_mtime for path in box.files()) - told >= 1.5


def test_duplicate_sends_every_answer_so_many_times_with_the_same_bytes(box: Box) -> None:
    box.start("duplicate=3")
    box.tell("CEB311")
    assert statuses(box, 6) == ["2"] * 3 + ["120"] * 3
    assert len({path.read_bytes() for path in box.files()}) == 2
    assert box.book()[0]["statuses"] == ["2", "120"]


def test_out_of_order_sends_the_last_stage_first_and_keeps_its_times_true(box: Box) -> None:
    box.start("out-of-order")
    box.tell("CEB621")
    assert statuses(box, 4) == ["800", "399", "120", "2"]
    times = [etree.fromstring(unwrap(path.read_bytes()).data).findtext(".//{*}returnTime") for path in box.files()]  # type: ignore[union-attr]
    assert times == sorted(times, reverse=True)


def test_reject_some_returns_every_nth_document_and_lets_the_others_pass(box: Box) -> None:
    box.start("reject-some=3")
    box.tell("CEB621", 6)
    box.answered(6 + 6 + 4 + 4)
    heard = [line["statuses"] for line in box.book()]
    passed, returned = ["2", "120", "399", "800"], ["2", "100"]
    assert heard == [passed, passed, returned, passed, passed, returned]


def test_unknown_code_puts_a_status_that_nobody_told_us_about_before_the_known_ones(box: Box) -> None:
    box.start("unknown-code=610", "closes")
    box.tell("CEB621")
    assert statuses(box, 6) == ["2", "610", "120", "399", "800", "899"]


def test_silent_books_and_says_nothing_until_it_is_started_otherwise(box: Box) -> None:
    box.start("silent")
    box.tell("CEB311")
    assert soon(box.book)[0]["statuses"] == []
    box.end()
    assert box.files() == []
    box.start()
    assert statuses(box, 2) == ["2", "120"]


def test_disconnects_leaves_half_an_answer_under_an_aside_name_before_it_is_finished(box: Box) -> None:
    box.start("disconnects")
    box.tell("CEB311")
    halves = soon(lambda: [path.read_bytes() for path in box.answers.glob(".*.writing")])
    assert statuses(box, 2) == ["2", "120"]
    assert box.files()[0].read_bytes().startswith(halves[0])
    assert list(box.answers.glob(".*")) == []


def test_nonsense_comes_before_each_answer_in_turn(box: Box) -> None:
    box.start("nonsense")
    box.tell("CEB621")
    soon(lambda: len(box.files()) == 8)
    nonsense = [path.read_bytes() for path in box.files() if path.name.startswith("NONSENSE")]
    assert [b"CEB999Message" in body or (b"CEB312Message" in body and 2) for body in nonsense] == [
        False,
        True,
        2,
        False,
    ]
    assert box.book()[0]["statuses"] == ["2", "120", "399", "800"]


def test_slow_takes_its_time_for_each_message(box: Box) -> None:
    for number in range(3):
        box.tell("CEB311", 1, 1 + number)
    started = time.monotonic()
    box.start("slow=0.4")
    assert len(box.answered(6)) == 6
    assert time.monotonic() - started >= 1.2


def test_behaviours_go_together(box: Box) -> None:
    box.start("duplicate", "out-of-order", "reject-some=2", "nonsense=root", "unknown-code")
    box.tell("CEB311", 2)
    soon(lambda: len(box.files()) == 12)
    real = [path for path in box.files() if not path.name.startswith("NONSENSE")]
    codes = [
        [unit.findtext("{*}returnStatus") for unit in etree.fromstring(base64.b64decode(data))]
        for path in real
        if (data := etree.fromstring(path.read_bytes()).findtext("{*}Data"))
    ]
    assert codes == [["120"], ["120"], ["600", "100"], ["600", "100"], ["2", "2"], ["2", "2"]]
    assert [line["verdict"] for line in box.book()] == ["", "100"]


def test_behaviours_may_stand_in_the_file_too(box: Box) -> None:
    box.configure(top='behaviours = ["reject-some=1"]')
    box.start()
    box.tell("CEB511", sender=samples.SHIP)
    assert statuses(box, 2) == ["2", "100"]


@pytest.mark.parametrize("asked", ["lazy", "late=soon", "disconnects=never", "reject-some=x"])
def test_an_unknown_behaviour_or_argument_is_told_at_once(asked: str) -> None:
    with pytest.raises(UnknownBehaviour):
        behaviours([asked])


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_asked_for_without_an_argument(name: str) -> None:
    assert behaviours([name]) != behaviours([])
