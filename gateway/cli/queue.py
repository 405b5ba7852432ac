"""`kouan queue`: what waits, for whom, since when, and when it is tried again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.authority import show_causes, show_resting, standing_of_all
from gateway.cli.book import CHINA, brief, open_book, shown, utc_option
from gateway.cli.dossier import KINDS, house_at, waits_for
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import give, present, say, show

_CUSTOMS = "海关 customs"


@click.command()
@click.option("--documents", is_flag=True, help="List the single documents, each with its key and why it waits.")
@click.option(
    "--waiting", is_flag=True, help="Only what goes on by itself, and the trades that wait; not what an operator holds."
)
@click.option("--trades", is_flag=True, help="List the single trades that wait, the oldest first.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="At most so many rows.")
@utc_option
@json_option
@home_option
def queue(*, documents: bool, waiting: bool, trades: bool, limit: int, utc: bool, as_json: bool, home: Path) -> None:
    """Show what waits, by authority and age: messages in the outbox, then documents by state and reason.

    Then come documents about which an authority has said nothing for 24 hours, payment data that customs asked for,
    what is held by its causes, and authorities for which nothing leaves at the moment (kouan authority show).

    With --json one object {"outbox": […], "documents": […], "unanswered": […], "causes": […], "authorities": […],
    "payments": […]}, with --waiting also {"trades": […], "open_trades": N}; with --documents one object a document,
    with --trades one a trade. Of the open trades the --limit oldest are looked at, and as many of those that wait for
    customs to say something.
    """
    from gateway import outstanding, payment_reading, reading

    book = open_book(home)
    today = datetime.now(CHINA).date()
    if trades:
        _list_trades(outstanding.trades(book, today, limit, house_at(home)), utc=utc, as_json=as_json)
        return
    if documents:
        _list(reading.waiting(book, limit=limit, held=not waiting), utc=utc, as_json=as_json)
        return
    told = reading.queue(book, now=datetime.now(UTC), limit=limit, held=not waiting)
    told["authorities"] = _resting(home)
    told["payments"] = payment_reading.waiting(book, limit=limit, held=not waiting)
    if waiting:
        told["trades"] = outstanding.groups(outstanding.trades(book, today, limit, house_at(home)))
        told["open_trades"] = outstanding.count(book)
    if as_json:
        give(told)
        return
    if not any(told.values()):
        say("没有等待的单证 Nothing waits.")
        return
    _show_outbox(told["outbox"], home, utc=utc)
    _show_documents(told["documents"], utc=utc)
    _show_unanswered(told["unanswered"], utc=utc)
    if told["causes"]:
        show_causes(told["causes"], utc=utc)
    show_resting(told["authorities"], utc=utc)
    _show_payments(told["payments"], utc=utc)
    _show_trades(told.get("trades", []), told.get("open_trades", 0), limit, utc=utc)


def _list_trades(rows: Iterator[dict[str, Any]], *, utc: bool, as_json: bool) -> None:
    if not as_json:
        rows = ({**row, "since": shown(row["since"], utc=utc), "waits for": _waits(row)} for row in rows)
    columns = ("order", "platform", "mode", "partner", "since", "waits for", "until", "inventory", "state")
    present(as_json, columns, rows, "没有等待的交易 No trade waits.")


def _waits(row: dict[str, Any]) -> str:
    names = [_CUSTOMS if one == "customs" else KINDS.get(one, one) for one in row["waits_for"]]
    return "、".join(names) or "–"


def _show_trades(rows: list[dict[str, Any]], count: int, limit: int, *, utc: bool) -> None:
    if not rows:
        return
    of = f"; the {limit} oldest are counted here" if count > limit else ""
    say(f"等待的交易 Trades that wait: {count}{of}.")
    show(
        ("waits for 等待", "partner", "trades", "late 逾期", "oldest", "its order", "next due"),
        [
            (
                _waits(row), row["partner"], row["trades"], row["late"], shown(row["oldest"], utc=utc),
                row["oldest_order"], row["until"],
            )
            for row in rows
        ],
    )  # fmt: skip


def _list(rows: Iterator[dict[str, Any]], *, utc: bool, as_json: bool) -> None:
    if not as_json:
        rows = ({**row, "since": shown(row["received_at"], utc=utc), "why": brief(row["why"])} for row in rows)
    present(as_json, ("number", "spec", "key", "partner", "state", "since", "why"), rows, "无等待单证 Nothing waits.")


def _show_documents(rows: list[dict[str, Any]], *, utc: bool) -> None:
    if not rows:
        return
    say("等待的单证 Documents that wait:")
    show(
        ("state 状态", "partner 伙伴", "documents 单证", "oldest 最早", "goes on 继续", "why 原因"),
        [
            (
                row["state"], row["partner"], row["documents"], shown(row["oldest"], utc=utc), _when(row, utc=utc),
                waits_for(brief(row["why"])),
            )
            for row in rows
        ],
    )  # fmt: skip


def _show_unanswered(rows: list[dict[str, Any]], *, utc: bool) -> None:
    if not rows:
        return
    say(f"已发出而无回执 Sent, and no receipt for {rows[0]['hours']} hours:")
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


def _show_payments(rows: list[dict[str, Any]], *, utc: bool) -> None:
    if not rows:
        return
    say("Payment data that customs asked for (kouan payments):")
    show(
        ("state", "platform", "sessions", "oldest", "goes on", "why"),
        [
            (
                row["state"], row["platform"], row["sessions"], shown(row["oldest"], utc=utc), _when(row, utc=utc),
                brief(f"{row['code']} {row['why']}".strip()),
            )
            for row in rows
        ],
    )  # fmt: skip


def _show_outbox(rows: list[dict[str, Any]], home: Path, *, utc: bool) -> None:
    if not rows:
        return
    say("待发报文 Messages in the outbox:")
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


def _resting(home: Path) -> list[dict[str, Any]]:
    """Return the authorities for which nothing leaves; none where the configuration cannot be read."""
    from spool.errors import ForOperator

    try:
        return [row for row in standing_of_all(home) if row["state"] not in ("open", "paced")]
    except ForOperator:
        return []


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
