"""Reading TOML into a shape: every key accounted for, every mistake with its file and line.

All mistakes of a file are found at once, so that one reading mends them all.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gateway.config_shapes import struct_of
from spool.errors import ForOperator

Way = tuple[str | int, ...]
Shape = TypeVar("Shape", bound=msgspec.Struct)
Table = dict[str, Any]
DATES = (date, datetime, time)

HEADER = re.compile(r"^\s*\[(\[)?\s*([^\[\]]+?)\s*\]")
KEY = re.compile(r"^\s*([\w.\"'-]+)\s*=")
PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<way>[^`]*)`)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration: where, what, and what to do about it."""

    file: str
    line: int | None
    what: str
    cure: str
    severity: str = "error"

    def __str__(self) -> str:
        """Return the three parts in one line.

        >>> str(Problem("kouan.toml", 3, 'unknown key "lissten"', 'Did you mean "listen"?'))
        'kouan.toml:3: unknown key "lissten". Did you mean "listen"?'
        """
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.what}. {self.cure}"


class WrongConfiguration(ForOperator):
    """The configuration cannot be used; the lines below say what to mend"""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("".join(f"\n  {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Source:
    """One file as read: its raw tables, the line of each of its keys, and what is wrong with it."""

    file: str
    raw: Table
    lines: Mapping[Way, int]
    problems: tuple[Problem, ...] = ()

    def line_of(self, way: Way) -> int | None:
        """Return the line of this key, or of the nearest table around it."""
        for length in range(len(way), 0, -1):
            if way[:length] in self.lines:
                return self.lines[way[:length]]
        return None

    def problem(self, way: Way, what: str, cure: str, severity: str = "error") -> Problem:
        """Return a problem that stands at this key of this file."""
        return Problem(self.file, self.line_of(way), what, cure, severity)


def read_toml(home: Path, file: str) -> Source:
    """Return the file as read; one that is missing or no TOML is empty and carries its problem."""
    try:
        text = (home / file).read_text("utf-8")
        return Source(file, tomllib.loads(text), dict(_lines(text)))
    except FileNotFoundError:
        problem = Problem(file, None, "the file is missing", "Make a home with: kouan init DIR")
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        what = re.sub(r"\s*\(at .*\)$", "", str(error))
        problem = Problem(file, int(found[1]) if found else None, f"no TOML: {what}", "Mend that line.")
    except UnicodeDecodeError as error:
        problem = Problem(file, None, f"not UTF-8 at byte {error.start}", "Save the file as UTF-8.")
    except OSError as error:
        problem = Problem(file, None, f"cannot be read: {error.strerror}", "Let the user that runs kouan read it.")
    return Source(file, {}, {}, (problem,))


def _lines(text: str) -> Iterator[tuple[Way, int]]:
    table: Way = ()
    rows: dict[Way, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = tuple(part.strip(" \"'") for part in header[2].split("."))
            if header[1]:
                rows[table] = rows.get(table, -1) + 1
                table = (*table, rows[table])
            yield table, number
        elif key := KEY.match(line):
            yield (*table, *(part.strip("\"'") for part in key[1].split("."))), number


def shaped(source: Source, shape: type[Shape], problems: list[Problem]) -> Shape | None:
    """Return the file in its shape, and add whatever is wrong with it to `problems`."""
    problems.extend(source.problems)
    if source.problems:
        return None
    raw: Table = msgspec.to_builtins(source.raw, builtin_types=DATES)
    problems.extend(_unknown(source, raw, shape, ()))
    for _ in range(50):
        try:
            return msgspec.convert(raw, shape)
        except msgspec.ValidationError as error:
            way, problem = _explained(source, str(error))
            problems.append(problem)
            if not _taken_out(raw, way):
                return None
    return None


def _unknown(source: Source, table: Table, shape: type[msgspec.Struct], way: Way) -> Iterator[Problem]:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}
    if not way:
        fields.pop("home", None)
    for key in list(table):
        if key not in fields:
            yield source.problem((*way, key), f'unknown key "{dotted((*way, key))}"', near(key, fields))
            del table[key]
            continue
        below = struct_of(fields[key])
        rows = table[key] if isinstance(table[key], list) else [table[key]]
        for index, row in enumerate(rows):
            if below is not None and isinstance(row, dict):
                step: Way = (key, index) if isinstance(table[key], list) else (key,)
                yield from _unknown(source, row, below, (*way, *step))


def _explained(source: Source, text: str) -> tuple[Way, Problem]:
    found = PLACE.match(text)
    assert found is not None
    way: Way = tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", found["way"] or ""))
    what = found["what"]
    missing = re.search(r"missing required field `(\w+)`", what)
    if missing:
        key = dotted((*way, missing[1]))
        return way, source.problem(way, f'the key "{key}" is missing', f"Add a line: {missing[1]} = …")
    what = what[0].lower() + what[1:].replace("`", "")
    return way, source.problem(way, f'"{dotted(way)}": {what}', "See the comment at this key in the sample in conf/.")


def _taken_out(raw: Table, way: Way) -> bool:
    """Remove the wrong value, so that the next mistake of the file shows too."""
    target: Any = raw
    while way and isinstance(way[-1], int):
        way = way[:-1]
    for step in way[:-1]:
        try:
            target = target[step]
        except (KeyError, IndexError, TypeError):
            return False
    if not way or not isinstance(target, dict) or way[-1] not in target:
        return False
    del target[way[-1]]
    return True


def near(word: str, words: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return a hint that names the likeliest word meant, or all there are.

    >>> near("lissten", ("listen", "host_key"))
    'Did you mean "listen"?'
    >>> near("x", ("listen", "host_key"))
    'Known here: host_key, listen.'
    """
    close = get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else f"Known here: {', '.join(sorted(words)) or 'nothing'}."


def dotted(way: Way) -> str:
    """Return the path of a key as people write it.

    >>> dotted(("keys", 0, "name"))
    'keys.0.name'
    """
    return ".".join(str(step) for step in way)
