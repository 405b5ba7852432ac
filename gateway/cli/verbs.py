"""`kouan hold`, `release`, `refuse`, `replay`: the operator's four verbs."""

import getpass
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.cli.options import home_option, json_option
from gateway.cli.talk import DONE, FAILED, NOT_FOUND, SOME_FAILED, give, say
from spool.states import State

if TYPE_CHECKING:
    from gateway.selecting import Selection

Command = TypeVar("Command", bound=Callable[..., Any])
STATES = [str(state) for state in State]


def selection_options(command: Command) -> Command:
    """The command takes what makes a selection, and how to speak of it."""
    for add in reversed(
        (
            click.argument("numbers", nargs=-1, metavar="[NUMBER]..."),
            click.option("--partner", help="Whose documents (or the authority that answered)."),
            click.option("--spec", help="Of this spec, as CEB311."),
            click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="In this state."),
            click.option("--since", help="Received since: 2h, 3d, 2026-11-21 (China time) or ISO 8601."),
            click.option("--until", help="Received before, in the same forms."),
            click.option("--key", help="With this business key, or its last part (the orderNo)."),
            click.option("--by", help="Who decides; else your login name."),
            click.option("--dry-run", is_flag=True, help="Show the exact numbers; change nothing."),
            json_option,
            home_option,
        )
    ):
        command = add(command)
    return command


def cause_options(command: Command) -> Command:
    """The command takes a cause of `kouan queue`, and whose it is."""
    said = "Held for this cause, as kouan queue names it, or with a reason that begins so."
    command = click.option("--authority", help="Meant for this authority.")(command)
    return click.option("--cause", help=said)(command)


reason_option = click.option("--reason", help="Why; it is stamped, and a refused partner reads it.")


@click.command()
@selection_options
@reason_option
def hold(**said: Any) -> int:
    """Hold documents back: NUMBER is a document N.O, an interchange N or a message N with all its documents.

    A ready document is held together with the message it lies in. Exit codes: 0 all, 3 some, 1 none could be, 4
    nothing selected.
    """
    return _decide("hold", **said)


@click.command()
@selection_options
@cause_options
@reason_option
def release(**said: Any) -> int:
    """Let held documents go on from where they were held.

    An answer that fitted no document is settled again. Exit codes: 0 all, 3 some, 1 none could be, 4 nothing
    selected.
    """
    return _decide("release", **said)


@click.command()
@selection_options
@cause_options
@reason_option
def refuse(**said: Any) -> int:
    """Give documents back to their partner, who finds the reason in refused/NUMBER.why.txt.

    The message of a ready one never leaves; its other documents are sealed again. Exit codes: 0 all, 3 some, 1 none
    could be, 4 nothing selected.
    """
    return _decide("refuse", **said)


@click.command()
@selection_options
@click.option("--reason", default="by hand", show_default=True, help="Why; it is stamped on both lives.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many interchanges.")
def replay(
    *, reason: str, limit: int | None, by: str | None, dry_run: bool, as_json: bool, home: Path, **said: Any
) -> int:
    """Take stored evidence in again under a new number: what was refused is judged by the law of today.

    What is alive is a duplicate and never declared twice. A selection by --partner, --state and so on leaves out
    duplicates and earlier replays. Exit codes: 0 all, 3 some, 1 none could be, 4 nothing selected.
    """
    from itertools import islice

    from gateway import replaying
    from gateway.selecting import interchanges, unknown
    from gateway.submitting import Counter

    selection = _selection(**said)
    tally = _Tally(as_json=as_json, dry_run=dry_run)
    with Counter(home) as counter:
        for number in unknown(counter.ledger, selection):
            tally.missing(number)
        rows = islice(interchanges(counter.ledger, selection), limit)
        ruling = replaying.Ruling(reason, by or login())
        for one in map(replaying.would_be, rows) if dry_run else replaying.replay(counter, rows, ruling):
            tally.add(replaying.as_facts(one), not one.trouble, _replayed)
    return tally.ended("replayed")


def _decide(
    verb: str, *, reason: str | None, by: str | None, dry_run: bool, as_json: bool, home: Path, **said: Any
) -> int:
    from gateway.replaying import Ruling
    from gateway.selecting import unknown
    from gateway.submitting import Counter
    from gateway.verbs import Verbs

    selection = _selection(**said)
    if not dry_run and not (reason or "").strip():
        raise click.UsageError(f"Say why: kouan {verb} … --reason TEXT.")
    tally = _Tally(as_json=as_json, dry_run=dry_run)
    with Counter(home) as counter:
        for number in unknown(counter.ledger, selection):
            tally.missing(number)
        verbs = Verbs(counter, Ruling(reason or "", by or login()), dry_run=dry_run)
        for one in verbs.carry_out(verb, selection):
            tally.add(asdict(one), one.done, _decided)
    return tally.ended({"hold": "held", "release": "released", "refuse": "refused"}[verb])


def _selection(
    *,
    numbers: tuple[str, ...],
    partner: str | None,
    spec: str | None,
    states: tuple[str, ...],
    since: str | None,
    until: str | None,
    key: str | None,
    cause: str | None = None,
    authority: str | None = None,
) -> "Selection":
    from gateway.selecting import Selection, moment
    from gateway.submitting import now
    from spool.number import parse

    for text in numbers:
        try:
            ordinal = parse(text)[1]
        except ValueError:
            ordinal = 0
        if ordinal is not None and ordinal < 1:
            raise click.UsageError(f'"{text}" is no number. A number has 18 digits, a document\'s then .1 and so on.')
    times = {}
    for option, when in (("since", since), ("until", until)):
        try:
            times[option] = moment(when, now()) if when else None
        except (ValueError, OverflowError):
            raise click.UsageError(f'--{option} "{when}" is no time. Write 2h, 3d, 2026-11-21 or ISO 8601.') from None
    chosen = Selection(
        numbers, partner, spec.upper() if spec else None, tuple(map(State, states)), times["since"], times["until"],
        key, cause, authority,
    )  # fmt: skip
    if chosen.is_empty:
        raise click.UsageError(
            "Say which: numbers, or --partner, --spec, --state, --since, --until, --key, --cause, --authority."
        )
    return chosen


def login() -> str:
    """Return who types this."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


class _Tally:
    """What a verb did, told item by item, and the exit code that follows."""

    def __init__(self, *, as_json: bool, dry_run: bool) -> None:
        self._as_json = as_json
        self._dry_run = dry_run
        self._done = 0
        self._failed = 0
        self._missing = 0

    def add(self, facts: dict[str, Any], done: bool, words: Callable[[dict[str, Any]], Iterator[str]]) -> None:
        """One item is told and counted."""
        self._done += done
        self._failed += not done
        if self._as_json:
            give({**facts, "dry_run": self._dry_run})
        else:
            click.echo(" ".join(words(facts)))

    def missing(self, number: str) -> None:
        """A number that stands for nothing is told and counted."""
        self._missing += 1
        say(f"{number}: there is no such number in this ledger.")

    def ended(self, what: str) -> int:
        """The sum is told; return the exit code."""
        failed = self._failed + self._missing
        if not self._done and not self._failed:
            say("Nothing is selected.")
            return NOT_FOUND
        would = "would be " if self._dry_run else ""
        say(f"{self._done} {would}{what}" + (f", {failed} could not be." if failed else "."))
        return DONE if not failed else SOME_FAILED if self._done else FAILED


def _decided(facts: dict[str, Any]) -> Iterator[str]:
    yield f"{facts['number']} {facts['spec']} {facts['key'] or ''} {facts['partner']}:"
    yield f"{facts['before']} → {facts['after']}" if facts["done"] else f"{facts['before']}, cannot:"
    if facts["note"]:
        yield f"({facts['note']})" if facts["done"] else facts["note"]


def _replayed(facts: dict[str, Any]) -> Iterator[str]:
    yield f"{facts['replay_of']} {facts['partner']} {facts['file']}:"
    if facts["trouble"]:
        yield f"cannot: {facts['trouble']}"
    elif facts["number"] is None:
        yield f"{facts['spec'] or 'unknown spec'}, would be taken in again"
    else:
        states = [one["state"] for one in facts["documents"]]
        yield f"→ {facts['number']}"
        yield ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) or "no documents"
        if facts["duplicate_of"]:
            yield f"(all of it stands as {facts['duplicate_of']})"
