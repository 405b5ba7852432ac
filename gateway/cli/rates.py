"""`kouan rates`: the dated rate table by which the tax on retail import is predicted.

A home's own rows lie over the table that comes with Kouan, on the days that they cover.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.loading import SHOWN, tell_changes, tell_mistakes
from gateway.cli.options import home_option, input_argument, json_option, read_input
from gateway.cli.talk import FAILED, give, present, say, show

if TYPE_CHECKING:
    from datetime import date

    from gateway.rates import Change
    from message_specs.trade.rates import Rate

COLUMNS = ("hs", "valid_from", "valid_to", "duty", "vat", "consumption", "unit1", "unit2", "name", "source", "of")


@click.group()
def rates() -> None:
    """Load and list the rate table of taxes on retail import."""


@rates.command()
@input_argument("file")
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@json_option
@home_option
def load(file: str, dry_run: bool, as_json: bool, home: Path) -> int:
    """Put FILE (CSV, UTF-8; - is stdin) in place of the home's own rows, and show what changes.

    A file with a mistake is refused whole, each mistake with its line. The table that comes with Kouan lies under
    it and is never changed; a running daemon goes by the new rows within a second.
    """
    from gateway.config import NoHome
    from gateway.rates import changes, install, own_rates
    from message_specs.trade.rate_file import read_rates

    if not (home / "kouan.toml").is_file():
        raise NoHome(str(home))
    # A table that somebody broke by hand counts as none: loading a good one is the cure.
    before = own_rates(home, [])
    data = read_input(file)
    after, found = read_rates(data)
    if found:
        tell_mistakes(file, found, as_json=as_json)
        return FAILED
    different = list(changes(before, after))
    if not dry_run:
        install(home, data)
    _show(different, as_json=as_json)
    tell_changes(file, len(after), len(different), dry_run=dry_run)
    return 0


def _show(different: "list[Change]", *, as_json: bool) -> None:
    if as_json:
        for one in different:
            give(
                {
                    "hs": one.hs,
                    "since": one.since,
                    "before": one.before.as_row() if one.before else None,
                    "after": one.after.as_row() if one.after else None,
                }
            )
        return
    rows = [(one.hs, one.since, _brief(one.before), _brief(one.after)) for one in different[:SHOWN]]
    show(("hs", "since", "before", "after"), rows, "No rate changes.")
    if len(different) > SHOWN:
        say(f"… and {len(different) - SHOWN} more; --json gives all.")


@rates.command("list")
@click.option("--hs", default="", help="A tariff code, or the beginning of one.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="In force on this day; else today in China.")
@json_option
@home_option
def list_rates(hs: str, day: datetime | None, as_json: bool, home: Path) -> None:
    """List the rates in force on a day, in percent, and whether they are the home's own or came with Kouan."""
    from gateway.config import load_house
    from message_specs.trade.rates import Rates

    table = Rates(load_house(home).rates)
    on: date = (day or datetime.now(ZoneInfo("Asia/Shanghai"))).date()
    present(
        as_json,
        COLUMNS,
        (_row(rate, own=table.is_own(rate), as_json=as_json) for rate in table.all_on(on, hs)),
        f"No rates for {hs or 'any code'} on {on}.",
    )


def _row(rate: "Rate", *, own: bool, as_json: bool) -> dict[str, Any]:
    of = "home" if own else "kouan"
    return {**rate.as_row(), "of": of} if as_json else {**rate.as_row(), "consumption": consumption(rate), "of": of}


def _brief(rate: "Rate | None") -> str:
    if rate is None:
        return "–"
    return f"duty {rate.duty:f}, VAT {rate.vat:f}, consumption {consumption(rate)}, until {rate.valid_to or '…'}"


def consumption(rate: "Rate") -> str:
    """Return how consumption tax is levied, in a few words.

    >>> from datetime import date
    >>> from message_specs.trade.rates import Rates
    >>> [consumption(Rates().on(hs, date(2026, 11, 21))) for hs in ("2203000000", "2204210000", "3304990029")]
    ['specific', '10', '15 from 10 CNY/g']
    """
    kind, percent = str(rate.ct_type), f"{rate.ct_rate or 0:f}"
    if kind == "threshold":
        per = f"{rate.ct_threshold:f} CNY/{rate.ct_per}" if rate.ct_threshold is not None else "a price not told"
        return f"{percent} from {per}"
    return {"none": "0", "ad_valorem": percent}.get(kind, kind)
