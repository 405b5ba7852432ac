"""`kouan goods`: what a declaring enterprise has filed of goods, from which inventories are drawn up."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from gateway.cli.loading import SHOWN, tell_changes, tell_mistakes
from gateway.cli.options import home_option, input_argument, json_option, read_input
from gateway.cli.talk import FAILED, give, present, say, show

if TYPE_CHECKING:
    from gateway.goods import Change
    from message_specs.trade.goods import Good

COLUMNS = ("line", "ebcCode", "itemNo", "gcode", "unit", "unit1", "qty1", "unit2", "qty2", "country", "from", "until")


@click.group()
def goods() -> None:
    """Load and list the goods that a declaring enterprise has filed."""


@goods.command()
@click.argument("partner")
@input_argument("file")
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@json_option
@home_option
def load(*, partner: str, file: str, dry_run: bool, as_json: bool, home: Path) -> int:
    """Put FILE (CSV, UTF-8; - is stdin) in place of the goods of PARTNER, and show what changes.

    A file with a mistake is refused whole, each mistake with its line. A running daemon goes by the new rows within
    a second, and trades that waited for goods are drawn up then.
    """
    from gateway.goods import changes, filed_goods, install
    from message_specs.trade.goods import read_goods

    _must_be_partner(home, partner)
    before = filed_goods(home, partner, [])
    data = read_input(file)
    after, found = read_goods(data)
    if found:
        tell_mistakes(file, found, as_json=as_json)
        return FAILED
    different = list(changes(before, after))
    if not dry_run:
        install(home, partner, data)
    _show(different, as_json=as_json)
    tell_changes(file, len(after), len(different), dry_run=dry_run)
    return 0


def _must_be_partner(home: Path, partner: str) -> None:
    """UnknownPartner where no file names him; a home whose goods somebody broke by hand is cured by loading."""
    from gateway.config import NoHome
    from spool.errors import UnknownPartner

    if not (home / "kouan.toml").is_file():
        raise NoHome(str(home))
    if not (home / "partners" / f"{partner}.toml").is_file():
        raise UnknownPartner(partner)


def _show(different: "list[Change]", *, as_json: bool) -> None:
    if as_json:
        for one in different:
            before, after = (row.as_row() if row else None for row in (one.before, one.after))
            give({"ebcCode": one.merchant, "itemNo": one.item, "from": one.since, "before": before, "after": after})
        return
    rows = [(one.merchant, one.item, one.since, _brief(one.before), _brief(one.after)) for one in different[:SHOWN]]
    show(("ebcCode", "itemNo", "from", "before", "after"), rows, "No goods change.")
    if len(different) > SHOWN:
        say(f"… and {len(different) - SHOWN} more; --json gives all.")


def _brief(row: "Good | None") -> str:
    if row is None:
        return "–"
    second = f" {row.texts['qty2']} {row.texts['unit2']}" if "unit2" in row.texts else ""
    until = row.texts.get("until", "…")
    return f"{row.texts['gcode']}, {row.texts['qty1']} {row.texts['unit1']}{second} a piece, until {until}"


@goods.command("list")
@click.argument("partner")
@click.option("--item", default="", help="An item number, or the beginning of one.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="In force on this day; else today in China.")
@json_option
@home_option
def list_goods(*, partner: str, item: str, day: datetime | None, as_json: bool, home: Path) -> None:
    """List the goods that PARTNER has filed and that hold on a day."""
    from gateway.config_files import Problem
    from gateway.goods import filed_goods

    _must_be_partner(home, partner)
    problems: list[Problem] = []
    on = (day or datetime.now(ZoneInfo("Asia/Shanghai"))).date()
    rows = [row for row in filed_goods(home, partner, problems) if row.holds(on) and row.key[1].startswith(item)]
    for problem in problems:
        say(str(problem))
    present(as_json, COLUMNS, (row.as_row() for row in rows), f"{partner} has filed no goods for {on}.")
