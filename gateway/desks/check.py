"""The desk `check`: a document goes on when nothing was found that stops it."""

from collections.abc import Sequence

from gateway.case import Outcome, is_error
from message_specs.findings import Finding
from spool.states import State


def decide(findings: Sequence[Finding]) -> Outcome:
    """Refuse a document with an error among its findings; pass every other on.

    >>> decide(()).state
    <State.CHECKED: 'checked'>
    """
    refused = any(is_error(one) for one in findings)
    return Outcome(State.REFUSED if refused else State.CHECKED, tuple(findings))
