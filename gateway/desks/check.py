"""The desk `check`: a document goes on when nothing was found that stops it.

The specification and its rules were applied when the message was opened, for
all its documents at once; here it is decided what follows for one of them.

**Known limits.** It knows no records: what depends on other documents is the
business of other desks.
"""

from gateway.case import Case, Outcome, is_error
from gateway.desks import Needs, Records
from spool.states import State


def needs(case: Case, records: Records) -> Needs:  # noqa: ARG001  a desk's signature
    """Return nothing: a check looks at the document alone."""
    return Needs()


def decide(case: Case, records: Records) -> Outcome:  # noqa: ARG001  a desk's signature
    """Refuse a document with an error among its findings; pass every other on."""
    refused = any(is_error(one) for one in case.findings)
    return Outcome(State.REFUSED if refused else State.CHECKED, case.findings)
