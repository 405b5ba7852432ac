"""The envelope DxpMsg, alone or inside DxpMsgSv, and the reply DxpRep of the exchange node.

Read tolerantly, by local names: prefixed and default namespaces are both in use.
"""

import binascii
from dataclasses import dataclass, replace

from message_specs.document import Element
from message_specs.limits import Limits
from message_specs.parsing import Unreadable, parse
from message_specs.reader import local

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sent what to whom; `data` is the business message, empty where it is no base64."""

    message_id: str
    sender: str
    receivers: tuple[str, ...]
    message_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What the exchange node says about one envelope it was given."""

    message_id: str
    code: str
    info: str


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


def replies(data: bytes, limits: Limits = _LIMITS) -> tuple[Reply, ...] | None:
    """What a DxpRep says, one reply an envelope; None when the bytes are no DxpRep at all."""
    root = _root(data, limits) if b"DxpRep" in data else None
    if root is None or local(root) != "DxpRep":
        return None
    return tuple(
        Reply(
            _text(_first(response, "OriHead"), "CopMsgId"),
            _text(response, "ResponseCode"),
            _text(response, "ResponseInfo"),
        )
        for response in _all(root, "Response")
    )


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
