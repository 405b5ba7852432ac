"""The join: order, payment, waybill, filed goods and the agent's values as one table, a row for each line of the order.

A map makes the inventory out of it.  The heading of a column says whose the value is (`waybill.weight`,
`order.lines.price`, `goods.gcode`, `agent.customsCode`), and beside each paper stands which document it was
(`waybill.document`), so that the table alone tells where every value of the inventory came from.
What is reckoned from several of them stands under `reckoned.`, by the formulas of FORMULAS.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from functools import cache
from typing import Final

from message_specs.amounts import amount
from message_specs.findings import Finding, finding
from message_specs.trade.choosing import Chosen
from message_specs.trade.goods import COLUMNS, Good, Goods
from message_specs.trade.marking import mark_of
from message_specs.trade.matching import applies
from message_specs.trade.papers import Paper, kept, kind_of, kinds, side_of, table

PAPERS: Final = ("order", "payment", "waybill")
FORMULAS: Final[Mapping[str, str]] = {
    "copNo": "digest of order.ebpCode | order.ebcCode | order.orderNo",
    "qty1": "order.lines.qty * goods.qty1",
    "qty2": "order.lines.qty * goods.qty2",
    "netWeight": "sum of order.lines.qty * goods.netWeight (goods.qty1 or goods.qty2 where it is in kilograms)",
}
_WIDE: Final = Context(prec=60)
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Joined:
    """The rows of one inventory, or why it cannot be drawn up yet."""

    rows: tuple[Row, ...] = ()
    lacking: tuple[Finding, ...] = ()


def cop_no(platform: str, merchant: str, order: str) -> str:
    """The copNo of the inventory that is drawn up for an order: the same whenever it is, at most 20 characters.

    >>> cop_no("3301961A2B", "3301961A2B", "YX2026000000000001")
    'KD19BF7ZKVLZKPE'
    """
    rest, digits = mark_of("drawn", platform, merchant, order) % 2**64, ""
    for _ in range(13):
        rest, digit = divmod(rest, 36)
        digits = _DIGITS[digit] + digits
    return f"KD{digits}"


def columns(spec: str) -> tuple[str, ...]:
    """The headings of the join from which a CEB621 or a CEB603 is made, but for those of the agent.

    >>> [name for name in columns("CEB603") if name.startswith("waybill.")][:3]
    ['waybill.document', 'waybill.appTime', 'waybill.logisticsCode']
    """
    found: list[str] = []
    for kind in PAPERS:
        names, of_lines = kept(spec_of(kind, side_of(spec)))
        found += [f"{kind}.document", *[f"{kind}.{name}" for name in names]]
        found += [f"{kind}.lines.{name}" for name in of_lines]
    return (*found, "goods.line", *[f"goods.{name}" for name in COLUMNS], *[f"reckoned.{name}" for name in FORMULAS])


def spec_of(kind: str, side: str) -> str:
    """The spec that is of this kind on this side of the border.

    >>> spec_of("waybill", "export")
    'CEB505'
    """
    return next(spec for spec, one in kinds().items() if (one.kind, one.side) == (kind, side))


def joined(chosen: Chosen, filed: Goods, values: Mapping[str, str], day: date) -> Joined:
    """The rows of the trade, whose order is there; what is lacking for them is told to whoever must file it."""
    order = chosen.order
    assert order is not None
    found = [_goods(order, line, filed, day, values.get("tradeMode", "")) for line in order.lines]
    lacking = tuple(one for one in found if isinstance(one, Finding))
    if lacking:
        return Joined(lacking=lacking)
    goods = [one for one in found if isinstance(one, Good)]
    head = dict(_head(chosen)) | {f"agent.{name}": value for name, value in values.items()}
    head["reckoned.copNo"] = cop_no(*[order.head.get(name, "") for name in ("ebpCode", "ebcCode", "orderNo")])
    net = [_WIDE.multiply(_quantity(line), one.net_weight) for line, one in zip(order.lines, goods, strict=True)]
    head["reckoned.netWeight"] = _plain(sum(net, Decimal(0)))
    return Joined(tuple(head | _line(line, one) for line, one in zip(order.lines, goods, strict=True)))


def _goods(order: Paper, line: Mapping[str, str], filed: Goods, day: date, mode: str) -> Good | Finding:
    gnum, item, merchant = line.get("gnum", ""), line.get("itemNo", "").strip(), order.head.get("ebcCode", "")
    path = "OrderList/itemNo"
    if not item:
        return finding("T703", path=path, gnum=gnum)
    good = filed.on(merchant, item, day)
    if good is None:
        return finding("T701", path=path, value=item, gnum=gnum, item=item, ebc=merchant, day=day.isoformat())
    ordered, unit = line.get("unit", ""), good.texts["unit"]
    if ordered != unit:
        return finding("T702", path="OrderList/unit", value=item, gnum=gnum, item=item, found=ordered, expected=unit)
    for name in needed(side_of(order.spec), mode):
        if not good.texts.get(name):
            return finding("T706", path=path, value=item, gnum=gnum, item=item, name=name, mode=mode)
    return good


@cache
def needed(side: str, mode: str) -> tuple[str, ...]:
    """The columns of the goods that an inventory of this mode cannot do without, by needed.csv.

    >>> needed("export", "1210"), needed("export", "9610")
    (('itemRecordNo',), ())
    """
    return tuple(row["column"] for row in table("needed.csv") if applies(row["modes"], side, mode))


def _head(chosen: Chosen) -> Iterator[tuple[str, str]]:
    for kind in PAPERS:
        paper = chosen.of(kind)
        if paper is not None:
            yield f"{kind}.document", paper.name
            yield from ((f"{kind}.{name}", text) for name, text in paper.head.items())


def _line(line: Mapping[str, str], good: Good) -> Row:
    row = {f"order.lines.{name}": text for name, text in line.items()}
    row |= {"goods.line": str(good.line)} | {f"goods.{name}": text for name, text in good.texts.items()}
    for name in ("qty1", "qty2"):
        if each := good.texts.get(name):
            row[f"reckoned.{name}"] = _plain(_WIDE.multiply(_quantity(line), Decimal(each)))
    return row


def _quantity(line: Mapping[str, str]) -> Decimal:
    return amount(line.get("qty")) or Decimal(0)


def _plain(value: Decimal) -> str:
    """A number as people write it: no exponent, no zeros behind the point."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def table_of(spec: str, rows: Sequence[Row]) -> list[list[str]]:
    """The rows as cells below their headings; a column that nobody fills is left out."""
    filled = {name for row in rows for name, text in row.items() if text}
    agent = sorted(name for name in filled if name.startswith("agent."))
    heads = [name for name in (*columns(spec), *agent) if name in filled]
    return [heads, *[[row.get(name, "") for name in heads] for row in rows]]


def rows_of(table: Iterable[Sequence[str]], copno: str) -> tuple[Row, ...]:
    """The rows of one inventory, as they were joined, out of a table of many."""
    heads, *rows = table
    dicts = [{name: text for name, text in zip(heads, cells, strict=True) if text} for cells in rows]
    return tuple(row for row in dicts if row.get("reckoned.copNo") == copno)


def source_of(column: str, row: Mapping[str, str], spec: str) -> tuple[str, str]:
    """Whose a column is, the document or the line of the file named, and what of it; "" where there is none.

    >>> source_of("waybill.weight", {"waybill.document": "7.1"}, "CEB621")
    ('waybill 7.1', 'LogisticsHead/weight')
    >>> source_of("goods.gcode", {"goods.line": "12"}, "CEB621"), source_of("agent.portCode", {}, "CEB621")
    (('goods line 12', 'gcode'), ('agent value', 'portCode'))
    """
    from message_specs.trade.paths import fields

    whose, _, name = column.partition(".")
    if whose == "goods":
        return f"goods line {row.get('goods.line', '')}", name
    if whose == "agent":
        return "agent value", name
    if whose == "reckoned":
        return "reckoned", _with_values(FORMULAS[name], row)
    head, lines = fields(spec_of(whose, side_of(spec)))
    in_lines = name.startswith("lines.")
    field = name.removeprefix("lines.")
    group = (lines if in_lines else head).get(field, "")
    at = f"[{row.get('order.lines.gnum', '')}]" if in_lines else ""
    return f"{whose} {row.get(f'{whose}.document', '')}", f"{group}{at}/{field}".lstrip("/")


def _with_values(formula: str, row: Mapping[str, str]) -> str:
    """A formula with what each column of it held in this row; a sum over lines has no single values."""
    if formula.startswith("sum"):
        return formula
    return " ".join(f"{word} {row[word]}" if word in row else word for word in formula.split())


def is_drawn_up(spec: str) -> bool:
    """Whether documents of this spec can be drawn up: inventories.

    >>> is_drawn_up("CEB621"), is_drawn_up("CEB311")
    (True, False)
    """
    return kind_of(spec) == "inventory"
