"""`kouan run`: the daemon, in the foreground, until SIGTERM or Ctrl-C."""

import fcntl
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from gateway.cli.options import home_option
from gateway.cli.talk import FAILED, LOCKED, Stop


def steady(begun: float, monotonic: Callable[[], float]) -> Callable[[], float]:
    """Return a clock that shows `begun` at this moment and from then on only how much time has gone by.

    >>> ticks = iter([7.0, 7.5, 9.0])
    >>> clock = steady(1000.0, lambda: next(ticks))
    >>> clock(), clock()
    (1000.5, 1002.0)
    """
    away = begun - monotonic()
    return lambda: away + monotonic()


@click.command()
@home_option
def run(home: Path) -> None:
    """Open the doors of this home and stay; one JSON line on stdout says when they are open and where."""
    from gateway.config import load_house
    from gateway.hall import Hall, ignore_lease_signals, lock_path
    from gateway.logs import configure, log

    house = load_house(home)
    configure(house.kouan.logging.level, house.kouan.logging.form)
    ignore_lease_signals()
    lock = os.open(lock_path(home), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Stop(f"A daemon runs in {home} already. Stop it first, or name another home.", LOCKED) from None

    from twisted.internet import reactor
    from twisted.python.failure import Failure

    # Timers and distances go by a clock that nobody sets: one set back would stop intake and every timer for so long.
    # It begins with the time of day, because the HTTP door and the HTTP carrier read dates from it; after the time of
    # day was corrected these are off by as much until the next start.
    reactor.seconds = steady(time.time(), time.monotonic)  # type: ignore[method-assign]

    failed: list[Failure] = []

    def give_up(failure: Failure) -> None:
        failed.append(failure)
        log.error("hall.not_opened", trouble=failure.getTraceback())
        if reactor.running:
            reactor.stop()

    hall = Hall(reactor, house)
    reactor.callWhenRunning(lambda: hall.open().addErrback(give_up))
    reactor.addSystemEventTrigger("before", "shutdown", hall.close)
    reactor.run()
    sys.stdout.flush()
    if failed:
        raise Stop(f"The doors could not be opened: {failed[0].getErrorMessage()}", FAILED)
