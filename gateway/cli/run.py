"""`kouan run`: the daemon, in the foreground, until SIGTERM or Ctrl-C."""

import fcntl
import os
import sys
from pathlib import Path

import click

from gateway.cli.options import home_option
from gateway.cli.talk import FAILED, LOCKED, Stop


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
