"""The book as a command opens it and people read it: read-only, times of China, long texts cut."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from gateway.cli.talk import NOT_FOUND, Stop

if TYPE_CHECKING:
    from spool.ledger import Ledger

Command = TypeVar("Command", bound=Callable[..., Any])
CHINA = ZoneInfo("Asia/Shanghai")


def utc_option(command: Command) -> Command:
    """The command takes `utc`."""
    said = "Show times in UTC; else in China time. JSON is always UTC."
    return click.option("--utc", is_flag=True, help=said)(command)


def open_book(home: Path) -> "Ledger":
    """Return the ledger of a home, to read; no daemon is needed."""
    from gateway.clerk import clerk_at
    from spool.ledger import Ledger, OlderLedger

    if not (home / "kouan.toml").is_file():
        raise Stop(f"{home} is no home. Make one:  kouan init DIR  — or name it with --home.", NOT_FOUND)
    path = clerk_at(home)
    if not path.exists():
        Ledger(path).close()
    book = Ledger(path, read_only=True)
    if book.is_behind():
        book.close()
        raise OlderLedger(str(path))
    return book


def shown(moment: str | None, *, utc: bool = False) -> str:
    """Return a time of the ledger as people read it.

    >>> shown("2026-11-21T20:02:03.456Z"), shown("2026-11-21T20:02:03.456Z", utc=True)
    ('2026-11-22 04:02:03+08:00', '2026-11-21 20:02:03Z')
    >>> shown("soon"), shown("9999-12-31T23:59:59Z"), shown(None)
    ('soon', '', '')
    """
    if not moment or moment.startswith("9999"):
        return ""
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    if when.tzinfo is None:
        return moment
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if utc else f"{when.astimezone(CHINA):%Y-%m-%d %H:%M:%S}+08:00"


def brief(text: str | None, most: int = 160) -> str:
    r"""Return the first line of a text, cut where it is long.

    >>> brief("K105 Traceback\n  File ..."), brief(None), brief("abcdef", 4)
    ('K105 Traceback', '', 'abc…')
    """
    line = (text or "").split("\n", 1)[0]
    return line if len(line) <= most else f"{line[: most - 1]}…"
