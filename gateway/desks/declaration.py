"""The desk `declaration`: a declaration of foreign exchange goes after its basic information, and agrees with it.

The office refuses a declaration (BOPG, BOPH, JSHF, JSHG) whose basic information it does not have.  So it waits here
until that is sealed for the office, whichever came first; what has not come after three days refuses it.  Its codes
are in force on the day, and their amounts are together the amount of the basic information.

**Known limits.** What the office answers to the basic information is not waited for: it reads the files of a batch in
their order.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from gateway.case import Case, Outcome
from gateway.desks import Needs, Records
from message_specs.amounts import amount, number
from message_specs.exchange import BASIC
from message_specs.findings import Finding, finding
from message_specs.reader import named
from message_specs.trade.papers import Paper
from spool.number import CHINA
from spool.states import State

PATIENCE: Final = timedelta(days=3)
_AT_ONCE: Final = timedelta(seconds=2)
_LATER: Final = timedelta(seconds=60)
_SEALED: Final = (State.READY, State.SENT, State.CLOSED)
_DELETES: Final = "3"
_WITHOUT_AMOUNTS: Final = ("JSHF", "JSHG")


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  a desk's signature
    """Return by what the basic information is found."""
    return Needs(tuple(case.marks.get("report", ())))


def decide(case: Case, records: Records) -> Outcome:
    """Pass what rests on sealed basic information and agrees with it; let the rest wait, and refuse it in the end."""
    document = case.document
    if document.app_type == _DELETES or document.spec.code not in BASIC:
        return Outcome(State.CHECKED)
    if wrong := tuple(_said(case, one) for one in _codes(case, records)):
        return Outcome(State.REFUSED, wrong)
    basic = _basic(case, records)
    report = document.head.get("RPTNO", "")
    if basic is None and records.now - _came(case) > PATIENCE:
        return Outcome(State.REFUSED, (_said(case, finding("F141", path="REC/RPTNO", report=report)),))
    if basic is None:
        return _waits(case, report, _came(case) + PATIENCE + _AT_ONCE)
    if basic.state not in _SEALED:
        is_near = basic.state == State.CHECKED
        return _waits(case, report, records.now + (_AT_ONCE if is_near else _LATER))
    if document.spec.code in _WITHOUT_AMOUNTS:
        return Outcome(State.CHECKED)
    whole = amount(basic.head.get("TXAMT"))
    parts = amount(document.head.get("TC1AMT")) + amount(document.head.get("TC2AMT"))
    if whole != parts:
        told = finding("F142", path="REC/TC1AMT", found=number(parts), expected=number(whole))
        return Outcome(State.REFUSED, (_said(case, told),))
    return Outcome(State.CHECKED)


def _codes(case: Case, records: Records) -> Iterator[Finding]:
    """Yield which transaction codes are not in force today, and whether one of them needs a number of its own."""
    head = case.document.head
    says = "F123" if case.document.spec.code in _WITHOUT_AMOUNTS else "F115"
    for name in ("TXCODE", "TXCODE2"):
        if not (code := head.get(name, "")):
            continue
        known = records.exchange.code_on(code, records.today)
        if known is None:
            yield finding(says, path=f"REC/{name}", value=code, found=code)
        elif known.bill and says == "F115" and not head.get("BILLNO", "").strip():
            yield finding("F124", path="REC/BILLNO", given=code)


def _basic(case: Case, records: Records) -> Paper | None:
    """Return the newest basic information of this report that was not refused."""
    spec = BASIC[case.document.spec.code]
    found = [
        one for one in records.papers(needs(case, records).marks)
        if one.spec == spec and one.state != State.REFUSED and one.app_type != _DELETES
        and one.partner == case.partner
    ]  # fmt: skip
    return max(found, key=lambda one: (one.version, one.number, one.ordinal), default=None)


def _came(case: Case) -> datetime:
    digits = f"{case.number:018d}"
    return datetime.strptime(f"20{digits[:12]}", "%Y%m%d%H%M%S").replace(tzinfo=CHINA)


def _waits(case: Case, report: str, due: datetime) -> Outcome:
    told = finding("F140", report=report)
    findings = (_said(case, told),) if case.state is State.CHECKED else ()
    return Outcome(State.FILED, findings, why=f"F140 {told.zh} {told.en}", due=due)


def _said(case: Case, one: Finding) -> Finding:
    document = case.document
    unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    return replace(one, document=document.ordinal, path=f"{unit}/{one.path}" if one.path else unit)
