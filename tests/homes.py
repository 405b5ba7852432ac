"""Homes for tests: a demo home made once a process and copied, and a clerk who takes files in without a daemon.

Nothing here is a double: the keys, the ledger, the store and the clerk are the real ones.
"""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from gateway.clerk import Clerk, clerk_at
from gateway.config import load_house
from gateway.dispatch import Outgoing
from gateway.home import SAMPLE, make_home
from gateway.resuming import resume
from message_specs import writing
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from spool.number import SEQUENCE, Numbers

_BEGINS = datetime(2026, 11, 14, tzinfo=UTC)


def now() -> datetime:
    """The time of this machine, as the commands under test see it."""
    return datetime.now(UTC)


@cache
def _made() -> Path:
    folder = tempfile.mkdtemp(prefix="kouan-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # The keys are good on the days on which tests with a clock of their own begin, and today.
    home = make_home(Path(folder) / "home", min(now() - timedelta(days=1), _BEGINS), demo=True)
    every_document_alone(home)
    Ledger(clerk_at(home)).close()
    return home


def every_document_alone(home: Path) -> None:
    """No document waits for the others of its trade: what is not about trades is told with single documents."""
    (home / "journeys.csv").write_text("mode,kind,desks,note\n*,*,check,\n", "utf-8")


def with_trades(home: Path) -> Path:
    """The journeys of the sample configuration hold in this home: an inventory waits for its fellows."""
    (home / "journeys.csv").write_bytes((SAMPLE / "journeys.csv").read_bytes())
    return home


def demo_home(tmp_path: Path) -> Path:
    """A demo home of the test's own: partners shop, pay, ship and agent, their keys, an empty ledger."""
    return Path(shutil.copytree(_made(), tmp_path / "home"))


def book(home: Path) -> Ledger:
    """The ledger of a home, to read."""
    return Ledger(clerk_at(home), read_only=True)


def clerk(home: Path, *, clock: Callable[[], datetime] = now) -> Clerk:
    """A clerk of this home whose messages' numbers follow those of the ledger."""
    ledger = Ledger(clerk_at(home))
    return Clerk(load_house(home), ledger, now=clock, numbers=_numbers(ledger, "last_message", clock, 500_000))


def take_in(
    home: Path, sender: str, file: str, body: bytes, *, door: str = "folder", clock: Callable[[], datetime] = now
) -> dict[str, Any]:
    """The bytes are taken in as if the sender had dropped them; his acknowledgement is returned."""
    one = clerk(home, clock=clock)
    number = _numbers(one.ledger, "last_number", clock, 0).take(1)[0]
    parting = one.take_in(Batch(number, number, number, (Claim(number, sender, door, file, body=body),)))
    one.ledger.close()
    told: dict[str, Any] = json.loads(parting.answers[number])
    return told


def carry(home: Path, authority: str = "customs", *, clock: Callable[[], datetime] = now) -> int:
    """Everything due has left for the authority as if its carrier had taken it; return how many messages left."""
    from adapters.carriers.carrier import Carried

    one = clerk(home, clock=clock)
    outgoing = Outgoing(one.ledger, one.store, one.house.authority(authority))
    leaving = outgoing.due(clock())
    gone = outgoing.told(leaving, [Carried(each.parcel.number, True, "", "", False) for each in leaving], clock())
    one.ledger.close()
    return gone


def go_on(home: Path, *, clock: Callable[[], datetime] = now) -> int:
    """Due documents have gone on, as the daemon sees to it every second; return how many were looked at."""
    one = clerk(home, clock=clock)
    count = resume(*one.resources(), clock())
    one.ledger.close()
    return count


def answer(
    home: Path, spec: str, unit: str, *fields: dict[str, str], clock: Callable[[], datetime] = now
) -> dict[str, Any]:
    """Customs has said this about documents, one set of fields each; the answer's acknowledgement is returned."""
    body = writing.receipt(f"{spec}Message", "", [(unit, one) for one in fields])
    return take_in(home, "customs", f"{spec}.xml", body, clock=clock)


def _numbers(ledger: Ledger, name: str, clock: Callable[[], datetime], first: int) -> Numbers:
    row = ledger.one(name)
    last = (row["number"] if row else None) or 0
    return Numbers(clock, after=(last // SEQUENCE + 1) * SEQUENCE - 1 if last else 0, first=first)
