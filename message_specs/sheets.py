"""The field table of a message for people: one line a field, in Chinese and English, and what a revision changed.

The Chinese names are the published ones; field_names.csv has the English ones, and the Chinese where there is none.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from message_specs.tables import Node, table

_FILE = Path(__file__).with_name("field_names.csv")
_TYPES = {
    "group": "",
    "xs:string": "text",
    "dxp:Key": "text",
    "xs:decimal": "decimal",
    "xs:int": "integer",
    "xs:date": "date",
    "xs:dateTime": "time",
    "xs:base64Binary": "base64",
    "xs:ID": "identifier",
    "ds:Signature": "signature",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One field: where it stands, its names, how often, of what type and how long."""

    path: str
    zh: str
    en: str
    occurs: str
    type: str
    length: str
    value: str

    @property
    def facts(self) -> str:
        """All that a message must keep to at this place, in one text.

        >>> Line("Order/OrderHead/currency", "币制", "currency", "1", "text", "3", "= 142").facts
        '1 text 3 = 142'
        """
        return " ".join(part for part in (self.occurs, self.type, self.length, self.value) if part)


@dataclass(frozen=True, slots=True)
class Change:
    """One field that two revisions have differently; a side is empty where its revision does not have it."""

    path: str
    zh: str
    en: str
    before: str
    after: str


@cache
def _names() -> Mapping[str, tuple[str, str]]:
    with _FILE.open(encoding="utf-8", newline="") as source:
        return {row["name"]: (row["zh"], row["en"]) for row in csv.DictReader(source)}


def sheet(message: str, revision: str) -> tuple[Line, ...]:
    """Every field of the message in the order of the message, attributes before what stands in their element.

    >>> sheet("CEB312Message", "202205")[4].facts, sheet("CEB312Message", "202205")[4].en
    ('1 text 1..18', 'platform: code')
    """
    return tuple(_line(node) for node in _nodes(table(message, revision)))


def changes(message: str, before: str, after: str) -> tuple[Change, ...]:
    """Every field that the two revisions have differently, in the order of the later one, lost ones last.

    >>> [(one.path, one.before, one.after) for one in changes("CEB792Message", "2018", "202205")][-1]
    ('SummaryResult/SummaryResultList/gseqno', '', '1 integer 5')
    """
    old = {line.path: line for line in sheet(message, before)}
    new = {line.path: line for line in sheet(message, after)}
    told = (*new.values(), *(line for path, line in old.items() if path not in new))
    found = (Change(one.path, one.zh, one.en, _facts(old, one), _facts(new, one)) for one in told)
    return tuple(change for change in found if change.before != change.after)


def _facts(lines: Mapping[str, Line], one: Line) -> str:
    return lines[one.path].facts if one.path in lines else ""


def _nodes(node: Node) -> Iterator[Node]:
    yield from node.attributes
    for child in node.children:
        yield child
        yield from _nodes(child)


def _line(node: Node) -> Line:
    zh, en = _names()[node.path.rpartition("/")[2]]
    most = "*" if node.maximum is None else str(node.maximum)
    return Line(
        path=node.path,
        zh=node.zh or zh,
        en=en,
        occurs=most if str(node.minimum) == most else f"{node.minimum}..{most}",
        type=_TYPES.get(node.base, "any"),
        length=_length(node),
        value=_value(node),
    )


def _value(node: Node) -> str:
    if node.fixed is not None:
        return f"= {node.fixed}"
    if node.default is not None:
        return f"default {node.default}"
    return "blanks collapsed" if node.white_space == "collapse" else ""


def _length(node: Node) -> str:
    """The length of a text, or the digits of a number and how many of them may stand behind the point.

    >>> _length(Node("a", "a", 1, 1, "xs:string", min_length=1, max_length=60)), _length(Node("a", "a", 1, 1, "xs:int"))
    ('1..60', '')
    """
    if node.length is not None:
        return str(node.length)
    if node.total_digits is not None:
        return f"{node.total_digits},{node.fraction_digits}" if node.fraction_digits else str(node.total_digits)
    if node.max_length is None:
        return f"{node.min_length}.." if node.min_length else ""
    return f"{node.min_length}..{node.max_length}" if node.min_length else f"..{node.max_length}"
