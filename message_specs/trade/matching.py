"""The rows of match.csv: what must agree between two documents of a trade, how, since when, and who mends it.

A cell of `modes` holds words: `*`, `import`, `export`, a trade mode, or both as in `import:9610`.
A place is `kind.field`, `kind.lines.field`, two fields of which either may agree (`gname|itemName`),
or fields that are added up (`goodsValue+freight`).
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from message_specs.findings import Severity

_FILE = Path(__file__).parents[1] / "ceb" / "match.csv"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a rule looks: the kind of document, whether in its lines, and the fields there."""

    kind: str
    in_lines: bool
    names: tuple[str, ...]
    added: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule holds only if a field is a value, or the same as a field of the other document."""

    left: Spot
    value: str
    right: Spot | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of match.csv."""

    code: str
    modes: str
    left: Spot
    right: Spot
    how: str
    tolerance: str
    when: tuple[Condition, ...]
    together: str
    shown: str
    mends: str
    severity: Severity
    since: date | None
    until: date | None

    @property
    def is_same_enough(self) -> bool:
        """Whether the same text on both sides always agrees, so that nothing need be read."""
        return self.how not in ("mode_of_type", "lines_one_to_one")

    def holds(self, side: str, mode: str, on: date) -> bool:
        """Whether the rule is in force for that side of the border and trade mode on that day."""
        if (self.since and on < self.since) or (self.until and on > self.until):
            return False
        return applies(self.modes, side, mode)


def applies(modes: str, side: str, mode: str) -> bool:
    """Whether a cell of modes names this side and trade mode.

    >>> applies("*", "import", "9610"), applies("import:9610 1210", "export", "9610"), applies("1210", "export", "1210")
    (True, False, True)
    """
    return any(word in {"*", side, mode, f"{side}:{mode}"} for word in modes.split())


def spot(cell: str) -> Spot:
    """The place that a cell names.

    >>> spot("inventory.lines.gname|itemName")
    Spot(kind='inventory', in_lines=True, names=('gname', 'itemName'), added=False)
    >>> spot("order.goodsValue+freight")
    Spot(kind='order', in_lines=False, names=('goodsValue', 'freight'), added=True)
    """
    kind, _, rest = cell.partition(".")
    in_lines = rest.startswith("lines.")
    rest = rest.removeprefix("lines.")
    return Spot(kind, in_lines, tuple(rest.replace("+", "|").split("|")), "+" in rest)


def _condition(word: str) -> Condition:
    left, _, right = word.partition("=")
    return Condition(spot(left), right, spot(right) if "." in right else None)


@cache
def rules() -> tuple[Rule, ...]:
    """Every row of match.csv, in its order."""
    with _FILE.open(encoding="utf-8", newline="") as source:
        return tuple(
            Rule(
                row["code"],
                row["modes"],
                spot(row["left"]),
                spot(row["right"]),
                row["how"],
                row["tolerance"],
                tuple(_condition(word) for word in row["when"].split()),
                row["together"],
                row["shown"],
                row["mends"],
                Severity(row["severity"]),
                day(row["since"]),
                day(row["until"]),
            )
            for row in csv.DictReader(source)
        )


def day(cell: str) -> date | None:
    """The day that a dated cell names; an empty one leaves that end open."""
    return date.fromisoformat(cell) if cell else None


@lru_cache(maxsize=256)
def rules_for(side: str, mode: str, on: date, about: str = "") -> tuple[Rule, ...]:
    """The rules in force for that side and mode on that day; with `about` those that look at that kind of document."""
    return tuple(
        rule
        for rule in rules()
        if rule.holds(side, mode, on) and (not about or about in (rule.left.kind, rule.right.kind))
    )


@cache
def fields_of(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of the head and of the lines that some rule reads of that kind of document."""
    spots = [spot for rule in rules() for spot in (rule.left, rule.right)]
    spots += [one for rule in rules() for part in rule.when for one in (part.left, part.right) if one]
    mine = [one for one in spots if one.kind == kind]
    head = dict.fromkeys(name for one in mine if not one.in_lines for name in one.names)
    lines = dict.fromkeys(name for one in mine if one.in_lines for name in one.names)
    return tuple(head), tuple(lines)
