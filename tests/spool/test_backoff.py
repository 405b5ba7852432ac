"""A plan of repeats is a pure function of attempt and number: it grows, has a ceiling, and an end where one is set."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spool.backoff import Plan

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
PLANS = st.builds(
    Plan, first=st.floats(0.1, 100), factor=st.floats(1, 10), most=st.floats(100, 10_000), jitter=st.floats(0, 0.9)
)
NUMBERS = st.integers(1, 10**18)


@given(PLANS, st.integers(1, 10_000), NUMBERS)
def test_no_wait_is_longer_than_the_ceiling_and_its_jitter(plan: Plan, attempt: int, number: int) -> None:
    waits = plan.first * (1 - plan.jitter), plan.most * (1 + plan.jitter)
    assert waits[0] * 0.999 <= plan.wait(attempt, number) <= waits[1] * 1.001


@given(PLANS, st.integers(1, 100), NUMBERS)
def test_without_jitter_no_wait_is_shorter_than_the_one_before(plan: Plan, attempt: int, number: int) -> None:
    plain = Plan(plan.first, plan.factor, plan.most, jitter=0)
    assert plain.wait(attempt, number) <= plain.wait(attempt + 1, number)


@given(PLANS, st.integers(1, 100), NUMBERS)
def test_a_restart_changes_no_date(plan: Plan, attempt: int, number: int) -> None:
    again = Plan(plan.first, plan.factor, plan.most, plan.jitter, plan.attempts)
    assert plan.next_try(NOW, attempt, number) == again.next_try(NOW, attempt, number)


@given(st.integers(1, 50), NUMBERS)
def test_the_last_attempt_has_no_date_after_it(attempts: int, number: int) -> None:
    plan = Plan(attempts=attempts)
    dates = [plan.next_try(NOW, attempt, number) for attempt in range(1, attempts + 2)]
    assert [date is None for date in dates] == [False] * (attempts - 1) + [True, True]
    assert all(date > NOW for date in dates if date)


def test_messages_that_failed_together_do_not_come_back_together() -> None:
    plan = Plan()
    dates = {plan.next_try(NOW, 5, number) for number in range(100)}
    assert len(dates) == 100
    assert max(filter(None, dates)) - min(filter(None, dates)) > timedelta(seconds=5)
