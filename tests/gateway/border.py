"""A border in one process: our house on one side, customs' own counter and book on the other, under one clock.

Nothing here is a double: the clerk, the ledger and the store are the real ones, and so are the book, the law and the
receipts of the customs in a box.  What leaves us is told there, and what is said there comes into our folder.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.simulators.receipts import Answer, make
from gateway import dossiers
from gateway.telling import tell
from message_specs.dxp.envelope import unwrap
from spool.number import CHINA
from tests.adapters.simulators.port import Port, sample
from tests.crash.world import World
from tests.homes import with_trades
from tests.samples import AGENT, PAY, SHIP, SHOP, Party, guid

NOON = datetime(2026, 11, 23, 12, tzinfo=CHINA)
LATER = timedelta(minutes=1)
_PARTIES = {"shop": SHOP, "pay": PAY, "ship": SHIP, "agent": AGENT}
_SENDS = {"CEB303": "shop", "CEB403": "pay", "CEB505": "ship", "CEB507": "ship", "CEB509": "ship"}


def codes(told: Mapping[str, Any]) -> list[str]:
    """The codes of an acknowledgement's findings."""
    return [one["code"] for one in told["findings"]]


def states(told: Mapping[str, Any]) -> list[str]:
    """The states of an acknowledgement's documents."""
    return [one["state"] for one in told["documents"]]


def by(party: Party, body: bytes) -> bytes:
    """The same message, transmitted by this party."""
    head, mark, rest = body.decode().partition("BaseTransfer>")
    for name, text in (("copCode", party.code), ("copName", party.title), ("dxpId", party.dxp_id)):
        rest = re.sub(rf"({name}>)[^<]*", rf"\g<1>{text}", rest, count=1)
    return f"{head}{mark}{rest}".encode()


def nth(body: bytes, number: int) -> bytes:
    """The same of another trade on the same bill: 1 is that of the samples."""
    for before, after in ((b"00007001<", b"%08d<"), (b"0000007001</ceb:copNo", b"%010d</ceb:copNo")):
        body = body.replace(before, after % (7000 + number))
    return re.sub(rb"(\d03|505|603)07001-", rb"\g<1>%05d-" % (7000 + number), body)


class Border:
    """One house and one customs."""

    def __init__(self, home: Path, place: Path, *asked: str) -> None:
        self.world = World(with_trades(home), moment=NOON)
        self.port = Port(place, *asked)
        self.changes: Callable[[bytes], bytes] = bytes
        """What becomes of customs' answers on their way to us."""
        self.is_looking = True
        """Whether the house looks at what is due after it has met customs."""
        self.is_backwards = False
        """Whether the last answer of customs comes first."""
        self._files = 0

    def close(self) -> None:
        """This start of the house is over."""
        self.world.close()

    def restarts(self) -> None:
        """The house was stopped where it stood and is there again."""
        self.world.close()
        self.world = World(self.world.home, moment=self.world.moment)

    def comes(self, spec: str, body: bytes | None = None, *, sender: str = "", **changes: str) -> dict[str, Any]:
        """A message of its usual sender has come; return the acknowledgement."""
        who = sender or _SENDS.get(spec[:6], "agent")
        self._files += 1
        told = body if body is not None else sample(spec, **changes)
        self.world.drop(who, f"{spec}-{self._files}.xml", by(_PARTIES[who], told))
        (answer,) = self.world.take_in().values()
        return answer

    def trade(self, number: int = 1, **of: dict[str, str]) -> list[dict[str, Any]]:
        """Booking or order, payment, waybill and list of one trade have come."""
        return [self.comes(spec, nth(sample(spec, **of.get(spec, {})), number))
                for spec in ("CEB303", "CEB403", "CEB505", "CEB603")]  # fmt: skip

    def meets(self) -> list[str]:
        """What is due has left, and everything said of it has come; return the receipts' specs and statuses."""
        self.world.go_on()
        bodies = []
        for one in self.world.carry():
            envelope = unwrap(one.parcel.body)
            bodies.append(one.parcel.body if envelope is None else envelope.data)
        self.port.at = int(self.world.moment.timestamp() * 1000) + 1000
        if bodies:
            self.port.tell(*bodies)
        before = self._receipts()
        answers = list(self._answers())
        for answer in reversed(answers) if self.is_backwards else answers:
            self.world.drop("customs", answer.name, self.changes(answer.body))
            self.world.take_in()
        self.world.moment = max(self.world.moment, datetime.fromtimestamp(self.port.at / 1000 + 41, CHINA))
        if self.is_looking:
            self.looks()
        return self._receipts()[len(before) :]

    def looks(self) -> None:
        """Due trades and results are looked at until none is due, and partners are told."""
        while self.world.clerk.look():
            pass
        tell(self.world.home, self.world.ledger)

    def sleeps(self, until: datetime) -> None:
        """It is that time, and everything due has been looked at."""
        self.world.moment = until
        self.looks()

    def closes(self, *trades: int, **of: dict[str, str]) -> None:
        """These trades are on one bill, and closed."""
        for number in trades:
            self.trade(number, **of)
        self.meets()
        for spec in ("CEB607", "CEB507", "CEB509"):
            self.comes(spec)
            self.meets()

    def says(self, spec: str, unit: str, status: str, **fields: str) -> None:
        """Customs says something that its own law would not have said."""
        self.world.moment += LATER
        said = f"{self.world.moment.astimezone(CHINA):%Y%m%d%H%M%S}000"
        told = {"guid": guid("R", 1), **fields, "returnStatus": status, "returnInfo": "-", "returnTime": said}
        self.world.answer(f"{spec}-{said}.xml", spec, unit, told)
        self.world.take_in()
        self.looks()

    def gathers(self, *trades: int, sender: str = "", **changes: str) -> dict[str, Any]:
        """An application for these trades' lists has come, by the numbers that customs gave them."""
        numbers = [self.number(one) for one in trades]
        body = sample("CEB701", **changes)
        start, end = body.index(b"<ceb:SummaryApplyList>"), body.rindex(b"</ceb:SummaryApply>")
        lines = "".join(f"<ceb:SummaryApplyList><ceb:invtNo>{number}</ceb:invtNo></ceb:SummaryApplyList>"
                        for number in numbers)  # fmt: skip
        return self.comes("CEB701", body[:start] + lines.encode() + body[end:], sender=sender)

    def number(self, trade: int) -> str:
        """The number that customs gave the list of a trade, as our ledger knows it."""
        [(value,)] = self.world.rows(
            "SELECT value FROM given_number g JOIN document d USING (number, ordinal)"
            " WHERE g.kind = 'invtNo' AND d.key LIKE ?", f"%QD2611000000{7000 + trade}%",
        )  # fmt: skip
        return str(value)

    def dossier(self, trade: int = 1) -> dict[str, Any]:
        """Return what an operator is shown of a trade."""
        (found,) = dossiers.found(
            self.world.ledger, f"CK2026{7000 + trade:012d}", house=self.world.clerk.house,
            on=self.world.moment.astimezone(CHINA).date(),
        )  # fmt: skip
        return found

    def books(self) -> tuple[dict[str, str], dict[str, str]]:
        """How each list stands by our book, and by customs': the last status, void where it is cancelled."""
        rows = self.world.rows(
            "SELECT d.key, d.status, o.phase FROM document d JOIN paper p USING (number, ordinal)"
            " JOIN dossier o ON o.mark = p.dossier WHERE p.kind = 'inventory' AND d.state <> 'filed'"
        )
        ours = {key.split("|")[-1]: "void" if phase == "void" else status for key, status, phase in rows}
        theirs = {str(one["inventory"]).split("|")[-1]: str(one["state"]) for one in self.port.trades()}
        return ours, theirs

    def notices(self, partner: str) -> list[tuple[str, ...]]:
        """The codes of each notice that a partner has."""
        files = (self.world.home / "spool/partners" / partner / "out").glob("*.notice.json")
        return sorted(tuple(re.findall(r'"code":"(\w+)"', file.read_text("utf-8"))) for file in files)

    def stamps(self, desk: str) -> list[str]:
        """The reasons of everything that a desk stamped, in order."""
        rows = self.world.rows("SELECT reason FROM stamp WHERE desk = ? ORDER BY at, number", desk)
        return [reason for (reason,) in rows]

    def _answers(self) -> Iterator[Answer]:
        for moment in range(self.port.at, self.port.at + 40_000, 100):
            while due := self.port.book.due(moment, 100):
                for one in due:
                    yield make(one, self.port.book.booked(one.message), self.port.settings)
                self.port.book.sent(due, moment)
                self.world.moment = max(self.world.moment, datetime.fromtimestamp(moment / 1000, CHINA))

    def _receipts(self) -> list[str]:
        return [f"{spec[3:]} {status}" for spec, status in
                self.world.rows("SELECT spec, status FROM receipt ORDER BY id")]  # fmt: skip


def day(month: int, number: int, hour: int = 9) -> datetime:
    """A time of 2026 in China."""
    return NOON.replace(month=month, day=number, hour=hour)
