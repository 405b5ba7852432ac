"""Which rules need a closer look in a trade: those whose two texts are not the very same.

In nearly every trade nearly all texts are written alike on both sides, and the same text always agrees.  So the rules
of a day are laid out by pairs of documents as plain names of fields, and one pass over the heads and lines leaves the
few rules that must be read as match.csv says.  It never leaves out a rule that might find something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from message_specs.trade.matching import Rule, Spot, rules_for
from message_specs.trade.packed import Texts
from message_specs.trade.papers import Paper


@dataclass(frozen=True, slots=True)
class Pair:
    """The rules between two kinds of documents, each by its place in match.csv, its left and its right field."""

    left: str
    right: str
    heads: tuple[tuple[int, str, str], ...]
    lines: tuple[tuple[int, str, str], ...]
    always: tuple[int, ...]
    """Rules for which the same text is not enough, or that look at several fields."""
    one_to_one: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of a side, mode and day, and the pairs into which they fall."""

    rules: tuple[Rule, ...]
    pairs: tuple[Pair, ...]


@lru_cache(maxsize=256)
def plan_for(side: str, mode: str, on: date, about: str) -> Plan:
    """The rules in force, laid out by pairs; of those alone that look at `about` where it is given."""
    rules = rules_for(side, mode, on, about)
    kinds = dict.fromkeys((rule.left.kind, rule.right.kind) for rule in rules)
    return Plan(rules, tuple(_pair(left, right, rules) for left, right in kinds))


def _pair(left: str, right: str, rules: Sequence[Rule]) -> Pair:
    heads: list[tuple[int, str, str]] = []
    lines: list[tuple[int, str, str]] = []
    always, one_to_one = [], []
    for place, rule in enumerate(rules):
        if (rule.left.kind, rule.right.kind) != (left, right):
            continue
        if rule.how == "lines_one_to_one":
            one_to_one.append(place)
        elif rule.is_same_enough and _is_plain(rule.left, in_lines=rule.left.in_lines) and _is_plain(rule.right):
            (lines if rule.left.in_lines else heads).append((place, rule.left.names[0], rule.right.names[0]))
        else:
            always.append(place)
    return Pair(left, right, tuple(heads), tuple(lines), tuple(always), tuple(one_to_one))


def _is_plain(spot: Spot, *, in_lines: bool = False) -> bool:
    # Of two fields of a line either may agree, so the first is enough; of a head the first that is given counts.
    return not spot.added and (len(spot.names) == 1 or in_lines)


def suspects(plan: Plan, papers: Mapping[str, Paper]) -> list[Rule]:
    """The rules of the plan that may disagree in a trade of these papers, in the order of match.csv."""
    found: set[int] = set()
    for pair in plan.pairs:
        left, right = papers.get(pair.left), papers.get(pair.right)
        if left is None or right is None:
            continue
        mine, other = left.head.get, right.head.get
        for place, name, fellow in pair.heads:
            if mine(name) != other(fellow):
                found.add(place)
        found.update(pair.always)
        if pair.lines or pair.one_to_one:
            found.update(_lines(pair, left.lines, right.lines))
    return [plan.rules[place] for place in sorted(found)]


def _lines(pair: Pair, lefts: Sequence[Texts], rights: Sequence[Texts]) -> set[int]:
    if not _side_by_side(lefts, rights):
        return {*pair.one_to_one, *(place for place, _, _ in pair.lines)}
    found: set[int] = set()
    for left, right in zip(lefts, rights, strict=True):
        mine, other = left.get, right.get
        for place, name, fellow in pair.lines:
            if mine(name) != other(fellow):
                found.add(place)
    return found


def _side_by_side(lefts: Sequence[Texts], rights: Sequence[Texts]) -> bool:
    """Whether each line stands beside its fellow, no number twice, all written alike."""
    numbers = [line.get("gnum") for line in lefts]
    return len(set(numbers)) == len(numbers) and numbers == [line.get("gnum") for line in rights]
