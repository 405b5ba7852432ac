"""Receipts as settling reads them, with everything told that the published structure would not have taken.

Customs writes more than it published: elements that stand in no schema, times of 14 digits, parts left out, any prefix
or none.  A receipt is read all the same; what was passed over is a warning.  Only what settling cannot do without is
an error.
"""

from dataclasses import replace

from message_specs.catalog import catalog
from message_specs.findings import Severity
from message_specs.limits import Limits
from message_specs.opening import Opened, open_message, open_receipt
from message_specs.parsing import first_tag


def is_receipt(data: bytes) -> bool:
    """Whether the root of the message is that of a receipt.

    >>> is_receipt(b'<CEB816Message guid="G"/>'), is_receipt(b"<CEB311Message/>"), is_receipt(b"x")
    (True, False, False)
    """
    tag = first_tag(data)
    spec = catalog().by_root(tag.name) if tag is not None else None
    return spec is not None and bool(spec.echo)


def open_tolerantly(data: bytes, *, revision: str, limits: Limits) -> Opened:
    """The receipt opened as settling opens it; what the published structure of this revision forbids is a warning."""
    opened = open_receipt(data, revision=revision, limits=limits)
    if opened.fatal:
        return opened
    lacking = {said.path for said in opened.findings}
    noted = [
        replace(said, severity=Severity.WARNING)
        for said in open_message(data, revision=revision, limits=limits).findings
        if said.path not in lacking
    ]
    opened.findings += tuple(noted)
    return opened
