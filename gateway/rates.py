"""A home's own rate table: HOME/rates.csv, laid over ours day by day.

It is read with the rest of the configuration and replaced whole by `kouan rates load`, which takes a file
without a mistake or nothing. A running daemon notices the new file by itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from gateway.config_files import Problem
from message_specs.findings import Finding, Severity
from message_specs.trade.rate_file import read_rates
from message_specs.trade.rates import Rate, Rates
from spool.aside import put

FILE = "rates.csv"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Change:
    """What loading a table changes for a code from a day on: the rate before and after, None where there is none."""

    hs: str
    since: str
    before: Rate | None
    after: Rate | None


def own_rates(home: Path, problems: list[Problem]) -> tuple[Rate, ...]:
    """Return the rows of the home's table, none where it has no table, and add what is wrong to `problems`.

    What an earlier Kouan took in and `kouan rates load` refuses today keeps no house shut: it is read and told.
    """
    try:
        data = (home / FILE).read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        cure = "Let the user that runs kouan read it."
        problems.append(Problem(FILE, None, f"cannot be read: {error.strerror}", cure))
        return ()
    rates, found = read_rates(data, installed=True)
    problems += [_problem(one) for one in found]
    return rates


def _problem(one: Finding) -> Problem:
    cure = one.hint.partition("。 ")[2]
    if one.severity is Severity.WARNING:
        cure = f"It is read as before; mend it and load the table anew:  kouan rates load FILE. {cure}"
    return Problem(FILE, one.row, f"{one.code} {one.en}", cure, one.severity.value)


def changes(before: Iterable[Rate], after: Iterable[Rate]) -> Iterator[Change]:
    """Yield what is different with the table `after` in place of `before`, by code and day; ours lies under both."""
    old, new = tuple(before), tuple(after)
    under, over = Rates(old), Rates(new)
    others = set(old) ^ set(new)
    days = {(rate.hs, rate.valid_from) for rate in others}
    # On the day after a row's last one something else holds, ours or nothing.
    days |= {(rate.hs, rate.valid_to + _DAY) for rate in others if rate.valid_to not in (None, date.max)}
    for hs, since in sorted(days):
        was, becomes = under.on(hs, since), over.on(hs, since)
        if was != becomes:
            yield Change(hs, since.isoformat(), was, becomes)


def install(home: Path, data: bytes) -> None:
    """HOME/rates.csv holds these bytes, which were read without a finding; a reader sees the old or the new."""
    put(home / FILE, data)
