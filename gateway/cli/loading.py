"""Telling what is wrong with a table that is loaded whole or not at all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.cli.talk import give, say, show

if TYPE_CHECKING:
    from message_specs.findings import Finding

SHOWN = 200
"""So many rows people are shown; programs are given all."""


def tell_mistakes(file: str, found: "Sequence[Finding]", *, as_json: bool) -> None:
    """Every mistake of the file is told with its line, and that nothing was changed."""
    if as_json:
        for one in found:
            give(one.as_dict())
    else:
        rows = [(one.code, one.row, one.path, one.value, f"{one.zh}\n{one.en}\n→ {one.hint}") for one in found[:SHOWN]]
        show(("code", "line", "column", "value", "what is wrong and what to do"), rows)
        if len(found) > SHOWN:
            say(f"… and {len(found) - SHOWN} more; --json gives all.")
    say(f"{file}: {len(found)} mistakes. Nothing was changed.")


def tell_changes(file: str, rows: int, changed: int, *, dry_run: bool) -> None:
    """How many rows the file has and how many differ from before is told."""
    verb = "would change" if dry_run else "changed"
    say(f"{file}: {rows} rows; {changed} {verb}.{' Nothing was written.' if dry_run else ''}")
