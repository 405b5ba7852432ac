"""What customs thinks of what it was told, before it looks into its book.

`judge` is a pure function of bytes, enterprises and time, never raises for bad
input, and spends its time in libxml2 and libxmlsec, so threads share the work.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from lxml import etree

from adapters.simulators.envelope import Envelope, NotTaken, fits, parse, unwrap
from adapters.simulators.settings import Enterprise, Settings
from adapters.simulators.trade.papers import CEB, Facts, facts, is_trade
from adapters.simulators.verify import DS, NotBelieved, believe
from message_specs.catalog import catalog
from message_specs.schema import compiled
from message_specs.spec import Spec
from message_specs.tables import revisions_of, table

TAKEN, UNBELIEVED, REFUSED = "taken", "unbelieved", "refused"


@dataclass(frozen=True, slots=True)
class Unit:
    """One document told: its business key, what it asks for, its digest, what receipts echo, what trades need."""

    key: str
    app_type: str
    sha256: str
    values: Mapping[str, str]
    facts: Facts | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One message told, and the first opinion of it; `reason` says why it is not simply taken."""

    standing: str
    sha256: str
    sender: str = ""
    message_id: str = ""
    message_type: str = ""
    guid: str = ""
    spec: str = ""
    reason: str = ""
    units: tuple[Unit, ...] = ()
    body: bytes = b""


def judge(
    data: bytes, settings: Settings, enterprises: Mapping[str, Enterprise], at: datetime, *, trades: bool = False
) -> Told:
    """Return what was told in `data` and whether its form, sender and signature hold; with what `trades` need."""
    envelope: Envelope | None = None
    root: etree._Element | None = None
    try:
        _small_enough(data, settings)
        envelope = unwrap(data, settings.revision)
        _for_us(envelope, settings)
        root = parse(envelope.data)
        spec = _spec_of(root, envelope)
        fits(root, spec.root, settings.revision)
        enterprise = _sender(root, envelope, enterprises)
    except NotTaken as reason:
        return _refused(data, envelope, root, str(reason))
    # Units are read first: verifying takes the Signature out of the tree.
    kept = trades and is_trade(spec.code)
    units = tuple(
        unit(element, spec, settings.revision, kept=kept) for element in root.iterfind(f"{{{CEB}}}{spec.document}")
    )
    try:
        if root.find(DS + "Signature") is not None or settings.signatures_required:
            believe(root, enterprise.certificates, at)
        standing, said = TAKEN, ""
    except NotBelieved as reason:
        standing, said = UNBELIEVED, str(reason)
    return Told(
        standing=standing,
        sha256=hashlib.sha256(envelope.data).hexdigest(),
        sender=enterprise.dxp_id,
        message_id=envelope.message_id,
        message_type=envelope.message_type,
        guid=root.get("guid") or "",
        spec=spec.code,
        reason=said,
        units=units,
    )


def _small_enough(data: bytes, settings: Settings) -> None:
    if len(data) > settings.message_bytes:
        raise NotTaken(f"报文过大: {len(data)} 字节")


def _for_us(envelope: Envelope, settings: Settings) -> None:
    if settings.dxp_id not in envelope.receivers:
        raise NotTaken(f"接收方不是 {settings.dxp_id}")


def _spec_of(root: etree._Element, envelope: Envelope) -> Spec:
    name = etree.QName(root)
    spec = catalog().by_root(name.localname) if name.namespace == CEB else None
    if spec is None or not spec.receipt:
        raise NotTaken(f"不是可申报的报文: {name.localname}")
    if envelope.message_type != name.localname:
        raise NotTaken(f"MsgType {envelope.message_type} 与报文 {name.localname} 不符")
    return spec


def _sender(root: etree._Element, envelope: Envelope, enterprises: Mapping[str, Enterprise]) -> Enterprise:
    code = root.findtext(f"{{{CEB}}}BaseTransfer/{{{CEB}}}copCode")
    dxp_id = root.findtext(f"{{{CEB}}}BaseTransfer/{{{CEB}}}dxpId")
    if dxp_id != envelope.sender:
        raise NotTaken(f"信封发送方 {envelope.sender} 与 BaseTransfer 的 dxpId {dxp_id} 不符")
    known = enterprises.get(envelope.sender)
    if known is None or known.code != code:
        raise NotTaken(f"企业未备案: {code} {dxp_id}")
    return known


def unit(element: etree._Element, spec: Spec, revision: str, *, kept: bool = False) -> Unit:
    """Return one document as it was told; `kept` with the facts that its trade needs."""
    head = next((child for child in element if len(child)), element)
    tags = _wanted(spec.code, revision)
    values = {str(leaf.tag)[len(CEB) + 2 :]: leaf.text for leaf in head.iterchildren(*tags) if leaf.text}
    return Unit(
        key="|".join(element.findtext(path) or "" for path in _key_paths(spec.code)),
        app_type=head.findtext(f"{{{CEB}}}appType") or "1",
        sha256=hashlib.sha256(etree.tostring(element, with_tail=False)).hexdigest(),
        values=values,
        facts=facts(element, spec.code) if kept else None,
    )


@cache
def _wanted(code: str, revision: str) -> tuple[str, ...]:
    """The tags of what a receipt of this kind echoes and its texts speak of."""
    answer = receipt_of(catalog().specs[code])
    made = {"returnStatus", "returnTime", "returnInfo"}
    names = [node.name for node in table(answer.root, revision).children[0].children if node.name not in made]
    return tuple(f"{{{CEB}}}{name}" for name in dict.fromkeys([*names, "orderNo", "customsCode"]))


@cache
def _key_paths(code: str) -> tuple[str, ...]:
    return tuple("/".join(f"{{{CEB}}}{step}" for step in path.split("/")) for path in catalog().specs[code].key)


def warm_up(revision: str) -> None:
    """Compile every schema that will be needed; libxml2 compiles wrongly when two threads do it at once."""
    declared = [spec.root for spec in catalog().specs.values() if spec.receipt]
    for message in ("DxpMsg", "DxpMsgSv", *declared):
        if revision in revisions_of(message):
            compiled(message, revision)


def receipt_of(spec: Spec) -> Spec:
    """Return the spec of the receipt that answers this kind of declaration."""
    answer = catalog().by_code(spec.receipt or "")
    assert answer is not None, f"{spec.code} names no receipt of the catalog"
    return answer


def _refused(data: bytes, envelope: Envelope | None, root: etree._Element | None, reason: str) -> Told:
    body = envelope.data if envelope else data
    known = None if root is None else catalog().by_root(etree.QName(root).localname)
    return Told(
        standing=REFUSED,
        sha256=hashlib.sha256(body).hexdigest(),
        sender=envelope.sender if envelope else "",
        message_id=envelope.message_id if envelope else "",
        message_type=envelope.message_type if envelope else "",
        guid="" if root is None else root.get("guid") or "",
        spec=known.code if known else "",
        reason=reason,
        body=body,
    )
