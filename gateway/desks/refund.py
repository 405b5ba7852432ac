"""The desk `refund`: a declaration to the tax office agrees with itself, with the law, and with what was declared.

A refund (TAX101) and a registration of exempt exports (TAX201).  Whoever wrote it, each export is declared once and of
each invoice no more than there is: all declarations of this home that stand are looked at, and two that come at one
moment are judged one after the other (the record `taxdeclared|TAXPAYER` changes with each).  What is wrong is told at
once, every finding; a declaration with an error is refused before the office sees it.

**Known limits.** The rates are those that come with Kouan and those of the home's own table; whether a customs
declaration exists is only known of those that were drawn up here (gateway.refunds).  How much an invoice holds is known
where it was loaded; a part of another may be declared in one declaration only.  That one export is both refunded and
exempt is only seen of what was drawn up here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from gateway.case import Case, Outcome, is_error
from gateway.desks import Needs, Records
from message_specs.amounts import amount
from message_specs.findings import Finding
from message_specs.reader import named
from message_specs.tax.crosschecks import cross_check, exempt_check
from message_specs.tax.once import Place, used_before, uses
from message_specs.tax.rebating import Law
from message_specs.trade.papers import Paper
from spool.states import State

_REFUND: Final = "TAX101"
_EXEMPTION: Final = "TAX201"
_STANDS: Final = frozenset({State.READY, State.SENT, State.CLOSED, State.HELD})


def whole_key(invoice: str, line: int) -> str:
    """Return the key under which stands how much a line of a loaded invoice holds."""
    return f"taxinvoice|{invoice}|{line}"


def declared_key(taxpayer: str) -> str:
    """Return the key under which stands which declaration of a taxpayer went on last."""
    return f"taxdeclared|{taxpayer}"


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  the shape of every desk
    """Return the declarations that name the same exports or invoices, and how much of these there is."""
    if case.document.spec.code not in (_REFUND, _EXEMPTION):
        return Needs()
    marks = [mark for kind in ("invoiced", "exported", "exported_by") for mark in case.marks.get(kind, ())]
    keys = [whole_key(*place) for place in uses(case.document.lines)]
    return Needs(tuple(marks), (declared_key(_taxpayer(case)), *keys))


def decide(case: Case, records: Records) -> Outcome:
    """Refuse a declaration whose details disagree, or that declares again; pass every other on."""
    document = case.document
    if document.spec.code not in (_REFUND, _EXEMPTION):
        return Outcome(State.CHECKED)
    tables = records.tax
    law = Law(tables.get("rebates", ()), tables.get("excluded", ()), "", "")
    if document.spec.code == _REFUND:
        said = cross_check(document.head, document.lines, law, tables.get("windows", ()), records.today)
    else:
        said = exempt_check(document.head, document.lines, law)
    found = tuple(_said((*said, *_before(case, records)), case, records))
    if any(is_error(one) for one in found):
        return Outcome(State.REFUSED, found)
    return Outcome(State.CHECKED, found, keeps={declared_key(_taxpayer(case)): f"{case.key}|{case.number}"})


def _taxpayer(case: Case) -> str:
    return case.document.head.get("taxpayerNo", "").strip()


def _before(case: Case, records: Records) -> Iterator[Finding]:
    marks = [mark for kind in ("invoiced", "exported", "exported_by") for mark in case.marks.get(kind, ())]
    others = [one.lines for one in records.papers(marks) if _counts(one, case)]
    wholes: dict[Place, Decimal] = {}
    for place in uses(case.document.lines):
        if told := records.value(whole_key(*place)):
            wholes[place] = amount(told)
    return used_before(case.document.lines, others, wholes)


def _counts(one: Paper, case: Case) -> bool:
    """Tell whether another declaration stands, or came before in this very batch; an earlier version is not another."""
    names = ("taxpayerNo", "sbny", "sbpc")
    mine = [case.document.head.get(name, "").strip() for name in names]
    if one.spec != case.document.spec.code or [one.head.get(name, "").strip() for name in names] == mine:
        return False
    return one.state in _STANDS or (
        one.state != State.REFUSED and (one.number, one.ordinal) < (case.number, case.ordinal)
    )


def _said(found: Iterable[Finding], case: Case, records: Records) -> Iterator[Finding]:
    """Yield each finding as the partner reads it: with its document, whole path, and the operator's severity."""
    document = case.document
    unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    for one in found:
        severity = records.severity(one.code) or one.severity
        yield replace(one, document=document.ordinal, path=f"{unit}/{one.path}", severity=severity)
