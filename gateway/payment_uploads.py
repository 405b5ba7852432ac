"""Uploads: what customs asked for is sealed once, leaves as the same bytes at every attempt, and its answer is kept.

What is lacking (an order, a payment, raw data, a key in force) is looked for again by the plan of `[payment_data]`;
so is customs that is away or says 20000.  When the plan is at its end, or customs names another error, the session is
held with its reason for `kouan payments send`.  A crash repeats an upload and never makes another one.

**Known limits.**  A round ends with its slowest upload, and the next sessions wait for it; what is lacking is looked
for at its next date, only what partners file wakes it before.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from traceback import format_exc
from typing import Any, Final

from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks
from twisted.internet.threads import deferToThreadPool

from adapters.payment_data import PaymentDataCarrier, Uploaded
from gateway.config import House
from gateway.logs import log
from gateway.payment_sealing import Sealed, sealed
from gateway.raw_payments import kept_until
from gateway.settling import iso
from message_specs.findings import Finding, finding
from message_specs.pay179.said import said
from spool.backoff import Plan
from spool.ledger import Ledger

_LOOKED_AT: Final = 32
"""So many sessions are looked at in a turn of the thread that also answers customs."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """One upload on its way: whose session, the how many-th attempt before it, and its bytes."""

    session: str
    upload: int
    attempts: int
    body: bytes


class Uploads:
    """The sessions of one home, as the thread that asks the ledger sees them."""

    def __init__(self, ledger: Ledger, house: House) -> None:
        settings = house.kouan.payment_data
        self._ledger = ledger
        self._house = house
        self._settings = settings
        self._plan = Plan(settings.first_seconds, 2.0, settings.most_seconds, attempts=settings.attempts)

    def due(self, now: datetime) -> list[Leaving]:
        """Return what may leave now; what cannot be sealed has its next date, or is held, with the reason.

        What cannot leave takes the place of nothing that can.
        """
        leaving: list[Leaving] = []
        for row in self._ledger.all("payment_inquiries_due", iso(now), _LOOKED_AT):
            if len(leaving) == self._settings.at_once:
                break
            if row["state"] == "asked":
                self._seal(row, now)
            upload = self._ledger.one("last_payment_upload", row["session"])
            known = self._ledger.one("payment_inquiry", row["session"])
            if upload is not None and known is not None and known["state"] == "sealed":
                leaving.append(Leaving(row["session"], upload["id"], known["attempts"], upload["body"]))
        return leaving

    def is_anything_due(self, now: datetime) -> bool:
        """Tell whether there is more to look at."""
        return bool(self._ledger.all("payment_inquiries_due", iso(now), 1))

    def _seal(self, row: sqlite3.Row, now: datetime) -> None:
        session = row["session"]
        platform = self._house.partners.get(row["platform"])
        if platform is None:
            found: Sealed | tuple[Finding, ...] = (finding("D112", partner=row["platform"], reason="partners/"),)
        else:
            try:
                found = sealed(self._ledger, self._house, platform, session, row["order_no"], now)
            except Exception:  # noqa: BLE001  one session that we fail on keeps no other waiting
                log.error("payment_data.mistake", session=session, trouble=format_exc())
                found = (finding("K105"),)
        with self._ledger.writing():
            if isinstance(found, Sealed):
                self._ledger.run(
                    "add_payment_upload", session, iso(now), kept_until(now, self._settings.keep_years), found.guid,
                    found.pay_code, found.transaction_id, " ".join(found.orders), found.suite, found.cert_no,
                    found.signed, found.body,
                )  # fmt: skip
                self._ledger.run("payment_inquiry_sealed", with_notes(row["notes"], found.warnings), session)
                log.info("payment_data.sealed", session=session, guid=found.guid, suite=found.suite)
            else:
                self._postpone(session, row["attempts"], found, now)

    def _postpone(
        self, session: str, attempts: int, why: tuple[Finding, ...], now: datetime, *, at_once: bool = False
    ) -> None:
        number = int.from_bytes(sha256(session.encode()).digest()[:6], "big")
        following = None if at_once else self._plan.next_try(now, attempts + 1, number)
        codes = [one.code for one in why]
        if following is None:
            self._ledger.run("payment_inquiry_held", iso(now), as_text(why), session)
            log.warning("payment_data.held", session=session, codes=codes)
        else:
            self._ledger.run("payment_inquiry_postponed", iso(now), iso(following), as_text(why), session)
            log.warning("payment_data.postponed", session=session, codes=codes, until=iso(following))

    def told(self, leaving: Sequence[Leaving], answers: Sequence[Uploaded], now: datetime) -> int:
        """Every answer is kept, and each session is answered, due again or held; return how many are answered."""
        count = 0
        with self._ledger.writing():
            for one, answer in zip(leaving, answers, strict=True):
                self._ledger.run(
                    "add_payment_answer", one.upload, iso(now), answer.status, answer.body or None,
                    answer.trouble or None,
                )  # fmt: skip
                why, at_once = _judged(answer)
                if why is None:
                    self._ledger.run("payment_inquiry_answered", iso(now), one.session)
                    log.info("payment_data.answered", session=one.session, attempts=one.attempts + 1)
                    count += 1
                else:
                    self._postpone(one.session, one.attempts, (why,), now, at_once=at_once)
        return count


def _judged(answer: Uploaded) -> tuple[Finding | None, bool]:
    """Return what is wrong with an answer, None where customs has the data, and whether a repeat is of no use."""
    if answer.status is None or answer.trouble:
        return finding("D122", reason=answer.trouble), False
    told = said(answer.body)
    if told is None:
        return finding("D123", reason=answer.body[:100].decode("utf-8", "replace")), False
    if told.is_done:
        return None, False
    if told.is_worth_a_repeat:
        return finding("D120", said=f"{told.code} {told.message}".strip()), False
    return finding("D121", said=f"{told.code} {told.message}".strip()), True


def as_text(findings: Sequence[Finding]) -> str:
    """Return findings as the ledger keeps them."""
    return json.dumps([one.as_dict() for one in findings], ensure_ascii=False)


def with_notes(notes: str | None, more: Sequence[Finding]) -> str | None:
    """Return notes with more findings, each code once with its last words; None where there are none.

    >>> with_notes(None, ()) is None
    True
    """
    told: dict[str, Any] = {one["code"]: one for one in json.loads(notes or "[]")}
    told |= {one.code: one.as_dict() for one in more}
    return json.dumps(list(told.values()), ensure_ascii=False) if told else None


class Uploader:
    """Uploads what is due by one reading of the configuration, one round at a time."""

    def __init__(self, reactor: Any, pool: Any, ledger: Ledger, house: House, now: Callable[[], datetime]) -> None:
        """Nothing is read and nothing sent before the first round."""
        settings = house.kouan.payment_data
        self._reactor = reactor
        self._pool = pool
        self._uploads = Uploads(ledger, house)
        self._carrier = PaymentDataCarrier(settings.upload_to, total_seconds=settings.timeout_seconds)
        self._now = now

    def _thread(self, work: Callable[..., Any], *values: object) -> "Deferred[Any]":
        return deferToThreadPool(self._reactor, self._pool, work, *values)

    @inlineCallbacks
    def round(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
        """Everything due has been tried once; fires with how many sessions were answered."""
        total = 0
        while True:
            now = self._now()
            leaving = yield self._thread(self._uploads.due, now)
            if not leaving and not (yield self._thread(self._uploads.is_anything_due, now)):
                return total
            answers = yield gatherResults([self._carrier.upload(one.body) for one in leaving])
            total += yield self._thread(self._uploads.told, leaving, answers, self._now())
