"""A map held against its spec before it is loaded: every finding with the line of the map it is about."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from mapping.cells import worded
from mapping.codebook import codebook
from mapping.fitting import BadArgument
from mapping.plan import VERBS, Shape, needs, shape_of
from mapping.reckoning import DRAFT_VERBS, Facts
from mapping.table import Fetch, Line, Map, fetch_shipped, plain, read_map
from mapping.verbs import CELL_VERBS, choices, parts_of
from message_specs.findings import Finding, Severity, finding
from message_specs.tables import Node, NoTable
from message_specs.values import troubles

_NUMBERS = ("xs:decimal", "xs:int")
_ALWAYS = ("constant", "guid", "now", "ordinal", "count")


def load_map(
    name: str, text: str, fetch: Fetch = fetch_shipped, revision: str = "202205"
) -> tuple[Map | None, tuple[Finding, ...]]:
    """The map, or None where an error forbids to use it, and everything that is wrong with it."""
    made, findings = read_map(name, text, fetch)
    if made is not None:
        try:
            findings = (*findings, *check_map(made, revision))
        except NoTable:
            code = made.spec.code
            zh, en = f"{code} 没有 {revision} 版", f"{code} has no revision {revision}"
            findings = (*findings, finding("M058", path="@spec", field="@spec", reason_zh=zh, reason=en))
    if any(found.severity is Severity.ERROR for found in findings):
        return None, findings
    return made, findings


def check_map(used: Map, revision: str = "202205") -> tuple[Finding, ...]:
    """Everything that is wrong with the lines of the map."""
    shape = shape_of(used.spec.root, used.spec.document, revision)
    found = [said for line in used.lines for said in _line(line, used, shape)]
    sound = not any(said.code in ("M051", "M052", "M053", "M054") for said in found)
    found += _uncovered(used, shape)
    found += _unreached(used)
    if sound:
        found += _circles(used)
    return tuple(sorted(found, key=lambda said: said.line or 0))


def columns_missing(used: Map, headings: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for each line none of whose columns the headings have."""
    known = {plain(heading) for heading in headings}
    for line in used.lines:
        if line.columns and not known & {plain(name) for name in line.columns}:
            yield finding("M006", path=line.path, line=line.place, heading=line.columns[0], name=line.path)


def _line(line: Line, used: Map, shape: Shape) -> Iterator[Finding]:
    node = shape.node(line.path)
    if node is None:
        near, near_zh = _near(line.path, [path for path, _ in shape.paths()])
        yield finding(
            "M052", path=line.path, line=line.place, field=line.path, spec=used.spec.code, near=near, near_zh=near_zh
        )
    if line.verb not in VERBS:
        near, near_zh = _near(line.verb, VERBS)
        yield finding("M051", path=line.path, line=line.place, verb=line.verb, near=near, near_zh=near_zh)
        return
    yield from _columns(line)
    if node is not None:
        yield from _argument(line, node, shape)


def _near(name: str, names: Sequence[str]) -> tuple[str, str]:
    close = get_close_matches(name, names, n=1)
    return (f'; did you mean "{close[0]}"?', f"，是否为“{close[0]}”？") if close else ("", "")


def _columns(line: Line) -> Iterator[Finding]:
    if line.verb in CELL_VERBS and not line.columns:
        yield _verb(line, "需要写明列", "needs a column")
    elif line.verb not in CELL_VERBS and line.columns:
        yield _verb(line, "不需要列", "takes no column")


def _verb(line: Line, zh: str, en: str) -> Finding:
    return finding("M053", path=line.path, line=line.place, verb=line.verb, reason_zh=zh, reason=en)


def _argument(line: Line, node: Node, shape: Shape) -> Iterator[Finding]:
    verb = CELL_VERBS.get(line.verb) or DRAFT_VERBS.get(line.verb)
    wanted = verb.argument if verb else "must"
    if wanted == "none" and line.argument.strip():
        yield _verb(line, "不带参数", "takes no argument")
        return
    if wanted == "must" and not line.argument.strip():
        yield _verb(line, "需要参数", "needs an argument")
        return
    try:
        if verb is None:
            parts_of(line.argument)
        else:
            verb.build(node, line.argument)
    except BadArgument as reason:
        zh, en = reason.args
        yield finding("M054", path=line.path, line=line.place, verb=line.verb, reason_zh=zh, reason=en)
        return
    is_line = bool(shape.list_group) and line.path.startswith(f"{shape.list_group}/")
    yield from _referred(line, shape, is_line=is_line)
    if not is_line and line.verb == "ordinal" and shape.list_group:
        yield _verb(line, "只能用于表体", "belongs into the lines")
    for zh, en in _never(line, node):
        yield finding("M056", path=line.path, line=line.place, field=line.path, title=node.zh, reason_zh=zh, reason=en)


def _referred(line: Line, shape: Shape, *, is_line: bool) -> Iterator[Finding]:
    for path in needs(line):
        of_lines = bool(shape.list_group) and path.startswith(f"{shape.list_group}/")
        if shape.node(path) is None:
            yield _bad(line, f"没有 {path} 这一项", f"there is no field {path}")
        elif line.verb == "total" and not of_lines:
            yield _bad(line, f"{path} 不在表体里", f"{path} is not in the lines")
        elif line.verb != "total" and of_lines and not is_line:
            yield _bad(line, f"{path} 在表体里，有多个值", f"{path} is in the lines and has many values")


def _bad(line: Line, zh: str, en: str) -> Finding:
    return finding("M054", path=line.path, line=line.place, verb=line.verb, reason_zh=zh, reason=en)


def _never(line: Line, node: Node) -> Iterator[tuple[str, str]]:
    """Yield why no value of this line can ever be right in this field."""
    verb, argument = line.verb, line.argument
    if verb == "constant" and (said := _said(node, argument)):
        yield said
    elif verb == "choice":
        for value in choices(argument).values():
            if said := _said(node, value):
                yield said
    elif verb == "code":
        book = codebook(argument)
        if book is not None and all(_said(node, code) for code in set(book.words.values())):
            yield f"代码表 {argument} 的代码长度不合", f"the codes of {argument} have another length"
    elif verb in ("text", "narrow", "concat", "partner") and node.base in _NUMBERS:
        yield "这一项是数值，请用 number 或 whole", "the field is a number: use number or whole"
    elif verb == "number" and node.base == "xs:int":
        yield "这一项是整数，请用 whole", "the field is a whole number: use whole"
    elif verb in ("date", "now") and (node.base != "xs:string" or _too_short(node, 8 if node.length == 8 else 14)):
        yield "日期为 8 位或 14 位", "a date has 8 or 14 characters"
    elif verb == "guid" and _too_short(node, 36):
        yield "GUID 为 36 位", "a GUID has 36 characters"
    elif verb in ("sum", "product", "quotient", "total", "count", "ordinal") and node.base not in _NUMBERS:
        yield "算出的是数值，这一项是文字", "what is reckoned is a number, the field is a text"


def _said(node: Node, value: str) -> tuple[str, str] | None:
    for code, words in troubles(node, value):
        said = worded(code, words | {"name": node.name, "title": node.zh})
        return said.zh, said.en
    return None


def _too_short(node: Node, size: int) -> bool:
    if node.length is not None:
        return node.length != size
    return node.max_length is not None and node.max_length < size


def _uncovered(used: Map, shape: Shape) -> Iterator[Finding]:
    for path, node in shape.paths():
        if node.minimum and path not in used.by_path:
            yield finding("M055", path=path, field=path, title=node.zh)


def _unreached(used: Map) -> Iterator[Finding]:
    for lines in used.by_path.values():
        for before, line in pairwise(lines):
            if before.verb in _ALWAYS:
                yield finding("M059", path=line.path, line=line.place, field=line.path)


def _circles(used: Map) -> Iterator[Finding]:
    graph = {path: {need for line in lines for need in needs(line)} for path, lines in used.by_path.items()}
    # A field that has a column of its own may still be reckoned from another that is reckoned from it:
    # price from total, total from price. Only a way without any column can never begin.
    for path, lines in used.by_path.items():
        if any(line.verb not in DRAFT_VERBS for line in lines):
            graph[path] = set()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        way = [str(step) for step in circle.args[1]]
        line = used.by_path[way[0]][0]
        yield finding("M057", path=way[0], line=line.place, field=way[0], circle=" → ".join(way))


def coverage(used: Map, revision: str = "202205") -> Iterator[Mapping[str, object]]:
    """Yield every field of the spec with what fills it."""
    shape = shape_of(used.spec.root, used.spec.document, revision)
    for path, node in shape.paths():
        lines = used.by_path.get(path, ())
        yield {
            "path": path,
            "zh": node.zh,
            "required": bool(node.minimum),
            "columns": [name for line in lines for name in line.columns],
            "verbs": [f"{line.verb} {line.argument}".strip() for line in lines],
            "covered": bool(lines),
        }


def dry_facts() -> Facts:
    """The facts of a dry run: nobody's file, of this moment."""
    return Facts(datetime.now(UTC))
