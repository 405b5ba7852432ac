"""The customs dialect: how a signed message is put into the envelope that customs opens.

A business message travels as base64 in a `DxpMsg`; a platform that is a node
of its own puts that once more into a `DxpMsgSv`.  The same arguments always
give the same bytes, so what is sent again is what was sent before.

**Known limits.** One receiver an envelope; no AddInfo and no signature of the
envelope itself, which the published structure leaves optional.
"""

import base64
import hashlib
import re
from datetime import datetime
from typing import Literal
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from spool.errors import ForOperator

Form = Literal["DxpMsg", "DxpMsgSv"]

DXP = "http://www.chinaport.gov.cn/dxp"
CHINA = ZoneInfo("Asia/Shanghai")
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
NODE = "00000000"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class DoesNotFitEnvelope(ForOperator):
    """A value does not fit the place that the published envelope has for it"""


def wrap(
    sealed: bytes,
    *,
    form: Form,
    message_id: str,
    sender: str,
    receiver: str,
    message_type: str,
    created: datetime,
    node: str = "",
) -> bytes:
    """Return the envelope around `sealed`; it holds those very bytes, and its time is China Standard Time.

    >>> from datetime import UTC
    >>> text = wrap(b"<a/>", form="DxpMsg", message_id="M1", sender="S", receiver="R",
    ...             message_type="CEB311Message", created=datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)).decode()
    >>> text[text.index("<dxp:CreatTime>"):text.index("</dxp:DxpMsg>")]
    '<dxp:CreatTime>2026-11-21T09:02:03</dxp:CreatTime><dxp:MsgType>CEB311Message</dxp:MsgType></dxp:TransInfo><dxp:Data>PGEvPg==</dxp:Data>'
    """
    moment = created.astimezone(CHINA)
    parts = (
        _leaf("CopMsgId", message_id, 1, 255),
        _leaf("SenderId", sender, 1, 16),
        f"<dxp:ReceiverIds>{_leaf('ReceiverId', receiver, 1, 16)}</dxp:ReceiverIds>",
        f"<dxp:CreatTime>{moment:%Y-%m-%dT%H:%M:%S}</dxp:CreatTime>",
        _leaf("MsgType", message_type, 0, 30),
    )
    opening = f'ver="1.0"><dxp:TransInfo>{"".join(parts)}</dxp:TransInfo><dxp:Data>'
    inner = opening.encode() + base64.b64encode(sealed) + b"</dxp:Data></dxp:DxpMsg>"
    if form == "DxpMsg":
        return HEAD + f'<dxp:DxpMsg xmlns:dxp="{DXP}" '.encode() + inner
    outer = f'<dxp:DxpMsgSv xmlns:dxp="{DXP}" ver="1.0">{_node_part(message_id, node or NODE, moment)}<dxp:DxpMsg '
    return HEAD + outer.encode() + inner + b"</dxp:DxpMsgSv>"


def _node_part(message_id: str, node: str, moment: datetime) -> str:
    """MsgId is node, time and a serial of ten digits; the serial comes from the message, so it repeats with it."""
    serial = int.from_bytes(hashlib.sha256(message_id.encode()).digest()[:8], "big") % 10**10
    return (
        '<dxp:SvNo Ver="1.0">'
        + _leaf("MsgId", f"{node:0>8}{moment:%Y%m%d%H%M%S}{serial:010d}", 1, 32)
        + f"<dxp:SendTime>{moment:%Y-%m-%dT%H:%M:%S}</dxp:SendTime>"
        + _leaf("EndNode", node, 1, 8)
        + _leaf("StaNode", node, 1, 8)
        + "</dxp:SvNo>"
    )


def _leaf(name: str, value: str, least: int, most: int) -> str:
    if not least <= len(value) <= most or _NOT_XML.search(value):
        raise DoesNotFitEnvelope(f"{name}: {value!r}")
    # A bare carriage return would come back as a line feed.
    return f"<dxp:{name}>{escape(value, {chr(13): '&#13;'})}</dxp:{name}>"
