"""Enquiries: the house as the doors see it; who is who, what has become of what, and is there room."""

import hmac
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from twisted.internet.defer import Deferred, fail
from twisted.internet.threads import deferToThreadPool

from adapters.doors.hall import Caller, DiskNearlyFull, Suspended
from adapters.doors.sftp_accounts import SftpAccount
from gateway import dossiers, reading
from gateway.config import House
from gateway.payment_calls import Calls
from gateway.reception import Reception
from spool import number as numbers
from spool.ledger import Ledger


class Enquiries:
    """Answers the doors; asks the ledger in a thread of its own."""

    def __init__(
        self,
        reactor: Any,
        pool: Any,
        ledger: Ledger,
        house: Callable[[], House],
        reception: Reception,
        calls: Calls | None = None,
    ) -> None:
        self._reactor = reactor
        self._pool = pool
        self._ledger = ledger
        self._house = house
        self._reception = reception
        self._calls = calls
        self._polls: dict[str, set[Deferred[None]]] = {}
        self.room = True
        self.open = False

    # the HTTP door

    def who(self, token_sha256: str) -> str | None:
        """Return whose bearer token this is."""
        house = self._house()
        partner = house.partner_by_token(token_sha256)
        if partner is not None and any(hmac.compare_digest(token_sha256, one) for one in partner.tokens):
            return partner.name
        authority = house.authority_by_token(token_sha256)
        return authority.name if authority else None

    def take_in(self, sender: str, file: str, body: bytes, once: str | None) -> "Deferred[bytes]":
        """Return what fires with the acknowledgement once bytes and row are synced."""
        partner = self._house().partners.get(sender)
        refusal = DiskNearlyFull() if not self.room else Suspended() if partner and partner.suspended else None
        if refusal is not None:
            return fail(refusal)
        return self._reception.receive(sender, "http", file, body, once)

    def _ask(self, question: Callable[..., Any], *values: object) -> "Deferred[Any]":
        return deferToThreadPool(self._reactor, self._pool, question, self._ledger, *values)

    def interchange(self, sender: str, number: str, after: int = 0) -> "Deferred[dict[str, Any] | None]":
        """Return what fires with this sender's interchange; of a long table with the documents after an ordinal."""
        return self._ask(reading.interchange, _number(number)[0], sender, after)

    def documents(self, sender: str, key: str) -> "Deferred[list[dict[str, Any]]]":
        """Return what fires with this sender's documents of a key."""
        return self._ask(reading.documents, key, sender)

    def document(self, sender: str, number: str) -> "Deferred[dict[str, Any] | None]":
        """Return what fires with this sender's document."""
        whole, ordinal = _number(number)
        return self._ask(reading.document, whole, ordinal or 1, sender)

    def dossiers(self, sender: str, key: str) -> "Deferred[list[dict[str, Any]]]":
        """Return what fires with the trades of a key in which this sender has a document."""
        house = self._house()
        return deferToThreadPool(
            self._reactor, self._pool, dossiers.found, self._ledger, key, sender, house=house, on=None
        )

    def receipts(self, sender: str, after: int, limit: int) -> "Deferred[tuple[list[dict[str, Any]], int]]":
        """Return what fires with the receipts after a cursor."""
        return self._ask(reading.receipts, sender, after, limit)

    def receipts_news(self, sender: str) -> "Deferred[None]":
        """Return what fires when this sender may have a new receipt."""
        polls = self._polls.setdefault(sender, set())
        done: Deferred[None] = Deferred(polls.discard)
        polls.add(done)
        return done

    def tell_news(self, partners: Iterable[str]) -> None:
        """Whoever polls for these partners looks again."""
        for partner in partners:
            for poll in self._polls.pop(partner, set()):
                poll.callback(None)

    def admits(self, caller: Caller) -> str:
        """Return why a caller may not ask for payment data, "" where he may."""
        return self._calls.admits(caller) if self._calls else "closed"

    def ask_payment(self, caller: Caller, body: bytes) -> "Deferred[bytes]":
        """Return what fires with what customs is told of its question."""
        if not self.room or self._calls is None:
            return fail(DiskNearlyFull())
        return self._calls.ask(caller, body)

    def file_payments(self, sender: str, body: bytes) -> "Deferred[dict[str, Any] | None]":
        """Return what fires with what became of the raw payment data that a partner files."""
        partner = self._house().partners.get(sender)
        if partner is None or partner.suspended:
            return fail(Suspended())
        if not self.room or self._calls is None:
            return fail(DiskNearlyFull())
        return self._calls.file(sender, body)

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Say whether the house takes responsibility for bytes."""
        crew = self._reception.crew
        workers = len(crew.pids) if crew else 0
        facts = {"open": self.open, "disk": self.room, "workers": workers, "waiting": len(self._reception)}
        return self.open and self.room and workers > 0, facts

    def metrics(self) -> bytes:
        """Return the figures of the house for Prometheus."""
        registry = CollectorRegistry()
        reception = self._reception
        figures = {
            "kouan_interchanges_taken_in": ("Interchanges taken in since the start", reception.taken_in),
            "kouan_batches": ("Batches written since the start", reception.batches),
            "kouan_batch_seconds": ("Seconds that batches took, together", reception.seconds),
            "kouan_intake_waiting": ("Interchanges that wait for their turn", len(reception)),
            "kouan_batches_in_flight": ("Batches with workers", reception.in_flight),
            "kouan_intake_troubles": ("Batches that failed for a trouble of ours", reception.troubles),
            "kouan_disk_has_room": ("1 while the disk has room for intake", int(self.room)),
        }
        for name, (text, value) in figures.items():
            Gauge(name, text, registry=registry).set(value)
        return generate_latest(registry)

    # the SFTP door

    def find(self, name: str) -> SftpAccount | None:
        """Return the partner's account at the SFTP door."""
        house = self._house()
        partner = house.partners.get(name)
        if partner is None:
            return None
        settings = house.kouan.sftp
        return SftpAccount(
            name, mailbox_root(house.home, name), tuple(line.encode() for line in partner.ssh_keys), partner.suspended,
            settings.quota_bytes, settings.quota_files, settings.sessions_per_partner,
        )  # fmt: skip

    def may_take(self) -> bool:
        """Tell whether the disk has room."""
        return self.room


def mailbox_root(home: Path, partner: str) -> Path:
    """Return the folder of a partner's mailbox."""
    return home / "spool" / "partners" / partner


def _number(text: str) -> tuple[int, int | None]:
    try:
        return numbers.parse(text)
    except ValueError:
        return 0, None
