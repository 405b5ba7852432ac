"""Calls: what customs asks at our HTTP door (platDataOpen), and what partners file there of their payments.

A session is in the ledger before it is answered 10000, and the answer never waits for the order to be found.  The
same session again is the same session; whoever may not ask is told so before a byte of his body is read.
"""

import hmac
import ipaddress
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from adapters.doors.hall import Caller
from gateway.config import House, Partner
from gateway.config_payment_checks import network
from gateway.logs import log
from gateway.payment_gathering import is_known
from gateway.payment_uploads import as_text, with_notes
from gateway.raw_payments import file
from gateway.settling import iso
from message_specs.findings import Finding, finding
from message_specs.pay179.asked import FAILED, RECEIVED, Asked, NotAsked, answer, asked, unknown_on
from spool.ledger import Ledger
from spool.number import CHINA


class Calls:
    """The endpoint of notice 179 as the HTTP door sees it."""

    def __init__(
        self, reactor: Any, pool: Any, ledger: Ledger, house: Callable[[], House], now: Callable[[], datetime]
    ) -> None:
        """`wake` is called when something new may leave; the hall sets it."""
        self._reactor = reactor
        self._pool = pool
        self._ledger = ledger
        self._house = house
        self._now = now
        self.wake: Callable[[], None] = lambda: None

    def admits(self, caller: Caller) -> str:
        """Return "" for a caller who may ask; else why not: closed, token, caller or header."""
        settings = self._house().kouan.payment_data
        if not settings.upload_to or platform_of(self._house(), caller.platform) is None:
            return "closed"
        if settings.token_sha256:
            shown = sha256(caller.token.encode("utf-8", "surrogateescape")).hexdigest()
            if not hmac.compare_digest(shown, settings.token_sha256):
                return "token"
        trusted = _within(caller.peer, settings.proxies)
        if settings.callers and not _within(caller.forwarded if trusted else caller.peer, settings.callers):
            return "caller"
        if settings.proxy_header:
            name, _, value = settings.proxy_header.partition(":")
            if not trusted or caller.header(name.strip()) != value.strip():
                return "header"
        return ""

    def ask(self, caller: Caller, body: bytes) -> "Deferred[bytes]":
        """Return what fires with our answer once the session is in the ledger."""
        platform = platform_of(self._house(), caller.platform)
        assert platform is not None
        done: Deferred[bytes] = deferToThreadPool(
            self._reactor, self._pool, self.answered, platform, self._from(caller), body, self._now()
        )
        return done.addCallback(self._woken)

    def _from(self, caller: Caller) -> str:
        """Return where a call came from, through our proxy too."""
        proxied = caller.forwarded and _within(caller.peer, self._house().kouan.payment_data.proxies)
        return f"{caller.forwarded} ({caller.peer})" if proxied else caller.peer

    def _woken(self, told: Any) -> Any:
        self.wake()
        return told

    def answered(self, platform: Partner, peer: str, body: bytes, now: datetime) -> bytes:
        """The call and, where it can be understood, its session are in the ledger; return what customs is told."""
        moment = int(now.timestamp() * 1000)
        try:
            one = asked(body)
        except NotAsked as wrong:
            why = finding("D131", name=str(wrong))
            log.warning("payment_data.not_understood", platform=platform.name, field=str(wrong))
            reply = answer(FAILED, why.zh, moment)
            with self._ledger.writing():
                self._ledger.run("add_payment_call", None, platform.name, iso(now), peer, body, reply)
            return reply
        with self._ledger.writing():
            code, message = self._entered(platform, one, now)
            reply = answer(code, message, moment)
            self._ledger.run("add_payment_call", one.session, platform.name, iso(now), peer, body, reply)
        return reply

    def _entered(self, platform: Partner, one: Asked, now: datetime) -> tuple[str, str]:
        row = self._ledger.one("payment_inquiry", one.session)
        if row is not None:
            return self._repeated(row, platform, one, now)
        self._ledger.run(
            "add_payment_inquiry", one.session, platform.name, one.order_no, one.service_time, iso(now),
            with_notes(None, self._skew(one, now)),
        )  # fmt: skip
        log.info("payment_data.asked", session=one.session, platform=platform.name)
        code, why = self._unknown(platform, one, now)
        if why is None:
            return RECEIVED, ""
        self._ledger.run("payment_inquiry_held", iso(now), as_text([why]), one.session)
        log.warning("payment_data.held", session=one.session, codes=[why.code])
        return code, why.zh

    def _unknown(self, platform: Partner, one: Asked, now: datetime) -> tuple[str, Finding | None]:
        """Return the code for an order that nobody knows and why, where customs is told so; else 10000 and None."""
        said = self._house().kouan.payment_data.unknown_order
        code = unknown_on(now.astimezone(CHINA).date()) if said == "dated" else said
        if code == RECEIVED or is_known(self._ledger, platform.code, one.order_no):
            return RECEIVED, None
        return code, finding("D101", order=one.order_no, platform=platform.code)

    def _repeated(self, row: Any, platform: Partner, one: Asked, now: datetime) -> tuple[str, str]:
        if (row["order_no"], row["platform"]) == (one.order_no, platform.name):
            if row["state"] != "held" or '"D101"' not in (row["trouble"] or ""):
                return RECEIVED, ""
            # It was told that nobody knows the order; that may have changed since.
            code, why = self._unknown(platform, one, now)
            if why is None:
                self._ledger.run("payment_inquiry_again", "asked", iso(now), row["notes"], one.session)
            return code, why.zh if why else ""
        why = finding("D130", session=one.session, first=row["order_no"], order=one.order_no)
        self._ledger.run("payment_inquiry_noted", with_notes(row["notes"], [why]), one.session)
        log.warning("payment_data.session_conflict", session=one.session, platform=platform.name)
        return FAILED, why.zh

    def _skew(self, one: Asked, now: datetime) -> list[Finding]:
        apart = abs(one.service_time / 1000 - now.timestamp())
        limit = self._house().kouan.payment_data.clock_seconds
        if apart <= limit:
            return []
        log.warning("payment_data.clock", session=one.session, seconds=round(apart))
        return [finding("D113", found=f"{apart:.0f}", limit=f"{limit:g}")]

    def file(self, sender: str, body: bytes) -> "Deferred[dict[str, Any] | None]":
        """Return what fires with what became of each payment filed; None where the body is no filing."""
        house = self._house()
        done: Deferred[dict[str, Any] | None] = deferToThreadPool(
            self._reactor, self._pool, file, self._ledger, house.partner(sender), body, self._now(),
            house.kouan.payment_data.keep_years,
        )  # fmt: skip
        return done.addCallback(self._woken)


def platform_of(house: House, name: str) -> Partner | None:
    """Return the platform that an address names; "" is the only platform of the house, if there is one only."""
    platforms = {one.name: one for one in house.partners.values() if "platform" in one.roles}
    if not name and len(platforms) == 1:
        return next(iter(platforms.values()))
    return platforms.get(name)


def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(one, "ipv4_mapped", None) or one
    return any(found is not None and mapped in found for found in map(network, networks))
