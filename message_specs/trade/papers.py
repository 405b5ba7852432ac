"""A paper is what the other documents of a trade need to know of one document; a mark is how they find it.

Three enterprises send the order, the payment and the waybill of one trade, in any order, and none knows the numbers
of the ledger.  They meet by what they name: the same order of a platform, the same transaction, the same waybill.
Which document names what stands in marks.csv; what of it is remembered in kept.csv and match.csv; no Python knows
either.  Sources: import rules 2 and 7, export rules 2 and 3.

Two oddities of the specification are in the rows.  A CEB511 names an order but no platform, so it is found under
`order_no`, which two platforms may share: `comparing.choose` tells them apart.  In export the platform may be 无:
then the merchant stands beside it in the mark (`of_nobody`), for every merchant numbers his own orders; and an order
is found under its merchant too (`sold`).
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from message_specs.amounts import amount
from message_specs.document import Document
from message_specs.places import Place, place
from message_specs.trade.marking import MEETING, digest_of, mark_of, near
from message_specs.trade.matching import fields_of
from message_specs.trade.packed import Lines, Texts
from message_specs.trade.paths import fields

FOLDER = Path(__file__).parent
NOBODY: Final = "无"
"""What is written for the platform where there is none."""


class Paper(msgspec.Struct, frozen=True, gc=False):
    """What the law of a trade needs of one document: where it stands, whose it is, and a few of its texts."""

    number: int
    ordinal: int
    spec: str
    kind: str
    partner: str
    state: str
    app_type: str
    version: int
    status: str
    head: Texts
    lines: Sequence[Texts]

    @property
    def name(self) -> str:
        """The document as people and the ledger name it: number.ordinal."""
        return f"{self.number}.{self.ordinal}"


class Kind(NamedTuple):
    """What a spec is in a trade, and on which side of the border."""

    kind: str
    side: str


def table(name: str) -> list[dict[str, str]]:
    """The rows of a table of this package."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


@cache
def kinds() -> Mapping[str, Kind]:
    """What each spec of kinds.csv is in a trade."""
    return {row["spec"]: Kind(row["kind"], row["side"]) for row in table("kinds.csv")}


def kind_of(spec: str) -> str:
    """What a spec is in a trade, "" when it has no part in one.

    >>> kind_of("CEB311"), kind_of("CEB403"), kind_of("CEB900")
    ('order', 'payment', '')
    """
    found = kinds().get(spec)
    return found.kind if found else ""


def side_of(spec: str) -> str:
    """Whether a spec is of import or export, "" when it has no part in a trade.

    >>> side_of("CEB621"), side_of("CEB603")
    ('import', 'export')
    """
    found = kinds().get(spec)
    return found.side if found else ""


def marks(document: Document) -> Mapping[str, tuple[int, ...]]:
    """By what the document is found: each kind of mark it has, in the order of marks.csv; a blank makes no mark."""
    return _all_marks(document.spec.code, document.head, document)


def marks_of_paper(paper: Paper) -> Mapping[str, tuple[int, ...]]:
    """By what the document behind a paper is found."""
    return _all_marks(paper.spec, paper.head, paper)


def _all_marks(spec: str, head: Texts, unit: Document | Paper) -> Mapping[str, tuple[int, ...]]:
    plain, of_lines = _marks(spec)
    get = head.get
    found: dict[str, tuple[int, ...]] = {}
    for kind, names, beside in plain:
        # Written out for speed: it is done for every document that comes in.
        joined = kind
        for name in names:
            value = (get(name) or "").strip()
            if not value:
                break
            if beside and value == NOBODY:
                value += "|" + (get(beside) or "").strip()
            joined += "|" + value
        else:
            found[kind] = (near(joined, value) if kind in MEETING else digest_of(joined),)
    for kind, _, _ in of_lines:
        if of_kind := marks_of(kind, spec, head, unit.lines):
            found[kind] = of_kind
    return found


def marks_of(kind: str, spec: str, head: Texts, lines: Sequence[Texts] = ()) -> tuple[int, ...]:
    """The marks of one kind that a document of this spec with these texts has.

    >>> order = {"ebpCode": "E1", "orderNo": "A1"}
    >>> marks_of("order", "CEB311", order) == (mark_of("order", "E1", "A1"),), marks_of("payment", "CEB311", order)
    (True, ())
    >>> abroad = {"ebpCode": "无", "ebcCode": "M1", "orderNo": "A1"}
    >>> marks_of("order", "CEB303", abroad) == (mark_of("order", "无", "M1", "A1"),)
    True
    """
    return tuple(dict.fromkeys(mark_of(kind, *values) for values in named(kind, spec, head, lines)))


def named(kind: str, spec: str, head: Texts, lines: Sequence[Texts] = ()) -> Iterator[Sequence[str]]:
    """What a document of this spec with these texts names, of which its marks of one kind are made."""
    plain, of_lines = _marks(spec)
    for one, names, beside in plain:
        if one == kind and all(values := [_value(head, name, beside) for name in names]):
            yield values
    for one, names, name in of_lines:
        if one == kind:
            above = [_value(head, other, "") for other in names]
            for line in lines:
                if all(values := [*above, _value(line, name, "")]):
                    yield values


def _value(head: Texts, name: str, beside: str) -> str:
    value = head.get(name, "").strip()
    return f"{value}|{head.get(beside, '').strip()}" if beside and value == NOBODY else value


def _is_paid(due: str | None, paid: Sequence[str | None]) -> bool:
    return due in paid or amount(due) in map(amount, paid)


def paid_elsewhere(papers: Iterable[Paper]) -> tuple[int, ...]:
    """The payments that orders name, where none among these papers pays just that: they may tell of other orders."""
    orders, paid = [], []
    for one in papers:
        if one.kind == "payment":
            paid.append(one.head.get("amountPaid"))
        elif one.kind == "order":
            orders.append(one)
    if paid and all(_is_paid(one.head.get("acturalPaid"), paid) for one in orders):
        return ()
    return tuple(dict.fromkeys(mark for one in orders for mark in marks_of("payment", one.spec, one.head)))


def beside(papers: Iterable[Paper]) -> tuple[int, ...]:
    """The marks of orders that share a payment: each may have been changed since to another one, and tells it there."""
    orders = [one for one in papers if one.kind == "order"]
    if len(orders) < 2:
        return ()
    return tuple(dict.fromkeys(mark for one in orders for mark in marks_of("order", one.spec, one.head)))


class _Marks(NamedTuple):
    """What marks a spec: by texts of its head alone, and by texts of its head with one of each line."""

    plain: tuple[tuple[str, tuple[str, ...], str], ...]
    of_lines: tuple[tuple[str, tuple[str, ...], str], ...]


@cache
def _marks(spec: str) -> _Marks:
    plain, of_lines = [], []
    for row in table("marks.csv"):
        if row["spec"] == spec:
            places = _places([row["paths"]])
            names = tuple(one.name for one in places if not one.in_lines)
            if in_lines := [one.name for one in places if one.in_lines]:
                of_lines.append((row["mark"], names, in_lines[0]))
            else:
                plain.append((row["mark"], names, row["of_nobody"].rpartition("/")[2]))
    return _Marks(tuple(plain), tuple(of_lines))


class Kept(NamedTuple):
    """The fields of a spec that are remembered: of the head, and of each line."""

    head: tuple[str, ...]
    lines: tuple[str, ...]


@cache
def kept(spec: str) -> Kept:
    """What is remembered of a document of this spec: what kept.csv, marks.csv and match.csv name.

    >>> kept("CEB513")
    Kept(head=('appTime', 'logisticsCode', 'logisticsNo', 'logisticsStatus', 'logisticsTime'), lines=())
    """
    places = [
        *_places(row["fields"] for row in table("kept.csv") if row["spec"] == spec),
        *_places(f"{row['paths']} {row['of_nobody']}" for row in table("marks.csv") if row["spec"] == spec),
    ]
    of_head, of_lines = fields_of(kind_of(spec))
    known_head, known_lines = fields(spec)
    head = dict.fromkeys(one.name for one in places if not one.in_lines)
    lines = dict.fromkeys(one.name for one in places if one.in_lines)
    head |= dict.fromkeys(name for name in of_head if name in known_head)
    lines |= dict.fromkeys(name for name in of_lines if name in known_lines)
    return Kept(tuple(head), tuple(lines))


def _places(cells: Iterable[str]) -> list[Place]:
    return [place(path) for cell in cells for path in cell.split()]


_encode: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[dict[str, str], msgspec.Raw]).decode


def pack(document: Document) -> bytes:
    """What is remembered of the document, as bytes that name their fields, so that kept.csv may change."""
    names = kept(document.spec.code)
    get = document.head.get
    head = {name: value for name in names.head if (value := get(name))}
    if not (of_line := names.lines):
        return _encode((head, ()))
    return _encode((head, [{name: value for name in of_line if (value := line.get(name))} for line in document.lines]))


def marks_of_packed(spec: str, data: bytes) -> frozenset[int]:
    """By what the document that was packed is found."""
    head, lines = unpack(data)
    return frozenset(mark for kind in kinds_of_marks(spec) for mark in marks_of(kind, spec, head, lines))


def kinds_of_marks(spec: str) -> Sequence[str]:
    """By what kinds of marks a document of this spec is found.

    >>> kinds_of_marks("CEB511")
    ('waybill', 'order_no')
    """
    plain, of_lines = _marks(spec)
    return tuple(dict.fromkeys([*(one[0] for one in plain), *(one[0] for one in of_lines)]))


def unpack(data: bytes) -> tuple[dict[str, str], Lines]:
    """The head and the lines that were packed; what was absent or empty is left out."""
    head, lines = _decode(data)
    return head, Lines(lines)
