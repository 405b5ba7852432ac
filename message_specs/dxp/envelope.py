"""The envelope DxpMsg, alone or inside DxpMsgSv, and the reply DxpRep of the exchange node.

Read tolerantly, by local names: prefixed and default namespaces are both in use.
"""

import binascii
from dataclasses import dataclass, replace
from typing import Final

from message_specs.document import Document, Element
from message_specs.limits import Limits
from message_specs.opening import Opened
from message_specs.parsing import Unreadable, parse
from message_specs.reader import local, namespace_of
from message_specs.spec import Spec

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sent what to whom; `data` is the business message, empty where it is no base64."""

    message_id: str
    sender: str
    receivers: tuple[str, ...]
    message_type: str
    data: bytes


REPLY: Final = Spec(
    code="DxpRep",
    family="dxp",
    title="交换节点应答",
    english="reply of the exchange node",
    root="DxpRep",
    document="Response",
    echo=("OriHead/CopMsgId",),
)
"""What the exchange node says about the envelopes it was given, one unit an envelope."""


def unwrap(data: bytes, limits: Limits = _LIMITS) -> Envelope | None:
    """The envelope, or None when the bytes are no DxpMsg or DxpMsgSv at all."""
    if b"DxpMsg" not in data:
        return None
    root = _root(data, limits)
    message = root if root is None or local(root) != "DxpMsgSv" else _first(root, "DxpMsg")
    if message is None or local(message) != "DxpMsg":
        return None
    transfer = _first(message, "TransInfo")
    return Envelope(
        _text(transfer, "CopMsgId"),
        _text(transfer, "SenderId"),
        tuple(receiver.text or "" for receiver in _all(_first(transfer, "ReceiverIds"), "ReceiverId")),
        _text(transfer, "MsgType"),
        decoded(_text(message, "Data")),
    )


def open_reply(data: bytes, limits: Limits = _LIMITS) -> Opened | None:
    """The reply of the exchange node with its units; None when the bytes are no DxpRep, or one that says nothing."""
    root = _root(data, limits) if b"DxpRep" in data else None
    if root is None or local(root) != REPLY.root:
        return None
    units = tuple(Document(REPLY, ordinal, unit) for ordinal, unit in enumerate(_all(root, REPLY.document), 1))
    if not units:
        return None
    return Opened(REPLY, "", root, namespace_of(root), REPLY.root, documents=units, data=data)


def is_good(code: str) -> bool:
    """Whether the node took the envelope: the published codes of trouble begin at 0001.

    >>> is_good("0000"), is_good("0"), is_good("1001"), is_good("")
    (True, True, False, False)
    """
    return bool(code) and not code.strip("0")


def decoded(text: str) -> bytes:
    """The bytes that the base64 stands for, blanks in it aside; empty when it is none.

    >>> decoded(" PGEv Pg== "), decoded("PGEv*")
    (b'<a/>', b'')
    """
    try:
        return binascii.a2b_base64("".join(text.split()).encode(), strict_mode=True)
    except ValueError:
        return b""


def _root(data: bytes, limits: Limits) -> Element | None:
    # The business message stands in one text, which base64 makes a third longer.
    roomy = replace(limits, message_bytes=limits.message_bytes * 3 // 2, text_bytes=limits.message_bytes * 3 // 2)
    try:
        return parse(data, roomy, instructions=False)
    except Unreadable:
        return None


def _all(element: Element | None, name: str) -> list[Element]:
    return [] if element is None else [child for child in element if local(child) == name]


def _first(element: Element | None, name: str) -> Element | None:
    return next(iter(_all(element, name)), None)


def _text(element: Element | None, name: str) -> str:
    found = _first(element, name)
    return "" if found is None else (found.text or "").strip()
