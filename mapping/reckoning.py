"""The verbs that look at more than one cell: sums and totals, constants, numbers, the time, the partner.

They are given the draft of a document, whose cells have become values, and the line they are for.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from mapping.fitting import BadArgument, Unfit, rounded
from message_specs.tables import Node

_CHINA: Final = ZoneInfo("Asia/Shanghai")
_WIDE: Final = Context(prec=60)
_DECIMALS: Final = 5
_AMOUNT: Final = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})", re.ASCII)
FACTS: Final = ("code", "title", "dxp_id", "name")


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds for a whole file: whose it is, and when it came."""

    now: datetime
    partner: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A document in the making: the values of its head and of each line, by local name, and its cells."""

    facts: Facts
    head_group: str
    head: dict[str, str] = field(default_factory=dict)
    lines: list[dict[str, str]] = field(default_factory=list)
    rows: Sequence[Sequence[str]] = ()

    def value(self, path: str, line: int) -> str | None:
        """The value at the path; of the repeated group, that of the line."""
        group, _, name = path.rpartition("/")
        if group == self.head_group or line < 0 or (name not in self.lines[line] and name in self.head and not group):
            return self.head.get(name)
        return self.lines[line].get(name)

    def amount(self, path: str, line: int) -> Decimal | None:
        """The value at the path as a number, or None."""
        text = self.value(path, line)
        return Decimal(text) if text and _AMOUNT.fullmatch(text) else None


Reckon = Callable[[Draft, int], str | None]


@dataclass(frozen=True, slots=True)
class DraftVerb:
    """A verb that fills a field from the draft; `paths` tells which fields must be there before."""

    build: Callable[[Node, str], Reckon]
    paths: Callable[[str], tuple[str, ...]]
    argument: str
    zh: str
    en: str


def _no_paths(_argument: str) -> tuple[str, ...]:
    return ()


def terms(argument: str, signs: str) -> tuple[tuple[str, str], ...]:
    """The paths of a formula, each with the sign before it.

    >>> terms("OrderHead/a + OrderHead/b - OrderHead/c", "+-")
    (('+', 'OrderHead/a'), ('+', 'OrderHead/b'), ('-', 'OrderHead/c'))
    """
    pieces = re.split(r"\s+", argument.strip())
    if len(pieces) % 2 == 0 or not all(re.fullmatch(r"\w+(?:/\w+)*", path) for path in pieces[::2]):
        raise BadArgument("应写成 路径 符号 路径，中间用空格隔开", "it must read path sign path, with blanks between")
    if any(sign not in signs for sign in pieces[1::2]):
        told = " ".join(signs)
        raise BadArgument(f"只能用 {told}", f"only {told} may stand between")
    return tuple(zip((signs[0], *pieces[1::2]), pieces[::2], strict=True))


def _paths_of(signs: str) -> Callable[[str], tuple[str, ...]]:
    return lambda argument: tuple(path for _, path in terms(argument, signs))


def _written(node: Node, value: Decimal) -> str:
    digits = 0 if node.base == "xs:int" else node.fraction_digits if node.fraction_digits is not None else _DECIMALS
    if -int(value.as_tuple().exponent) > digits:
        value = rounded(value, digits)
    return f"{value:f}"


def sum_(node: Node, argument: str) -> Reckon:
    """Amounts added and taken away; a missing one counts as 0, none at all gives nothing."""
    parts = terms(argument, "+-")

    def reckon(draft: Draft, line: int) -> str | None:
        amounts = [(sign, draft.amount(path, line)) for sign, path in parts]
        if all(amount is None for _, amount in amounts):
            return None
        result = Decimal(0)
        for sign, amount in amounts:
            if amount is not None:
                result = _WIDE.add(result, amount if sign == "+" else -amount)
        return _written(node, result)

    return reckon


def product(node: Node, argument: str) -> Reckon:
    """Amounts multiplied; where one is missing, nothing."""
    parts = terms(argument, "*")

    def reckon(draft: Draft, line: int) -> str | None:
        result = Decimal(1)
        for _, path in parts:
            amount = draft.amount(path, line)
            if amount is None:
                return None
            result = _WIDE.multiply(result, amount)
        return _written(node, result)

    return reckon


def quotient(node: Node, argument: str) -> Reckon:
    """One amount divided by another, rounded half up to the decimals of the field."""
    parts = terms(argument, "/")
    if len(parts) != 2:
        raise BadArgument("应写成 路径 / 路径", "it must read path / path")

    def reckon(draft: Draft, line: int) -> str | None:
        above, below = (draft.amount(path, line) for _, path in parts)
        if above is None or below is None:
            return None
        if not below:
            raise Unfit("M036", formula=argument)
        return _written(node, _WIDE.divide(above, below))

    return reckon


def total(node: Node, argument: str) -> Reckon:
    """The sum of one amount over all lines; where a line lacks it, nothing."""
    [(_, path)] = terms(argument, "+")[:1]
    if len(argument.split()) != 1:
        raise BadArgument("应为一个路径", "it must be one path")

    def reckon(draft: Draft, _line: int) -> str | None:
        result = Decimal(0)
        for number in range(len(draft.lines)):
            amount = draft.amount(path, number)
            if amount is None:
                return None
            result = _WIDE.add(result, amount)
        return _written(node, result) if draft.lines else None

    return reckon


def same(_node: Node, argument: str) -> Reckon:
    """The value of another field."""
    return lambda draft, line: draft.value(argument.strip(), line)


def constant(_node: Node, argument: str) -> Reckon:
    """Always the argument."""
    return lambda _draft, _line: argument


def ordinal(_node: Node, _argument: str) -> Reckon:
    """The position of the line in its document, from 1."""
    return lambda _draft, line: str(line + 1)


def count(_node: Node, _argument: str) -> Reckon:
    """How many lines the document has."""
    return lambda draft, _line: str(len(draft.lines))


def guid(_node: Node, _argument: str) -> Reckon:
    """A GUID made of the document's rows: the same rows have the same one, whenever they are mapped."""

    def reckon(draft: Draft, _line: int) -> str:
        told = "\n".join("\t".join(row) for row in draft.rows)
        seed = f"{draft.facts.partner.get('code', '')}\n{draft.head_group}\n{told}"
        mark = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest().upper()
        # Marked as version 8 of RFC 9562: whoever makes it says how.
        return f"{mark[:8]}-{mark[8:12]}-8{mark[13:16]}-A{mark[17:20]}-{mark[20:32]}"

    return reckon


def now(node: Node, _argument: str) -> Reckon:
    """The time at which the file came, China Standard Time; of a field of 8 characters, the day."""
    pattern = "%Y%m%d" if node.length == 8 else "%Y%m%d%H%M%S"
    known: dict[datetime, str] = {}

    def reckon(draft: Draft, _line: int) -> str:
        moment = draft.facts.now
        if moment not in known:
            known[moment] = moment.astimezone(_CHINA).strftime(pattern)
        return known[moment]

    return reckon


def partner(_node: Node, argument: str) -> Reckon:
    """A fact about the partner whose file it is: code, title, dxp_id or name."""
    fact = argument.strip()
    if fact not in FACTS:
        raise BadArgument(f"应为 {'、'.join(FACTS)}", f"it must be one of {', '.join(FACTS)}")
    return lambda draft, _line: draft.facts.partner.get(fact)


def _one_path(argument: str) -> tuple[str, ...]:
    return (argument.strip(),)


DRAFT_VERBS: Final = {
    "constant": DraftVerb(constant, _no_paths, "must", "固定值", "always the argument"),
    "sum": DraftVerb(
        sum_, _paths_of("+-"), "must", "加减：路径 + 路径 - 路径", "amounts added and taken away: path + path - path"
    ),
    "product": DraftVerb(product, _paths_of("*"), "must", "相乘：路径 * 路径", "amounts multiplied: path * path"),
    "quotient": DraftVerb(
        quotient, _paths_of("/"), "must", "相除：路径 / 路径", "one amount divided by another: path / path"
    ),
    "total": DraftVerb(total, _one_path, "must", "各行合计：路径", "the sum over all lines: path"),
    "same": DraftVerb(same, _one_path, "must", "与另一项相同：路径", "the value of another field: path"),
    "ordinal": DraftVerb(ordinal, _no_paths, "none", "本行序号", "the position of the line, from 1"),
    "count": DraftVerb(count, _no_paths, "none", "行数", "how many lines the document has"),
    "guid": DraftVerb(guid, _no_paths, "none", "由各行内容生成的 GUID", "a GUID made of the document's rows"),
    "now": DraftVerb(now, _no_paths, "none", "收到文件的时间", "the time at which the file came"),
    "partner": DraftVerb(
        partner,
        _no_paths,
        "must",
        "伙伴的 code、title、dxp_id 或 name",
        "a fact about the partner: code, title, dxp_id or name",
    ),
}
