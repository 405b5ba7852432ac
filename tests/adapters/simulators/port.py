"""The counter of the customs in a box without its process: what it is told, when, and what it answers."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.simulators import trade_reading
from adapters.simulators.behaviours import behaviours
from adapters.simulators.book import Book
from adapters.simulators.counter import Arrival, Counter
from adapters.simulators.judging import TAKEN, Told, unit
from adapters.simulators.receipts import Due, make
from adapters.simulators.settings import Settings
from message_specs.opening import open_message
from message_specs.schema import compiled

NOON = 1_795_233_600_000  # 2026-11-21 12:00 in China
DAY = 86_400_000
_NUMBERS = ("orderNo", "payTransactionId", "logisticsNo", "copNo", "coElNo")


class Port:
    """One customs at a time of our choosing; whatever is told together is one transaction."""

    def __init__(self, place: Path, *asked: str, published: bool = True) -> None:
        self._strict = published
        self.book = Book(place)
        delays = dict.fromkeys(("2", "120", "300", "399", "500", "800", "899", "816", "818", "792"), 1.0)
        settings = Settings(place / "box.toml", place, wrap_answers=False, seed="7", delays=delays)
        self.place, self.settings, self.at = place, settings, NOON
        self.counter = Counter(self.book, settings, behaviours(asked), ThreadPoolExecutor(1))
        self._told = 0

    def tell(self, *bodies: bytes, sender: str = "S") -> "Port":
        """These have been told together, a minute after what was told before."""
        self.at += 60_000
        told = [self._told_of(body, sender) for body in bodies]
        arrivals = [Arrival(body, "folder", f"{self._told}.{n}") for n, body in enumerate(bodies)]
        self._told += 1
        self.counter.write(arrivals, told, self.at)
        return self

    def heard(self, *, until: int | None = None) -> list[str]:
        """What it has said since the last look, document by document: `CEB312 YX2026… 120`."""
        return [f"{code[:6]} {number} {status}" for code, number, status, _ in self.units(until)]

    def statuses(self, *, until: int | None = None) -> list[str]:
        """What it has said since the last look, without the numbers."""
        return [f"{code[3:6]} {status}" for code, _, status, _ in self.units(until)]

    def units(self, until: int | None = None) -> list[tuple[str, str, str, etree._Element]]:
        """Every unit said since the last look, in order; each message of them has its published structure."""
        found = []
        for moment in range(self.at, until or self.at + 40_000, 100):
            while due := self.book.due(moment, 100):
                for one in due:
                    root = self._made(one)
                    name = etree.QName(root).localname
                    found += [(name, _number(part), _status(part), part) for part in root]
                self.book.sent(due, moment)
        return found

    def trades(self) -> list[dict[str, Any]]:
        """What its book says of trades."""
        return list(trade_reading.lines(self.place, self.at + 60_000))

    def _made(self, due: Due) -> etree._Element:
        root = etree.fromstring(make(due, self.book.booked(due.message), self.settings).body)
        schema = compiled(etree.QName(root).localname, "202205")
        assert not self._strict or schema.validate(root), (schema.error_log, etree.tostring(root, encoding="unicode"))
        return root

    def _told_of(self, body: bytes, sender: str) -> Told:
        opened = open_message(body)
        assert opened.spec is not None
        units = tuple(unit(document.element, opened.spec, "202205", kept=True) for document in opened.documents)
        plain = Told(TAKEN, hashlib.sha256(body).hexdigest(), sender, "M", opened.root_name or "", opened.guid or "")
        return replace(plain, spec=opened.spec.code, units=units)


def sample(name: str, **changes: str) -> bytes:
    """A good sample, with the texts of some elements changed: of each name the first element."""
    body = files("message_specs").joinpath("ceb", "samples", "good", f"{name}.xml").read_bytes()
    return changed(body, **changes)


def changed(body: bytes, **changes: str) -> bytes:
    """A message in which the first element of each name has another text."""
    root = etree.fromstring(body)
    for name, text in changes.items():
        element = root.find(f".//{{*}}{name}")
        assert element is not None, name
        element.text = text
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _number(part: etree._Element) -> str:
    return next((text for name in (*_NUMBERS, "sumNo", "invtNo") if (text := part.findtext(f".//{{*}}{name}"))), "")


def _status(part: etree._Element) -> str:
    names = ("returnStatus", "status", "decState")
    return next(text for name in names if (text := part.findtext(f".//{{*}}{name}")))
