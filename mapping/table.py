"""A map: one CSV of lines `path,column,verb,argument` that turn the columns of a sheet into a document.

Several lines of one path are tried in order; the first that gives a value holds. A path that begins
with @ is a setting of the map itself. A map that says `@from` takes over another one, and its own
lines stand in the place of those with the same path.
"""

import csv
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from message_specs.catalog import catalog
from message_specs.findings import Finding, finding
from message_specs.spec import Spec

FOLDER: Final = Path(__file__).parent / "maps"
COLUMNS: Final = ["path", "column", "verb", "argument"]
SETTINGS: Final = ("@spec", "@from", "@title", "@key", "@sheet", "@list", "@row", "@delimiter")
DELIMITERS: Final = {"comma": ",", "tab": "\t", "semicolon": ";", "bar": "|"}
_NOTES: Final = ("(必填)", "(选填)", "(required)", "(optional)")
Fetch = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what fills the path, and where in the file of the map it stands."""

    path: str
    columns: tuple[str, ...]
    verb: str
    argument: str
    place: int = 0


@dataclass(frozen=True, slots=True)
class Map:
    """A whole map, with what it says of itself."""

    name: str
    spec: Spec
    lines: tuple[Line, ...]
    title: str = ""
    key: tuple[str, ...] = ()
    sheet: tuple[str, ...] = ()
    list_sheet: tuple[str, ...] = ()
    row: int | None = None
    delimiter: str | None = None
    by_path: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)


@lru_cache(maxsize=8192)
def plain(heading: str) -> str:
    """A heading without what people add to it: width, blanks, stars, notes, capitals.

    >>> plain(" *订单 编号（必填）"), plain("OrderNo")
    ('订单编号', 'orderno')
    """
    text = "".join(unicodedata.normalize("NFKC", heading).split()).replace("*", "").lower()
    for note in _NOTES:
        text = text.removesuffix(note)
    return text


def shipped() -> tuple[str, ...]:
    """The names of the maps that come with Kouan."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.csv")))


def fetch_shipped(name: str) -> str | None:
    """The text of a map that comes with Kouan, or None."""
    file = FOLDER / f"{name}.csv"
    return file.read_text("utf-8") if name in shipped() else None


def read_map(name: str, text: str, fetch: Fetch = fetch_shipped) -> tuple[Map | None, tuple[Finding, ...]]:
    """The map that the text writes down, or None, and what is wrong with it; `fetch` finds what `@from` names."""
    lines, findings = _lines(text)
    seen = {name}
    while origin := next((line for line in lines if line.path == "@from"), None):
        below = None if origin.argument in seen else fetch(origin.argument)
        seen.add(origin.argument)
        lines.remove(origin)
        if below is None:
            findings.append(_setting(origin, f"没有映射表 {origin.argument}", f"there is no map {origin.argument}"))
            break
        lines = _overlaid(_lines(below)[0], lines)
    settings = {line.path: line for line in lines if line.path.startswith("@")}
    findings += [
        _setting(line, "没有这个设置", "there is no such setting")
        for path, line in settings.items()
        if path not in SETTINGS
    ]
    if "@spec" not in settings:
        findings.append(
            finding("M058", path="@spec", field="@spec", reason_zh="未写明规范", reason="the map names no spec")
        )
        return None, tuple(findings)
    spec = catalog().by_code(settings["@spec"].argument)
    if spec is None:
        code = settings["@spec"].argument
        findings.append(_setting(settings["@spec"], f"没有规范 {code}", f"there is no spec {code}"))
        return None, tuple(findings)
    made, wrong = _made(name, spec, settings, [line for line in lines if not line.path.startswith("@")])
    return made, (*findings, *wrong)


def _lines(text: str) -> tuple[list[Line], list[Finding]]:
    lines: list[Line] = []
    findings: list[Finding] = []
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), strict=True)
    try:
        for number, cells in enumerate(reader, 1):
            if number == 1 and cells != COLUMNS:
                findings.append(
                    _unreadable(
                        number, "第一行应为 path,column,verb,argument", "the heading is not path,column,verb,argument"
                    )
                )
            elif number > 1 and any(cells) and not cells[0].startswith("#"):
                if len(cells) != len(COLUMNS):
                    findings.append(_unreadable(number, f"有 {len(cells)} 格", f"it has {len(cells)} cells"))
                else:
                    path, column, verb, argument = cells
                    aliases = tuple(part.strip() for part in column.split("|") if part.strip())
                    lines.append(Line(path.strip(), aliases, verb.strip(), argument, number))
    except csv.Error as trouble:
        findings.append(_unreadable(reader.line_num, str(trouble), str(trouble)))
    if not lines and not findings:
        findings.append(_unreadable(1, "没有内容", "the map is empty"))
    return lines, findings


def _overlaid(below: Iterable[Line], above: list[Line]) -> list[Line]:
    mine = {line.path for line in above}
    return [line for line in below if line.path not in mine] + above


def _made(name: str, spec: Spec, settings: Mapping[str, Line], lines: list[Line]) -> tuple[Map, list[Finding]]:
    def told(path: str) -> str:
        return settings[path].argument.strip() if path in settings else ""

    wrong: list[Finding] = []
    row = int(told("@row")) if told("@row").isascii() and told("@row").isdigit() else None
    if told("@row") and not row:
        wrong.append(_setting(settings["@row"], "应为行号", "it must be the number of a row"))
    delimiter = DELIMITERS.get(told("@delimiter"), told("@delimiter")) or None
    if delimiter is not None and delimiter not in DELIMITERS.values():
        wrong.append(
            _setting(
                settings["@delimiter"], "应为 comma、tab、semicolon 或 bar", "it must be comma, tab, semicolon or bar"
            )
        )
        delimiter = None
    by_path: dict[str, tuple[Line, ...]] = {}
    for line in lines:
        by_path[line.path] = (*by_path.get(line.path, ()), line)
    made = Map(
        name, spec, tuple(lines), told("@title") or spec.title, tuple(told("@key").split()) or spec.key,
        _names(settings.get("@sheet")), _names(settings.get("@list")), row, delimiter, by_path,
    )  # fmt: skip
    return made, wrong


def _names(line: Line | None) -> tuple[str, ...]:
    return line.columns if line else ()


def _setting(line: Line, zh: str, en: str) -> Finding:
    return finding("M058", path=line.path, line=line.place, field=line.path, reason_zh=zh, reason=en)


def _unreadable(number: int, zh: str, en: str) -> Finding:
    return finding("M050", line=number, place=str(number), reason_zh=zh, reason=en)


def headings_of(lines: Iterable[Line]) -> Iterator[str]:
    """Yield every heading that the lines know, the placeholders of their templates too."""
    from mapping.verbs import placeholders

    for line in lines:
        yield from line.columns
        if line.verb == "concat":
            for aliases in placeholders(line.argument):
                yield from aliases
