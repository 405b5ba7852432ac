"""A home's own tax tables: HOME/tax/NAME.csv, replaced whole by a file without a mistake.

They are read with the rest of the configuration; a running daemon notices a new file by itself.
"""

from collections.abc import Mapping
from pathlib import Path

from gateway.config_files import Problem
from message_specs.tax.laws import Row, columns, read, with_own
from spool.aside import put
from spool.errors import ForOperator

FOLDER = "tax"


class TaxTableBroken(ForOperator):
    """A tax table of this home has mistakes; load a good one with kouan tax load"""


class NoTaxLaw(ForOperator):
    """No row of this tax table holds on that day; load one that does with kouan tax load"""


def names() -> tuple[str, ...]:
    """Return the names of the tables."""
    return tuple(sorted(columns()))


def own(home: Path, name: str) -> tuple[Row, ...]:
    """Return the home's own rows of a table, none where it has none; TaxTableBroken where they cannot be read."""
    try:
        data = (home / FOLDER / f"{name}.csv").read_bytes()
    except FileNotFoundError:
        return ()
    rows, found = read(name, data)
    if found:
        raise TaxTableBroken(f"{FOLDER}/{name}.csv: {found[0].en}")
    return rows


def tax_tables(home: Path, problems: list[Problem]) -> Mapping[str, tuple[Row, ...]]:
    """Return every table as it holds in this home, and add what is wrong with its own rows to `problems`."""
    found = {}
    for name in names():
        try:
            found[name] = table(home, name)
        except (TaxTableBroken, OSError) as trouble:
            file = f"{FOLDER}/{name}.csv"
            problems.append(Problem(file, None, str(trouble), f"Load a good one:  kouan tax load {name} FILE"))
    return found


def table(home: Path, name: str) -> tuple[Row, ...]:
    """Return the rows that hold in this home, the stronger first."""
    return with_own(name, own(home, name))


def install(home: Path, name: str, data: bytes) -> None:
    """HOME/tax/NAME.csv holds these bytes, which were read without a finding; a reader sees the old or the new."""
    (home / FOLDER).mkdir(exist_ok=True)
    put(home / FOLDER / f"{name}.csv", data)
