"""Questions: what a desk must know from outside, from the moment it is due to the answer in a record.

A question names a document, never a person: name and number are read from the
evidence at the moment of asking and forgotten.  That it is asked is in the
ledger before it is asked, with the next day as the earliest date of another
try; only a service that surely gave no answer is asked again before.  So a crash
between answer and record costs a day of waiting and no second asking.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.identity import Answered
from gateway.case import Arrival
from gateway.config import Identity
from gateway.desks import hidden_key
from gateway.desks.identity import Person, Said, tomorrow
from gateway.logs import log
from gateway.opening import Opener
from gateway.settling import iso
from message_specs.document import Document
from message_specs.verdict import PASSING
from spool.backoff import Plan
from spool.interchange import Claim
from spool.ledger import Ledger
from spool.store import Store


@dataclass(frozen=True, slots=True)
class Asking:
    """A question on its way: who is asked about, for which document, for the how many-th time."""

    subject: str
    number: int
    person: Person
    attempts: int


class Questions:
    """The questions of one home, as the thread that asks the ledger sees them."""

    def __init__(self, ledger: Ledger, store: Store, opener: Opener, settings: Identity, secret: bytes) -> None:
        self._ledger = ledger
        self._store = store
        self._opener = opener
        self._settings = settings
        self._secret = secret
        self._plan = Plan(settings.first_seconds, 2.0, settings.most_seconds, attempts=settings.attempts)
        self._rests_until = ""

    def due(self, now: datetime) -> list[Asking]:
        """Return what may be asked now; the ledger knows already that it is asked."""
        if iso(now) < self._rests_until:
            return []
        rows = self._ledger.all("questions_due", iso(now), self._settings.at_once)
        if not rows:
            return []
        asked, lost = [], []
        for row, document in self._documents(rows, now):
            person = _person(document, row["path"])
            if person is None or hidden_key(self._secret, *person.words) != row["subject"]:
                lost.append(row)
            else:
                asked.append(Asking(row["subject"], row["number"], person, row["attempts"] + 1))
        with self._ledger.writing() as ledger:
            at = iso(now)
            ledger.run_many("question_asked", [(at, iso(tomorrow(now)), one.subject) for one in asked])
            for row in lost:
                # Its document is judged anew, and asks by today's secret or is held because it does not open.
                log.warning("identity.unreadable", number=row["number"], ordinal=row["ordinal"])
                ledger.run("question_dropped", at, at, "the evidence does not say whom to ask about", row["subject"])
                self._wake(row["subject"], at)
        return asked

    def _documents(self, rows: Sequence[sqlite3.Row], now: datetime) -> Iterator[tuple[sqlite3.Row, Document | None]]:
        """Yield each row with its document; a message is opened once, however many of its documents ask."""
        opened: dict[int, dict[int, Document]] = {}
        for row in rows:
            if row["number"] not in opened:
                opened[row["number"]] = self._open(row, now)
            yield row, opened[row["number"]].get(row["ordinal"])

    def _open(self, row: sqlite3.Row, now: datetime) -> dict[int, Document]:
        try:
            data = self._store.read(row["evidence"])
            claim = Claim(row["number"], row["sender"], row["door"], row["file"])
            judged = self._opener.open(Arrival(claim, row["evidence"], data, row["sha256"], row["size"]), now)
        except Exception as trouble:  # noqa: BLE001  one message that does not open keeps no other question waiting
            log.warning("identity.not_opened", number=row["number"], trouble=type(trouble).__name__)
            return {}
        return {case.ordinal: case.document for case in judged.cases}

    def told(self, asked: Sequence[Asking], answers: Sequence[Answered], now: datetime) -> int:
        """Every answer is a record and who waited for it is due, the rest has its next date; return how many."""
        told = 0
        with self._ledger.writing():
            for one, answer in zip(asked, answers, strict=True):
                following = self._following(one, answer, now)
                if following is None:
                    self._answered(one, answer, now)
                    told += answer.verdict not in PASSING
                else:
                    self._ledger.run("question_postponed", iso(following), answer.trouble, one.subject)
                    log.warning(
                        "identity.postponed", number=one.number, until=iso(following), verdict=str(answer.verdict),
                        trouble=answer.trouble,
                    )  # fmt: skip
        if asked and not told:
            # A service that answers nobody is left alone for a while, however many wait.
            self._rests_until = iso(now + timedelta(seconds=self._settings.first_seconds))
        return told

    def _following(self, one: Asking, answer: Answered, now: datetime) -> datetime | None:
        if answer.verdict not in PASSING:
            return None
        following = self._plan.next_try(now, one.attempts, one.number)
        return max(following, tomorrow(now)) if following and answer.lost else following

    def _answered(self, one: Asking, answer: Answered, now: datetime) -> None:
        at = iso(now)
        self._ledger.run("put_record", one.subject, Said(answer.verdict, now).text())
        self._ledger.run("question_answered", at, answer.trouble or None, one.subject)
        self._wake(one.subject, at)
        log.info("identity.answered", number=one.number, verdict=str(answer.verdict), attempts=one.attempts)

    def _wake(self, subject: str, at: str) -> None:
        self._ledger.run("wake_questioners", at, subject)
        self._ledger.run("forget_question_waits", subject)


def _person(document: Document | None, path: str) -> Person | None:
    """Return whom the document names at this path of its head: the name stands beside the number."""
    if document is None:
        return None
    head = document.head
    return Person.of(head.get(path.replace("IdNumber", "Name")), head.get(path))
