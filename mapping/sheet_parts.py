"""The parts of an xlsx workbook: where formulas and error values stand, how far the cells reach, how much they show.

Each part is read to its end by expat as the XML it is, so nothing hides from this reader that the
next one would see.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from xml.parsers import expat

from mapping.bounds import CELL_BYTES, MOST_BYTES, MOST_CELLS, Oddities, TooBig, TooMany, Unsound
from mapping.cells import column_of

_KNOWN: Final = frozenset({"c", "row", "f", "si", "sheet", "Relationship"})
_MOST_DIGITS: Final = 9
_ROUGHLY: Final = 8 << 20
"""Below this the texts that a sheet shows need not be added up one by one."""
_INLINE_TAGS: Final = 20
"""Bytes that the tags of a cell with a text of its own have at least."""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


Reader = Callable[[bytes, bool], object]
Pieces = Callable[[str], Iterable[bytes]]


class Book:
    """The parts of one workbook as they are read."""

    def __init__(self, most_cells: int = MOST_CELLS) -> None:
        self._most_cells = most_cells
        self._walks: dict[str, _Walk] = {}
        self._cells = 0
        self.kept = 0
        """Bytes that are kept beside the cells, at most: texts of their own, and every text that they share."""

    def reader(self, name: str) -> Reader:
        """Return what reads a part of this name piece by piece."""
        if name.lower() == "mimetype":
            return lambda _piece, _is_last: None
        walk = self._walks[plain_name(name)] = _Walk(self._most_cells)
        return walk.read

    def sheets(self, pieces: Pieces) -> dict[str, Oddities]:
        """Return the oddities of each sheet by its name; `pieces` gives a part once more."""
        found, nothing = self._walks, _Walk()
        lengths = found.get("xl/sharedstrings.xml", nothing).lengths
        longest = max(lengths, default=0)
        targets = found.get("xl/_rels/workbook.xml.rels", nothing).targets
        for walk in found.values():
            self.kept += walk.inline + len(walk.lengths) * CELL_BYTES
            walk.odd.weight = walk.shared * longest
        if self._may_be_too_much():
            for name, walk in found.items():
                if walk.odd.weight > _ROUGHLY:
                    walk.odd.weight = _weight(pieces(name), lengths)
        for walk in found.values():
            walk.odd.check()
        heaviest = max((walk.odd.weight for walk in found.values()), default=0)
        told: dict[str, Oddities] = {}
        for name, relation in found.get("xl/workbook.xml", nothing).sheets:
            if name in told:
                raise Unsound(f"two sheets are called {name}")
            place = _place(targets.get(relation, ""))
            told[name] = found[place].odd if place in found else Oddities(weight=heaviest)
        return told

    def _may_be_too_much(self) -> bool:
        """Tell whether the texts must be added up one by one: each counted as the longest, they might be too much."""
        weight = sum(walk.odd.weight for walk in self._walks.values())
        cells = sum(walk.odd.cells for walk in self._walks.values())
        return weight > MOST_BYTES or cells + (weight + self.kept) // CELL_BYTES > self._most_cells


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

    def __init__(self, most_cells: int = MOST_CELLS) -> None:
        self.odd = Oddities(most_cells)
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self.start
        self._size = 0
        self._inline = 0
        self.lengths = array("I")
        self.sheets: list[tuple[str, str]] = []
        self.targets: dict[str, str] = {}
        self.shared = 0
        self._kinds: dict[str, str] = {}
        self._row = 0
        self._column = -1
        self._waiting: list[str] = []
        """Where cells say that they lie, in the order of the part, not yet looked at."""
        self._usual = ""
        self._columns: dict[str, int] = {}

    @property
    def inline(self) -> int:
        """Bytes of texts that stand in the cells themselves, at most: what is not their tags."""
        return max(0, self._size - self._inline * _INLINE_TAGS) if self._inline else 0

    def read(self, piece: bytes, is_last: bool) -> None:
        """The next piece of the part; raise where it is not XML or too much."""
        self._size += len(piece)
        self._parser.Parse(piece, is_last)
        self._look()

    def start(self, tag: str, told: dict[str, str]) -> None:
        """An element begins."""
        kind = self._kinds.get(tag)
        if kind is None:
            local = tag.rpartition(":")[2]
            kind = self._kinds[tag] = local if local in _KNOWN else ""
        if not kind:
            return
        if kind == "c":
            if "r" in told:
                self._waiting.append(told["r"])
            else:
                self._look()
                self._column += 1
                self._reach()
            if (holds := told.get("t")) == "s":
                self.shared += 1
            elif holds is not None:
                self._holds(holds)
        elif kind == "row":
            self._look()
            self._row = _number(told["r"]) if "r" in told else self._row + 1
            self._column = -1
        else:
            self._other(kind, told)

    def _other(self, kind: str, told: dict[str, str]) -> None:
        if kind == "f":
            self._look()
            self.odd.reckoned(self._row, self._column)
        elif kind == "si":
            if not self.lengths:
                self._parser.CharacterDataHandler = self.text
            self.lengths.append(0)
            if len(self.lengths) > self.odd.most_cells:
                raise TooMany(self.odd.most_cells)
        elif kind == "sheet":
            relation = next((value for name, value in told.items() if name.endswith(":id")), "")
            if relation:
                self.sheets.append((told.get("name", ""), relation))
        elif kind == "Relationship":
            self.targets[told.get("Id", "")] = told.get("Target", "")

    def _holds(self, kind: str) -> None:
        if kind in ("inlineStr", "str"):
            self._inline += 1
        elif kind == "e":
            self._look()
            self.odd.error(self._row, self._column)

    def _look(self) -> None:
        """Look at the cells that wait; the last of them is where the walk stands.

        A row whose cells lie in the columns of the row before, as most do, is looked at as a whole.
        """
        waiting = self._waiting
        if not waiting:
            return
        digits = waiting[-1].lstrip(_LETTERS)
        # A NUL can stand in no XML, so none hides in a place.
        columns = "\0".join([*waiting, ""]).replace(f"{digits}\0", "\0")
        if columns == self._usual:
            self._row, self._column = _number(digits), self._columns[waiting[-1][: -len(digits)]]
            self._reach()
        else:
            for place in waiting:
                self._lies(place)
            # Only letters: every one of them lies in one row, and its columns are known from here on.
            self._usual = columns if columns.replace("\0", "").isalpha() else ""
        waiting.clear()

    def _lies(self, place: str) -> None:
        digits = place.lstrip(_LETTERS)
        letters = place[: -len(digits) or None]
        self._row = _number(digits)
        if letters not in self._columns:
            self._columns[letters] = column_of(letters[:_MOST_DIGITS].upper())
        self._column = self._columns[letters]
        self._reach()

    def _reach(self) -> None:
        if self._row > self.odd.height or self._column >= self.odd.width:
            self.odd.reach(self._row, self._column)

    def text(self, text: str) -> None:
        """Text stands in a shared string."""
        self.lengths[-1] += len(text.encode())


def _number(digits: str) -> int:
    if not digits.isascii() or not digits.isdigit():
        raise Unsound(f"no row is called {digits[:_MOST_DIGITS]!r}")
    if len(digits) > _MOST_DIGITS:
        raise TooBig(f"第 {digits[:30]} 行", f"row {digits[:30]}")
    return int(digits)


def _weight(body: Iterable[bytes], lengths: "array[int]") -> int:
    """The bytes of all shared strings that a sheet shows, each as often as it is shown."""
    return sum(lengths[place] if place < len(lengths) else 0 for place in _shown(body))


def _shown(body: Iterable[bytes]) -> Iterator[int]:
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
    for piece in body:
        parser.Parse(piece, False)
        for one in texts[:-1]:
            if one.strip().isdecimal():
                yield int(one.strip()[:_MOST_DIGITS])
        del texts[:-1]
    for one in texts:
        if one.strip().isdecimal():
            yield int(one.strip()[:_MOST_DIGITS])
