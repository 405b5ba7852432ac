"""What is ready leaves by its plan: the same bytes each time, a date after a failure, held after a refusal for good."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from adapters.carriers.carrier import Carried, Parcel
from gateway.dispatch import Outgoing
from gateway.rounds import Dispatcher
from gateway.settling import iso
from spool.backoff import Plan
from tests import samples
from tests.crash.world import World, fields
from tests.homes import demo_home

PLAN = Plan()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


def ready(world: World, count: int = 1, start: int = 1) -> int:
    """A message of so many orders waits; its number."""
    world.drop("shop", f"{start}.xml", samples.message("CEB311", count, start=start))
    world.take_in()
    return int(world.rows("SELECT max(number) FROM message")[0][0])


def outbox(world: World) -> tuple[object, ...]:
    return world.rows("SELECT state, attempts, not_before, trouble, answer FROM outbox")[0]


def states(world: World) -> list[str]:
    return [state for (state,) in world.rows("SELECT state FROM document ORDER BY number, ordinal")]


def away(one: object) -> Carried:
    return Carried(one.parcel.number, ok=False, trouble="the line is dead")


def never(one: object) -> Carried:
    return Carried(one.parcel.number, ok=False, trouble="400: not so", permanent=True)


def test_what_customs_has_taken_is_sent_and_does_not_leave_again(world: World) -> None:
    number = ready(world, 2)
    (leaving,) = world.carry()
    assert leaving.parcel == Parcel(
        number, f"{number}.CEB311Message.xml", "CEB311Message",
        world.clerk.store.read(world.rows("SELECT evidence FROM message")[0][0]),
    )  # fmt: skip
    assert states(world) == ["sent", "sent"]
    assert outbox(world)[:2] == ("gone", 1)
    world.moment += timedelta(days=1)
    assert world.carry() == []


def test_a_failure_is_a_date_of_the_plan_and_each_attempt_has_the_same_bytes(world: World) -> None:
    number = ready(world)
    bodies = set()
    for attempt in range(1, 12):
        (leaving,) = world.carry(away)
        bodies.add(leaving.parcel.body)
        tried = world.moment
        state, attempts, not_before, trouble, _ = outbox(world)
        assert (state, attempts, trouble) == ("waiting", attempt, "the line is dead")
        due = tried + timedelta(seconds=PLAN.wait(attempt, number))
        assert not_before == iso(due)
        assert world.outgoing().due(due - timedelta(milliseconds=2)) == []
        world.moment = due
    assert len(bodies) == 1
    assert states(world) == ["ready"]
    (leaving,) = world.carry()
    assert bodies == {leaving.parcel.body}
    assert states(world) == ["sent"]
    assert outbox(world)[0:2] == ("gone", 12)


def test_a_refusal_for_good_holds_the_message_for_an_operator(world: World) -> None:
    ready(world, 2)
    world.carry(never)
    assert states(world) == ["held", "held"]
    assert (outbox(world)[0], outbox(world)[3]) == ("held", "400: not so")
    assert world.rows("SELECT why, due_at FROM document")[0] == ("400: not so", "9999-12-31T23:59:59Z")
    world.moment += timedelta(days=300)
    assert world.carry() == []


def test_a_plan_that_has_an_end_holds_what_did_not_leave(world: World) -> None:
    ready(world)
    authority = world.clerk.house.authority("customs")
    short = msgspec.structs.replace(authority, retry=msgspec.structs.replace(authority.retry, attempts=2))
    outgoing = Outgoing(world.ledger, world.clerk.store, short)
    for _ in range(2):
        world.moment += timedelta(days=1)
        leaving = outgoing.due(world.moment)
        outgoing.told(leaving, [away(one) for one in leaving], world.moment)
    assert states(world) == ["held"]
    assert outbox(world)[:2] == ("held", 1)


def test_a_carrier_that_says_nothing_is_a_failure(world: World) -> None:
    ready(world)
    outgoing = world.outgoing()
    assert outgoing.told(outgoing.due(world.moment + timedelta(seconds=1)), [], world.moment) == 0
    assert outbox(world)[3] == "the carrier did not say what became of it"


def test_an_answer_that_comes_before_we_know_that_it_left_is_not_undone(world: World) -> None:
    ready(world)
    outgoing = world.outgoing()
    leaving = outgoing.due(world.now())
    world.answer("r.xml", "CEB312", "OrderReturn", fields(1, "120"))
    world.take_in()
    assert states(world) == ["closed"]
    outgoing.told(leaving, [Carried(one.parcel.number, ok=True) for one in leaving], world.now())
    assert states(world) == ["closed"]
    assert outbox(world)[0] == "gone"
    moves = world.rows("SELECT from_state, to_state FROM stamp WHERE desk IN ('settle', 'dispatch') ORDER BY sequence")
    assert moves == [("ready", "sent"), ("sent", "closed")]


def test_an_answer_to_what_a_carrier_calls_refused_is_not_held_against_it(world: World) -> None:
    ready(world)
    outgoing = world.outgoing()
    leaving = outgoing.due(world.now())
    world.answer("r.xml", "CEB312", "OrderReturn", fields(1, "120"))
    world.take_in()
    outgoing.told(leaving, [never(one) for one in leaving], world.now())
    assert states(world) == ["closed"]


def test_every_partner_has_a_share_of_each_round(world: World) -> None:
    for number in range(80):
        world.drop("shop", f"s{number}.xml", samples.order(number))
        world.take_in()
    world.drop("pay", "p.xml", samples.message("CEB411", 1))
    world.take_in()
    leaving = world.outgoing().due(world.now())
    assert {one.partner for one in leaving} == {"shop", "pay"}
    assert len(leaving) <= 64
    numbers = [one.parcel.number for one in leaving if one.partner == "shop"]
    assert numbers == sorted(numbers)


class Line:
    """A carrier that remembers, and whose line can be cut."""

    together = 64
    side_by_side = 1

    def __init__(self) -> None:
        self.carried: list[Parcel] = []
        self.cut = False
        self.broken = False

    def carry(self, parcels: object) -> "Deferred[list[Carried]]":
        if self.broken:
            return fail(RuntimeError("a mistake in the carrier"))
        if self.cut:
            return succeed([Carried(one.number, ok=False, trouble="cut") for one in parcels])
        self.carried += parcels
        return succeed([Carried(one.number, ok=True, acknowledgement="OK") for one in parcels])


class AtOnce(ThreadPool):
    """A pool of no threads: the work is done when it is asked for."""

    def callInThreadWithCallback(self, done: object, work: object, *arguments: object, **named: object) -> None:
        try:
            result = work(*arguments, **named)
        except Exception as trouble:  # noqa: BLE001  whatever it is, the caller hears of it
            done(False, Failure(trouble))
        else:
            done(True, result)


class HereAndNow(Clock):
    """A reactor without threads."""

    def callFromThread(self, work: object, *arguments: object, **named: object) -> None:
        work(*arguments, **named)


def round_of(world: World, line: Line) -> int:
    gone: list[int] = []
    dispatcher = Dispatcher(HereAndNow(), AtOnce(), world.outgoing(), line, world.now)
    dispatcher.round().addCallback(gone.append)
    return gone[0]


def test_a_round_ends_when_nothing_is_due(world: World) -> None:
    for number in range(70):
        ready(world, start=number + 1)
    line = Line()
    assert round_of(world, line) == 70
    assert len({parcel.number for parcel in line.carried}) == len(line.carried) == 70
    assert round_of(world, line) == 0


@pytest.mark.parametrize("trouble", ["cut", "broken"])
def test_a_round_with_trouble_ends_and_the_next_date_tries_again(world: World, trouble: str) -> None:
    ready(world)
    line = Line()
    setattr(line, trouble, True)
    assert round_of(world, line) == 0
    assert outbox(world)[:2] == ("waiting", 1)
    setattr(line, trouble, False)
    assert round_of(world, line) == 0
    world.moment = datetime.fromisoformat(str(outbox(world)[2])) + timedelta(seconds=1)
    assert round_of(world, line) == 1


def test_evidence_that_is_gone_does_not_keep_the_others_from_leaving(world: World) -> None:
    ready(world, start=1)
    ready(world, start=2)
    ((place,),) = world.rows("SELECT evidence FROM message ORDER BY number LIMIT 1")
    world.clerk.store.path(place).unlink()
    line = Line()
    assert round_of(world, line) == 1
    assert sorted(states(world)) == ["held", "sent"]
