"""A document (单证) is one order, payment, waybill or inventory inside a message.

It is an element of its spec, read by path: no Python knows what an order is.
Texts are given as they stand, "" for an empty element and None for an absent one.
"""

from dataclasses import dataclass, field
from functools import cache

from message_specs.flat import Flat, Shape
from message_specs.kinds import Element, tag_of
from message_specs.spec import Spec

__all__ = ["Document", "Element", "escaped", "tag_of"]


@cache
def _shape(prefix: str) -> Shape:
    return Shape(prefix)


@dataclass(slots=True)
class Document:
    """One document of a message: its spec, its ordinal from 1, and its element."""

    spec: Spec
    ordinal: int
    element: Element
    good: bool = field(default=False, compare=False)
    """Whether the schema has said yes to it; then the short way may be tried."""
    _flat: Flat | None = field(default=None, init=False, repr=False, compare=False)
    _own: dict[str, str] | None = field(default=None, init=False, repr=False, compare=False)
    _head: dict[str, str] | None = field(default=None, init=False, repr=False, compare=False)
    _lines: list[dict[str, str]] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def head(self) -> dict[str, str]:
        """The texts of the first group (OrderHead), or of the document itself where it has leaves."""
        if self._head is None:
            self._read()
        assert self._head is not None
        return self._head

    @property
    def lines(self) -> list[dict[str, str]]:
        """The texts of each further group (OrderList), in order."""
        if self._lines is None:
            self._read()
        assert self._lines is not None
        return self._lines

    def _read(self) -> None:
        if (flat := self._flattened()) is not None:
            self._head, self._lines = flat.head, flat.lines
            return
        groups = [child for child in self.element if len(child)]
        if not groups and len(self._own_texts) == len(self.element):
            self._head, self._lines = dict(self._own_texts), []
        elif groups and groups[0] is self.element[0]:
            self._head = _leaves(groups[0])
            self._lines = [_leaves(group) for group in groups[1:]]
        else:
            self._head = _leaves(self.element)
            self._lines = [_leaves(group) for group in groups]
        for spelling, name in self.spec.also.items():
            if spelling in self._head:
                self._head.setdefault(name, self._head.pop(spelling))

    def _flattened(self) -> Flat | None:
        if self.good and self._flat is None:
            self._flat = _shape(self.spec.family).read(self.element)
            self.good = self._flat is not None
        return self._flat

    def at(self, path: str) -> Element | None:
        """The first element at the path; a step may carry a position, as in `OrderList[2]/qty`.

        The empty path leads to the document itself, which is the head of one without groups.
        """
        found = self.element
        if not path:
            return found
        for step in path.split("/"):
            name, _, position = step.partition("[")
            wanted = int(position.rstrip("]")) if position else 1
            for child in found:
                if tag_of(child).rpartition("}")[2] == name:
                    wanted -= 1
                    if not wanted:
                        found = child
                        break
            else:
                return None
        return found

    def text(self, path: str) -> str | None:
        """The text of the first element at the path as it stands, "" when empty, None when absent."""
        if self.good and (flat := self._flattened()) is not None and path.startswith(self._head_path):
            return flat.head.get(path[len(self._head_path) :])
        if "/" not in path and "[" not in path and path:
            return self._own_texts.get(path)
        found = self.at(path)
        return None if found is None else found.text or ""

    @property
    def _own_texts(self) -> dict[str, str]:
        """The text of the first child of each name; receipts are leaves and nothing else."""
        if self._own is None:
            self._own = {tag_of(child).rpartition("}")[2]: child.text or "" for child in reversed(self.element)}
        return self._own

    def forget(self) -> None:
        """The texts are read again from the element, which was changed."""
        self._head = self._lines = self._flat = self._own = None

    def _joined(self, paths: tuple[str, ...]) -> str:
        return "|".join([self.text(path) or "" for path in paths])

    @property
    def key(self) -> str:
        """The business key: the values of the spec's key, joined by a bar.

        Where the first of them is not given, the lines that are meant (`lines_instead`) stand behind them.
        """
        key = self._joined(self.spec.key)
        name = self.spec.lines_instead
        if not name or not key.startswith("|"):
            return key
        lines = sorted((line.get(name, "").strip().lstrip("0") for line in self.lines), key=lambda one: (len(one), one))
        return f"{key}|{','.join(lines)}"

    @property
    def reply_key(self) -> str:
        """The values that an answer echoes, joined by a bar; of a receipt, the values it echoes."""
        return self._joined(self.spec.echo or self.spec.reply_key)

    @property
    def app_type(self) -> str:
        """The kind of declaration: 1 new, 2 change, 3 delete; 1 where the document does not say."""
        return self.head.get("appType") or "1"

    @property
    def _head_path(self) -> str:
        return f"{tag_of(self.element[0]).rpartition('}')[2]}/"

    def canonical(self) -> bytes:
        """The document in canonical XML under our prefix, without declarations and without blanks between elements."""
        if (flat := self._flattened()) is not None:
            return flat.text.encode()
        parts: list[str] = []
        tags = 2 * _write(self.element, self.spec.family, parts)
        text = "".join(parts)
        # One look at the whole is cheaper than one at each of seventy texts; few need escaping.
        if text.count("<") != tags or text.count(">") != tags or "&" in text or "\r" in text:
            parts.clear()
            _write_escaped(self.element, self.spec.family, parts)
            text = "".join(parts)
        return text.encode()


def _leaves(group: Element) -> dict[str, str]:
    return {tag_of(child).rpartition("}")[2]: child.text or "" for child in group}


def escaped(text: str) -> str:
    """The text as Canonical XML 1.0 writes it between two tags.

    >>> escaped("A&B <1> ")
    'A&amp;B &lt;1&gt; '
    """
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if "\r" in text:
        text = text.replace("\r", "&#xD;")
    return text


def _write(element: Element, prefix: str, parts: list[str]) -> int:
    """How many elements were written, their texts as they stand."""
    name = tag_of(element).rpartition("}")[2]
    parts.append(f"<{prefix}:{name}>")
    written = 1
    for child in element:
        if len(child):
            written += _write(child, prefix, parts)
        else:
            leaf = tag_of(child).rpartition("}")[2]
            parts.append(f"<{prefix}:{leaf}>{child.text or ''}</{prefix}:{leaf}>")
            written += 1
    parts.append(f"</{prefix}:{name}>")
    return written


def _write_escaped(element: Element, prefix: str, parts: list[str]) -> None:
    name = tag_of(element).rpartition("}")[2]
    parts.append(f"<{prefix}:{name}>")
    if not len(element):
        parts.append(escaped(element.text or ""))
    for child in element:
        _write_escaped(child, prefix, parts)
    parts.append(f"</{prefix}:{name}>")
