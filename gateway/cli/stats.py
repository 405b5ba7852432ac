"""`kouan stats`: what came, what became of it, what disagreed, and how long a release took."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from gateway.cli.book import CHINA, open_book
from gateway.cli.dossier import KINDS, PHASES
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import USAGE, Stop, give, say, show

_DAYS = 30
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--since", type=_DAY, help="The first day; else 30 days before the last.")
@click.option("--until", type=_DAY, help="The last day; else today in China.")
@click.option("--by", type=click.Choice(["mode", "partner", "day"]), help="One group a trade mode, partner or day.")
@json_option
@home_option
def stats(*, since: datetime | None, until: datetime | None, by: str | None, as_json: bool, home: Path) -> None:
    """Count documents by kind and state, trades by phase, what was refused and what disagreed.

    Last comes the median time from the opening of a dossier to its release. Documents count by the day on which they
    came, trades by the day on which they were opened. With --json one object a group: name, documents, refused,
    mismatches, trades, released, median_seconds.
    """
    from gateway.statistics import counted

    last: date = until.date() if until else datetime.now(CHINA).date()
    first: date = since.date() if since else last - timedelta(days=_DAYS)
    if first > last:
        raise Stop(f"--since {first} comes after --until {last}.", USAGE)
    groups = counted(open_book(home), first, last, by=by or "")  # type: ignore[arg-type]
    if as_json:
        for group in groups:
            give(group)
        return
    say(f"{first} – {last}")
    _show(groups, by or "")


def _show(groups: list[dict[str, Any]], by: str) -> None:
    if not groups:
        say("Nothing came.")
        return
    columns = (by or "all", "documents", "refused", *(PHASES[phase] for phase in PHASES), "median to release")
    show(columns, [_row(group) for group in groups])
    say("\nDocuments by kind and state:")
    rows = [(group["name"], *_document(one)) for group in groups for one in group["documents"]]
    show((by or "all", "kind", "spec", "state", "documents"), rows, "None.")
    if rows := [(group["name"], code, n) for group in groups for code, n in sorted(group["mismatches"].items())]:
        say("\nMismatches by code (kouan dossier KEY tells one):")
        show((by or "all", "code", "documents"), rows)


def _document(one: dict[str, Any]) -> tuple[object, ...]:
    return KINDS.get(one["kind"], one["kind"]), one["spec"], one["state"], one["count"]


def _row(group: dict[str, Any]) -> tuple[object, ...]:
    count = sum(one["count"] for one in group["documents"])
    took = "" if group["median_seconds"] is None else str(timedelta(seconds=group["median_seconds"]))
    return group["name"], count, group["refused"], *group["trades"].values(), took
