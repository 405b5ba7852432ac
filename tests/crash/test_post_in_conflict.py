"""A batch whose only request is in conflict with an earlier one has a number and no interchange: it stays its own."""

from datetime import timedelta
from pathlib import Path

from tests.crash.world import World
from tests.samples import message


def test_the_number_of_a_post_in_conflict_is_not_given_again_after_a_start(home: Path) -> None:
    world = World(home)
    world.post("shop", message("CEB311", 1), "once")
    world.moment += timedelta(seconds=1)
    assert world.post("shop", message("CEB311", 1, start=3), "once") == b""
    assert world.rows("SELECT count(*) FROM interchange") == [(1,)]
    before = world.rows("SELECT max(last) FROM batch")
    world.close()
    # The first start finds its evidence in the store and sets it aside; the second finds nothing there.
    World(home, moment=world.moment).close()
    again = World(home, moment=world.moment)
    again.post("shop", message("CEB311", 1, start=2), "another")
    assert again.rows("SELECT count(*) FROM interchange") == [(2,)]
    assert again.rows("SELECT max(last) FROM batch") > before
    again.close()
