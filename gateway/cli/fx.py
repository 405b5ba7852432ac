"""`kouan fx`: the files that left for an exchange office and what was said of them, and what a person has used."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.book import open_book, shown, utc_option
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import give, present, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from sqlite3 import Row

    from spool.ledger import Ledger

FILES = ("authority", "batch", "file", "records", "made_at", "state", "refused", "answer")
WAITS = ("authority", "batch", "reason")


@click.group()
def fx() -> None:
    """Show files of foreign exchange, their feedback, and the quotas of persons."""


@fx.command()
@click.option("--authority", default=None, help="Of this authority alone.")
@click.option("--open", "only_open", is_flag=True, help="Only files that are not answered.")
@json_option
@utc_option
@home_option
def files(*, authority: str | None, only_open: bool, as_json: bool, utc: bool, home: Path) -> None:
    """Show each data file: its batch, how many records, whether it has left, and what came back.

    A file that is silent has left for longer than silent_days, and nothing came back.

    Batches of feedback that are not whole yet, or that were refused, are told on stderr with the reason.
    """
    from gateway.config import load_house

    book, house = open_book(home), load_house(home)
    silent = {name: timedelta(days=one.exchange.silent_days) for name, one in house.authorities.items()}
    rows = [_file(row, silent, as_json=as_json, utc=utc) for row in book.all("fx_files", authority)]
    present(as_json, FILES, (row for row in rows if not only_open or row["answer"] is None), "No file has left.")
    for name, batch, reason in waiting_batches(home, house.authorities):
        say(f"{name}: {batch}: {reason}")


def _file(row: "Row", silent: "Mapping[str, timedelta]", *, as_json: bool, utc: bool) -> dict[str, Any]:
    left = "gone" if row["gone"] == row["messages"] else "leaving"
    patience = silent.get(row["authority"])
    if left == "gone" and patience and datetime.now(UTC) - datetime.fromisoformat(row["left_at"]) >= patience:
        left = "silent"
    return {
        "authority": row["authority"], "batch": row["batch"], "file": row["name"], "records": row["records"],
        "made_at": row["made_at"] if as_json else shown(row["made_at"], utc=utc),
        "state": "answered" if row["answer"] else left, "refused": row["refused"],
        "answer": str(row["answer"]) if row["answer"] else None,
    }  # fmt: skip


def waiting_batches(home: Path, authorities: Any) -> "Iterator[tuple[str, str, str]]":
    """Yield each batch of feedback that was not read: its authority, its name, and why."""
    from adapters.doors.batches import state_of
    from gateway.fx_visiting import beside

    for name, authority in authorities.items():
        if authority.dialect != "fx":
            continue
        folder, refused = home / authority.answers.folder, beside(home, authority) / "refused"
        for batch in sorted(folder.iterdir()) if folder.is_dir() else ():
            reason, is_refused = state_of(batch) if batch.is_dir() and not batch.name.startswith(".") else ("", False)
            if reason or is_refused:
                yield name, batch.name, reason or "its control file disagrees"
        for batch in sorted(refused.iterdir()) if refused.is_dir() else ():
            yield name, batch.name, "refused: its control file disagreed"


@fx.command()
@click.argument("person")
@click.option("--year", type=int, help="The year; else this one in China.")
@click.option("--bought", is_flag=True, help="Of the quota of purchase, not of settlement.")
@json_option
@home_option
def quota(*, person: str, year: int | None, bought: bool, as_json: bool, home: Path) -> None:
    """Show what PERSON, an identity number, has used of a year's quota of settlement, in US dollars."""
    from gateway.person_years import person_key
    from gateway.secret import secret_of
    from message_specs.amounts import number
    from message_specs.exchange import limit_on
    from message_specs.trade.spent import used

    book = open_book(home)
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    of = year or today.year
    row = book.one("record", person_key(person, str(of), secret_of(home), buys=bought))
    spent = used(row["value"] if row else None, lambda name: _state(book, name))
    limit = limit_on("person_year_bought" if bought else "person_year", date(of, 12, 31))
    told = {"year": of, "used": number(spent), "limit": number(limit), "left": number(max(limit - spent, limit * 0))}
    if as_json:
        give(told)
    else:
        click.echo(f"{of}: used {told['used']} of {told['limit']} US dollars, {told['left']} left")


def _state(book: "Ledger", name: str) -> str:
    number, _, ordinal = name.partition(".")
    row = book.one("document", int(number), int(ordinal))
    return str(row["state"]) if row else ""
