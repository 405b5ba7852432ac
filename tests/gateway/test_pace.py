"""In no minute leaves more than agreed, and in the long run not much less."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from gateway.pace import Spent, allowance, next_at, spend

GAPS = st.lists(st.sampled_from([0.0, 0.25, 0.9, 1.0, 1.1, 7.0, 59.0, 61.0]), min_size=1, max_size=120)


@given(st.integers(1, 300), GAPS, st.randoms())
def test_no_minute_holds_more_than_agreed(a_minute: int, gaps: list[float], chance: object) -> None:
    spent: Spent = ()
    left: list[tuple[float, int]] = []
    for now in accumulate(gaps, initial=1_800_000_000.0):
        most = allowance(spent, now, a_minute)
        count = chance.randint(0, most)  # type: ignore[attr-defined]
        spent = spend(spent, now, count)
        left.append((now, count))
        assert len(spent) <= 1 + sum(1 for at, n in left if n and now - at < 60)
    for begin, _ in left:
        assert sum(n for at, n in left if begin <= at < begin + 60) <= a_minute


@given(st.integers(1, 600))
def test_a_house_that_looks_each_second_comes_to_what_was_agreed(a_minute: int) -> None:
    spent: Spent = ()
    total = 0
    for second in range(300):
        now = 1_800_000_000.0 + second
        count = allowance(spent, now, a_minute)
        spent = spend(spent, now, count)
        total += count
    assert total == 5 * a_minute


@given(st.integers(1, 100), GAPS)
def test_the_next_moment_told_is_one_at_which_something_may_leave(a_minute: int, gaps: list[float]) -> None:
    spent: Spent = ()
    for now in accumulate(gaps, initial=1_800_000_000.0):
        if count := allowance(spent, now, a_minute):
            spent = spend(spent, now, count)
        else:
            assert allowance(spent, next_at(spent, now, a_minute), a_minute) > 0
