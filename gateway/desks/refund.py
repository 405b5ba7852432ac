"""The desk `refund`: a refund declaration agrees with itself and with the law, as the tax office would hold it.

What is wrong is told at once, every finding; a declaration with an error is refused before the office sees it.

**Known limits.** The rates are those that come with Kouan and those of the home's own table; whether a customs
declaration exists is only known of those that were drawn up here (gateway.refunds).
"""

from dataclasses import replace

from gateway.case import Case, Outcome, is_error
from gateway.desks import Needs, Records
from message_specs.reader import named
from message_specs.tax.crosschecks import cross_check
from message_specs.tax.linking import Law
from spool.states import State

_SPEC = "TAX101"


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  the shape of every desk
    """Return that nothing of the past is asked for."""
    return Needs()


def decide(case: Case, records: Records) -> Outcome:
    """Refuse a declaration whose details disagree; pass every other on."""
    document = case.document
    if document.spec.code != _SPEC:
        return Outcome(State.CHECKED)
    tables = records.tax
    law = Law(tables.get("rebates", ()), tables.get("excluded", ()), "", "")
    unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    said = cross_check(document.head, document.lines, law, tables.get("windows", ()), records.today)
    found = tuple(
        replace(one, document=document.ordinal, path=f"{unit}/{one.path}",
                severity=records.severity(one.code) or one.severity)
        for one in said
    )  # fmt: skip
    return Outcome(State.REFUSED if any(is_error(one) for one in found) else State.CHECKED, found)
