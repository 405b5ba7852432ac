"""The field table: what stands in a message, in which order, how long, how often.

One row of <family>/fields.csv is one node. The XSD and the second reader are both
made from the trees read here, and from nothing else.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent
SIGNATURE = "ds:Signature"
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """One element or attribute: its place, how often it stands there, and what its value may be."""

    name: str
    path: str
    minimum: int
    maximum: int | None
    base: str
    length: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    white_space: str = ""
    fixed: str | None = None
    default: str | None = None
    mixed: bool = False
    zh: str = ""
    children: tuple["Node", ...] = ()
    attributes: tuple["Node", ...] = ()
    is_any: bool = False

    @property
    def is_group(self) -> bool:
        """Whether elements stand in it rather than a value."""
        return self.base == "group"

    @property
    def is_open(self) -> bool:
        """Whether anything at all may stand in it."""
        return self.base == "anyType"


class NoTable(LookupError):  # noqa: N818  named for what happened
    """No fields.csv has rows for this message in this revision"""


@lru_cache(maxsize=1)
def _rows() -> Mapping[tuple[str, str], tuple[str, Sequence[Row]]]:
    found: dict[tuple[str, str], tuple[str, list[Row]]] = {}
    for file in sorted(FOLDER.glob("*/fields.csv")):
        with file.open(encoding="utf-8", newline="") as source:
            for row in csv.DictReader(source):
                found.setdefault((row["message"], row["revision"]), (file.parent.name, []))[1].append(row)
    return found


def family(message: str, revision: str) -> str:
    """The folder whose fields.csv describes the message."""
    try:
        return _rows()[message, revision][0]
    except KeyError:
        raise NoTable(f"{message} {revision}") from None


def revisions_of(message: str) -> tuple[str, ...]:
    """The revisions in which the message was published, the oldest first.

    >>> revisions_of("CEB311Message"), revisions_of("CEB213Message"), revisions_of("CEB999Message")
    (('2018', '202205'), ('202205',), ())
    """
    return tuple(sorted(revision for name, revision in _rows() if name == message))


@lru_cache(maxsize=128)
def table(message: str, revision: str) -> Node:
    """The tree of the message whose root element has this name, in that revision."""
    family(message, revision)
    rows = sorted(_rows()[message, revision][1], key=lambda row: int(row["order"]))
    below: dict[str, list[Row]] = {}
    for row in rows:
        below.setdefault(row["path"].rpartition("/")[0], []).append(row)
    return Node(message, "", 1, 1, "group", children=_children("", below), attributes=_attributes("", below))


def _children(path: str, below: Mapping[str, Sequence[Row]]) -> tuple[Node, ...]:
    return tuple(_node(row, below) for row in below.get(path, ()) if row["kind"] != "attribute")


def _attributes(path: str, below: Mapping[str, Sequence[Row]]) -> tuple[Node, ...]:
    return tuple(_node(row, below) for row in below.get(path, ()) if row["kind"] == "attribute")


def _node(row: Row, below: Mapping[str, Sequence[Row]]) -> Node:
    minimum, maximum = occurs(row["occurs"])
    return Node(
        name=row["path"].rpartition("/")[2].lstrip("@"),
        path=row["path"],
        minimum=minimum,
        maximum=maximum,
        base=row["base"].removeprefix("simpleContent:"),
        length=_figure(row["length"]),
        min_length=_figure(row["minLength"]),
        max_length=_figure(row["maxLength"]),
        total_digits=_figure(row["totalDigits"]),
        fraction_digits=_figure(row["fractionDigits"]),
        white_space=row["whiteSpace"],
        fixed=row["fixed"] or None,
        default=row["default"] or None,
        mixed=row["mixed"] == "true",
        zh=row["zh_name"],
        children=_children(row["path"], below),
        attributes=_attributes(row["path"], below),
        is_any=row["kind"] == "any",
    )


def _figure(cell: str) -> int | None:
    return int(cell) if cell else None


def occurs(cell: str) -> tuple[int, int | None]:
    """The least and the greatest number of times; None is without end.

    >>> occurs("1..99"), occurs("0..unbounded")
    ((1, 99), (0, None))
    """
    least, _, most = cell.partition("..")
    return int(least), None if most == "unbounded" else int(most)
