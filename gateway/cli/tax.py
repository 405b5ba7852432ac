"""`kouan tax`: refunds and exemptions of export tax are declared; guarantees and statements of retail import tax."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.book import open_book
from gateway.cli.options import home_option, input_argument, json_option, read_input
from gateway.cli.talk import FAILED, NOT_FOUND, Stop, give, plain, present, say, show
from gateway.cli.tax_declaring import exempt, refund

if TYPE_CHECKING:
    from message_specs.findings import Finding

SHOWN = 200
DAY = click.DateTime(["%Y-%m-%d"])
ENTRIES = ("at", "account", "number", "what", "reason", "amount", "released_on")
ACCOUNTS = ("account", "limit", "occupied", "free", "inventories", "findings")


@click.group()
def tax() -> None:
    """Declare refunds and exemptions of export tax; guarantees and statements of retail import tax."""


tax.add_command(refund)
tax.add_command(exempt)


def today_or(day: datetime | None) -> date:
    """Return the day that was asked for, else today in China."""
    return (day or datetime.now(ZoneInfo("Asia/Shanghai"))).date()


def tell(found: "tuple[Finding, ...] | list[Finding]", *, as_json: bool) -> None:
    """What was found stands on stdout, a line each."""
    if as_json:
        for one in found:
            give(one.as_dict())
        return
    rows = [(one.code, one.row, one.path, one.value, f"{one.zh}\n{one.en}\n→ {one.hint}") for one in found[:SHOWN]]
    show(("code", "line", "place", "value", "what is wrong and what to do"), rows, "Nothing is wrong.")
    if len(found) > SHOWN:
        say(f"… and {len(found) - SHOWN} more; --json gives all.")


@tax.command("load")
@click.argument("name")
@input_argument("file")
@home_option
@json_option
def load(*, name: str, file: str, home: Path, as_json: bool) -> int:
    """Put FILE (CSV, UTF-8; - is stdin) in place of the home's own table NAME.

    A file with a mistake is refused whole, each mistake with its line. `kouan tax tables` lists the names and columns.
    """
    from gateway.config import NoHome
    from gateway.tax_files import install, names
    from message_specs.tax.laws import read

    if not (home / "kouan.toml").is_file():
        raise NoHome(str(home))
    if name not in names():
        raise Stop(f"There is no tax table {name}: {', '.join(names())}.", NOT_FOUND)
    data = read_input(file)
    rows, found = read(name, data)
    if found:
        tell(found, as_json=as_json)
        say(f"{file}: {len(found)} mistakes. Nothing was changed.")
        return FAILED
    install(home, name, data)
    say(f"{file}: {len(rows)} rows are the home's own {name}.")
    return 0


@tax.command("tables")
@click.argument("name", required=False)
@json_option
@home_option
def tables(*, name: str | None, as_json: bool, home: Path) -> None:
    """List the tax tables with their columns, or the rows of table NAME that hold in this home."""
    from gateway.tax_files import names, own, table
    from message_specs.tax.laws import columns

    if name is None:
        listed = (
            {"name": one, "columns": [cell["column"] for cell in columns()[one]], "own": len(own(home, one))}
            for one in names()
        )
        present(as_json, ("name", "columns", "own"), listed)
        return
    if name not in names():
        raise Stop(f"There is no tax table {name}: {', '.join(names())}.", NOT_FOUND)
    heads = [cell["column"] for cell in columns()[name]]
    present(as_json, heads, (dict(row) for row in table(home, name)), f"{name} has no rows.")


@tax.group("guarantee")
def guarantee() -> None:
    """Show what released imports occupy of guarantees, and what is due; tell what is paid."""


@guarantee.command("show")
@click.argument("account", required=False)
@click.option("--on", "day", type=DAY, help="By the law of this day; else today in China.")
@json_option
@home_option
def show_accounts(*, account: str | None, day: datetime | None, as_json: bool, home: Path) -> None:
    """Show each guarantee (or that of ACCOUNT, an assureCode): its limit, what is occupied, what is free."""
    from gateway.guarantees import accounts
    from gateway.tax_files import table

    rows = list(accounts(open_book(home), table(home, "guarantees"), today_or(day), account))
    _present(as_json, ACCOUNTS, rows, "Nothing is guaranteed.")


@guarantee.command("entries")
@click.argument("account", required=False)
@click.option("--since", type=DAY, help="Only what was booked from this day on (UTC).")
@json_option
@home_option
def entries(*, account: str | None, since: datetime | None, as_json: bool, home: Path) -> None:
    """List every movement of the guarantees, or of ACCOUNT's."""
    from gateway.guarantees import entries as booked

    rows = booked(open_book(home), account, since.date().isoformat() if since else "")
    present(as_json, ENTRIES, rows, "Nothing was booked.")


@guarantee.command("due")
@click.argument("account", required=False)
@click.option("--on", "day", type=DAY, help="On this day; else today in China.")
@json_option
@home_option
def due(*, account: str | None, day: datetime | None, as_json: bool, home: Path) -> int:
    """List the inventories whose tax is nearly due or overdue. Ends with 1 when one is overdue."""
    from gateway.config import load_house
    from gateway.statements import open_dues
    from gateway.tax_files import own

    house = load_house(home)
    rows = open_dues(open_book(home), account, own(home, "due"), today_or(day), house.kouan.tax)
    columns = ("account", "invt_no", "released_on", "due_until", "predicted", "billed", "tax_no", "findings")
    _present(as_json, columns, rows, "Nothing is due.")
    return FAILED if any(one["code"] == "X305" for row in rows for one in row["findings"]) else 0


@guarantee.command("paid")
@click.argument("duty_no")
@click.option("--on", "day", type=DAY, help="Paid on this day; else today in China.")
@home_option
def paid(*, duty_no: str, day: datetime | None, home: Path) -> None:
    """Tell that the pay-in document DUTY_NO (缴款书) is paid: what its bills occupy is given back."""
    import getpass
    from datetime import UTC

    from gateway.clerk import clerk_at
    from gateway.guarantees import is_billed, pay
    from gateway.settling import iso
    from message_specs.findings import finding
    from spool.ledger import Ledger

    open_book(home).close()
    ledger = Ledger(clerk_at(home))
    fresh = pay(ledger, duty_no, today_or(day), iso(datetime.now(UTC)), getpass.getuser())
    known = is_billed(ledger, duty_no)
    ledger.close()
    if not known:
        tell([finding("X307", value=duty_no, names=duty_no)], as_json=False)
    say(f"{duty_no} is paid; the daemon gives its bills back." if fresh else f"{duty_no} was told as paid before.")


@tax.command("statement")
@click.argument("account")
@click.option("--month", required=True, metavar="YYYY-MM", help="Inventories released in this month.")
@click.option("--on", "day", type=DAY, help="As it stands by the law of this day; else today in China.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the lines to this file (csv or xlsx) too.")
@json_option
@home_option
def statement(
    *, account: str, month: str, day: datetime | None, output: Path | None, as_json: bool, home: Path
) -> None:
    """Show the tax on the retail imports that ACCOUNT (an assureCode) collects, released in a month, line by line.

    Each line shows what was predicted, what customs billed, the difference, the pay-in document, when it is due and
    what it occupies; the sums are those of the lines. With --json one object with `lines` and `totals`.
    """
    from gateway.config import load_house
    from gateway.statements import COLUMNS
    from gateway.statements import statement as stated
    from gateway.tax_files import own

    try:
        datetime.strptime(month, "%Y-%m")  # noqa: DTZ007  a month has no zone
    except ValueError:
        raise click.BadParameter("a month is YYYY-MM", param_hint="--month") from None
    house = load_house(home)
    told = stated(open_book(home), account, month, own(home, "due"), today_or(day), house.kouan.tax)
    if output is not None:
        from gateway.tax_sheets import write_table

        write_table(output, f"{account} {month}", COLUMNS, [_flat(line) for line in told["lines"]])
    if as_json:
        give(told)
        return
    _present(False, COLUMNS, told["lines"], f"{account} has nothing released in {month}.")
    for name, value in told["totals"].items():
        say(f"{name}: {plain(value)}")


def _present(as_json: bool, columns: tuple[str, ...], rows: list[dict[str, Any]], empty: str) -> None:
    present(as_json, columns, rows if as_json else map(_flat, rows), empty)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    found = " ".join(one["code"] for one in row["findings"])
    plain = {name: " ".join(value) if isinstance(value, list | dict) and name != "findings" else value
             for name, value in row.items()}  # fmt: skip
    return {**plain, "findings": found}
