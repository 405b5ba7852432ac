"""The demonstration: a day at the port in a minute, with real clients and nothing prepared.

A fresh home, the real daemon, a customs in a box; four enterprises hand in one
trade after the other through SFTP, folder and HTTP, a few of them wrongly; and
it is over when every receipt has come home to the folder its file came from.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paramiko

from gateway import drill
from gateway.clerk import clerk_at
from gateway.home import make_home
from gateway.showing import Act, Homecoming
from gateway.showing_exchange import ExchangeAct
from gateway.showing_tax import TaxAct
from spool.aside import put
from spool.errors import ForOperator
from spool.ledger import Ledger

TRADES = 12
OF_A_DAY = 40
DEADLINE_SECONDS = 90.0
_DOORS = {"shop": "sftp", "pay": "http", "ship": "folder", "agent": "sftp"}


class DaemonDidNotStart(ForOperator):
    """The daemon of the demonstration did not open its doors"""


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
    acts: tuple[Act, ...] = ()
    first: int = field(default_factory=lambda: int(time.time()) % 10_000_000 * 10)
    _daemon: "subprocess.Popen[str] | None" = None
    _went_on: bool = False
    _where: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """The home is made and the daemon has opened its doors."""
        now = datetime.now(UTC)
        make_home(self.home, now, demo=True)
        paid = range(self.first, self.first + min(self.trades, 3))
        self.acts = (TaxAct(self.home, now), ExchangeAct(self.home, now, paid))
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
        self._post("pay", f"payment-{name}.xml", drill.message("CEB411", first, count))
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
        finally:
            ledger.close()
        for spec, one in self.progress.items():
            counts = {row["state"]: row["n"] for row in rows if row["spec"] == spec}
            one.acknowledged = sum(counts.values())
            one.refused, one.closed = counts.get("refused", 0), counts.get("closed", 0)
            one.sent = counts.get("sent", 0) + one.closed
            one.receipts = receipts.get(f"{spec[:-1]}2", 0)

    def homecomings(self) -> list[Homecoming]:
        """Return how each other authority stands."""
        ledger = Ledger(clerk_at(self.home), read_only=True)
        try:
            return [act.told(ledger) for act in self.acts]
        finally:
            ledger.close()

    def wait(self, show: Callable[[], None]) -> Iterator[str]:
        """Every receipt is home, or NotEveryReceiptHome is raised; yield a sentence for each thing done meanwhile."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            self.look()
            show()
            if all(one.is_home for one in self.progress.values()):
                if not self._went_on:
                    self._went_on = True
                    for act in self.acts:
                        yield from act.go_on()
                if all(one.is_home for one in self.homecomings()):
                    self._check_folders()
                    return
            if time.monotonic() > deadline or (self._daemon and self._daemon.poll() is not None):
                raise NotEveryReceiptHome(f"see {self.home / 'daemon.log'}")
            time.sleep(0.2)

    def _check_folders(self) -> None:
        """What the ledger says lies in out/ does lie there."""
        ledger = Ledger(clerk_at(self.home), read_only=True)
        try:
            for row in ledger.all("receipt_files"):
                if not (self.home / "spool/partners" / row["partner"] / "out" / row["file"]).is_file():
                    raise NotEveryReceiptHome(f"{row['partner']}/out/{row['file']}")
        finally:
            ledger.close()

    def books_agree(self) -> tuple[int, int]:
        """Return how many documents the gateway declared and how many customs was told of; they must be the same."""
        command = [sys.executable, "-m", "gateway.cli", "simulate", "customs", "--book", "--json"]
        command += ["--home", str(self.home)]
        book = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        told = {(entry["spec"], entry["key"]) for entry in map(json.loads, book.splitlines()) if "key" in entry}
        declared = sum(one.closed for one in self.progress.values())
        return declared, len(told)

    def stop(self) -> None:
        """The daemon has closed its doors."""
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.terminate()
            self._daemon.wait(30)

    def _sftp(self, partner: str) -> "Sftp":
        host, _, port = self._where["sftp"].rpartition(":")
        return Sftp(host, int(port), partner, self.home / "keys/partners" / partner / "ssh_key")

    @staticmethod
    def _upload(sftp: paramiko.SFTPClient, name: str, body: bytes) -> None:
        with sftp.open(f"/in/{name}", "wb") as file:
            file.set_pipelined(True)
            file.write(body)

    def _post(self, partner: str, name: str, body: bytes) -> dict[str, Any]:
        token = (self.home / "keys/partners" / partner / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/xml"}
        url = f"http://{self._where['http']}/v1/interchanges?name={name}"
        request = urllib.request.Request(url, body, headers)
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
