"""Templates for a partner: a map with the headings of the spec, and an Excel sheet to be filled in.

The sheet has the headings, a comment on each, and codes to choose from.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import xlsxwriter

from mapping.plan import shape_of
from mapping.table import COLUMNS, Line, Map
from mapping.workbooks import CODE_LISTS
from message_specs import codes
from message_specs.spec import Spec
from message_specs.tables import Node

_ROWS: Final = 5000
_INLINE_LETTERS: Final = 255
_TABLES: Final = {
    "unit": "unit", "unit1": "unit", "unit2": "unit", "fCurrency": "currency", "iCurrency": "currency",
    "country": "country", "tradeCountry": "country",
    "currency": "currency", "tradeMode": "trade_mode", "trafMode": "transport_mode", "wrapType": "package_type",
    "customsCode": "customs_district", "portCode": "customs_district", "buyerIdType": "id_type",
    "payerIdType": "id_type",
}  # fmt: skip
_NARROW: Final = ("No", "Code", "Telephone", "IdNumber", "gcode", "Id")
_FIXED: Final = {
    "guid": ("guid", ""),
    "appType": ("constant", "1"),
    "appTime": ("now", ""),
    "appStatus": ("constant", "2"),
    "gnum": ("ordinal", ""),
}
# A refund names the lines of the inventory that it gives back: their numbers are the partner's to tell.
_OWN_NUMBERS: Final = ("InvtRefund",)


def new_map(spec: Spec, revision: str = "202205") -> str:
    """The text of a map that names each field of the spec by its Chinese name; to be shortened and changed."""
    shape = shape_of(spec.root, spec.document, revision)
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow(("@spec", "", "", spec.code))
    writer.writerow(("@title", "", "", spec.title))
    for path, node in shape.paths():
        twice = path.startswith(f"{shape.list_group}/") and node.name in shape.head and node.name != "currency"
        if twice and node.name not in _FIXED:
            writer.writerow((path, f"表体{node.zh}", *_verb(node)))
            continue
        writer.writerows(_suggested(path, node, is_line=bool(shape.list_group) and path.startswith(shape.list_group)))
    return told.getvalue()


def _suggested(path: str, node: Node, *, is_line: bool) -> Iterator[tuple[str, str, str, str]]:
    if node.name in _FIXED and (node.name != "gnum" or (is_line and not path.startswith(_OWN_NUMBERS))):
        yield (path, "", *_FIXED[node.name])
        return
    if node.fixed is not None:
        yield (path, "", "constant", node.fixed)
    else:
        yield (path, f"{node.zh.replace('|', '/') or node.name}|{node.name}", *_verb(node))


def _verb(node: Node) -> tuple[str, str]:
    """The verb, with its argument, that a column for this field most likely needs."""
    if node.name in _TABLES:
        return "code", _TABLES[node.name]
    if node.base == "xs:decimal":
        return "number", "5"
    if node.base == "xs:int":
        return "whole", ""
    if node.length in (8, 14) or node.name.endswith(("Time", "Date")):
        return "date", ""
    return ("narrow" if node.name.endswith(_NARROW) else "text"), ""


def excel_template(used: Map, revision: str = "202205") -> bytes:
    """An xlsx file with one column for each heading of the map, ready to be filled in."""
    shape = shape_of(used.spec.root, used.spec.document, revision)
    told = io.BytesIO()
    book = xlsxwriter.Workbook(told, {"in_memory": True})
    look = {
        "must": book.add_format({"bold": True, "bg_color": "#FFE699", "border": 1, "num_format": "@"}),
        "may": book.add_format({"bg_color": "#E7E6E6", "border": 1, "num_format": "@"}),
        "text": book.add_format({"num_format": "@"}),
        "amount": book.add_format({"num_format": "0.00###"}),
    }
    sheet = book.add_worksheet((used.sheet or (used.title,))[0][:31])
    lists = book.add_worksheet(CODE_LISTS)
    ranges = _code_lists(lists, used)
    for column, line in enumerate(_headed(used)):
        node = shape.node(line.path)
        if node is not None:
            _column(sheet, column, line, node, look, ranges, required=_is_required(used, node, line.path))
    sheet.freeze_panes(1, 0)
    book.close()
    return told.getvalue()


def _headed(used: Map) -> Iterator[Line]:
    """Yield the first line of each heading, once."""
    seen: set[str] = set()
    for line in used.lines:
        if (
            line.columns
            and line.columns[0] not in seen
            and line.columns[0] not in ("guid", "报送类型", "报送时间", "业务状态")
        ):
            seen.add(line.columns[0])
            yield line


def _is_required(used: Map, node: Node, path: str) -> bool:
    return bool(node.minimum) and all(line.columns for line in used.by_path[path])


def _column(
    sheet: Any, column: int, line: Line, node: Node, look: dict[str, Any], ranges: dict[str, str], *, required: bool
) -> None:
    heading = line.columns[0]
    sheet.write_string(0, column, heading, look["must" if required else "may"])
    sheet.write_comment(0, column, _comment(line, node, required=required), {"x_scale": 2})
    is_number = line.verb in ("number", "whole")
    sheet.set_column(column, column, max(12, len(heading) * 2 + 2), look["amount" if is_number else "text"])
    if line.verb == "code" and line.argument in ranges:
        rule = {"validate": "list", "source": ranges[line.argument], "error_type": "warning", "ignore_blank": True}
        sheet.data_validation(1, column, _ROWS, column, rule)
    elif line.verb == "choice":
        words = [part.partition("=")[0] for part in line.argument.split("|")]
        if len(",".join(words)) <= _INLINE_LETTERS:
            sheet.data_validation(1, column, _ROWS, column, {"validate": "list", "source": words})


def _comment(line: Line, node: Node, *, required: bool) -> str:
    parts = [f"{node.zh} {node.name}", "必填 required" if required else "选填 optional"]
    if node.length:
        parts.append(f"{node.length} 个字符 characters")
    elif node.max_length:
        parts.append(f"至多 {node.max_length} 个字符 characters at most")
    if node.total_digits:
        parts.append(f"至多 {node.total_digits} 位，小数 {node.fraction_digits or 0} 位 digits, decimals at most")
    if line.verb == "code":
        parts.append("代码或名称均可 code or name")
    if line.verb == "date":
        parts.append("2026-11-21 10:30:00")
    if len(line.columns) > 1:
        parts.append("也可写作 also: " + "、".join(line.columns[1:]))
    return "\n".join(parts)


def _code_lists(sheet: Any, used: Map) -> dict[str, str]:
    """Write each code table that the map uses into a column; return the range of its names."""
    ranges = {}
    tables = list(dict.fromkeys(line.argument for line in used.lines if line.verb == "code"))
    for number, name in enumerate(tables):
        names = _names(name)
        sheet.write_string(0, number, name)
        for row, word in enumerate(names, 1):
            sheet.write_string(row, number, word)
        letter = xlsxwriter.utility.xl_col_to_name(number)
        ranges[name] = f"={CODE_LISTS}!${letter}$2:${letter}${len(names) + 1}"
    return ranges


def _names(table: str) -> Sequence[str]:
    """The names of a table; where two codes share one, the codes."""
    from mapping.codebook import codebook

    book = codebook(table)
    rows = [row for rows in codes.table(table).values() for row in rows]
    return [row.zh if book is not None and book.words.get(row.zh.lower()) == row.code else row.code for row in rows]
