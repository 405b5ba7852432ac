"""Numbers only ever grow, whatever the clock does, and tell the second in which they were given."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spool import number
from spool.number import COMMAND_FIRST, SEQUENCE, Numbers

MOMENT = datetime(2026, 11, 21, 12, 44, 32, tzinfo=UTC)
SECONDS = st.integers(-100_000, 100_000)


LANES = st.sampled_from([(0, 500_000), (500_000, 6_000), (878_000, 6_000), (900_000, 1_000)])


@given(st.lists(st.tuples(SECONDS, st.integers(1, 900)), min_size=1, max_size=20), LANES, st.integers(0, 999_999))
def test_numbers_grow_and_keep_to_their_lane_whatever_the_clock_does_and_whoevers_number_was_the_last(
    asked: Sequence[tuple[int, int]], lane: tuple[int, int], last: int
) -> None:
    first, width = lane
    clock = [MOMENT]
    after = 261121204432 * SEQUENCE + last
    numbers = Numbers(lambda: clock[0], after=after, first=first, width=width)
    for seconds, count in asked:
        clock[0] = MOMENT + timedelta(seconds=seconds)
        following = numbers.following
        taken = numbers.take(count)
        assert len(taken) == count
        assert taken[0] > after
        assert taken[0] >= following
        assert first <= taken[0] % SEQUENCE <= taken[-1] % SEQUENCE < first + width
        after = taken[-1]


def test_a_number_tells_its_second_in_china_and_its_folder() -> None:
    (given_,) = Numbers(lambda: MOMENT).take(1)
    assert (given_, number.second_of(given_), number.folder_of(given_)) == (
        261121204432000000, "261121204432", "2026/11/21/2044",
    )  # fmt: skip


def test_a_command_beside_the_daemon_never_gives_the_daemons_numbers() -> None:
    daemon, command = Numbers(lambda: MOMENT), Numbers(lambda: MOMENT, first=COMMAND_FIRST)
    assert not set(daemon.take(500)) & set(command.take(500))


def test_numbers_go_on_after_the_last_one_that_a_crash_left() -> None:
    numbers = Numbers(lambda: MOMENT)
    numbers.go_on_after(261121204433999999)
    assert numbers.take(2) == range(261121204434000000, 261121204434000002)
    numbers.go_on_after(5)
    assert numbers.following == 261121204434000002


@given(st.integers(10**17, 10**18 - 1), st.none() | st.integers(1, 999))
def test_a_written_number_is_read_back(whole: int, ordinal: int | None) -> None:
    assert number.parse(f"{whole}.{ordinal}" if ordinal else str(whole)) == (whole, ordinal)


@pytest.mark.parametrize("text", ["", "7", "26112120443200001", "2611212044320000177", "２61121204432000017",
                                  "261121204432000017.x", "YX2026", "261121204432 00017"])  # fmt: skip
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(ValueError):
        number.parse(text)
