"""Customs' side of the exchange envelope: opening what is told, wrapping what is answered.

Whatever comes, `unwrap` gives what can be known of it or says in one sentence
why it cannot be taken; it never raises anything else.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree

from message_specs.schema import compiled

DXP = "http://www.chinaport.gov.cn/dxp"
_D = f"{{{DXP}}}"
# Most values hold nothing that XML writes otherwise; looking is cheaper than replacing.
_UNTOLD = re.compile("[&<>\r]|[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NotTaken(Exception):  # noqa: N818  it is an answer, and the text is told to the sender
    """What was told cannot be taken as it is; the text says why"""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stood on the envelope, and the business message in it."""

    message_id: str
    sender: str
    receivers: tuple[str, ...]
    message_type: str
    data: bytes


def parse(data: bytes) -> etree._Element:
    """Return the root of `data`; a DOCTYPE, an entity or anything not well-formed is `NotTaken`."""
    # A payload in base64 may pass libxml2's 10 MB for one text; who calls has limited the size.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotTaken(f"不是完好的 XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotTaken("不接受 DOCTYPE")
    return root


def unwrap(data: bytes, revision: str) -> Envelope:
    """Return the opened DxpMsg, or the DxpMsg of an opened DxpMsgSv; `NotTaken` otherwise."""
    root = parse(data)
    name = etree.QName(root)
    if name.namespace != DXP or name.localname not in ("DxpMsg", "DxpMsgSv"):
        raise NotTaken(f"不是 DxpMsg 或 DxpMsgSv: {name.localname}")
    fits(root, name.localname, revision)
    inner = root if name.localname == "DxpMsg" else root.find(f"{_D}DxpMsg")
    assert inner is not None
    head = inner.find(f"{_D}TransInfo")
    assert head is not None
    try:
        payload = base64.b64decode("".join((inner.findtext(f"{_D}Data") or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotTaken("Data 不是 base64") from error
    return Envelope(
        message_id=head.findtext(f"{_D}CopMsgId") or "",
        sender=head.findtext(f"{_D}SenderId") or "",
        receivers=tuple(place.text or "" for place in head.iterfind(f"{_D}ReceiverIds/{_D}ReceiverId")),
        message_type=head.findtext(f"{_D}MsgType") or "",
        data=payload,
    )


def fits(root: etree._Element, message: str, revision: str) -> None:
    """Return if `root` has the published structure of `message`, else raise `NotTaken` with the first difference."""
    schema = compiled(message, revision)
    if schema.validate(root):
        return
    first = next(iter(schema.error_log), None)
    raise NotTaken(f"第 {first.line} 行: {first.message}" if first else f"不符合 {message} 的结构")


def wrap(body: bytes, *, guid: str, sender: str, receiver: str, message_type: str, moment: datetime) -> bytes:
    """Return customs' DxpMsg around an answer; `moment` is in China Standard Time."""
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<DxpMsg xmlns="{DXP}" ver="1.0"><TransInfo>'
        f"<CopMsgId>{guid}</CopMsgId><SenderId>{sender}</SenderId><ReceiverIds><ReceiverId>{text(receiver)}</ReceiverId>"
        f"</ReceiverIds><CreatTime>{moment:%Y-%m-%dT%H:%M:%S}</CreatTime><MsgType>{message_type}</MsgType></TransInfo>"
        f"<Data>{base64.b64encode(body).decode()}</Data></DxpMsg>"
    ).encode()


def text(value: str) -> str:
    """Return `value` as XML text; what XML cannot carry becomes U+FFFD.

    >>> text("a<b" + chr(0))
    'a&lt;b�'
    """
    return escape(plain(value), {"\r": "&#13;"}) if _UNTOLD.search(value) else value


def plain(value: str) -> str:
    """Return `value` with U+FFFD in place of each character that XML cannot carry."""
    return _NOT_XML.sub("\ufffd", value)
