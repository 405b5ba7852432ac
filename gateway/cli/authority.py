"""`kouan authority`: how each authority stands, and what an operator rules about it.

A ruling is written into the ledger; no daemon is needed, and one that runs goes by it within a second.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.cli.book import brief, open_book, shown, utc_option
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import DONE, FAILED, NOT_REACHABLE, give, present, say, show
from gateway.cli.turnstile_symptoms import CURES, WORDS

if TYPE_CHECKING:
    from gateway.config import Authority

_LOOK_SECONDS: Final = 0.1


@click.group()
def authority() -> None:
    """See how each authority stands; pause, resume, probe it."""


@authority.command("list")
@utc_option
@json_option
@home_option
def list_authorities(*, utc: bool, as_json: bool, home: Path) -> None:
    """List every authority: its state, until when and why, what waits for it and what is held.

    The states: open, paced (the minute is used up), paused by an operator, maintenance, broken (failures in a row),
    probing (one message finds out).
    """
    rows = standing_of_all(home)
    if not as_json:
        rows = [as_shown(row, utc=utc) for row in rows]
    columns = ("name", "carrier", "state", "until", "waiting", "with_client", "held", "next_try", "why")
    present(as_json, columns, rows, "No authorities yet.")


@authority.command("show")
@click.argument("name")
@utc_option
@json_option
@home_option
def show_authority(*, name: str, utc: bool, as_json: bool, home: Path) -> None:
    """Show one authority: state, rules, the next maintenance, what is held by cause, the last rulings."""
    from gateway.authorities import whole

    told = whole(open_book(home), _known(home, name), _now())
    if as_json:
        give(told)
        return
    for line in _lines(told, utc=utc):
        click.echo(line)
    if told["causes"]:
        show_causes(told["causes"], utc=utc)
    if told["stamps"]:
        rows = [(shown(one["at"], utc=utc), one["what"], one["by"], brief(one["reason"])) for one in told["stamps"]]
        show(("at", "what", "by", "reason"), rows)


@authority.command()
@click.argument("name")
@click.option(
    "--until", help="It ends by itself: 2h, 3d, 2026-11-22T06:00 (China time) or ISO 8601; else when resumed."
)
@click.option("--reason", required=True, help="Why; it is stamped.")
@click.option("--by", help="Who decides; else your login name.")
@utc_option
@json_option
@home_option
def pause(*, name: str, until: str | None, reason: str, by: str | None, utc: bool, as_json: bool, home: Path) -> None:
    """Let nothing leave for an authority; what lies with its client already is looked after all the same."""
    from gateway import authorities
    from gateway.clerk import clerk_at
    from gateway.cli.verbs import login
    from spool.ledger import Ledger

    known = _known(home, name)
    now = _now()
    try:
        end = authorities.later(until, now) if until else None
    except (ValueError, OverflowError):
        raise click.UsageError(f'--until "{until}" is no time to come. Write 2h, 3d or 2026-11-22T06:00.') from None
    ledger = Ledger(clerk_at(home))
    authorities.pause(ledger, name, now, end, by=by or login(), why=reason)
    told = authorities.facts(ledger, known, now)
    ledger.close()
    if as_json:
        give(told)
    else:
        ends = f" until {shown(told['until'], utc=utc)}" if told["until"] else " until it is resumed"
        say(f"{name} 已暂停 is paused{ends}.")


@authority.command()
@click.argument("name")
@click.option("--reason", default="", help="Why; it is stamped.")
@click.option("--by", help="Who decides; else your login name.")
@json_option
@home_option
def resume(*, name: str, reason: str, by: str | None, as_json: bool, home: Path) -> None:
    """End the pause of an authority; maintenance, breaker and pace go on as they are."""
    from gateway import authorities
    from gateway.clerk import clerk_at
    from gateway.cli.verbs import login
    from spool.ledger import Ledger

    known = _known(home, name)
    ledger = Ledger(clerk_at(home))
    stood = authorities.resume(ledger, name, _now(), by=by or login(), why=reason)
    told = authorities.facts(ledger, known, _now())
    ledger.close()
    if as_json:
        give(told)
    else:
        said = "is no longer paused" if stood else "was not paused"
        say(f"{name} {said}; it is {told['state']} {WORDS[told['state']]}.")


@authority.command()
@click.argument("name")
@click.option("--wait", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Seconds to wait for it.")
@click.option("--by", help="Who asks; else your login name.")
@json_option
@home_option
def probe(*, name: str, wait: float, by: str | None, as_json: bool, home: Path) -> int:
    """Try one message now, whatever keeps the others back; the breaker goes by what becomes of it.

    Exit codes: 0 it was taken, 1 it was not, or nothing waits, 6 no daemon has made the probe yet; it will.
    """
    from gateway import authorities
    from gateway.clerk import clerk_at
    from gateway.cli.verbs import login
    from gateway.standing import standing
    from gateway.submitting import daemon_runs
    from spool.ledger import Ledger

    _known(home, name)
    ledger = Ledger(clerk_at(home))
    authorities.ask_probe(ledger, name, _now(), by=by or login())
    ends = time.monotonic() + wait
    while (stands := standing(ledger, name)).probe_wanted and daemon_runs(home) and time.monotonic() < ends:
        time.sleep(_LOOK_SECONDS)
    ledger.close()
    if as_json:
        at, said = stands.probed_at or None, stands.probe_said or None
        give({"name": name, "asked_at": stands.probe_asked_at, "at": at, "said": said})
    else:
        say(f"{name}: {stands.probe_said or 'asked 已请求; the probe is made as soon as a daemon runs'}.")
    if stands.probe_wanted:
        return NOT_REACHABLE
    return DONE if stands.probe_said.startswith(("taken", "given")) else FAILED


def standing_of_all(home: Path) -> list[dict[str, Any]]:
    """Return how every authority of a home stands."""
    from gateway.authorities import facts
    from gateway.config import load_house

    book = open_book(home)
    return [facts(book, one, _now()) for one in load_house(home).authorities.values()]


def as_shown(row: dict[str, Any], *, utc: bool) -> dict[str, Any]:
    """Return how an authority stands as people read it."""
    times = {one: shown(row[one], utc=utc) for one in ("until", "next_try")}
    return {**row, **times, "state": f"{row['state']} {WORDS[row['state']]}", "why": brief(row["why"])}


def show_resting(rows: list[dict[str, Any]], *, utc: bool) -> None:
    """The authorities for which nothing leaves stand there, each with why, until when, and what to do."""
    if not rows:
        return
    say("暂不发送 Nothing leaves at the moment for:")
    columns = ("name", "state", "until", "waiting", "why", "what to do")
    rows = [{**as_shown(one, utc=utc), "what to do": CURES[one["state"]].format(name=one["name"])} for one in rows]
    show(columns, [[row[one] for one in columns] for row in rows])


def show_causes(rows: list[dict[str, Any]], *, utc: bool) -> None:
    """What is held stands on stdout by its causes, with how to let it go on."""
    say("Held 扣留, by cause; when it is mended:  kouan release --cause CAUSE --reason TEXT")
    show(
        ("cause", "authority", "documents", "messages", "partners", "oldest", "why"),
        [
            (
                row["cause"], row["authority"], row["documents"], row["messages"], " ".join(row["partners"]),
                shown(row["oldest"], utc=utc), brief(row["why"]),
            )
            for row in rows
        ],
    )  # fmt: skip


def _lines(told: dict[str, Any], *, utc: bool) -> list[str]:
    pace, breaker = told["pace"], told["breaker"]
    until = f" until {shown(told['until'], utc=utc)}" if told["until"] else ""
    why = f": {brief(told['why'])}" if told["why"] else ""
    a_minute = f"{pace['messages_a_minute']} messages a minute" if pace["messages_a_minute"] else "as many as come"
    lines = [
        f"{told['name']} {told['title']} ({told['carrier']})",
        f"state 状态: {told['state']} {WORDS[told['state']]}{until}{why}",
        f"waiting 待发 {told['waiting']}, with its client {told['with_client']}, held 扣留 {told['held']}",
        f"pace 速率: {a_minute}, {pace['at_once']} at once, order: {pace['order']}",
        f"breaker 熔断: {breaker['state']}, {told['failures']} failures in a row, breaks at {breaker['failures']}",
    ]
    if coming := told["maintenance"]:
        begins, ends = (shown(coming[one], utc=utc) for one in ("begins", "ends"))
        lines.append(f"maintenance 维护: {begins} to {ends} {coming['note']}".rstrip())
    if asked := told["probe"]:
        lines.append(f"probe 试探: {shown(asked['at'] or asked['asked_at'], utc=utc)} {asked['said'] or 'asked'}")
    return lines


def _known(home: Path, name: str) -> "Authority":
    from gateway.config import load_house

    return load_house(home).authority(name)


def _now() -> datetime:
    return datetime.now(UTC)
