"""Two wakes of one millisecond are two: what came while somebody looked is looked at once more."""

import re
from pathlib import Path

import pytest

from gateway.settling import iso
from spool.named_sql import queries
from tests.crash.world import World
from tests.gateway.test_trades import come
from tests.homes import with_trades

_SETS = re.compile(r"UPDATE (document|dossier|aggregate) SET |INTO aggregate .* DO UPDATE SET ", re.DOTALL)
_LOOKS = {"dossier_looked_at", "aggregate_compared"}
"""They write a date only where nobody else has set one meanwhile."""


class Meanwhile:
    """A pulse that does something once, when a step comes by."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.world: World | None = None
        self.statement: tuple[object, ...] = ()
        self.seen: list[str] = []

    def __call__(self, step: str) -> None:
        self.seen.append(step)
        if step == self.step and self.statement and self.world is not None:
            name, *values = self.statement
            self.statement = ()
            with self.world.ledger.writing() as ledger:
                ledger.run(str(name), *values)


def test_a_trade_that_is_woken_in_the_millisecond_of_its_wake_is_looked_at_again(home: Path) -> None:
    meanwhile = Meanwhile("looked at")
    world = World(with_trades(home), pulse=meanwhile)
    come(world, "CEB311")
    ((mark,),) = world.rows("SELECT mark FROM dossier")
    at = iso(world.moment)
    with world.ledger.writing() as ledger:
        ledger.run("wake_dossier", at, mark)
    meanwhile.world, meanwhile.statement = world, ("wake_dossier", at, mark)
    assert world.clerk.look() == 1
    assert world.rows("SELECT due_at FROM dossier") == [(at,)]
    assert world.clerk.look() == 1
    assert world.rows("SELECT due_at > ? FROM dossier", at) == [(1,)]
    world.close()


def test_a_document_that_is_woken_in_the_millisecond_of_its_wake_is_judged_again(home: Path) -> None:
    meanwhile = Meanwhile("taken up")
    world = World(with_trades(home), pulse=meanwhile)
    come(world, "CEB621")
    ((number, ordinal),) = world.rows("SELECT number, ordinal FROM document")
    at = iso(world.moment)
    with world.ledger.writing() as ledger:
        ledger.run("wake_document", at, number, ordinal)
    meanwhile.world, meanwhile.statement = world, ("wake_document", at, number, ordinal)
    world.go_on()
    # The first round saw an earlier turn and wrote nothing; a smaller one saw the last.
    assert meanwhile.seen.count("taken up") == 2
    assert world.rows("SELECT due_at > ? FROM document", at) == [(1,)]
    world.close()


@pytest.mark.parametrize("name", sorted(queries()))
def test_whoever_sets_a_date_counts_it(name: str) -> None:
    text = queries()[name]
    if _SETS.search(text) and re.search(r"\bdue_at = ", text.partition("WHERE")[0]):
        assert ("turn = turn + 1" in text) is (name not in _LOOKS)
