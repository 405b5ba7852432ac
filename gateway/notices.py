"""Notices: what a partner is told of his trade besides receipts, as a file for his out/.

The same words have the same name, so what has not changed is told once however often it is looked at.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from gateway.case import Notice
from message_specs.findings import Finding
from message_specs.trade.choosing import key_of
from message_specs.trade.papers import Paper

_JSON = msgspec.json.Encoder()


def notice(paper: Paper, findings: Sequence[Finding], *, to: str = "") -> Notice:
    """Return what the partner of this document is told of it: NUMBER.ORDINAL.CODE.DIGEST.notice.json.

    Keys: `number`, `spec`, `key` of his own document, and `findings` as in an acknowledgement.
    It is for the sender of the document, or for the partner `to`, who draws up an inventory from it.
    """
    body = _JSON.encode(
        {
            "number": paper.name,
            "spec": paper.spec,
            "key": "|".join(key_of(paper)[1:]),
            "findings": [one.as_dict() for one in findings],
        }
    )
    mark = hashlib.sha256(body).hexdigest()[:8]
    return Notice(to or paper.partner, f"{paper.name}.{findings[0].code}.{mark}.notice.json", body)
