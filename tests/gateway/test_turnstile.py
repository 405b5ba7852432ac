"""Before each authority stands a turnstile: pause, hours, breaker, pace and order keep back; nothing is forgotten."""

from collections import Counter as Count
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from adapters.carriers.carrier import Carried
from gateway import authorities
from gateway.breaker import Breaker
from gateway.config import Authority
from gateway.config_authorities import Breaker as Law
from gateway.config_authorities import Carrier, Maintenance, Pace, Retry
from gateway.dispatch import Leaving, Outgoing
from gateway.settling import iso
from gateway.standing import Admission, admission, standing
from gateway.turnstile import Turnstile
from spool.ledger import NEVER
from tests import samples
from tests.crash.world import World
from tests.homes import demo_home

ALWAYS = Retry(first_seconds=0.001, factor=1, most_seconds=0.001, jitter=0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


def customs(**rules: object) -> Authority:
    return Authority("customs", "海关", **{"retry": ALWAYS, **rules})  # type: ignore[arg-type]


def gate(world: World, authority: Authority) -> Turnstile:
    """The turnstile as a start of the daemon makes it."""
    return Turnstile(world.ledger, Outgoing(world.ledger, world.clerk.store, authority), authority)


def ready(world: World, *orders: int, partner: str = "shop") -> list[int]:
    """A message of its own waits for each of these orders; their numbers."""
    before = {number for (number,) in world.rows("SELECT number FROM message")}
    for order in orders:
        spec = "CEB311" if partner == "shop" else "CEB411"
        world.drop(partner, f"{order}.xml", samples.message(spec, 1, start=order))
        world.take_in()
    return sorted({number for (number,) in world.rows("SELECT number FROM message")} - before)


def ok(one: Leaving) -> Carried:
    return Carried(one.parcel.number, ok=True, acknowledgement="OK")


def away(one: Leaving) -> Carried:
    return Carried(one.parcel.number, ok=False, trouble="the line is dead", fault="road")


def chokes(one: Leaving) -> Carried:
    return Carried(one.parcel.number, ok=False, trouble="500: a mistake of ours")


def waits(one: Leaving) -> Carried:
    return Carried(one.parcel.number, ok=False, trouble="gathered", retry_after=1, fault="nobody")


def never(one: Leaving) -> Carried:
    return Carried(one.parcel.number, ok=False, trouble="400: not so", permanent=True)


def tried(world: World, turnstile: Turnstile, result: object = ok) -> list[int]:
    """One look into the outbox, and this is what became of what left."""
    leaving = turnstile.due(world.now())
    turnstile.told(leaving, [result(one) for one in leaving], world.now())  # type: ignore[operator]
    return [one.parcel.number for one in leaving]


def stands(world: World, authority: Authority) -> Admission:
    return admission(authority, standing(world.ledger, "customs"), world.moment)


# the breaker


def test_failures_in_a_row_break_and_one_message_probes_until_it_is_taken(world: World) -> None:
    authority = customs(breaker=Law(failures=3, first_seconds=10, most_seconds=25))
    turnstile = gate(world, authority)
    numbers = ready(world, 1, 2, 3, 4)
    assert tried(world, turnstile, away) == numbers
    assert stands(world, authority).state == "broken"
    for wait in (10, 20, 25, 25):
        assert standing(world.ledger, "customs").breaker.wait == wait
        world.moment += timedelta(seconds=wait - 0.5)
        assert tried(world, turnstile, away) == []
        world.moment += timedelta(seconds=0.5)
        assert len(tried(world, turnstile, away)) == 1
    world.moment += timedelta(seconds=25)
    assert len(tried(world, turnstile)) == 1
    assert standing(world.ledger, "customs").breaker == Breaker()
    assert len(tried(world, turnstile)) == 3
    words = [row["what"] for row in world.ledger.all("turnstile_stamps", "customs", 9)]
    assert words == ["mended", "broken"]


def test_a_broken_authority_uses_up_nobodys_attempts(world: World) -> None:
    retry = Retry(first_seconds=0.001, factor=1, most_seconds=0.001, jitter=0, attempts=3)
    turnstile = gate(world, customs(retry=retry, breaker=Law(failures=2, first_seconds=60, most_seconds=60)))
    ready(world, 1, 2)
    tried(world, turnstile, away)
    for _ in range(50):
        world.moment += timedelta(seconds=1)
        assert tried(world, turnstile, away) == []
    assert world.rows("SELECT state, attempts FROM outbox") == [("waiting", 1), ("waiting", 1)]


def test_a_refusal_of_the_probe_is_an_answer_and_mends(world: World) -> None:
    turnstile = gate(world, customs(breaker=Law(failures=1, first_seconds=5, most_seconds=5)))
    ready(world, 1, 2)
    tried(world, turnstile, away)
    world.moment += timedelta(seconds=6)
    assert len(tried(world, turnstile, never)) == 1
    assert standing(world.ledger, "customs").breaker.state == "closed"


@pytest.mark.parametrize("failures", [1, 2, 5])
def test_one_bad_message_never_breaks_however_often_it_fails(world: World, failures: int) -> None:
    authority = customs(breaker=Law(failures=failures))
    turnstile = gate(world, authority)
    numbers = ready(world, 1)
    for _ in range(20):
        assert tried(world, turnstile, chokes) == numbers
        turnstile = gate(world, authority)  # a restart forgets not that this message was counted
    assert stands(world, authority).state == "open"
    assert standing(world.ledger, "customs").breaker == Breaker(
        failures=1, trouble="500: a mistake of ours", failing=tuple(numbers)
    )


def test_as_many_different_messages_break_though_nobody_can_tell_why_each_failed(world: World) -> None:
    authority = customs(breaker=Law(failures=3))
    turnstile = gate(world, authority)
    for order in (1, 2):
        ready(world, order)
        tried(world, turnstile, chokes)
        assert stands(world, authority).state == "open"
    ready(world, 3)
    tried(world, turnstile, chokes)
    assert stands(world, authority).state == "broken"


def test_an_answer_between_them_begins_the_count_anew(world: World) -> None:
    authority = customs(breaker=Law(failures=2))
    turnstile = gate(world, authority)
    (bad,) = ready(world, 1)
    for order in range(2, 6):
        tried(world, turnstile, chokes)
        (good,) = ready(world, order)
        tried(world, turnstile, lambda one, bad=bad: chokes(one) if one.parcel.number == bad else ok(one))
        assert standing(world.ledger, "customs").breaker == Breaker()
    assert good > bad


def test_one_message_finds_out_that_the_road_is_shut(world: World) -> None:
    authority = customs(breaker=Law(failures=3))
    turnstile = gate(world, authority)
    ready(world, 1)
    for state in ("open", "open", "broken"):
        tried(world, turnstile, away)
        assert stands(world, authority).state == state


def test_what_waits_for_its_time_is_no_failure_and_uses_up_no_attempt(world: World) -> None:
    authority = customs(breaker=Law(failures=1), retry=Retry(attempts=2))
    turnstile = gate(world, authority)
    numbers = ready(world, 1, 2, 3)
    for _ in range(5):
        assert tried(world, turnstile, waits) == numbers
        world.moment += timedelta(seconds=1)
    assert standing(world.ledger, "customs").breaker == Breaker()
    assert world.rows("SELECT state, attempts, trouble FROM outbox") == [("waiting", 0, "gathered")] * 3


def test_what_comes_back_late_does_not_prolong_the_rest(world: World) -> None:
    authority = customs(breaker=Law(failures=2, first_seconds=10, most_seconds=80))
    turnstile = gate(world, authority)
    ready(world, 1, 2, 3)
    leaving = turnstile.due(world.now())
    late = leaving.pop()
    turnstile.told(leaving, [away(one) for one in leaving], world.now())
    turnstile.told([late], [away(late)], world.now())
    assert standing(world.ledger, "customs").breaker.wait == 10


def test_a_rest_that_a_wrong_clock_set_ends_with_it(world: World) -> None:
    authority = customs(breaker=Law(failures=1, first_seconds=10, most_seconds=10))
    turnstile = gate(world, authority)
    ready(world, 1, 2)
    right = world.moment
    world.moment = right + timedelta(days=400)
    tried(world, turnstile, away)
    world.moment = right
    assert stands(world, authority).state == "probing"
    assert len(tried(world, turnstile)) == 1
    assert len(tried(world, turnstile)) == 1


def test_what_a_wrong_clock_postponed_leaves_after_a_start_with_the_right_one(world: World) -> None:
    authority = customs(retry=Retry(first_seconds=600, most_seconds=600))
    numbers = ready(world, 1, 2)
    right = world.moment
    world.moment = right + timedelta(hours=3)
    assert tried(world, gate(world, authority), chokes) == numbers
    world.moment = right
    turnstile = gate(world, authority)
    assert tried(world, turnstile, chokes) == numbers
    assert tried(world, turnstile) == []


def test_while_a_probe_is_on_its_way_no_other_leaves(world: World) -> None:
    authority = customs(breaker=Law(failures=2, first_seconds=5, most_seconds=5))
    turnstile = gate(world, authority)
    ready(world, 1, 2, 3)
    tried(world, turnstile, away)
    world.moment += timedelta(seconds=6)
    (probe,) = turnstile.due(world.now())
    assert turnstile.due(world.now(), out=[probe.parcel.number]) == []
    assert turnstile.told([probe], [ok(probe)], world.now()) == 1
    assert len(turnstile.due(world.now())) == 2


def test_a_message_that_alone_fails_does_not_keep_the_others_from_probing(world: World) -> None:
    turnstile = gate(world, customs(breaker=Law(failures=2, first_seconds=5, most_seconds=5)))
    (poison,) = ready(world, 1)
    tried(world, turnstile, away)
    tried(world, turnstile, away)
    (good,) = ready(world, 2)
    world.moment += timedelta(seconds=6)
    assert tried(world, turnstile) == [good]
    assert tried(world, turnstile) == [poison]


def test_the_breaker_rests_as_long_as_the_authority_asks(world: World) -> None:
    authority = customs(breaker=Law(failures=1, first_seconds=5, most_seconds=5))
    turnstile = gate(world, authority)
    ready(world, 1)
    tried(world, turnstile, lambda one: replace(away(one), retry_after=600))
    assert stands(world, authority).until == world.moment + timedelta(seconds=600)


def test_a_breaker_of_no_failures_never_breaks(world: World) -> None:
    authority = customs(breaker=Law(failures=0))
    turnstile = gate(world, authority)
    ready(world, 1)
    for _ in range(20):
        assert len(tried(world, turnstile, away)) == 1
    assert stands(world, authority).state == "open"


@pytest.mark.parametrize("when", ["broken", "probing"])
def test_a_restart_forgets_neither_the_breaker_nor_its_probe(world: World, when: str) -> None:
    authority = customs(breaker=Law(failures=1, first_seconds=30, most_seconds=30))
    ready(world, 1, 2)
    tried(world, gate(world, authority), away)
    if when == "probing":
        world.moment += timedelta(seconds=31)
        assert len(gate(world, authority).due(world.now())) == 1  # and the power goes before anybody is told
    world.close()
    again = World(world.home, moment=world.moment)
    assert stands(again, authority).state == when
    assert len(gate(again, authority).due(again.now())) == (when == "probing")
    again.close()


# pauses and probes of operators


def test_a_pause_keeps_everything_back_and_ends_when_it_says_or_when_it_is_ended(world: World) -> None:
    authority = customs()
    turnstile = gate(world, authority)
    numbers = ready(world, 1)
    until = world.moment + timedelta(hours=1)
    authorities.pause(world.ledger, "customs", world.now(), until, by="li", why="升级")
    assert tried(world, turnstile) == []
    assert stands(world, authority) == Admission("paused", until=datetime.fromisoformat(iso(until)), why="li: 升级")
    world.moment = until
    assert tried(world, turnstile) == numbers
    authorities.pause(world.ledger, "customs", world.now(), None, by="li", why="again")
    ready(world, 2)
    assert tried(world, turnstile) == []
    assert authorities.resume(world.ledger, "customs", world.now(), by="wang", why="")
    assert not authorities.resume(world.ledger, "customs", world.now(), by="wang", why="")
    assert len(tried(world, turnstile)) == 1
    told = [(row["what"], row["by"], row["reason"]) for row in world.ledger.all("turnstile_stamps", "customs", 9)]
    assert told == [
        ("resumed", "wang", None),
        ("paused", "li", "again"),
        ("paused", "li", f"升级 (until {iso(until)})"),
    ]


def test_a_probe_goes_through_whatever_stands_and_its_answer_is_kept(world: World) -> None:
    authority = customs(breaker=Law(failures=1, first_seconds=600, most_seconds=600))
    turnstile = gate(world, authority)
    ready(world, 1, 2)
    tried(world, turnstile, away)
    authorities.pause(world.ledger, "customs", world.now(), None, by="li", why="升级")
    for result, said, state in ((away, "failed: the line is dead", "open"), (ok, "taken: OK", "closed")):
        authorities.ask_probe(world.ledger, "customs", world.now(), by="li")
        assert len(tried(world, turnstile, result)) == 1
        now = standing(world.ledger, "customs")
        assert (now.probe_said, now.probe_wanted, now.breaker.state) == (said, False, state)
        assert tried(world, turnstile) == []
    authorities.resume(world.ledger, "customs", world.now(), by="li", why="")
    assert len(tried(world, turnstile)) == 1
    authorities.ask_probe(world.ledger, "customs", world.now(), by="li")
    assert tried(world, turnstile) == []
    assert standing(world.ledger, "customs").probe_said == "nothing waits that could be tried"


# hours


def test_nothing_leaves_in_the_hours_of_maintenance(world: World) -> None:
    nightly = Maintenance(daily="02:00-04:00", since=world.moment.date())
    authority = customs(maintenance=(nightly,))
    turnstile = gate(world, authority)
    ready(world, 1)
    tomorrow = world.moment.date() + timedelta(days=1)
    world.moment = datetime(tomorrow.year, tomorrow.month, tomorrow.day, 19, tzinfo=UTC)  # 03:00 in China
    assert tried(world, turnstile) == []
    assert stands(world, authority) == Admission("maintenance", until=world.moment.replace(hour=20, microsecond=0))
    world.moment = world.moment.replace(hour=20)
    assert len(tried(world, turnstile)) == 1


# the pace


def test_a_pace_lets_so_many_leave_in_a_minute_as_a_stream_and_in_turn(world: World) -> None:
    turnstile = gate(world, customs(pace=Pace(messages_a_minute=120)))
    shop, pay = ready(world, 1, 2, 3, 4), ready(world, 1, 2, partner="pay")
    start = world.moment
    seconds: list[Sequence[int]] = []
    for second in range(4):
        world.moment = start + timedelta(seconds=second)
        seconds.append(tried(world, turnstile) + tried(world, turnstile))
    assert [len(one) for one in seconds] == [2, 2, 2, 0]
    assert [len({*one} & {*pay}) for one in seconds] == [1, 1, 0, 0]
    assert sorted(number for one in seconds for number in one) == sorted(shop + pay)


def test_a_restart_gives_nothing_away_of_the_pace(world: World) -> None:
    authority = customs(pace=Pace(messages_a_minute=2))
    ready(world, 1, 2, 3)
    start = world.moment
    counts: Count[int] = Count()
    for second in range(130):
        world.moment = start + timedelta(seconds=second)
        counts[second] += len(tried(world, gate(world, authority)))  # a new start each second
    assert +counts == {0: 1, 1: 1, 60: 1}


# the order


def change(order: int) -> bytes:
    """Another document of the same key: the order, changed."""
    return samples.message("CEB311", 1, start=order).replace("工作日送货".encode(), "周末送货".encode())


@pytest.mark.parametrize(("order", "then"), [("none", {2, 3}), ("key", {3}), ("partner", set())])
def test_what_comes_later_waits_as_far_as_the_authority_needs_it(world: World, order: str, then: set[int]) -> None:
    """Messages 1 and 2 speak of the same order, 3 of another; 1 fails."""
    authority = customs(pace=Pace(order=order))  # type: ignore[arg-type]
    turnstile = gate(world, authority)
    (first,) = ready(world, 1)
    assert tried(world, turnstile, away) == [first]
    world.ledger.conn.execute("UPDATE outbox SET not_before = ?", (NEVER,))
    (second,) = ready_change(world, 1)
    (third,) = ready(world, 3)
    (pays,) = ready(world, 9, partner="pay")
    names = {2: second, 3: third}
    assert set(tried(world, turnstile)) == {names[one] for one in then} | {pays}
    world.ledger.conn.execute("UPDATE outbox SET not_before = ?", (iso(world.now()),))
    left: list[int] = []
    while round_of := tried(world, turnstile):
        left += round_of
    assert left == [one for one in (first, second, third) if one not in {names[n] for n in then}]


def ready_change(world: World, order: int) -> list[int]:
    """A changed order of the same key waits in a message of its own; the first is still on its way."""
    number = world.rows("SELECT max(number) FROM message")[0][0]
    ((key,),) = world.rows("SELECT d.key FROM document d WHERE d.message = ?", number)
    (fresh,) = ready(world, order + 100)
    world.ledger.conn.execute("UPDATE document SET key = ?, version = 7 WHERE message = ?", (key, fresh))
    return [fresh]


@pytest.mark.parametrize("order", ["partner", "key"])
def test_however_many_wait_behind_one_that_failed_it_is_found_and_tried_again(world: World, order: str) -> None:
    """More than one look takes wait behind it, all of an earlier date, and the breaker may have opened over it."""
    authority = customs(breaker=Law(failures=2, first_seconds=5, most_seconds=5), pace=Pace(order=order))  # type: ignore[arg-type]
    turnstile = gate(world, authority)
    (first,) = ready(world, 1)
    with world.ledger.writing():
        for nth in range(1, 201):
            another(world, first, nth)
    assert tried(world, turnstile, away) == [first]
    world.moment += timedelta(seconds=1)
    assert tried(world, turnstile, away) == [first]
    assert stands(world, authority).state == "broken"
    world.moment += timedelta(seconds=6)
    assert tried(world, turnstile) == [first]


def another(world: World, first: int, nth: int) -> None:
    """The nth later message with another version of the same document waits."""
    (message,) = world.rows("SELECT * FROM message WHERE number = ?", first)
    document = world.ledger.conn.execute("SELECT * FROM document WHERE message = ?", (first,)).fetchone()
    documents = f"{document['number']}.{nth + 1}"
    own = {"ordinal": nth + 1, "version": nth + 1, "message": first + nth, "state": "received"}
    copied = {**dict(document), **own}
    columns = [first + nth, f"G{nth}", *message[2:5], documents, *message[6:]]
    for table, values in (("message", columns), ("document", list(copied.values()))):
        world.ledger.conn.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)
    world.ledger.run("add_outbox", first + nth, "customs", "shop", iso(world.moment))


def test_what_an_operator_voids_is_waited_for_no_longer(world: World) -> None:
    turnstile = gate(world, customs(pace=Pace(order="partner")))
    first, second = ready(world, 1, 2)
    assert tried(world, turnstile, never) == [first]
    assert tried(world, turnstile) == []
    world.ledger.conn.execute("UPDATE outbox SET trouble = 'voided by li: wrong' WHERE message = ?", (first,))
    assert tried(world, turnstile) == [second]


# what an operator sees


def test_the_facts_of_an_authority_are_told_whole(world: World) -> None:
    authority = customs(breaker=Law(failures=1, first_seconds=30, most_seconds=30), carrier=Carrier(folder="x"))
    first, _ = ready(world, 1, 2)
    tried(world, gate(world, authority), lambda one: never(one) if one.parcel.number == first else away(one))
    told = authorities.whole(world.ledger, authority, world.moment)
    assert msgspec.json.encode(told)
    assert (told["state"], told["waiting"], told["held"], told["with_client"]) == ("open", 1, 1, 0)
    assert [(group["why"], group["documents"]) for group in told["causes"]] == [("400: not so", 1)]
    assert list(told) == [
        "name", "title", "carrier", "state", "until", "why", "failures", "waiting", "with_client", "held", "next_try",
        "paused", "breaker", "pace", "retry", "maintenance", "probe", "causes", "stamps",
    ]  # fmt: skip
