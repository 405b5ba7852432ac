"""Partners take turns: however much one has dropped, another's one thing is in the next batch."""

from collections import Counter, deque
from itertools import count
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from gateway.turns import ALL_ROUNDS, PATIENCE_SECONDS, Following, Turns

Thing = TypeVar("Thing")
THINGS = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 50)), max_size=60)


def filled(things: list[tuple[str, int]]) -> Turns[tuple[str, int, int]]:
    turns: Turns[tuple[str, int, int]] = Turns()
    for order, (name, size) in enumerate(things):
        turns.add(name, (name, order, size), size)
    return turns


def taken(turns: Turns[Thing], most: int, most_bytes: int) -> list[Thing]:
    return [thing for thing, _ in turns.take(most, most_bytes)]


def test_a_hundred_thousand_of_one_do_not_delay_anothers_one() -> None:
    turns: Turns[str] = Turns()
    for number in range(100_000):
        turns.add("big", f"big {number}", 3000)
    turns.add("small", "small", 3000)
    turns.add("late", "late", 3000)
    first = taken(turns, 500, 8 * 2**20)
    assert first[:3] == ["big 0", "small", "late"]
    assert (len(first), len(turns)) == (500, 99_502)


@given(THINGS, st.integers(1, 20), st.integers(1, 200))
def test_nothing_is_lost_or_repeated_and_everyones_order_is_kept(
    things: list[tuple[str, int]], most: int, most_bytes: int
) -> None:
    turns = filled(things)
    seen = []
    while len(turns):
        batch = taken(turns, most, most_bytes)
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or sum(size for *_, size in batch) <= most_bytes
        seen += batch
    assert Counter(seen) == Counter((name, order, size) for order, (name, size) in enumerate(things))
    for name in "abcde":
        orders = [order for who, order, _ in seen if who == name]
        assert orders == sorted(orders)


@given(THINGS, st.integers(5, 20))
def test_whoever_waits_has_a_place_in_the_next_batch(things: list[tuple[str, int]], most: int) -> None:
    turns = filled(things)
    waiting = {name for name, _ in things}
    assert {name for name, *_ in taken(turns, most, 10**6)} == waiting


def test_a_thing_that_is_too_big_for_any_batch_goes_alone() -> None:
    turns = filled([("a", 10), ("b", 1000), ("a", 10)])
    assert [taken(turns, 10, 100) for _ in range(3)] == [[("a", 0, 10)], [("b", 1, 1000)], [("a", 2, 10)]]


def test_nobody_waiting_is_an_empty_batch() -> None:
    assert taken(Turns[str](), 10, 10) == []


def test_who_follows_has_his_turn_when_everyones_thing_of_that_round_is_in_the_ledger() -> None:
    line: Following[str] = Following()
    for number in (1, 2):
        line.add("agent", f"list {number}", 1, follows=True)
    for number in range(1, 6):
        line.add("shop", f"order {number}", 1)
    for number in (1, 2, 3, 4):
        assert line.take(1, 10, 0) == ([f"order {number}"], number)
        line.give_out(number, number, 0)
    for number in (1, 2, 3):
        line.settle(number)
    assert line.take(9, 10, 0) == (["list 1", "order 5"], 5)
    line.give_out(5, 5, 0)
    line.settle(4)
    assert line.take(9, 10, 0) == (["list 2"], ALL_ROUNDS)


def test_who_follows_goes_at_once_where_nobody_else_waits_or_is_in_hand() -> None:
    line: Following[str] = Following()
    for number in (1, 2):
        line.add("agent", f"list {number}", 1, follows=True)
    assert line.take(9, 10, 0) == (["list 1", "list 2"], ALL_ROUNDS)
    line.add("shop", "order", 1)
    line.add("agent", "list 3", 1, follows=True)
    assert line.take(9, 10, 0) == (["order"], 1)
    line.give_out(1, 1, 0)
    assert line.take(9, 10, PATIENCE_SECONDS - 0.1) == ([], ALL_ROUNDS)
    assert line.take(9, 10, PATIENCE_SECONDS) == (["list 3"], ALL_ROUNDS)


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 50), st.booleans()), max_size=60),
    st.integers(2, 20),
    st.integers(100, 200),
    st.integers(1, 4),
)
def test_nobody_is_left_behind_in_a_line_with_followers(
    things: list[tuple[str, int, bool]], most: int, most_bytes: int, workers: int
) -> None:
    line: Following[tuple[str, int]] = Following()
    for order, (name, size, follows) in enumerate(things):
        line.add(f"{name}{follows}", (f"{name}{follows}", order), size, follows=follows)
    seen: list[tuple[str, int]] = []
    in_hand: deque[int] = deque()
    for number in count():
        if not len(line):
            break
        batch, first = line.take(most, most_bytes, 0)
        assert sum(things[order][1] for _, order in batch) <= most_bytes
        assert batch or in_hand
        seen += batch
        if batch:
            line.give_out(number, first, 0)
            in_hand.append(number)
        if not batch or len(in_hand) == workers:
            line.settle(in_hand.popleft())
    assert sorted(order for _, order in seen) == list(range(len(things)))
    for name in {name for name, _ in seen}:
        orders = [order for who, order in seen if who == name]
        assert orders == sorted(orders)
