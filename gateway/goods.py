"""What declaring enterprises have filed of goods: HOME/goods/PARTNER.csv.

It is read with the rest of the configuration and replaced whole by `kouan goods load`, which takes a file
without a mistake or nothing.  A running daemon notices the new file, and what waited for goods is looked at again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.config_files import Problem
from message_specs.findings import Finding
from message_specs.trade.goods import Good, read_goods
from spool.aside import put

FOLDER = "goods"


@dataclass(frozen=True, slots=True)
class Change:
    """What loading a table changes for an item from a day on: the row before and after, None where there is none."""

    merchant: str
    item: str
    since: str
    before: Good | None
    after: Good | None


def file_of(home: Path, partner: str) -> Path:
    """Return where a partner's goods lie."""
    return home / FOLDER / f"{partner}.csv"


def filed_goods(home: Path, partner: str, problems: list[Problem]) -> tuple[Good, ...]:
    """Return the rows of a partner's table, none where it has none, and add what is wrong to `problems`."""
    file = file_of(home, partner)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        cure = "Let the user that runs kouan read it."
        problems.append(Problem(f"{FOLDER}/{file.name}", None, f"cannot be read: {error.strerror}", cure))
        return ()
    goods, found = read_goods(data)
    problems += [_problem(file.name, one) for one in found]
    return goods


def _problem(name: str, one: Finding) -> Problem:
    return Problem(f"{FOLDER}/{name}", one.row, f"{one.code} {one.en}", one.hint.partition("。 ")[2])


def changes(before: Iterable[Good], after: Iterable[Good]) -> Iterator[Change]:
    """Yield every row that is different with the table `after` in place of `before`, by item and first day."""
    old = {(*row.key, row.since.isoformat()): row for row in before}
    new = {(*row.key, row.since.isoformat()): row for row in after}
    for merchant, item, since in sorted(old.keys() | new.keys()):
        was, becomes = old.get((merchant, item, since)), new.get((merchant, item, since))
        if was is None or becomes is None or was.texts != becomes.texts:
            yield Change(merchant, item, since, was, becomes)


def install(home: Path, partner: str, data: bytes) -> None:
    """The partner's goods are these bytes, which were read without a finding; a reader sees the old or the new."""
    file = file_of(home, partner)
    file.parent.mkdir(mode=0o750, exist_ok=True)
    put(file, data)
