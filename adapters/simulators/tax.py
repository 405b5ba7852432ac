"""A tax office in a box: `python -m adapters.simulators.tax --config FILE [--behaviour NAME[=arg] ...]`.

It takes declarations (TAX101, TAX201) from a folder, judges them by its own law, books them, and puts its verdicts
into another folder.  When it looks it prints one line `{"event": "ready", …}`.  `--book [--json]` prints its book: one
line a declaration told to it.

The file (paths relative to it; `state`, `inbox` and `answers` must be there)::

    state = "tax"                       # its book, and the files it has taken
    inbox = "../spool/authorities/tax/out"
    answers = "../spool/authorities/tax/in"
    tied = false                        # true: it ends with the process that started it
    behaviours = []                     # like --behaviour
    exports = []                        # the exports that customs has told it of; none: every one is believed

    [rates]                             # rates of refund by code; every other is believed
    "6109100021" = "13"

**Known limits.** A file that is no declaration of anybody is put aside and not answered: there is nobody to answer.
"""

import json
import os
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from twisted.internet import reactor, task

from adapters.simulators.arguments import parser_for
from adapters.simulators.tax_law import Law
from adapters.simulators.tax_rounds import NAMES, Behaviour, Office, UnknownBehaviour, behaviour

_REACTOR: Any = reactor
_EVERY = 0.1


class NotUnderstood(Exception):  # noqa: N818  it tells what happened to the file
    """The file cannot be understood; the text says where and why"""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    state: Path
    inbox: Path
    answers: Path
    tied: bool = False
    behaviours: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    rates: dict[str, str] = field(default_factory=dict)


def load(file: Path) -> Settings:
    """Return the settings of `file`; `NotUnderstood` names what is wrong."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotUnderstood(f"{file}: {error}") from error
    known = {one.name for one in fields(Settings)}
    places = ("state", "inbox", "answers")
    if wrong := [*(set(table) - known), *(set(places) - set(table))]:
        raise NotUnderstood(f"{file}: unknown or missing key {wrong[0]}")
    for name in places:
        table[name] = file.absolute().parent / table[name]
    return Settings(**table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the office until told to stop, or print the book; return the exit code."""
    asked = parser_for("tax", "A tax office in a box.", NAMES).parse_args(arguments)
    try:
        settings = load(Path(asked.config))
        wanted = behaviour([*settings.behaviours, *asked.behaviour])
    except (NotUnderstood, UnknownBehaviour) as error:
        print(error, file=sys.stderr)
        return 2
    law = Law(settings.rates, frozenset(settings.exports))
    office = Office(settings.state, settings.inbox, settings.answers, law, wanted)
    if asked.book or asked.json:
        for line in office.told():
            print(json.dumps(line, ensure_ascii=False) if asked.json else "  ".join(map(str, line.values())))
        return 0
    return _run(office, settings, wanted)


def _run(office: Office, settings: Settings, wanted: Behaviour) -> int:
    office.open()
    parent = os.getppid()
    failed: list[object] = []

    def look() -> None:
        if settings.tied and os.getppid() != parent:
            _REACTOR.stop()
            return
        office.look(_REACTOR.seconds())

    def broken(failure: Any) -> None:
        failed.append(failure)
        print(failure.getTraceback(), file=sys.stderr)
        _REACTOR.stop()

    def start() -> None:
        looking: Any = task.LoopingCall(look)
        looking.start(_EVERY).addErrback(broken)
        print(json.dumps({"event": "ready", "inbox": str(settings.inbox), "asked": str(wanted)}), flush=True)

    _REACTOR.callWhenRunning(start)
    _REACTOR.run()
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
