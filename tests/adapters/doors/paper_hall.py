"""A small honest hall on paper for tests of doors: it keeps what it is given in memory and answers from that."""

import json
from collections import defaultdict
from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from adapters.doors.hall import Caller, OnceConflict


class PaperHall:
    """A hall that takes in at once, or when told to (`holding`), or never (`trouble`)."""

    def __init__(self, **tokens: str) -> None:
        self.names = {sha256(token.encode()).hexdigest(): name for name, token in tokens.items()}
        self.taken: list[tuple[str, str, bytes, str | None]] = []
        self.trouble: Exception | None = None
        self.holding = False
        self.held: list[Deferred[None]] = []
        self.receipts_of: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.listeners: dict[str, list[Deferred[None]]] = defaultdict(list)
        self.is_ready = True
        self.admission: dict[str, str] = {"customs-token": ""}
        self.callers: list[Caller] = []

    def who(self, token_sha256: str) -> str | None:
        return self.names.get(token_sha256)

    def take_in(self, sender: str, file: str, body: bytes, once: str | None) -> Deferred[bytes]:
        if self.trouble is not None:
            return fail(self.trouble)
        if once and any(o == once and s == sender and b != body for s, _, b, o in self.taken):
            return fail(OnceConflict(once))
        self.taken.append((sender, file, body, once))
        number = f"{len(self.taken):018}"
        acknowledgement = json.dumps({"number": number, "file": file, "partner": sender}).encode()
        if not self.holding:
            return succeed(acknowledgement)
        synced: Deferred[None] = Deferred()
        self.held.append(synced)
        return synced.addCallback(lambda _: acknowledgement)

    def interchange(self, sender: str, number: str, after: int = 0) -> Deferred[dict[str, Any] | None]:
        place = int(number) + after - 1
        known = 0 <= place < len(self.taken) and self.taken[place][0] == sender
        return succeed({"number": number, "file": self.taken[place][1]} if known else None)

    def documents(self, sender: str, key: str) -> Deferred[list[dict[str, Any]]]:
        found = [{"key": key, "file": file} for owner, file, _, once in self.taken if owner == sender and once == key]
        return succeed(found)

    def document(self, sender: str, number: str) -> Deferred[dict[str, Any] | None]:
        return self.interchange(sender, number.partition(".")[0])

    def dossiers(self, sender: str, key: str) -> Deferred[list[dict[str, Any]]]:
        return succeed([{"order": once} for owner, _, _, once in self.taken if owner == sender and once == key])

    def receipts(self, sender: str, after: int, limit: int) -> Deferred[tuple[list[dict[str, Any]], int]]:
        if self.trouble is not None:
            return fail(self.trouble)
        page = self.receipts_of[sender][after : after + limit]
        return succeed((page, after + len(page)))

    def receipts_news(self, sender: str) -> Deferred[None]:
        news: Deferred[None] = Deferred(self.listeners[sender].remove)
        self.listeners[sender].append(news)
        return news

    def settle(self, sender: str, **receipt: Any) -> None:
        """Let a receipt come for this sender."""
        self.receipts_of[sender].append(receipt)
        heard, self.listeners[sender] = self.listeners[sender], []
        for news in heard:
            news.callback(None)

    def admits(self, caller: Caller) -> str:
        self.callers.append(caller)
        return self.admission.get(caller.token, "token")

    def ask_payment(self, caller: Caller, body: bytes) -> Deferred[bytes]:
        if self.trouble is not None:
            return fail(self.trouble)
        self.taken.append((caller.platform, "platDataOpen", body, None))
        return succeed(b'{"code":"10000","message":"","serviceTime":1}')

    def file_payments(self, sender: str, body: bytes) -> Deferred[dict[str, Any] | None]:
        if self.trouble is not None:
            return fail(self.trouble)
        self.taken.append((sender, "payment-data", body, None))
        return succeed({"kept_until": "2029", "payments": []} if body.startswith(b"[") else None)

    def ready(self) -> tuple[bool, dict[str, Any]]:
        return self.is_ready, {"ledger": "open" if self.is_ready else "locked"}

    def metrics(self) -> bytes:
        return b"kouan_taken_total %d\n" % len(self.taken)
