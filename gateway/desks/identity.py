"""The desk `identity`: the buyer is the payer, or he has been verified.

Check digits are rules (message_specs/identity.py) and judged before; a number
that fails them is never asked about.  Where the house asks a service, the
verdict is a record under a keyed hash of name and number: one that is missing
or too old is asked for, and the document waits for it.  A verdict of today is
never asked for again.

**Known limits.**  Only identity cards (buyerIdType 1) can be asked about.  A
platform's own verification is not told in any message, so it counts for
nothing here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from gateway.case import Case, Outcome
from gateway.config_shapes import Action, Identity
from gateway.desks import Needs, Records, hidden_key, released_key
from message_specs.findings import Finding, Severity, finding, wordings
from message_specs.identity import is_born, is_citizen_number
from message_specs.reader import named
from message_specs.trade.agreement import folded
from message_specs.trade.papers import Paper, marks_of
from message_specs.verdict import PASSING, Verdict
from spool.states import State

KIND = "identity"
NUMBER, NAME = "buyerIdNumber", "buyerName"
CARD = "1"
LOOK_AGAIN = timedelta(hours=1)
"""An answer makes the document due at once; this is for an answer that was lost with a ledger."""
_CHINA = ZoneInfo("Asia/Shanghai")
_DELETES = "3"
_MEET = ("order", "payment")
"""The marks by which a buyer and his payments come together."""


@dataclass(frozen=True, slots=True)
class Person:
    """A name and a number as they are compared and asked about; neither is ever shown."""

    name: str
    number: str

    @classmethod
    def of(cls, name: str | None, number: str | None) -> "Person":
        """Return the person of these texts as they stand in a document.

        >>> Person.of(" 苏知夏 ", "11204416541220243x") == Person("苏知夏", "11204416541220243X")
        True
        """
        return cls((name or "").strip(), (number or "").strip().upper())

    def __repr__(self) -> str:
        """Return no name and no number, wherever this is printed.

        >>> Person("苏知夏", "330199195102020018")
        Person(…)
        """
        return "Person(…)"

    @property
    def words(self) -> tuple[str, str, str]:
        """What `hidden_key` makes the key of his record from."""
        return KIND, self.name, self.number


class Said(msgspec.Struct, frozen=True):
    """A record: what was said about a person, and when."""

    verdict: Verdict
    at: datetime

    def holds(self, today: date, settings: Identity) -> bool:
        """Tell whether this still counts; what was said today does, and what was said tomorrow by a wrong clock too."""
        days = settings.match_days if self.verdict is Verdict.MATCH else settings.other_days
        return (today - day_of(self.at)).days < (1 if self.verdict in PASSING else days)

    def text(self) -> str:
        """Return the value of the record."""
        return msgspec.json.encode(self).decode()


_decode = msgspec.json.Decoder(Said).decode


def day_of(moment: datetime) -> date:
    """Return the day in China.

    >>> from datetime import UTC
    >>> day_of(datetime(2026, 11, 21, 16, tzinfo=UTC))
    datetime.date(2026, 11, 22)
    """
    return moment.astimezone(_CHINA).date()


def tomorrow(moment: datetime) -> datetime:
    """Return when the next day begins in China."""
    here = moment.astimezone(_CHINA)
    return here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def needs(case: Case, records: Records) -> Needs:
    """Return the marks of the order, and of the payment that it names, and the record about the buyer."""
    head, marks = case.document.head, _marks(case)
    if not _has(head):
        return Needs(marks, paid=True)
    keys = (released_key(case.number, case.ordinal), hidden_key(records.secret, *_buyer(head).words))
    return Needs(marks, keys, paid=True)


def _marks(case: Case) -> tuple[int, ...]:
    found: tuple[int, ...] = ()
    for kind in _MEET:
        found += case.marks.get(kind, ())
    return found


def decide(case: Case, records: Records) -> Outcome:
    """Pass a buyer who is the payer or verified; refuse, hold or warn as the house says; else wait for the answer."""
    head = case.document.head
    if not _has(head):
        return Outcome(State.CHECKED)
    settings, buyer = records.kouan.identity, _buyer(head)
    payments = tuple(one for one in _payments(case, records) if not _pays(one, buyer))
    if settings.ask == "never" or (settings.ask == "differs" and not payments) or head.get("buyerIdType", CARD) != CARD:
        return _unverified(case, payments, records)
    verdict = _verdict(buyer, records)
    if verdict is None:
        asks = (hidden_key(records.secret, *buyer.words),)
        return Outcome(State.FILED, why=_waits(), due=records.now + LOOK_AGAIN, asks=asks)
    if verdict is Verdict.MATCH:
        return Outcome(State.CHECKED)
    code, action = _consequences(settings)[verdict]
    action = _allowed(case, code, action, records)
    outcome = _outcome(_finding(case, code, action, verdict=str(verdict)), action)
    if action != "pass" or not payments:
        return outcome
    # Let pass is not verified: two persons stay two persons.
    other = _unverified(case, payments, records)
    return Outcome(other.state, (*outcome.findings, *other.findings), other.why)


def _waits() -> str:
    words = wordings()["T401"]
    return f"T401 {words.zh} {words.en}"


def _has(head: Mapping[str, str]) -> bool:
    return bool(head.get(NUMBER, "").strip())


def _buyer(head: Mapping[str, str]) -> Person:
    return Person.of(head.get(NAME), head.get(NUMBER))


def _payments(case: Case, records: Records) -> Iterator[Paper]:
    """Yield the newest version of each payment of the trade, by its order or by the payment that its order names."""
    found = records.papers(_marks(case))
    orders = [one for one in found if one.kind == "order" and one.state != State.REFUSED]
    further = tuple([mark for one in orders for mark in marks_of("payment", one.spec, one.head)])
    newest: dict[tuple[str, ...], Paper] = {}
    for one in (*found, *records.papers(further)):
        if one.kind == "payment" and one.state != State.REFUSED:
            key = tuple(one.head.get(name, "") for name in ("payCode", "payTransactionId"))
            before = newest.get(key)
            if before is None or (before.version, before.number) < (one.version, one.number):
                newest[key] = one
    return (one for one in newest.values() if one.app_type != _DELETES and one.head.get("payerIdNumber"))


def _pays(payment: Paper, buyer: Person) -> bool:
    """Whether they are one person as `match` compares them: width, case and blanks make nobody another."""
    payer = Person.of(payment.head.get("payerName"), payment.head.get("payerIdNumber"))
    return (folded(payer.name), folded(payer.number)) == (folded(buyer.name), folded(buyer.number))


def _verdict(buyer: Person, records: Records) -> Verdict | None:
    """Return what is known about him today; None where it must be asked."""
    if not buyer.name or not is_citizen_number(buyer.number) or not is_born(buyer.number, records.today):
        return Verdict.BAD_INPUT
    value = records.value(hidden_key(records.secret, *buyer.words))
    said = read(value)
    return said.verdict if said and said.holds(records.today, records.kouan.identity) else None


def read(value: str | None) -> Said | None:
    """Return what a record says; None where there is none that can be read.

    >>> read('{"verdict":"MATCH","at":"2026-11-21T08:00:00Z"}').verdict, read("?"), read(None)
    (<Verdict.MATCH: 'MATCH'>, None, None)
    """
    try:
        said = _decode(value or "")
    except msgspec.DecodeError:
        return None
    return said if said.at.tzinfo else None


def _consequences(settings: Identity) -> Mapping[Verdict, tuple[str, Action]]:
    return {
        Verdict.MISMATCH: ("T403", settings.on_mismatch),
        Verdict.NO_RECORD: ("T404", settings.on_no_record),
        Verdict.BAD_INPUT: ("T405", settings.on_bad_input),
        Verdict.SERVICE_ERROR: ("T406", settings.on_service_error),
        Verdict.LIMIT: ("T406", settings.on_service_error),
    }


def _allowed(case: Case, code: str, action: Action, records: Records) -> Action:
    """Return `pass` for what an operator has released already, else what the house says."""
    released = (records.value(released_key(case.number, case.ordinal)) or "").split()
    return "pass" if action == "hold" and code in released else action


def _unverified(case: Case, payments: tuple[Paper, ...], records: Records) -> Outcome:
    if not payments:
        return Outcome(State.CHECKED)
    action = _allowed(case, "T402", records.kouan.identity.on_other_payer, records)
    return _outcome(_finding(case, "T402", action, payment=" ".join(one.name for one in payments)), action)


def _finding(case: Case, code: str, action: Action, *, payment: str = "", verdict: str = "") -> Finding:
    document = case.document
    unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    severity = Severity.WARNING if action == "pass" else Severity.ERROR
    return finding(code, document=case.ordinal, path=unit, severity=severity, payment=payment, verdict=verdict)


def _outcome(found: Finding, action: Action) -> Outcome:
    if action == "hold":
        return Outcome(State.HELD, (found,), f"{found.code} {found.zh} {found.en}")
    return Outcome(State.CHECKED if action == "pass" else State.REFUSED, (found,))
