"""What the demonstration hands in is good on whatever day it is shown: turn of the year, leap day, end of a season."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.home import make_home
from gateway.showing import Act, answered
from gateway.showing_exchange import ExchangeAct
from gateway.showing_tax import TaxAct
from spool.number import CHINA
from tests import samples
from tests.crash.world import World, fields
from tests.homes import book, demo_home, take_in

DAYS = [
    datetime(2026, 12, 31, 23, 59, tzinfo=CHINA), datetime(2027, 1, 1, 0, 1, tzinfo=CHINA),
    datetime(2027, 4, 30, 12, tzinfo=CHINA), datetime(2028, 2, 29, 8, tzinfo=CHINA),
]  # fmt: skip


@pytest.fixture(params=DAYS, ids=lambda day: f"{day:%Y%m%d}")
def day(request: pytest.FixtureRequest) -> datetime:
    moment: datetime = request.param
    return moment


def begun(home: Path, act: Act, partner: str, clock: Callable[[], datetime]) -> list[tuple[str, str]]:
    """What an act has handed in at once: each document with its state."""
    act.prepare()
    assert list(act.begin())
    for file in sorted((home / "spool/partners" / partner / "in").iterdir()):
        take_in(home, partner, file.name, file.read_bytes(), clock=clock)
    rows = book(home).conn.execute("SELECT spec, state FROM document ORDER BY spec, number, ordinal")
    return [(spec, state) for spec, state in rows]


def ticking(day: datetime) -> Callable[[], datetime]:
    """Every look at the clock takes a second."""
    moments: Iterator[datetime] = (day + timedelta(seconds=second) for second in range(10_000))
    return lambda: next(moments)


def test_what_is_declared_to_the_tax_office_passes_our_checks(tmp_path: Path, day: datetime) -> None:
    home = make_home(tmp_path / "home", day, demo=True)
    clock = ticking(day)
    assert begun(home, TaxAct(home, clock), "shop", clock) == [
        ("TAX101", "ready"), ("TAX101", "ready"), ("TAX201", "ready"),
    ]  # fmt: skip


def test_what_is_reported_to_the_exchange_office_passes_our_checks(tmp_path: Path, day: datetime) -> None:
    home = make_home(tmp_path / "home", day, demo=True)
    clock = ticking(day)
    assert begun(home, ExchangeAct(home, day, range(3)), "bank", clock) == [*[("BOPA", "ready")] * 4, ("JSHD", "ready")]


@pytest.mark.parametrize("order", [("2", "120"), ("120", "2")])
def test_the_answer_that_decided_is_shown_whichever_came_first(tmp_path: Path, order: tuple[str, str]) -> None:
    world = World(demo_home(tmp_path))
    world.drop("shop", "one.xml", samples.message("CEB311", 1))
    world.take_in()
    world.carry()
    for status in order:
        world.answer(f"{status}.xml", "CEB312", "OrderReturn", fields(1, status))
        world.take_in()
    (shown,) = answered(world.ledger, world.home, "customs")
    world.close()
    assert (shown.state, shown.answers, shown.status) == ("closed", 2, "120")
