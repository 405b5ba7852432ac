"""A batch of documents becomes a message, is opened and checked like any other; its findings point to cells."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final

from mapping.apply import MappedFile
from mapping.drafting import Mapped
from mapping.tracing import traced
from message_specs import writing
from message_specs.check import check
from message_specs.document import Document
from message_specs.findings import Finding, Severity
from message_specs.limits import Limits
from message_specs.opening import Opened, open_message

_AS_WORDED: Mapping[str, Severity] = MappingProxyType({})
_LIMITS: Final = Limits()
NOBODY: Final = MappingProxyType(
    {"copCode": "0000000000", "copName": "未指定 nobody", "dxpMode": "DXP", "dxpId": "DXPENT0000000000"}
)
"""The BaseTransfer of a dry run without a partner."""


@dataclass(slots=True)
class Judged:
    """A batch as a message: its documents with their ordinals in the file, and everything wrong with them."""

    mapped: list[Mapped]
    opened: Opened
    documents: tuple[Document, ...]
    findings: tuple[Finding, ...]

    @property
    def bad(self) -> frozenset[int]:
        """The ordinals of the documents that an error refuses."""
        return frozenset(
            found.document for found in self.findings if found.severity is Severity.ERROR and found.document is not None
        )


def transfer_of(partner: Mapping[str, str]) -> dict[str, str]:
    """The BaseTransfer of a partner's messages."""
    if not partner:
        return dict(NOBODY)
    return {"copCode": partner["code"], "copName": partner["title"], "dxpMode": "DXP", "dxpId": partner["dxp_id"]}


def judge(
    run: MappedFile,
    batch: list[Mapped],
    transfer: Mapping[str, str],
    *,
    today: date,
    severities: Mapping[str, Severity] = _AS_WORDED,
    limits: Limits = _LIMITS,
) -> Judged:
    """The batch opened and checked; unsigned, for nobody has sealed it yet."""
    data = message_of(run, [one.text for one in batch], transfer)
    opened = open_message(data, revision=run.revision, limits=limits, unsigned_allowed=True)
    said = check(opened, severities=severities, today=today)
    by_document: dict[int | None, list[Finding]] = {}
    for found in said:
        by_document.setdefault(found.document, []).append(found)
    findings = [replace(found, line=None, column=None) for found in by_document.get(None, ())]
    for position, one in enumerate(batch, 1):
        if one.findings or position in by_document:
            findings += traced(run, one, by_document.get(position, ()))
    first = batch[0].ordinal - 1
    for document in opened.documents:
        document.ordinal += first
    return Judged(batch, opened, opened.documents, tuple(findings))


def message_of(run: MappedFile, texts: Iterable[str], transfer: Mapping[str, str]) -> bytes:
    """The canonical, unsigned message of these documents."""
    texts = list(texts)
    mark = str(uuid.uuid5(uuid.NAMESPACE_OID, "".join(texts))).upper()
    spec = run.map.spec
    return writing.message(spec.root, mark, [text.encode() for text in texts], transfer, family=spec.family)
