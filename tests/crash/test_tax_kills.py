"""A power cut at any step of a look leaves the guarantee booked once; a refund cut anywhere is declared once."""

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.refunds import send_open
from gateway.submitting import Counter
from spool.errors import OurMistake
from tests.crash.world import PowerCut, Stop, World
from tests.gateway.border import Border
from tests.gateway.test_bills import bill, inventory_is
from tests.gateway.test_guarantees import booked as entries
from tests.gateway.test_guarantees import with_customs
from tests.gateway.test_refunds import BAGS, LATER, booked, carried, loads, state, verdict
from tests.taxpayers import invoice, with_tax


@pytest.mark.parametrize("step", ["looked at", "drawn up", "looking", "looked"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_cut_at_any_step_of_a_look_books_every_movement_once(home: Path, step: str, count: int) -> None:
    world = with_customs(home)
    inventory_is(world, "800")
    moment = world.moment
    world.close()
    with contextlib.suppress(PowerCut):
        cut = World(home, moment=moment + timedelta(seconds=1), pulse=Stop(step, count))
        while cut.clerk.look():
            pass
        bill(cut, valueAddedTax="20.00")
        while cut.clerk.look():
            pass
    quiet = World(home, moment=moment + timedelta(minutes=5))
    bill(quiet, valueAddedTax="20.00")
    told = entries(quiet)
    assert [amount for _, _, amount in told] in (["42.89", "7.50"], ["50.39"])
    assert entries(quiet) == told
    quiet.close()


@pytest.mark.parametrize("step", ["claimed", "judged", "sealed", "synced", "writing", "written", "let go"])
def test_a_refund_that_is_cut_while_it_is_handed_in_is_declared_once(home: Path, tmp_path: Path, step: str) -> None:
    border = Border(with_tax(home), tmp_path / "customs")
    border.closes(1, 2, CEB603={"statisticsFlag": "A"})
    border.world.moment = LATER
    loads(border, invoice(1, qty="120", base="6000", tax="780"), BAGS)
    booked(border)
    counter = Counter(home, lambda: border.world.moment)
    counter.clerk._pulse = Stop(step)
    with contextlib.suppress(PowerCut, OurMistake), contextlib.closing(counter):
        send_open(counter, border.world.moment)
    border.restarts()
    border.world.moment += timedelta(minutes=1)
    with Counter(home, lambda: border.world.moment) as again:
        send_open(again, border.world.moment)
        assert send_open(again, border.world.moment) == []
    assert len(carried(border)) == 1
    verdict(border, "3")
    assert state(border) == [("closed", "3")]
    assert border.world.rows("SELECT count(*) FROM tax_drawn WHERE number IS NOT NULL AND undone_at IS NULL") == [(1,)]
    border.close()
