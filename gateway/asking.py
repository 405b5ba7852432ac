"""Asking: questions that are due go to the service outside, a few at a time, and their answers into the ledger.

It runs in the daemon itself, beside the dispatchers.  The ledger is asked and
told in a thread, never in the reactor.

**Known limits.** Evidence is opened in that thread, so a message of a hundred
documents costs the daemon some milliseconds for each round that asks about it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks
from twisted.internet.threads import deferToThreadPool

from adapters.identity import IdentityService
from gateway.config import House
from gateway.logs import log
from gateway.opening import Opener, TrustedCertificates
from gateway.questions import Questions
from gateway.secret import secret_of
from spool.errors import ForOperator
from spool.ledger import Ledger
from spool.store import Store


class NoToken(ForOperator):
    """The file with the token of the verification service cannot be read; see [identity] in kouan.toml"""


class Asker:
    """Asks what is due by one reading of the configuration, one round at a time."""

    def __init__(self, reactor: Any, pool: Any, ledger: Ledger, house: House, now: Callable[[], datetime]) -> None:
        """Nothing is read and nobody asked before the first round."""
        self._reactor = reactor
        self._pool = pool
        self._ledger = ledger
        self._house = house
        self._now = now
        self._ready: tuple[Questions, IdentityService] | None = None
        self._trouble = ""

    def _thread(self, work: Callable[..., Any], *values: object) -> "Deferred[Any]":
        return deferToThreadPool(self._reactor, self._pool, work, *values)

    @inlineCallbacks
    def round(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  inlineCallbacks types it
        """Everything due has been asked once; fires with how many questions were answered."""
        total = 0
        if self._ready is None:
            self._ready = yield self._thread(self._prepared)
        if self._ready is None:
            return total
        questions, service = self._ready
        while True:
            asked = yield self._thread(questions.due, self._now())
            if not asked:
                return total
            answers = yield gatherResults([service.ask(one.person.name, one.person.number) for one in asked])
            told = yield self._thread(questions.told, asked, answers, self._now())
            total += told
            if not told:
                return total

    def _prepared(self) -> tuple[Questions, IdentityService] | None:
        try:
            return questions_of(self._house, self._ledger), service_of(self._house)
        except (ForOperator, OSError) as trouble:
            if str(trouble) != self._trouble:
                self._trouble = str(trouble)
                log.error("identity.not_asked", trouble=self._trouble)
            return None


def questions_of(house: House, ledger: Ledger) -> Questions:
    """Return the questions of this home, by this reading of its configuration."""
    opener = Opener(house, TrustedCertificates(house))
    store = Store(house.home / "spool" / "store")
    return Questions(ledger, store, opener, house.kouan.identity, secret_of(house.home))


def service_of(house: House) -> IdentityService:
    """Return the service that this house asks; NoToken where there is no token to show."""
    settings = house.kouan.identity
    try:
        token = (house.home / settings.token_file).read_text("ascii").strip()
    except (OSError, ValueError) as trouble:
        raise NoToken(f"{settings.token_file} ({type(trouble).__name__})") from None
    return IdentityService(settings.url, token, dialect=settings.dialect, total_seconds=settings.timeout_seconds)
