"""`kouan queue`: what waits, for whom, since when, and when it is tried again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.book import brief, open_book, shown, utc_option
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import give, present, say, show


@click.command()
@click.option("--documents", is_flag=True, help="List the single documents, each with its key and why it waits.")
@click.option("--waiting", is_flag=True, help="Only what goes on by itself; leave out what an operator holds.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="At most so many rows.")
@utc_option
@json_option
@home_option
def queue(*, documents: bool, waiting: bool, limit: int, utc: bool, as_json: bool, home: Path) -> None:
    """Show what waits, by authority and age: messages in the outbox, then documents by state and reason.

    Last come documents about which an authority has said nothing for 24 hours.
    With --json one object {"outbox": […], "documents": […], "unanswered": […]}; with --documents one object a document.
    """
    from gateway import reading

    book = open_book(home)
    if documents:
        _list(reading.waiting(book, limit=limit, held=not waiting), utc=utc, as_json=as_json)
        return
    told = reading.queue(book, now=datetime.now(UTC), limit=limit, held=not waiting)
    if as_json:
        give(told)
        return
    if not any(told.values()):
        say("Nothing waits.")
        return
    _show_outbox(told["outbox"], home, utc=utc)
    _show_documents(told["documents"], utc=utc)
    _show_unanswered(told["unanswered"], utc=utc)


def _list(rows: Iterator[dict[str, Any]], *, utc: bool, as_json: bool) -> None:
    if not as_json:
        rows = ({**row, "since": shown(row["received_at"], utc=utc), "why": brief(row["why"])} for row in rows)
    present(as_json, ("number", "spec", "key", "partner", "state", "since", "why"), rows, "Nothing waits.")


def _show_documents(rows: list[dict[str, Any]], *, utc: bool) -> None:
    if not rows:
        return
    say("Documents that wait:")
    show(
        ("state", "partner", "documents", "oldest", "goes on", "why"),
        [
            (
                row["state"], row["partner"], row["documents"], shown(row["oldest"], utc=utc), _when(row, utc=utc),
                brief(row["why"]),
            )
            for row in rows
        ],
    )  # fmt: skip


def _show_unanswered(rows: list[dict[str, Any]], *, utc: bool) -> None:
    if not rows:
        return
    say(f"Sent, and no receipt for {rows[0]['hours']} hours:")
    show(
        ("authority", "partner", "documents", "oldest", "number"),
        [
            (
                row["authority"], row["partner"], row["documents"], shown(row["oldest"], utc=utc),
                row["oldest_number"],
            )
            for row in rows
        ],
    )  # fmt: skip


def _show_outbox(rows: list[dict[str, Any]], home: Path, *, utc: bool) -> None:
    if not rows:
        return
    say("Messages in the outbox:")
    show(
        ("authority", "partner", "state", "messages", "oldest", "attempts", "next try", "last trouble"),
        [
            (
                row["destination"], row["partner"], row["state"], row["messages"], shown(row["oldest"], utc=utc),
                row["attempts"], _when(row, utc=utc), brief(row["trouble"]),
            )
            for row in rows
        ],
    )  # fmt: skip
    for line in _plans(home, {row["destination"] for row in rows if row["state"] == "waiting"}):
        say(line)


def _when(row: dict[str, Any], *, utc: bool) -> str:
    return "when released" if row["state"] == "held" else shown(row["next_try"], utc=utc)


def _plans(home: Path, names: set[str]) -> list[str]:
    """Return how each authority is tried again, in words; nothing where the configuration cannot be read."""
    from gateway.config import load_house
    from spool.errors import ForOperator

    try:
        authorities = load_house(home).authorities
    except ForOperator:
        return []
    lines = []
    for name in sorted(names & set(authorities)):
        retry = authorities[name].retry
        ends = f"at most {retry.attempts} attempts, then held" if retry.attempts else "without end"
        lines.append(
            f"{name}: tried again after {retry.first_seconds:g} s, then {retry.factor:g} times longer each time,"
            f" never longer than {retry.most_seconds:g} s, give or take {retry.jitter:.0%}; {ends}."
        )
    return lines
