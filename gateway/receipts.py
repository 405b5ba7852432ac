"""Receipts for partners: an authority's answer as it came, or only a partner's part of it; and refusals of ours.

An answer whose units all belong to one partner goes to him byte for byte.  One
that speaks of several partners is divided, so that nobody reads another's.
"""

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway import fx_feedback
from gateway.case import Judged
from gateway.letting_go import Acknowledgement
from gateway.settling import Settled, file_name
from mapping import back
from message_specs import writing
from message_specs.catalog import catalog
from message_specs.document import Document
from message_specs.dxp.envelope import unwrap
from message_specs.limits import Limits
from message_specs.numbers import as_returned
from message_specs.opening import Opened, open_receipt
from message_specs.parsing import first_tag
from spool.errors import OurMistake
from spool.states import State

_REASONS = 20
_CARRIED = 1024 * 1024


class ReceiptsDisagree(OurMistake):
    """The evidence of this answer does not hold the receipts that the ledger has of it; nothing is written"""


def split(one: Judged, settled: Sequence[Settled]) -> Iterator[tuple[str, str, bytes]]:
    """Yield partner, file name and bytes of each receipt file that an answer becomes."""
    if not settled or one.opened is None or one.opened.spec is None:
        return
    if one.feedback is not None:
        yield from _of_records(one.opened, one.arrival.claim.number, settled)
        return
    mine = [(each.partner, each.unit.ordinal) for each in settled]
    yield from _divided(one.opened, message_of(one.arrival.data), one.arrival.claim.number, mine)


def named(data: bytes, number: int, rows: Iterable[sqlite3.Row]) -> Iterator[tuple[str, str, bytes]]:
    """Yield the same as `split`, from the evidence and the ledger's receipts."""
    found = list(rows)
    spec = catalog().specs.get(found[0]["spec"]) if found else None
    if spec is not None and spec.family == "fx":
        for partner in dict.fromkeys(row["partner"] for row in found):
            mine = [row for row in found if row["partner"] == partner]
            yield partner, file_name(number, spec.code), fx_feedback.of_rows(spec, number, mine)
        return
    message = message_of(data)
    opened = open_receipt(message, limits=_roomy(message))
    yield from _divided(opened, message, number, [(row["partner"], row["unit"]) for row in found])


def _of_records(opened: Opened, number: int, settled: Sequence[Settled]) -> Iterator[tuple[str, str, bytes]]:
    assert opened.spec is not None
    for partner in dict.fromkeys(each.partner for each in settled):
        told = [writing.texts_of(each.unit.element) for each in settled if each.partner == partner]
        yield partner, file_name(number, opened.spec.code), fx_feedback.written(opened.spec, number, told)


def brought(data: bytes, row: sqlite3.Row) -> bytes:
    """Return the one receipt of an answer that waited for its number: the answer itself where it held no other."""
    message = message_of(data)
    opened = open_receipt(message, limits=_roomy(message))
    chosen = [unit for unit in opened.documents if unit.ordinal == row["unit"]]
    if opened.spec is None or opened.fatal or not chosen:
        raise ReceiptsDisagree(str(row["answer"]))
    if len(opened.documents) == 1:
        return message
    return writing.receipt(opened.spec.root, _guid(opened.guid, row["answer"]), [_fields(chosen[0])])


def formed(name: str, body: bytes, form: str | None) -> tuple[str, bytes]:
    """Return a receipt file in the form that its partner asked for: as it is, or as a table of the same name."""
    if form not in ("csv", "xlsx"):
        return name, body
    opened = open_receipt(body)
    if opened.spec is None or not opened.documents:
        return name, body
    return f"{name.removesuffix('.xml')}.{form}", back.written(form, opened.spec, opened.documents)


def message_of(data: bytes) -> bytes:
    """Return the business message inside an envelope, or the bytes as they are where there is none."""
    envelope = unwrap(data, _roomy(data))
    return data if envelope is None else envelope.data


def _roomy(data: bytes) -> Limits:
    """Return limits for what was taken in once: whatever the house's are or were, these bytes were within them."""
    usual, size = Limits(), len(data)
    return replace(
        usual,
        message_bytes=max(usual.message_bytes, size),
        text_bytes=max(usual.text_bytes, size),
        tags=max(usual.tags, size),
    )


def _divided(
    opened: Opened, message: bytes, number: int, mine: Sequence[tuple[str, int]]
) -> Iterator[tuple[str, str, bytes]]:
    spec = opened.spec
    there = {unit.ordinal for unit in opened.documents}
    if spec is None or opened.fatal or not there.issuperset(unit for _, unit in mine):
        raise ReceiptsDisagree(str(number))
    name = file_name(number, spec.code)
    partners = list(dict.fromkeys(partner for partner, _ in mine))
    if len(partners) == 1 and {unit for _, unit in mine} == there:
        yield partners[0], name, message
        return
    for partner in partners:
        units = {unit for whose, unit in mine if whose == partner}
        chosen = [_fields(unit) for unit in opened.documents if unit.ordinal in units]
        yield partner, name, writing.receipt(spec.root, _guid(opened.guid, number), chosen)


def _fields(unit: Document) -> tuple[str, writing.Fields]:
    return unit.spec.document, writing.fields_of(unit.element)


def _guid(told: str | None, number: int) -> str:
    return told or str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))).upper()


def fails_format(findings: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a message that is refused whole failed the format check, so that a CEB900 answers it.

    >>> fails_format([{"code": "P103", "severity": "error"}]), fails_format([{"code": "S001", "severity": "error"}])
    (False, True)
    """
    return any(one["code"].startswith("S") and one["severity"] == "error" for one in findings)


def refusal_row(one: Judged, at: str) -> tuple[object, ...] | None:
    """Return the ledger's row of the CEB900 that answers a message, or None where there is none to be given."""
    claim = one.arrival.claim
    whole = not one.answer_to and all(case.state is State.REFUSED for case in one.cases)
    found = [finding.as_dict() for finding in one.findings]
    if not whole or one.duplicate_of or not fails_format(found) or first_tag(one.arrival.data[:_CARRIED]) is None:
        return None
    info = _reasons(found, one.opened.root_name if one.opened is not None else None)
    return (
        claim.sender, claim.number, 1, claim.number, 0, "CEB900", "", writing.FORMAT_REFUSED, "refused", at, info,
        file_name(claim.number, "CEB900"), None,
    )  # fmt: skip


def head_of(evidence: Path) -> bytes:
    """Return as much of the evidence as a refusal carries."""
    with evidence.open("rb") as file:
        return file.read(_CARRIED + 1)


def refusal(told: Acknowledgement, data: bytes) -> bytes | None:
    """Return the CEB900 that answers a file whose root could be read, or None; the same file gets the same bytes.

    What is longer than a mebibyte is not carried back inside it.
    """
    tag = first_tag(data[:_CARRIED])
    if tag is None:
        return None
    info = _reasons(told.findings, tag.name)
    return writing.refusal(
        str(uuid.uuid5(uuid.NAMESPACE_OID, f"CEB900 {told.number}")).upper(),
        info=info,
        now=datetime.fromisoformat(told.received_at),
        original=str(told.number),
        root=tag.name,
        body=data if len(data) <= _CARRIED else b"",
    )


def _reasons(findings: Sequence[Mapping[str, Any]], root: str | None) -> str:
    """Return what a CEB900 says in returnInfo: the first reasons, with their official numbers where these fit."""
    spec = catalog().by_root(root or "")
    code = "*" if spec is None else spec.code
    return "; ".join(as_returned(one["code"], one["zh"], spec=code, path=one["path"]) for one in findings[:_REASONS])
