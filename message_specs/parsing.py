"""The one hardened parser: bytes in, a tree or a finding out.

No DOCTYPE reaches libxml2, so no entity is ever defined; the encoding is UTF-8 whatever the
declaration may say; depth, text and size are bounded.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from xml.parsers import expat

from lxml import etree

from message_specs.document import Element
from message_specs.findings import Finding, finding
from message_specs.limits import Limits

_BOM = b"\xef\xbb\xbf"
_DECLARED = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"'>]*)["']""")
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "Office",
}
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00", b"\x00\x00\xfe\xff")
_HUGE_FROM = 10_000_000
_HEAD = 1 << 16
_LIMIT_ERRORS = frozenset({"ERR_RESOURCE_LIMIT", "ERR_ENTITY_LOOP", "ERR_NAME_TOO_LONG"})


class Unreadable(ValueError):  # noqa: N818  it carries a finding to the one who opens
    """These bytes cannot be read as XML; the finding says why."""

    def __init__(self, reason: Finding) -> None:
        super().__init__(reason.en)
        self.finding = reason


@dataclass(frozen=True, slots=True)
class FirstTag:
    """What could be read of the root element of bytes that are not XML as a whole."""

    name: str
    namespace: str
    guid: str | None


@lru_cache(maxsize=4)
def _parser(*, huge: bool, instructions: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=huge,
        remove_comments=True,
        remove_pis=not instructions,
        collect_ids=False,
    )


def parse(data: bytes, limits: Limits = Limits(), *, instructions: bool = True) -> Element:  # noqa: B008  frozen
    """The root of the tree; Unreadable when the bytes are no XML that we are willing to read."""
    reason = _before(data, limits)
    if reason is not None:
        raise Unreadable(reason)
    huge = limits.text_bytes > _HUGE_FROM
    try:
        root = etree.fromstring(data, _parser(huge=huge, instructions=instructions))
    except etree.XMLSyntaxError as error:
        raise Unreadable(_syntax(data, error)) from None
    if len(data) > limits.text_bytes:
        _bound_texts(root, limits)
    return root


def _before(data: bytes, limits: Limits) -> Finding | None:
    if len(data) > limits.message_bytes:
        return finding("S004", found=str(len(data)), limit=str(limits.message_bytes))
    start = data[:4]
    if start.startswith(_WIDE):
        return _said("S003", "UTF-16 / UTF-32")
    if start[:1] != b"<" and not data.startswith(_BOM):
        reason = _foreign(data)
        if reason is not None:
            return reason
    declared = _DECLARED.match(data)
    if declared is not None and declared[1].lower() != b"utf-8":
        name = declared[1].decode("ascii", "replace")
        return _said("S003", f"{name} is declared", f"声明为 {name}", 1, declared.start(1) + 1)
    if b"<!DOCTYPE" in data:
        reason = _doctype(data)
        if reason is not None:
            return reason
    if len(data) > limits.tags // 2 and _crowded(data, limits):
        return _said(
            "S005", f"more than {limits.tags} tags or too many attributes", f"标签超过 {limits.tags} 个或属性过多"
        )
    return None


def _crowded(data: bytes, limits: Limits) -> bool:
    """Whether there are more tags or attributes than memory should be spent on; each attribute needs two quotes."""
    attributes = min(data.count(b"="), (data.count(b'"') + data.count(b"'")) // 2)
    return data.count(b"<") > limits.tags or attributes > limits.tags // 10


def _said(code: str, reason: str, zh: str = "", line: int | None = None, column: int | None = None) -> Finding:
    return finding(code, reason=reason, reason_zh=zh or reason, line=line, column=column)


def _foreign(data: bytes) -> Finding | None:
    if not data.strip():
        return finding("S008")
    for magic, name in _PACKED.items():
        if data.startswith(magic):
            return _said("S009", name)
    if b"\x00" in data[:64]:
        return _said("S009", "it holds NUL bytes", "含有 NUL 字节")
    if b"<" not in data:
        return _said("S009", "there is no tag in it", "没有任何标签")
    return None


def _doctype(data: bytes) -> Finding | None:
    """The finding, when a DOCTYPE stands before the root element and not in a comment or a text."""
    at = len(_BOM) if data.startswith(_BOM) else 0
    while (at := data.find(b"<", at)) >= 0:
        if data.startswith(b"<!DOCTYPE", at):
            line = data.count(b"\n", 0, at) + 1
            return finding("S002", line=line, column=at - data.rfind(b"\n", 0, at))
        end = {b"<?": b"?>", b"<!": b"-->"}.get(data[at : at + 2])
        if end is None:
            return None
        if (at := data.find(end, at + 2)) < 0:
            return None
    return None


def _syntax(data: bytes, error: etree.XMLSyntaxError) -> Finding:
    line, column = error.position if error.lineno is not None else (None, None)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        column = wrong.start - data.rfind(b"\n", 0, wrong.start)
        byte = f"{data[wrong.start]:#04x}"
        return _said("S003", f"byte {byte} at this place", f"此处的字节 {byte}", line, column)
    reason = (error.msg or "").rpartition(", line ")[0] or error.msg or "-"
    kind = error.error_log.last_error.type_name if error.error_log.last_error is not None else ""
    deep = "depth" in reason.lower() or "too long" in reason.lower() or "huge" in reason.lower()
    code = "S005" if kind in _LIMIT_ERRORS or deep else "S001"
    return _said(code, reason, reason, line, column)


def _bound_texts(root: Element, limits: Limits) -> None:
    for element in root.iter("*"):
        for text in (element.text, element.tail):
            if text and len(text) * 4 > limits.text_bytes and len(text.encode()) > limits.text_bytes:
                most = limits.text_bytes
                reasons = f"a text is longer than {most} bytes", f"有文本超过 {most} 字节"
                raise Unreadable(_said("S005", *reasons, element.sourceline))


@lru_cache(maxsize=4)
def _below(levels: int) -> etree.XPath:
    return etree.XPath("boolean(" + "/".join("*" * levels) + ")")


def is_deeper(root: Element, most: int) -> bool:
    """Whether more than `most` elements stand in each other, the root being the first."""
    # A path of libxml2's takes a fifteenth of the time of a walk over our own lists.
    return bool(_below(most)(root))


def first_tag(data: bytes) -> FirstTag | None:
    """The root element's name, as far as the bytes can be read at all."""
    found: list[FirstTag] = []
    parser = expat.ParserCreate("utf-8", " ")

    def start(name: str, attributes: dict[str, str]) -> None:
        if not found:
            namespace, _, local = name.rpartition(" ")
            found.append(FirstTag(local, namespace, attributes.get("guid")))

    parser.StartElementHandler = start
    with suppress(expat.ExpatError):
        # Expat bounds what entities may grow to, and fetches nothing.
        parser.Parse(data[:_HEAD], False)
    return found[0] if found else None
