"""What disagrees between the documents of a trade, and what each partner may hear of it.

`choose` finds the documents, `compare` holds them against match.csv, `view_for` words a disagreement for one
partner.  Nothing here depends on the order in which documents came.  Sources: the notes of match.csv.

Known limits: lines are paired by gnum, so of two lines with one gnum the last is compared and the count told;
a sum over several orders is compared only with the orders that have come.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from message_specs.amounts import amount, number
from message_specs.catalog import catalog
from message_specs.findings import Finding, Severity, finding
from message_specs.trade.agreement import agree
from message_specs.trade.choosing import Chosen, choose
from message_specs.trade.masking import masked
from message_specs.trade.matching import Condition, Rule, Spot
from message_specs.trade.packed import Texts
from message_specs.trade.papers import Paper, side_of
from message_specs.trade.paths import path_of
from message_specs.trade.screening import plan_for, suspects

__all__ = ["Chosen", "Disagreement", "Said", "choose", "compare", "view_for"]

_MENDERS = {"left": ("left",), "right": ("right",), "both": ("left", "right")}


@dataclass(frozen=True, slots=True)
class Said:
    """What one document says: the paper, the path in its message, the text; of a sum, with which others it is made."""

    paper: Paper
    path: str
    value: str
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The document as a person knows it."""
        others = f"（与 {'、'.join(self.beside)} 合计）" if self.beside else ""
        return f"{catalog().specs[self.paper.spec].title} {self.paper.name}{others}"

    @property
    def english(self) -> str:
        """The document as a person knows it, in English."""
        others = f" (together with {', '.join(self.beside)})" if self.beside else ""
        return f"{catalog().specs[self.paper.spec].english} {self.paper.name}{others}"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two documents say different things where they must say one."""

    code: str
    severity: Severity
    shown: str
    mends: str
    left: Said
    right: Said
    gnum: str = ""

    @property
    def menders(self) -> tuple[Said, ...]:
        """Whose documents must be mended."""
        return tuple(getattr(self, side) for side in _MENDERS[self.mends])

    @property
    def finding(self) -> Finding:
        """The disagreement for the operator and the ledger: both documents, persons masked."""
        return _worded(self, masked(self.shown, self.left.value), masked(self.shown, self.right.value))


def compare(chosen: Chosen, mode: str, today: date, about: str = "") -> list[Disagreement]:
    """Everything that disagrees in a trade of that trade mode by the law of that day, in the order of match.csv.

    With `about` only what the document of that kind has to do with.
    """
    papers = {kind: paper for kind in _KINDS if (paper := chosen.of(kind)) is not None}
    side = next((side_of(paper.spec) for paper in papers.values()), "")
    found: list[Disagreement] = []
    lines: dict[str, _Lines] = {}
    for rule in suspects(plan_for(side, mode, today, about), papers):
        left, right = papers[rule.left.kind], papers[rule.right.kind]
        if rule.when and not all(_holds(one, chosen) for one in rule.when):
            continue
        if rule.left.in_lines:
            for paper in (left, right):
                if paper.kind not in lines:
                    lines[paper.kind] = _by_gnum(paper)
            found += _lines(rule, left, right, lines)
        else:
            found += _heads(rule, left, right, chosen)
    return found


_KINDS = ("inventory", "order", "payment", "waybill", "cancel", "refund")


def _text(spot: Spot, texts: Texts) -> str:
    if spot.added:
        return number(sum((amount(texts.get(name)) for name in spot.names), amount(None)))
    for name in spot.names:
        text = texts.get(name, "")
        if text and not text.isspace():
            return text
    return ""


def _holds(condition: Condition, chosen: Chosen) -> bool:
    left = chosen.of(condition.left.kind)
    if left is None:
        return False
    if condition.right is None:
        return _text(condition.left, left.head) == condition.value
    right = chosen.of(condition.right.kind)
    return right is not None and _text(condition.left, left.head) == _text(condition.right, right.head)


def _heads(rule: Rule, left: Paper, right: Paper, chosen: Chosen) -> Iterator[Disagreement]:
    mine, other = _text(rule.left, left.head), _text(rule.right, right.head)
    if rule.is_same_enough and mine == other:
        return
    if agree(rule.how, mine, other, rule.tolerance):
        return
    beside = chosen.beside(rule.together, rule.left.kind)
    added: tuple[str, ...] = ()
    if beside:
        texts = [_text(rule.left, paper.head) for paper in beside]
        if rule.how == "amount":
            mine = number(sum(map(amount, texts), amount(mine)))
            if agree(rule.how, mine, other, rule.tolerance):
                return
            added = tuple(paper.name for paper in beside)
        elif any(agree(rule.how, text, other, rule.tolerance) for text in texts):
            return
    found = _disagreement(rule, left, right, mine, other)
    yield replace(found, left=replace(found.left, beside=added)) if added else found


_Lines: TypeAlias = dict[str, tuple[int, Texts]]


def _lines(rule: Rule, left: Paper, right: Paper, lines: Mapping[str, _Lines]) -> Iterator[Disagreement]:
    lefts, rights = lines[left.kind], lines[right.kind]
    if rule.how == "lines_one_to_one":
        if lefts.keys() != rights.keys() or len(left.lines) != len(right.lines):
            yield _disagreement(rule, left, right, _numbers(left), _numbers(right))
        return
    names, how = rule.left.names, rule.how
    for gnum, (row, line) in lefts.items():
        if gnum in rights:
            fellow_row, fellow = rights[gnum]
            other = _text(rule.right, fellow)
            if rule.is_same_enough and line.get(names[0]) == other:
                continue
            if not any(agree(how, line.get(name, ""), other, rule.tolerance) for name in names):
                mine = _text(rule.left, line)
                yield _disagreement(rule, left, right, mine, other, gnum, (row, fellow_row))


def _by_gnum(paper: Paper) -> _Lines:
    return {_gnum(line): (row, line) for row, line in enumerate(paper.lines, 1)}


def _numbers(paper: Paper) -> str:
    return " ".join(sorted((_gnum(line) for line in paper.lines), key=lambda text: (len(text), text)))


def _gnum(line: Texts) -> str:
    text = line.get("gnum", "").strip()
    return text.lstrip("0") or text


def _disagreement(
    rule: Rule,
    left: Paper,
    right: Paper,
    mine: str,
    other: str,
    gnum: str = "",
    rows: tuple[int, int] | tuple[None, None] = (None, None),
) -> Disagreement:
    return Disagreement(
        rule.code,
        rule.severity,
        rule.shown,
        rule.mends,
        _said(left, rule.left, mine, rows[0]),
        _said(right, rule.right, other, rows[1]),
        gnum,
    )


def _said(paper: Paper, spot: Spot, value: str, row: int | None) -> Said:
    key = catalog().specs[paper.spec].key_name
    texts: Texts = paper.lines[row - 1] if row is not None else paper.head
    name = next((one for one in spot.names if texts.get(one, "").strip()), spot.names[0])
    in_line = (row or 1) if spot.in_lines else None
    return Said(paper, path_of(paper.spec, name, paper.head.get(key, ""), in_line), value)


def _worded(
    one: Disagreement, left: str, right: str, own: Said | None = None, *, severity: Severity | None = None
) -> Finding:
    menders = one.menders
    return finding(
        one.code,
        document=own.paper.ordinal if own else None,
        path=own.path if own else "",
        value=own.value if own else None,
        severity=severity or one.severity,
        left=one.left.name,
        right=one.right.name,
        left_en=one.left.english,
        right_en=one.right.english,
        left_value=left or "（空）",
        right_value=right or "（空）",
        left_value_en=left or "(empty)",
        right_value_en=right or "(empty)",
        in_line=f"第 {one.gnum} 项：" if one.gnum else "",
        in_line_en=f"line {one.gnum}: " if one.gnum else "",
        mender="、".join(said.name for said in menders),
        mender_en=" or ".join(said.english for said in menders),
    )


def view_for(disagreement: Disagreement, partner: str, *, severity: Severity | None = None) -> Finding:
    """What this partner may see: his own value in full, another's as far as the rule needs it, and who mends it.

    `severity` is that for the document it is told of, where it is not what match.csv says of an inventory.
    A partner whose documents are both of others (the agent, whose inventory waits) sees no value at all.
    """
    mine = [said for said in (disagreement.left, disagreement.right) if said.paper.partner == partner]
    if not mine:
        return _worded(
            disagreement,
            masked("hidden", disagreement.left.value),
            masked("hidden", disagreement.right.value),
            severity=severity,
        )
    left, right = (_seen(disagreement, said, partner) for said in (disagreement.left, disagreement.right))
    own = next((said for said in disagreement.menders if said in mine), mine[0])
    return _worded(disagreement, left, right, own, severity=severity)


def _seen(disagreement: Disagreement, said: Said, partner: str) -> str:
    return said.value if said.paper.partner == partner else masked(disagreement.shown, said.value)
