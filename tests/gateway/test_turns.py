"""Partners take turns: however much one has dropped, another's one thing is in the next batch."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.turns import Turns

THINGS = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 50)), max_size=60)


def filled(things: list[tuple[str, int]]) -> Turns[tuple[str, int, int]]:
    turns: Turns[tuple[str, int, int]] = Turns()
    for order, (name, size) in enumerate(things):
        turns.add(name, (name, order, size), size)
    return turns


def test_a_hundred_thousand_of_one_do_not_delay_anothers_one() -> None:
    turns: Turns[str] = Turns()
    for number in range(100_000):
        turns.add("big", f"big {number}", 3000)
    turns.add("small", "small", 3000)
    turns.add("late", "late", 3000)
    first = list(turns.take(500, 8 * 2**20))
    assert first[:3] == ["big 0", "small", "late"]
    assert (len(first), len(turns)) == (500, 99_502)


@given(THINGS, st.integers(1, 20), st.integers(1, 200))
def test_nothing_is_lost_or_repeated_and_everyones_order_is_kept(
    things: list[tuple[str, int]], most: int, most_bytes: int
) -> None:
    turns = filled(things)
    seen = []
    while len(turns):
        batch = list(turns.take(most, most_bytes))
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
    assert {name for name, *_ in turns.take(most, 10**6)} == waiting


def test_a_thing_that_is_too_big_for_any_batch_goes_alone() -> None:
    turns = filled([("a", 10), ("b", 1000), ("a", 10)])
    assert [list(turns.take(10, 100)) for _ in range(3)] == [[("a", 0, 10)], [("b", 1, 1000)], [("a", 2, 10)]]


def test_nobody_waiting_is_an_empty_batch() -> None:
    assert list(Turns[str]().take(10, 10)) == []
