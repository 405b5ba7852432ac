"""Notices: what a partner is told of his trade besides receipts, as a file for his out/.

The same words have the same name, so what has not changed is told once however often it is looked at.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from gateway.case import Case, Notice
from message_specs.findings import Finding
from message_specs.trade.choosing import key_of
from message_specs.trade.papers import Paper

_JSON = msgspec.json.Encoder()


def notice(paper: Paper, findings: Sequence[Finding], *, to: str = "") -> Notice:
    """Return what the partner of this document is told of it: NUMBER.ORDINAL.CODE.DIGEST.notice.json.

    Keys: `number`, `spec`, `key` of his own document, and `findings` as in an acknowledgement.
    It is for the sender of the document, or for the partner `to`, who draws up an inventory from it.
    """
    return of_document(to or paper.partner, paper.name, paper.spec, "|".join(key_of(paper)[1:]), findings)


def refusal(case: Case, findings: Sequence[Finding]) -> Notice:
    """Return what its partner is told of a document that waited and is refused."""
    return of_document(case.partner, case.name, case.document.spec.code, case.key, findings)


def of_file(partner: str, file: str, spec: str, reports: Sequence[str], told: Finding) -> Notice:
    """Return what the partner is told of his records in a file for an authority: FILE.CODE.DIGEST.notice.json.

    Keys: `number` is the file, `records` what they are called, `findings` as in an acknowledgement.
    """
    said = {"number": file, "spec": spec, "key": "", "records": list(reports), "findings": [told.as_dict()]}
    body = _JSON.encode(said)
    mark = hashlib.sha256(body).hexdigest()[:8]
    return Notice(partner, f"{file}.{told.code}.{mark}.notice.json", body)


def of_document(partner: str, name: str, spec: str, key: str, findings: Sequence[Finding]) -> Notice:
    """Return what the partner is told of his document of this number, spec and key."""
    told = {"number": name, "spec": spec, "key": key, "findings": [one.as_dict() for one in findings]}
    body = _JSON.encode(told)
    mark = hashlib.sha256(body).hexdigest()[:8]
    return Notice(partner, f"{name}.{findings[0].code}.{mark}.notice.json", body)
