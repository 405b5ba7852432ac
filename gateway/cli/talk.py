"""How the command speaks: to people on stderr, data on stdout, and one number at the end.

A sentence to a person has three parts where something went wrong: what
happened, where, what to do.  NO_COLOR and a missing terminal are respected.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

DONE, FAILED, USAGE, SOME_FAILED, NOT_FOUND, LOCKED, NOT_REACHABLE = range(7)
INTERRUPTED = 130
_CONTROLS: Final = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "·")


class Stop(Exception):  # noqa: N818  it says what the command does
    """The command ends here, with this sentence and this exit code."""

    def __init__(self, sentence: str, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code


def harmless(text: str) -> str:
    r"""Return the text as a terminal may show it: what others wrote moves no cursor and hides nothing.

    >>> harmless("a\x1b[2J\x00\x9b\r\n\tb")
    'a·[2J···\n\tb'
    """
    return text.translate(_CONTROLS)


def say(sentence: str) -> None:
    """The sentence stands on stderr, for a person."""
    click.echo(sentence, err=True)


def give(value: object) -> None:
    """The value stands on stdout as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def show(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "") -> None:
    """The rows stand on stdout as a table that fits the terminal, Chinese characters counted as two."""
    listed = [["" if cell is None else harmless(str(cell)) for cell in row] for row in rows]
    if not listed:
        say(empty or "Nothing to show.")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    wide = None if sys.stdout.isatty() else 400
    table = Table(box=box.SIMPLE_HEAD if wide is None else None, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in listed:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=wide, highlight=False).print(table)


def plain(value: object) -> object:
    """Return a cell as people read it: what stands together is written side by side.

    >>> plain({"142": "750.00", "502": "1.00"}), plain(["ready"]), plain("91"), plain({})
    ('142 750.00, 502 1.00', 'ready', '91', '')
    """
    if isinstance(value, dict):
        return ", ".join(f"{name or '–'} {part}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def present(as_json: bool, columns: Sequence[str], rows: Iterable[dict[str, Any]], empty: str = "") -> None:
    """The rows stand on stdout: JSON Lines for programs, a table of these columns for people."""
    if as_json:
        for row in rows:
            give(row)
        return
    show(columns, [[_cell(row.get(column)) for column in columns] for row in rows], empty)


def _cell(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value
