"""A home, its partners' folders and its authority as a test plays them; the clerk, the ledger and the store are real.

`take_in` is a batch as the reception makes it.  A stop throws clerk and ledger away where they stand, as a power
cut would; `World` opened again on the same home recovers as gateway.hall does.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.carriers.carrier import Carried
from adapters.doors.folder import FolderDoor, Law
from gateway.book import ledger_of
from gateway.clerk import Clerk
from gateway.config import load_house
from gateway.dispatch import Leaving, Outgoing
from gateway.drawing import goods_came
from gateway.recovering import recover
from gateway.settling import iso
from gateway.telling import quiet
from message_specs import writing
from spool.interchange import Batch, Claim
from spool.number import SEQUENCE, Numbers
from tests.homes import now

PARTNERS = ("shop", "pay", "ship", "agent")
START = now().replace(microsecond=0)


class PowerCut(BaseException):
    """The world stops here; nothing that runs may catch it"""


class Stop:
    """A pulse that cuts the power the n-th time that a step comes by, and counts the steps otherwise."""

    def __init__(self, step: str = "", count: int = 1) -> None:
        self._step, self._left = step, count
        self.seen: list[str] = []

    def __call__(self, step: str) -> None:
        self.seen.append(step)
        if step == self._step:
            self._left -= 1
            if self._left == 0:
                raise PowerCut(step)


class World:
    """One start of the house on a home folder."""

    def __init__(self, home: Path, *, moment: datetime = START, pulse: Callable[[str], None] = quiet) -> None:
        """Everything that an earlier start left is recovered, as gateway.hall does it before a door opens."""
        self.home = home
        self.moment = moment
        self.pulse = pulse
        self.ledger = ledger_of(home)
        left = recover(home, self.ledger)
        self.numbers = Numbers(self.now)
        self.numbers.go_on_after(left.last_number)
        given = [row["number"] or 0 for name in ("last_message", "last_number") if (row := self.ledger.one(name))]
        after = (max(given) // SEQUENCE + 1) * SEQUENCE - 1 if max(given, default=0) else 0
        lane = Numbers(self.now, after=after, first=500_000)
        self.lane = lane
        self.clerk = Clerk(load_house(home), self.ledger, now=self.now, numbers=lane, pulse=pulse)
        self.set_aside = left.set_aside
        self.recovered = left.claims
        self.door = FolderDoor(Law())
        for sender, folder in self.inboxes().items():
            self.door.watch(sender, str(folder))
        if left.claims:
            first, last = left.claims[0].number, left.claims[-1].number
            self.clerk.take_in(Batch(first, last, first, left.claims))
        parting, _ = self.clerk.let_go_again()
        assert parting.troubles == []
        for claim in left.tables:
            batch = Batch(claim.number, claim.number, claim.number, (claim,))
            while self.clerk.is_unfinished(claim.number):
                self.clerk.go_on(batch)

    def now(self) -> datetime:
        """The world's own clock: every look at it takes a millisecond."""
        self.moment += timedelta(milliseconds=1)
        return self.moment

    def inboxes(self) -> dict[str, Path]:
        """Where the house looks for files, by sender."""
        boxes = {name: self.home / "spool/partners" / name / "in" for name in PARTNERS}
        houses = {name: self.home / "spool/authorities" / name / "in" for name in self.clerk.house.authorities}
        return {**boxes, **houses}

    def close(self) -> None:
        """This start is over; the home stays as it is."""
        self.ledger.close()

    # what the outside does

    def drop(self, sender: str, file: str, body: bytes) -> None:
        """The sender has put a whole file into his folder."""
        aside = self.home / "aside"
        aside.write_bytes(body)
        aside.rename(self.inboxes()[sender] / file)

    def answer(self, file: str, spec: str, unit: str, *units: Mapping[str, str]) -> None:
        """Customs has put an answer with these units into its folder."""
        self.drop("customs", file, writing.receipt(f"{spec}Message", "", [(unit, one) for one in units]))

    # what the house does

    def take_in(self) -> dict[int, dict[str, Any]]:
        """Everything dropped and whole is taken in as one batch; the acknowledgements are returned."""
        found = self.door.look(self.moment.timestamp(), 100_000)
        if not found:
            return {}
        numbers = self.numbers.take(len(found))
        claims = [Claim(n, one.sender, "folder", one.file, one.path) for n, one in zip(numbers, found, strict=True)]
        parting = self.clerk.take_in(Batch(numbers[0], numbers[-1], numbers[0], tuple(claims)))
        for one in found:
            self.door.taken(one.sender, one.file)
        return {number: json.loads(body) for number, body in parting.answers.items()}

    def post(self, sender: str, body: bytes, once: str | None = None) -> bytes | None:
        """The sender has posted these bytes at the HTTP door; return what he hears."""
        number = self.numbers.take(1)[0]
        claim = Claim(number, sender, "http", f"{number}.xml", body=body, once=once)
        return self.clerk.take_in(Batch(number, number, number, (claim,))).answers.get(number)

    def outgoing(self) -> Outgoing:
        """The outbox of customs."""
        return Outgoing(self.ledger, self.clerk.store, self.clerk.house.authority("customs"))

    def carry(self, result: Callable[[Leaving], Carried] | None = None) -> list[Leaving]:
        """What is due has been tried once, with this result each; by default customs has taken all of it."""
        outgoing = self.outgoing()
        leaving = outgoing.due(self.now())
        carried = result or (lambda one: Carried(one.parcel.number, ok=True, acknowledgement="OK"))
        outgoing.told(leaving, [carried(one) for one in leaving], self.now())
        return leaving

    def go_on(self) -> int:
        """Documents whose date has come have gone on."""
        return self.clerk.resume()

    def tell(self) -> set[str]:
        """What partners are to hear of their trades lies in their folders."""
        return self.clerk.tell()

    def look(self) -> int:
        """Trades whose date has come are looked at, their inventories drawn up, and partners told."""
        count = self.clerk.look()
        self.tell()
        return count

    def reload(self) -> None:
        """The configuration is read anew, as a worker does it."""
        self.clerk = Clerk(load_house(self.home), self.ledger, now=self.now, numbers=self.lane, pulse=self.pulse)
        goods_came(self.ledger, self.clerk.house, iso(self.now()))

    # what can be seen

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the ledger answers."""
        return [tuple(row) for row in self.ledger.conn.execute(sql, values)]

    def files(self) -> dict[str, bytes]:
        """Everything that lies in the partners' folders."""
        return contents(self.home / "spool/partners")


def copied(home: Path, target: Path) -> Path:
    """A copy of a home and everything in it."""
    return Path(shutil.copytree(home, target))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


_PLACES = (
    (re.compile(rb"\b\d{18}\b"), "N"),
    (re.compile(rb"\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b"), "G"),
    (re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+08:00)?"), "T"),
    (re.compile(rb"\b20\d{15}\b"), "T"),
)


class Placeholders:
    """Gives numbers, guids and times of one ending the same names as those of another, in order of appearance."""

    def __init__(self, keep: Sequence[bytes] = ()) -> None:
        """What stands in `keep` is no invention of the house and stays as it is."""
        self._names: dict[bytes, bytes] = {}
        self._count: dict[str, int] = {}
        self._kept = b"\n".join(keep)

    def __call__(self, text: bytes) -> bytes:
        for pattern, letter in _PLACES:
            text = pattern.sub(lambda found, letter=letter: self._name(found[0], letter), text)
        return text

    def _name(self, found: bytes, letter: str) -> bytes:
        if letter == "T":
            return b"{T}"
        if found in self._kept:
            return found
        if found not in self._names:
            self._count[letter] = self._count.get(letter, 0) + 1
            self._names[found] = f"{{{letter}{self._count[letter]}}}".encode()
        return self._names[found]


def fields(order: int, status: str, second: int = 0, info: str = "") -> dict[str, str]:
    """What customs says of the order of a trade."""
    from tests import samples

    return {
        "guid": samples.guid("R", order * 100 + second), "ebpCode": samples.SHOP.code, "ebcCode": samples.SHOP.code,
        "orderNo": samples.trade(order)["orderNo"], "returnStatus": status,
        "returnTime": f"202611211700{second:02d}000", "returnInfo": info or f"[{status}]",
    }  # fmt: skip


def chains(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[str, str]]]:
    """The moves of every document, from (number, ordinal, from, to) in order."""
    told: dict[str, list[tuple[str, str]]] = {}
    for number, ordinal, before, after in rows:
        told.setdefault(f"{number}.{ordinal}", []).append((before, after))
    return told


def is_file_of(path: str, ending: str) -> bool:
    """Whether a path of the partners' folders has this ending in out/."""
    return path.split(os.sep)[1] == "out" and path.endswith(ending)
