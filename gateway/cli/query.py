"""`kouan query`: the ledger asked in SQL, read-only."""

import csv
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from gateway.cli.book import open_book
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import USAGE, Stop, present

_EXACT: Final = 2**53
_ALLOWED: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_SAVEPOINT,
    }
)
_FACTS: Final = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"}
)


@click.command()
@click.argument("sql")
@click.option("--csv", "as_csv", is_flag=True, help="Give CSV with a head line.")
@json_option
@home_option
def query(*, sql: str, as_csv: bool, as_json: bool, home: Path) -> None:
    """Ask the ledger in SQL, read-only; a table for people, with --json one object a row.

    Bytes are shown in hex, and whole numbers of more than 53 bits (our numbers) as text in JSON. SQL that writes,
    or that SQLite does not understand, ends with 2.
    """
    import sqlite_utils

    connection = open_book(home).conn
    connection.row_factory = None
    connection.execute("PRAGMA query_only = ON")
    database = sqlite_utils.Database(connection, recursive_triggers=False)
    connection.set_authorizer(_may)
    try:
        rows = database.query(sql)
        _give(rows, as_csv=as_csv, as_json=as_json)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise Stop(_sentence(str(error)), USAGE) from None


def _may(action: int, first: str | None, *_rest: str | None) -> int:
    """Let SQL read and nothing else: a trigger, an ATTACH or a PRAGMA that sets something is no reading."""
    if action in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and first in _FACTS):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _sentence(error: str) -> str:
    """Return what was wrong with the SQL in one sentence.

    >>> _sentence("not authorized")
    'This command only reads the ledger; the SQL would do more.'
    >>> _sentence("no such table: documents")
    'SQLite does not take this: no such table: documents'
    """
    if "authorized" in error or "prohibited" in error or "readonly" in error or "only be used with SQL" in error:
        return "This command only reads the ledger; the SQL would do more."
    return f"SQLite does not take this: {error.rstrip('.')}"


def _give(rows: Iterator[dict[str, Any]], *, as_csv: bool, as_json: bool) -> None:
    first = next(rows, None)
    columns = tuple(first or ())
    told = _told(first, rows, as_json=as_json)
    if not as_csv:
        present(as_json, columns, told, "No rows.")
        return
    if first is not None:
        writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(told)


def _told(first: dict[str, Any] | None, rest: Iterator[dict[str, Any]], *, as_json: bool) -> Iterator[dict[str, Any]]:
    if first is None:
        return
    yield {name: _cell(value, as_json=as_json) for name, value in first.items()}
    for row in rest:
        yield {name: _cell(value, as_json=as_json) for name, value in row.items()}


def _cell(value: Any, *, as_json: bool) -> Any:
    r"""Return a value as it is shown: bytes in hex, and in JSON what a double would round as text.

    >>> _cell(b"\x01\xff", as_json=False), _cell(261121204432000017, as_json=True), _cell(7, as_json=True)
    ('01ff', '261121204432000017', 7)
    """
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if as_json and isinstance(value, int) and abs(value) > _EXACT else value
