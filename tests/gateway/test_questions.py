"""A question is asked once a day unless it surely was not answered, and leaves no name and no number behind."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.identity import Answered
from gateway.asking import questions_of
from gateway.config import Identity
from gateway.desks import hidden_key
from gateway.desks.identity import Person, read, tomorrow
from gateway.posing import pose
from gateway.questions import Asking, Questions
from gateway.replaying import Ruling
from gateway.secret import secret_of
from gateway.selecting import Selection
from gateway.settling import iso
from gateway.submitting import Counter
from gateway.verbs import Verbs
from message_specs.verdict import Verdict
from tests import samples
from tests.crash.world import World
from tests.homes import demo_home

ASKS = Identity(ask="always", url="http://127.0.0.1:1/verify", attempts=3, at_once=4)
MATCH = Answered(Verdict.MATCH)
AWAY = Answered(Verdict.SERVICE_ERROR, "127.0.0.1: no connection (ConnectionRefusedError)")
CUT = Answered(Verdict.SERVICE_ERROR, "127.0.0.1: no whole answer (ResponseNeverReceived)", lost=True)
FULL = Answered(Verdict.LIMIT, "127.0.0.1 said so")
NOON = datetime.fromisoformat("2026-11-21T12:00:00+08:00")


def asking_home(tmp_path: Path) -> Path:
    """A demo home whose inventories go by the desk `identity` alone, which asks about every buyer."""
    home = demo_home(tmp_path)
    (home / "journeys.csv").write_text("mode,kind,desks,note\n*,*,check,\n*,CEB621,check identity,\n", "utf-8")
    text = (home / "kouan.toml").read_text("utf-8")
    for key, value in (("ask", "always"), ("url", ASKS.url)):
        text = re.sub(rf'(?m)^{key} = "[^"]*"', f'{key} = "{value}"', text)
    (home / "kouan.toml").write_text(re.sub(r"(?m)^attempts = .*", "attempts = 3", text), "utf-8")
    return home


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(asking_home(tmp_path), moment=NOON)
    yield world
    world.close()


def arrive(world: World, *numbers: int) -> None:
    for number in numbers:
        world.drop("agent", f"{number}.xml", samples.message("CEB621", 1, start=number))
    world.take_in()


def questions(world: World) -> Questions:
    return questions_of(world.clerk.house, world.ledger)


def key(world: World, number: int) -> str:
    trade = samples.trade(number)
    return hidden_key(secret_of(world.home), *Person.of(trade["buyer"], trade["id"]).words)


def asked(world: World, one: Questions, answer: Callable[[Asking], Answered]) -> int:
    found = one.due(world.now())
    one.told(found, [answer(each) for each in found], world.now())
    return len(found)


def states(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT state, substr(why, 1, 4) FROM document ORDER BY number, ordinal")


def same(answer: Answered, _: Asking) -> Answered:
    return answer


def open_questions(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT attempts, not_before, trouble FROM question WHERE answered_at IS NULL ORDER BY subject")


def test_a_document_waits_for_the_answer_and_goes_on_with_it(world: World) -> None:
    arrive(world, 1)
    assert states(world) == [("filed", "T401")]
    (found,) = questions(world).due(world.now())
    trade = samples.trade(1)
    number = world.rows("SELECT number FROM document")[0][0]
    assert found == Asking(key(world, 1), number, Person(trade["buyer"], trade["id"]), 1)
    assert world.go_on() == 0
    assert questions(world).told([found], [MATCH], world.now()) == 1
    said = read(world.rows("SELECT value FROM record WHERE key = ?", key(world, 1))[0][0])
    assert said is not None
    assert (said.verdict, iso(said.at)) == (Verdict.MATCH, iso(world.moment))
    assert world.go_on() == 1
    assert states(world) == [("ready", None)]
    assert open_questions(world) == []
    assert world.rows("SELECT * FROM question_waits") == []


@pytest.mark.parametrize(
    ("verdict", "state"), [(Verdict.MISMATCH, "refused"), (Verdict.NO_RECORD, "held"), (Verdict.BAD_INPUT, "refused")]
)
def test_an_answer_that_is_no_match_refuses_or_holds(world: World, verdict: Verdict, state: str) -> None:
    arrive(world, 1)
    asked(world, questions(world), lambda _: Answered(verdict))
    world.go_on()
    assert [one for one, _ in states(world)] == [state]


def test_who_is_let_pass_without_a_match_goes_on_with_a_warning_in_his_stamp(tmp_path: Path) -> None:
    home = asking_home(tmp_path)
    file = home / "kouan.toml"
    file.write_text(file.read_text("utf-8").replace('on_no_record = "hold"', 'on_no_record = "pass"'), "utf-8")
    world = World(home, moment=NOON)
    arrive(world, 1)
    asked(world, questions(world), lambda _: Answered(Verdict.NO_RECORD))
    world.go_on()
    assert states(world) == [("ready", None)]
    (found,) = world.rows("SELECT findings FROM stamp WHERE desk = 'identity' AND to_state = 'checked'")
    assert [(one["code"], one["severity"]) for one in json.loads(found[0])] == [("T404", "warning")]
    world.close()


def test_what_an_operator_releases_goes_on(world: World) -> None:
    arrive(world, 1)
    asked(world, questions(world), lambda _: Answered(Verdict.NO_RECORD))
    world.go_on()
    name = world.rows("SELECT number || '.' || ordinal FROM document")[0][0]
    with Counter(world.home, world.now) as counter:
        verbs = Verbs(counter, Ruling("the card was seen", "wang"))
        assert [one.after for one in verbs.carry_out("release", Selection((name,)))] == ["filed"]
    assert world.go_on() == 1
    assert states(world) == [("ready", None)]


def test_a_trade_whose_payer_is_another_goes_on_only_when_the_buyer_is_verified(tmp_path: Path) -> None:
    home = asking_home(tmp_path)
    (home / "journeys.csv").write_text(
        "mode,kind,desks,note\n*,*,check match,\n*,CEB621,check match identity,\n", "utf-8"
    )
    file = home / "kouan.toml"
    file.write_text(file.read_text("utf-8").replace('ask = "always"', 'ask = "differs"'), "utf-8")
    world = World(home, moment=NOON)
    for number, payer in ((1, 1), (2, 3), (4, 5)):
        ours, other = samples.trade(number), samples.trade(payer)
        paid = samples.message("CEB411", 1, start=number).decode().replace(ours["id"], other["id"])
        for sender, spec in (("shop", "CEB311"), ("ship", "CEB511"), ("agent", "CEB621")):
            world.drop(sender, f"{spec}-{number}.xml", samples.message(spec, 1, start=number))
        world.drop("pay", f"{number}.xml", paid.replace(ours["buyer"], other["buyer"]).encode())
    world.take_in()
    inventories = "SELECT state, substr(why, 1, 4) FROM document WHERE spec = 'CEB621' ORDER BY key"
    assert world.rows(inventories) == [("ready", None), ("filed", "T401"), ("filed", "T401")]
    verdicts = {key(world, 2): MATCH, key(world, 4): Answered(Verdict.MISMATCH)}
    assert asked(world, questions(world), lambda one: verdicts[one.subject]) == 2
    world.go_on()
    assert world.rows(inventories) == [("ready", None), ("ready", None), ("refused", None)]
    world.close()


def test_two_documents_of_one_buyer_wait_for_one_question_and_the_third_for_none(world: World) -> None:
    for number in (1, 2):
        world.drop("agent", f"{number}.xml", of_first_buyer(number))
    world.take_in()
    assert asked(world, questions(world), lambda _: MATCH) == 1
    assert world.go_on() == 2
    assert states(world) == [("ready", None)] * 2
    world.drop("agent", "3.xml", of_first_buyer(3))
    world.take_in()
    assert states(world) == [("ready", None)] * 3
    assert questions(world).due(world.now()) == []


def of_first_buyer(number: int) -> bytes:
    """The inventory of this trade, with the buyer of trade 1."""
    ours, first = samples.trade(number), samples.trade(1)
    text = samples.message("CEB621", 1, start=number).decode()
    return text.replace(ours["id"], first["id"]).replace(ours["buyer"], first["buyer"]).encode()


def test_who_surely_did_not_answer_is_asked_again_by_the_plan_and_given_up_in_the_end(world: World) -> None:
    arrive(world, 1)
    one = questions(world)
    for attempt, answer in ((1, AWAY), (2, FULL)):
        assert asked(world, one, partial(same, answer)) == 1
        ((attempts, not_before, trouble),) = open_questions(world)
        wait = datetime.fromisoformat(not_before) - world.moment
        assert (attempts, trouble) == (attempt, answer.trouble)
        assert timedelta(seconds=24 * 2 ** (attempt - 1)) <= wait <= timedelta(seconds=36 * 2 ** (attempt - 1))
        assert asked(world, one, lambda _: MATCH) == 0
        world.moment += timedelta(minutes=2)
    assert asked(world, one, lambda _: FULL) == 1
    assert open_questions(world) == []
    world.go_on()
    assert states(world) == [("held", "T406")]


def test_an_answer_that_may_have_been_given_is_not_asked_for_again_before_the_next_day(world: World) -> None:
    arrive(world, 1)
    one = questions(world)
    asked(world, one, lambda _: CUT)
    ((_, not_before, _),) = open_questions(world)
    assert not_before == iso(tomorrow(NOON))
    world.moment = tomorrow(NOON) - timedelta(seconds=1)
    assert asked(world, one, lambda _: MATCH) == 0
    world.moment = tomorrow(NOON)
    assert asked(world, one, lambda _: MATCH) == 1


def test_a_crash_after_the_asking_costs_a_day_and_no_second_asking(world: World) -> None:
    arrive(world, 1)
    assert len(questions(world).due(world.now())) == 1
    world.close()
    again = World(world.home, moment=world.moment)
    for _ in range(50):
        again.moment += timedelta(minutes=14)
        again.go_on()
        assert questions(again).due(again.now()) == []
    assert states(again) == [("filed", "T401")]
    again.moment = tomorrow(NOON)
    assert asked(again, questions(again), lambda _: MATCH) == 1
    again.go_on()
    assert states(again) == [("ready", None)]
    again.close()


def test_a_refused_buyer_who_comes_again_is_not_asked_about_twice_in_a_day(world: World) -> None:
    arrive(world, 1)
    one = questions(world)
    asked(world, one, lambda _: Answered(Verdict.MISMATCH))
    world.go_on()
    world.drop("agent", "again.xml", of_first_buyer(2))
    world.take_in()
    assert [state for state, _ in states(world)] == ["refused", "refused"]
    assert one.due(world.now()) == []
    world.moment = tomorrow(NOON)
    world.drop("agent", "later.xml", of_first_buyer(3))
    world.take_in()
    assert asked(world, one, lambda _: MATCH) == 1
    world.go_on()
    assert states(world)[-1] == ("ready", None)


def test_a_service_that_answers_nobody_is_left_alone_for_a_while(world: World) -> None:
    arrive(world, *range(1, 11))
    one = questions(world)
    assert asked(world, one, lambda _: AWAY) == ASKS.at_once
    assert asked(world, one, lambda _: MATCH) == 0
    world.moment += timedelta(seconds=31)
    assert asked(world, one, lambda _: MATCH) == ASKS.at_once


def test_an_answer_that_comes_while_a_desk_decides_makes_its_document_due_at_once(world: World) -> None:
    arrive(world, 1)
    seen = world.now()
    asked(world, questions(world), lambda _: MATCH)
    number = world.rows("SELECT number FROM document")[0][0]
    with world.ledger.writing():
        world.ledger.run("set_waiting", iso(seen + timedelta(hours=1)), "T401", number, 1)
        pose(world.ledger, key(world, 1), number, 1, seen)
    assert open_questions(world) == []
    assert world.go_on() == 1
    assert states(world) == [("ready", None)]


def test_a_question_whose_evidence_does_not_say_whom_is_dropped_and_its_document_looked_at(world: World) -> None:
    arrive(world, 1)
    (place,) = world.rows("SELECT evidence FROM interchange")
    world.clerk.store.path(place[0]).unlink()
    assert questions(world).due(world.now()) == []
    assert open_questions(world) == []
    world.go_on()
    assert states(world) == [("held", "K105")]


def test_another_secret_asks_anew_by_its_own_key(world: World) -> None:
    arrive(world, 1)
    (world.home / "keys/secret").write_bytes(b"x" * 32)
    world.close()
    again = World(world.home, moment=world.moment)
    assert questions(again).due(again.now()) == []
    again.go_on()
    assert asked(again, questions(again), lambda _: MATCH) == 1
    again.go_on()
    assert states(again) == [("ready", None)]
    again.close()


def test_no_name_and_no_number_is_in_the_ledger_or_in_a_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    structlog.configure(
        processors=[structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG), cache_logger_on_first_use=False,
    )  # fmt: skip
    world = World(asking_home(tmp_path), moment=NOON)
    arrive(world, 1, 2, 3, 4)
    replies = iter((AWAY, CUT, MATCH, Answered(Verdict.MISMATCH)))
    asked(world, questions(world), lambda _: next(replies))
    world.go_on()
    told = world.rows("SELECT * FROM question") + world.rows("SELECT * FROM record") + world.rows("SELECT * FROM stamp")
    shown = repr(told) + "".join(capfd.readouterr())
    world.ledger.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    tables = {name for (name,) in world.rows("SELECT name FROM sqlite_master WHERE type = 'table'")} - {"paper"}
    shown += repr([world.rows(f"SELECT * FROM {name}") for name in sorted(tables)])
    assert "identity.postponed" in shown
    world.close()
    for number in (1, 2, 3, 4):
        trade = samples.trade(number)
        assert trade["id"] not in shown
        assert trade["buyer"] not in shown


ANSWERS = st.sampled_from([MATCH, AWAY, CUT, FULL, *(Answered(one) for one in Verdict if one != "MATCH"), None])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(ANSWERS, st.integers(1, 1500)), max_size=12))
def test_whatever_is_answered_nobody_is_asked_about_twice_in_a_day_by_whom_may_have_answered(
    tmp_path_factory: pytest.TempPathFactory, story: list[tuple[Answered | None, int]]
) -> None:
    world = World(asking_home(tmp_path_factory.mktemp("story")), moment=NOON)
    one, days = questions(world), []
    for turn, (answer, minutes) in enumerate(story):
        world.drop("agent", f"{turn}.xml", of_first_buyer(turn + 1))
        world.take_in()
        for found in one.due(world.now()):
            moment = world.now()
            if answer is not None:
                one.told([found], [answer], moment)
            if answer is None or answer.lost or answer.verdict not in (Verdict.SERVICE_ERROR, Verdict.LIMIT):
                days.append(tomorrow(moment))
        world.go_on()
        world.moment += timedelta(minutes=minutes)
    assert world.rows("SELECT count(*) FROM interchange") == [(len(story),)]
    assert len(days) == len(set(days))
    waiting = world.rows("SELECT count(*) FROM document WHERE state = 'filed'")[0][0]
    assert waiting == 0 or open_questions(world) != []
    world.close()


def test_the_settings_of_these_tests_are_those_of_the_home(tmp_path: Path) -> None:
    world = World(asking_home(tmp_path))
    assert world.clerk.house.kouan.identity == msgspec.structs.replace(
        Identity(), ask="always", url=ASKS.url, attempts=3
    )
    world.close()
