"""Nobody waits for the slowest: what hangs keeps its own place, what fails while others arrive takes turns."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from adapters.carriers.carrier import Carried, Parcel
from gateway.config import Authority
from gateway.config_authorities import Pace, Retry
from gateway.dispatch import Outgoing
from gateway.rounds import Dispatcher
from tests.crash.world import World
from tests.gateway.test_dispatch import AtOnce, HereAndNow
from tests.gateway.test_turnstile import ready
from tests.homes import demo_home

SOON = Retry(first_seconds=0.001, factor=1, most_seconds=0.001, jitter=0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


class Road:
    """A carrier whose groups are on their way until somebody lets them arrive, or fail."""

    side_by_side = 8

    def __init__(self, together: int = 1) -> None:
        self.together = together
        self.groups: list[tuple[int, ...]] = []
        self.out: dict[int, tuple[Sequence[Parcel], Deferred[list[Carried]]]] = {}

    def carry(self, parcels: Sequence[Parcel]) -> "Deferred[list[Carried]]":
        self.groups.append(tuple(one.number for one in parcels))
        done: Deferred[list[Carried]] = Deferred()
        self.out[parcels[0].number] = (parcels, done)
        return done

    def arrive(self, *firsts: int) -> None:
        """The groups that begin with these have arrived."""
        for first in firsts:
            parcels, done = self.out.pop(first)
            done.callback([Carried(one.number, ok=True, acknowledgement="OK") for one in parcels])

    def fail(self, first: int, fault: str = "doubt") -> None:
        parcels, done = self.out.pop(first)
        done.callback([Carried(one.number, ok=False, trouble="no", fault=fault) for one in parcels])  # type: ignore[arg-type]


class Rounds:
    """A dispatcher over the world's outbox, and the clock it goes by."""

    def __init__(self, world: World, road: Road, order: str = "none") -> None:
        authority = Authority("customs", "海关", retry=SOON, pace=Pace(order=order))  # type: ignore[arg-type]
        self.world = world
        self.clock = HereAndNow()
        outgoing = Outgoing(world.ledger, world.clerk.store, authority)
        self.dispatcher = Dispatcher(self.clock, AtOnce(), outgoing, road, world.now)
        self.begun = 0
        self.ended: list[object] = []

    def go(self) -> None:
        self.begun += 1
        self.dispatcher.round().addBoth(self.ended.append)

    def later(self) -> None:
        """A second has gone by, and somebody has woken us, as the house does it."""
        self.clock.advance(1)
        self.world.moment += timedelta(seconds=1)
        if self.begun == len(self.ended):
            self.go()
        else:
            self.dispatcher.woken()

    def states(self) -> list[str]:
        return [state for (state,) in self.world.rows("SELECT state FROM outbox ORDER BY message")]


def test_what_hangs_holds_up_nobody_and_is_told_when_it_comes_back(world: World) -> None:
    road = Road()
    rounds = Rounds(world, road)
    hangs, *others = ready(world, *range(1, 6))
    rounds.go()
    road.arrive(*others)
    rounds.later()
    assert rounds.states() == ["waiting", *["gone"] * 4]
    fresh = ready(world, 6, 7)
    rounds.later()
    road.arrive(*fresh)
    rounds.later()
    assert rounds.states() == ["waiting", *["gone"] * 6]
    assert rounds.ended == []
    road.arrive(hangs)
    assert rounds.ended == [7]
    assert rounds.states() == ["gone"] * 7
    assert sorted(road.groups) == [(one,) for one in sorted([hangs, *others, *fresh])]


def test_what_comes_back_together_is_told_in_one_transaction(world: World) -> None:
    road = Road()
    rounds = Rounds(world, road)
    hangs, *others = ready(world, *range(1, 6))
    rounds.go()
    for one in others:
        road.arrive(one)
    assert rounds.states() == ["waiting"] * 5
    rounds.clock.advance(0.05)
    assert rounds.states() == ["waiting", *["gone"] * 4]
    road.arrive(hangs)
    assert rounds.ended == [5]


@pytest.mark.parametrize(("order", "left"), [("none", 3), ("key", 3), ("partner", 1)])
def test_order_waits_for_what_hangs_as_far_as_the_authority_needs_it(world: World, order: str, left: int) -> None:
    """Of the shop's three messages the first hangs; another partner's does not wait for it, whatever the order."""
    road = Road()
    rounds = Rounds(world, road, order)
    hangs, *rest = ready(world, 1, 2, 3)
    (other,) = ready(world, 1, partner="pay")
    rounds.go()
    assert road.out.keys() == {hangs, other, *(rest if order != "partner" else ())}
    road.arrive(*[one for one in road.out if one != hangs])
    rounds.later()
    assert rounds.states().count("gone") == left
    road.arrive(hangs)
    while road.out:
        road.arrive(*road.out)
    assert rounds.ended == [4]


def test_who_went_with_one_that_hung_goes_alone_at_once(world: World) -> None:
    road = Road(together=4)
    rounds = Rounds(world, road)
    numbers = ready(world, 1, 2, 3, 4)
    rounds.go()
    assert road.groups == [tuple(numbers)]
    road.fail(numbers[0], "neighbour")
    assert road.groups[1:] == [(one,) for one in numbers]
    road.arrive(*numbers[1:])
    rounds.later()
    assert rounds.states() == ["waiting", "gone", "gone", "gone"]
    assert world.rows("SELECT DISTINCT attempts FROM outbox ORDER BY attempts") == [(0,), (1,)]


def test_of_those_that_fail_while_others_arrive_one_at_a_time_is_out(world: World) -> None:
    road = Road()
    rounds = Rounds(world, road)
    *bad, good = ready(world, 1, 2, 3, 4)
    rounds.go()
    road.arrive(good)
    for one in bad:
        road.fail(one)
    rounds.clock.advance(0.05)
    tried = []
    for _ in range(6):
        rounds.later()
        (out,) = road.out
        tried.append(out)
        rounds.later()
        assert list(road.out) == [out]
        (fresh,) = ready(world, 100 + len(tried))
        rounds.later()
        road.arrive(fresh)
        road.fail(out)
    assert sorted(set(tried)) == bad
    for _ in bad:
        rounds.later()
        road.arrive(*road.out)
    assert set(rounds.states()) == {"gone"}


def test_where_nothing_arrives_nobody_is_suspect(world: World) -> None:
    road = Road()
    rounds = Rounds(world, road)
    numbers = ready(world, 1, 2, 3)
    rounds.go()
    for one in numbers:
        road.fail(one)
    world.moment += timedelta(seconds=1)
    rounds.go()
    assert list(road.out) == numbers


def test_what_was_ended_takes_no_more_and_ends_with_what_is_out(world: World) -> None:
    road = Road()
    rounds = Rounds(world, road)
    (first,) = ready(world, 1)
    rounds.go()
    rounds.dispatcher.end()
    ready(world, 2)
    rounds.later()
    road.arrive(first)
    assert (rounds.ended, rounds.states()) == ([1], ["gone", "waiting"])


def test_a_ledger_in_trouble_leaves_what_is_out_to_the_next_round(world: World) -> None:
    road = Road()
    rounds = Rounds(world, road)
    (number,) = ready(world, 1)
    rounds.go()
    world.ledger.conn.execute("PRAGMA query_only = ON")
    road.arrive(number)
    assert "readonly" in str(rounds.ended[0])
    world.ledger.conn.execute("PRAGMA query_only = OFF")
    rounds.go()
    road.arrive(number)
    assert (rounds.ended[1], rounds.states()) == (1, ["gone"])
