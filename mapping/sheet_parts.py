"""The parts of an xlsx workbook: where formulas and error values stand, how far the cells reach, how much they show.

Each part is read to its end by expat as the XML it is, so nothing hides from this reader that the
next one would see.
"""

from collections.abc import Iterator, Mapping
from typing import Final
from xml.parsers import expat

from mapping.bounds import MOST_BYTES, Oddities, TooBig, Unsound
from mapping.cells import column_of

_KNOWN: Final = frozenset({"c", "row", "f", "v", "si", "sheet", "Relationship"})
_MOST_DIGITS: Final = 9
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def oddities(parts: Mapping[str, bytes]) -> dict[str, Oddities]:
    """Return the oddities of each sheet by its name."""
    found = {plain_name(name): _walked(body) for name, body in parts.items() if not name.endswith("mimetype")}
    lengths = found.get("xl/sharedstrings.xml", _Walk()).lengths
    longest = max(lengths, default=0)
    book = found.get("xl/workbook.xml", _Walk())
    targets = found.get("xl/_rels/workbook.xml.rels", _Walk()).targets
    bodies = {plain_name(name): body for name, body in parts.items()}
    for name, walk in found.items():
        walk.odd.weight = walk.shared * longest
        if walk.odd.weight > MOST_BYTES:
            walk.odd.weight = _weight(bodies[name], lengths)
        walk.odd.check()
    heaviest = max((walk.odd.weight for walk in found.values()), default=0)
    told: dict[str, Oddities] = {}
    for name, relation in book.sheets:
        if name in told:
            raise Unsound(f"two sheets are called {name}")
        place = _place(targets.get(relation, ""))
        told[name] = found[place].odd if place in found else Oddities(weight=heaviest)
    return told


def plain_name(name: str) -> str:
    """The name of a part as it is looked up: case does not count."""
    return name.lower()


def _place(target: str) -> str:
    """The name of the part that a relation of the workbook points to.

    >>> _place("worksheets/Sheet1.xml"), _place("/xl/a.xml"), _place("xl/a.xml")
    ('xl/worksheets/sheet1.xml', 'xl/a.xml', 'xl/a.xml')
    """
    plain = plain_name(target).lstrip("/")
    return plain if target.startswith("/") or plain.startswith("xl/") else f"xl/{plain}"


class _Walk:
    """What one part holds, whichever part it is."""

    def __init__(self) -> None:
        self.odd = Oddities()
        self.lengths: list[int] = []
        self.sheets: list[tuple[str, str]] = []
        self.targets: dict[str, str] = {}
        self.shared = 0
        self._kinds: dict[str, str] = {}
        self._row = 0
        self._column = -1
        self._digits = ""
        self._columns: dict[str, int] = {}

    def start(self, tag: str, told: dict[str, str]) -> None:
        """An element begins."""
        kind = self._kinds.get(tag)
        if kind is None:
            local = tag.rpartition(":")[2]
            kind = self._kinds[tag] = local if local in _KNOWN else ""
        if kind == "c":
            self._cell(told)
        elif kind == "row":
            self._row = _number(told["r"]) if "r" in told else self._row + 1
            self._column, self._digits = -1, ""
        elif kind == "f":
            self.odd.formulas.setdefault(self._column, []).append(self._row)
        elif kind == "si":
            self.lengths.append(0)
        elif kind == "sheet":
            relation = next((value for name, value in told.items() if name.endswith(":id")), "")
            if relation:
                self.sheets.append((told.get("name", ""), relation))
        elif kind == "Relationship":
            self.targets[told.get("Id", "")] = told.get("Target", "")

    def _cell(self, told: dict[str, str]) -> None:
        place = told.get("r")
        if place is None:
            self._column += 1
        else:
            digits = place.lstrip(_LETTERS)
            letters = place[: -len(digits) or None]
            if digits != self._digits:
                self._row, self._digits = _number(digits), digits
            if letters not in self._columns:
                self._columns[letters] = column_of(letters[:_MOST_DIGITS].upper())
            self._column = self._columns[letters]
        if self._row > self.odd.height or self._column >= self.odd.width:
            self.odd.reach(self._row, self._column)
        kind = told.get("t")
        if kind == "s":
            self.shared += 1
        elif kind == "e":
            self.odd.errors.add((self._row, self._column))

    def text(self, text: str) -> None:
        """Text stands in a shared string."""
        if self.lengths:
            self.lengths[-1] += len(text.encode())


def _number(digits: str) -> int:
    if not digits.isascii() or not digits.isdigit():
        raise Unsound(f"no row is called {digits[:_MOST_DIGITS]!r}")
    if len(digits) > _MOST_DIGITS:
        raise TooBig(f"第 {digits[:30]} 行", f"row {digits[:30]}")
    return int(digits)


def _walked(body: bytes) -> _Walk:
    walk = _Walk()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = walk.start
    if b"si>" in body:
        parser.CharacterDataHandler = walk.text
    parser.Parse(body, True)
    return walk


def _weight(body: bytes, lengths: list[int]) -> int:
    """The bytes of all shared strings that a sheet shows, each as often as it is shown."""
    return sum(lengths[place] if place < len(lengths) else 0 for place in _shown(body))


def _shown(body: bytes) -> Iterator[int]:
    texts: list[str] = []
    is_shared, in_value = False, False

    def start(tag: str, told: dict[str, str]) -> None:
        nonlocal is_shared, in_value
        local = tag.rpartition(":")[2]
        if local == "c":
            is_shared = told.get("t") == "s"
        in_value = is_shared and local == "v"
        if in_value:
            texts.append("")

    def text(part: str) -> None:
        if in_value:
            texts[-1] += part

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler = start, text
    parser.Parse(body, True)
    for one in texts:
        if one.strip().isdecimal():
            yield int(one.strip()[:_MOST_DIGITS])
