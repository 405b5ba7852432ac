"""The demonstration: a day at the port in a minute, with real clients and nothing prepared.

A fresh home, the real daemon, and each authority in a box of its own: customs, a tax office, an exchange office, and
customs' caller for payment data.  Enterprises and a bank hand in real files through SFTP, folder and HTTP, a few of
them wrongly; and it is over when every answer has come home to the folder its file came from.
"""

import itertools
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paramiko

from gateway import drill
from gateway.clerk import clerk_at
from gateway.config import load_house
from gateway.home import filled, make_home
from gateway.showing import Act, Homecoming, answered, billed, books, counts
from gateway.showing_exchange import ExchangeAct
from gateway.showing_payments import PaymentAct
from gateway.showing_tax import TaxAct
from spool.aside import put
from spool.errors import ForOperator
from spool.ledger import Ledger

TRADES = 12
OF_A_DAY = 40
PATIENCE_SECONDS = 30.0
"""After so long in which nothing came home nothing more is waited for."""
BOXES = ("customs", "tax", "safe", "payment_data")
_DOORS = {"shop": "sftp", "pay": "http", "ship": "folder", "agent": "sftp"}


class DaemonDidNotStart(ForOperator):
    """The daemon of the demonstration did not open its doors"""


class NoSuchBox(ForOperator):
    """A misbehaviour is written AUTHORITY:NAME, and the authority has a box: customs, tax, safe or payment_data"""


class NotEveryReceiptHome(ForOperator):
    """The demonstration ended before every receipt was home"""


@dataclass(slots=True)
class Progress:
    """How far one kind of document has come."""

    spec: str
    partner: str
    door: str
    dropped: int = 0
    acknowledged: int = 0
    refused: int = 0
    sent: int = 0
    closed: int = 0
    receipts: int = 0

    @property
    def is_home(self) -> bool:
        """Whether everything dropped was answered for good."""
        return self.acknowledged >= self.dropped and self.closed + self.refused >= self.dropped


@dataclass(slots=True)
class Demonstration:
    """One run in one home."""

    home: Path
    trades: int = TRADES
    started: float = field(default_factory=time.monotonic)
    progress: dict[str, Progress] = field(default_factory=dict)
    behaviours: Sequence[str] = ()
    patience: float = PATIENCE_SECONDS
    acts: tuple[Act, ...] = ()
    standing: list[Homecoming] = field(default_factory=list)
    bills: int = 0
    """Tax bills and their sums (CEB816, CEB818) that came home; each released inventory has one of each."""
    first: int = field(default_factory=lambda: int(time.time()) % 10_000_000 * 10)
    _daemon: "subprocess.Popen[str] | None" = None
    _where: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """The home is made and the daemon has opened its doors."""
        now = datetime.now(UTC)
        # Any port: others that are shown, or tested, beside it want the usual ones in the same moment.
        make_home(self.home, now, demo=True, wanted={"sftp": 0, "http": 0})
        self._misbehave()
        paid = range(self.first, self.first + min(self.trades, 3))
        payments = PaymentAct(self.home, paid, self._post)
        self.acts = (TaxAct(self.home, lambda: datetime.now(UTC)), ExchangeAct(self.home, now, paid), payments)
        for act in self.acts:
            act.prepare()
        log = (self.home / "daemon.log").open("w")
        command = [sys.executable, "-m", "gateway.cli", "run", "--home", str(self.home)]
        self._daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._daemon.stdout is not None
        line = self._daemon.stdout.readline()
        if not line:
            raise DaemonDidNotStart(f"see {self.home / 'daemon.log'}")
        self._where = json.loads(line)
        for spec, partner in drill.SENDERS.items():
            self.progress[spec] = Progress(spec, partner, _DOORS[partner])

    def _misbehave(self) -> None:
        """The boxes do what was asked of them, in the order in which it was asked."""
        asked: dict[str, list[object]] = {}
        for one in self.behaviours:
            authority, _, behaviour = one.partition(":")
            if authority not in BOXES or not behaviour:
                raise NoSuchBox(one)
            asked.setdefault(authority, []).append(behaviour)
        for authority, behaviours in asked.items():
            file = self.home / f"simulators/{authority}.toml"
            put(file, filled(file.read_text("utf-8"), {"behaviours": behaviours}).encode(), 0o600)

    def drop(self) -> Iterator[str]:
        """Every trade is handed in, door by door; yield a sentence for each thing done."""
        start = self.first
        with self._sftp("shop") as shop, self._sftp("agent") as agent:
            for trade in range(start, start + self.trades):
                self._hand_in(shop, agent, str(trade), trade)
                yield f"trade {trade}: order by SFTP, payment by HTTP, waybill by folder, inventory by SFTP"
            self._hand_in(shop, agent, "of-a-day", start + self.trades, OF_A_DAY)
            yield f"{OF_A_DAY} trades more, {OF_A_DAY} documents in each message"
            self._upload(shop, "the-same-again.xml", drill.message("CEB311", start))
            yield "the first order once more: a duplicate, answered again and not declared again"
            wrong = drill.message("CEB311", start + self.trades + OF_A_DAY).replace(
                b"<ceb:currency>142<", b"<ceb:currency>USD<", 1
            )
            self._upload(shop, "wrong-currency.xml", wrong)
            self.progress["CEB311"].dropped += 1
            yield "an order in a wrong currency: refused with its reasons"
        for act in self.acts:
            yield from act.begin()

    def _hand_in(
        self, shop: paramiko.SFTPClient, agent: paramiko.SFTPClient, name: str, first: int, count: int = 1
    ) -> None:
        """So many whole trades: customs answers an order to its end only when the rest of its trade is there."""
        self._upload(shop, f"order-{name}.xml", drill.message("CEB311", first, count))
        self._post("pay", f"/v1/interchanges?name=payment-{name}.xml", drill.message("CEB411", first, count))
        put(self.home / "spool/partners/ship/in" / f"waybill-{name}.xml", drill.message("CEB511", first, count))
        self._upload(agent, f"inventory-{name}.xml", drill.message("CEB621", first, count))
        for one in self.progress.values():
            one.dropped += count

    def look(self) -> None:
        """The figures are those of the ledger and the folders."""
        ledger = Ledger(clerk_at(self.home), read_only=True)
        try:
            rows = ledger.all("document_counts")
            receipts = {row["spec"]: row["n"] for row in ledger.all("receipt_counts")}
            self.standing = [act.told(ledger) for act in self.acts]
        finally:
            ledger.close()
        for spec, one in self.progress.items():
            counts = {row["state"]: row["n"] for row in rows if row["spec"] == spec}
            one.acknowledged = sum(counts.values())
            one.refused, one.closed = counts.get("refused", 0), counts.get("closed", 0)
            one.sent = counts.get("sent", 0) + one.closed
            one.receipts = receipts.get(f"{spec[:-1]}2", 0)
        self.bills = receipts.get("CEB816", 0) + receipts.get("CEB818", 0)

    def wait(self, show: Callable[[], None]) -> Iterator[str]:
        """Every answer is home, or NotEveryReceiptHome is raised; yield a sentence for each thing done meanwhile."""
        has_gone_on = False
        before, since = "", time.monotonic()
        while True:
            self.look()
            show()
            if (stands := repr((self.progress, self.standing, self.bills))) != before:
                before, since = stands, time.monotonic()
            if all(one.is_home for one in self.progress.values()):
                if not has_gone_on:
                    has_gone_on = True
                    yield from itertools.chain.from_iterable(act.go_on() for act in self.acts)
                elif self._all_home():
                    self._check_folders()
                    return
            if time.monotonic() > since + self.patience or (self._daemon and self._daemon.poll() is not None):
                raise NotEveryReceiptHome(f"{self._missing()}; see {self.home / 'daemon.log'}")
            time.sleep(0.2)

    def _all_home(self) -> bool:
        return self.bills >= 2 * self.progress["CEB621"].closed and all(one.is_home for one in self.standing)

    def _missing(self) -> str:
        """What is not home, each with how much of it is."""
        found = [(one.spec, one.closed + one.refused, one.dropped) for one in self.progress.values()]
        found.append(("CEB816 CEB818", self.bills, 2 * self.progress["CEB621"].closed))
        found += [(one.authority, one.closed + one.refused, one.handed_in) for one in self.standing]
        return ", ".join(f"{name} {home}/{all_}" for name, home, all_ in found if home < all_)

    def _check_folders(self) -> None:
        """What the ledger says lies in out/ does lie there."""
        ledger = Ledger(clerk_at(self.home), read_only=True)
        try:
            for row in ledger.all("receipt_files"):
                if not (self.home / "spool/partners" / row["partner"] / "out" / row["file"]).is_file():
                    raise NotEveryReceiptHome(f"{row['partner']}/out/{row['file']}")
        finally:
            ledger.close()

    def picture(self) -> list[Homecoming]:
        """Return how each authority stands, customs first, with how many documents its own book has."""
        lines = books(self.home, {"customs": "customs", **{act.authority: act.box for act in self.acts}})
        told = {(line["spec"], line["key"]) for line in lines["customs"] if "key" in line}
        found = [replace(self._customs(), book=len(told))]
        for act, standing in zip(self.acts, self.standing, strict=True):
            entries = {act.entry(line) for line in lines[act.authority]} - {""}
            found.append(replace(standing, book=len(entries)))
        return found

    def _customs(self) -> Homecoming:
        ledger = Ledger(clerk_at(self.home), read_only=True)
        try:
            documents = answered(ledger, self.home, "customs")
            bills = tuple(billed(ledger, load_house(self.home), drill.order_no(self.first)))
        finally:
            ledger.close()
        gone, answers, closed, _ = counts(documents)
        refused, dropped = (
            sum(getattr(one, name) for one in self.progress.values()) for name in ("refused", "dropped")
        )
        told = [(one.partner, f"{one.spec[:-1]}2") for one in self.progress.values()] + [("agent", "CEB816")]
        where = tuple(f"spool/partners/{partner}/out/*.{spec}.xml" for partner, spec in told)
        example = {one.spec: str(one) for one in reversed(documents)}
        return Homecoming(
            "customs", "海关 customs", ", ".join(_DOORS), "sftp, http, folder", dropped, gone, answers, closed, refused,
            where, (*(example[spec] for spec in sorted(example)), *bills),
        )  # fmt: skip

    def stop(self) -> None:
        """The daemon has closed its doors, and no process of the demonstration lives."""
        try:
            if self._daemon is not None and self._daemon.poll() is None:
                self._daemon.terminate()
                self._daemon.wait(30)
        finally:
            for act in self.acts:
                act.end()

    def _sftp(self, partner: str) -> "Sftp":
        host, _, port = self._where["sftp"].rpartition(":")
        return Sftp(host, int(port), partner, self.home / "keys/partners" / partner / "ssh_key")

    @staticmethod
    def _upload(sftp: paramiko.SFTPClient, name: str, body: bytes) -> None:
        with sftp.open(f"/in/{name}", "wb") as file:
            file.set_pipelined(True)
            file.write(body)

    def _post(self, partner: str, path: str, body: bytes, kind: str = "application/xml") -> dict[str, Any]:
        token = (self.home / "keys/partners" / partner / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        request = urllib.request.Request(f"http://{self._where['http']}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own door
            acknowledgement: dict[str, Any] = json.load(answer)
            return acknowledgement


class Sftp:
    """A partner's SFTP session, as a context."""

    def __init__(self, host: str, port: int, partner: str, key: Path) -> None:
        self._client = paramiko.SSHClient()
        self._client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        self._client.connect(
            host, port, partner, pkey=paramiko.Ed25519Key.from_private_key_file(str(key)),
            allow_agent=False, look_for_keys=False,
        )  # fmt: skip

    def __enter__(self) -> paramiko.SFTPClient:
        return self._client.open_sftp()

    def __exit__(self, *error: object) -> None:
        self._client.close()
