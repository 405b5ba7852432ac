"""What customs made of an aggregate application (CEB792), held against what was predicted.

A result comes more than once and in parts: the first names the lists of each declaration, later ones only its
numbers, so a part without lines says nothing about the merge.  Sources: export receipts 4, export rules 3.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from message_specs.amounts import amount, number
from message_specs.findings import Finding, finding
from message_specs.trade.aggregation import Group
from message_specs.trade.packed import Texts
from message_specs.trade.papers import Paper

_Line = tuple[str, str]


def compare_792(
    expected: Sequence[Group],
    results: Iterable[Paper],
    lists: Mapping[str, Paper],
    on: date,
    *,
    whole: bool = False,
) -> tuple[Finding, ...]:
    """Where the results differ from the prediction; `whole` says that all have come, so that lacks are told too."""
    made = _declarations(results)
    known = {line for group in expected for item in group.items for line in item.lines}
    home = {invt_no: group for group in expected for invt_no in group.lists}
    found: list[Finding] = []
    for stray in sorted({invt_no for lines in made.values() for invt_no, _ in lines} - set(home)):
        found.append(finding("T605", invtNo=stray, value=stray))
    for declaration, lines in made.items():
        found += _codes(lines, lists)
        mixed = sorted({invt_no for invt_no, _ in lines if invt_no in home})
        groups = {home[invt_no].key: home[invt_no] for invt_no in mixed}
        if len(groups) > 1:
            by, by_en = _apart(list(groups.values()))
            found.append(finding("T606", declSeqNo=declaration, names="、".join(mixed), by=by, by_en=by_en))
    for group in expected:
        found += _scattered(group, made, on)
    if whole:
        found += _lacking(known, made)
    return tuple(found)


def _apart(groups: Sequence[Group]) -> tuple[str, str]:
    """By what these groups differ, with the values, in Chinese and English."""
    values = [sorted(set(each)) for each in zip(*[group.key for group in groups], strict=True)]
    differing = [(names, each) for names, each in zip(groups[0].names, values, strict=True) if len(each) > 1]
    zh = "，".join(f"{names[0]} {'、'.join(one or '空' for one in each)}" for names, each in differing)
    en = ", ".join(f"{names[1]} {' / '.join(one or '–' for one in each)}" for names, each in differing)
    return zh, en


def _declarations(results: Iterable[Paper]) -> dict[str, dict[_Line, str]]:
    """The lines of each declaration with their codes, from all parts that name any, sorted."""
    made: dict[str, dict[_Line, str]] = {}
    for result in results:
        for line in result.lines:
            lines = made.setdefault(result.head.get("declSeqNo", "").strip(), {})
            lines[line.get("invtNo", "").strip(), _gnum(line)] = line.get("gcode", "").strip()
    return {key: dict(sorted(made[key].items())) for key in sorted(made)}


def _gnum(line: Texts) -> str:
    text = line.get("gnum", "").strip()
    return text.lstrip("0") or text


def _codes(lines: Mapping[_Line, str], lists: Mapping[str, Paper]) -> Iterable[Finding]:
    for (invt_no, gnum), code in lines.items():
        if invt_no in lists:
            declared = next((line for line in lists[invt_no].lines if _gnum(line) == gnum), {})
            expected = declared.get("gcode", "").strip()
            if code != expected:
                said = finding("T608", invtNo=invt_no, gnum=gnum, found=code or "空", expected=expected or "空")
                yield replace(said, value=invt_no)


def _scattered(group: Group, made: Mapping[str, Mapping[_Line, str]], on: date) -> Iterable[Finding]:
    mine = {line for item in group.items for line in item.lines}
    stand_in = [declaration for declaration, lines in made.items() if mine & set(lines)]
    if len(stand_in) > group.declarations(on):
        yield finding("T607", names="、".join(group.lists), found="、".join(stand_in))


def _lacking(known: set[_Line], made: Mapping[str, Mapping[_Line, str]]) -> Iterable[Finding]:
    there = {line for lines in made.values() for line in lines}
    present = {invt_no for invt_no, _ in there}
    for invt_no in sorted({invt_no for invt_no, _ in known} - present):
        yield finding("T604", invtNo=invt_no, value=invt_no)
    for invt_no, gnum in sorted(known - there):
        if invt_no in present:
            yield finding("T609", invtNo=invt_no, gnum=gnum, value=invt_no)


def weights(expected: Sequence[Group], results: Iterable[Paper]) -> tuple[Finding, ...]:
    """A warning for each declaration whose gross weight is not that of its lists, where it holds a whole group."""
    found = []
    told: dict[str, tuple[Decimal, set[str]]] = {}
    for result in results:
        key = result.head.get("declSeqNo", "").strip()
        weight, members = told.get(key, (amount(result.head.get("grossWeight")), set()))
        told[key] = (weight, members | {line.get("invtNo", "").strip() for line in result.lines})
    for key in sorted(told):
        weight, members = told[key]
        for group in expected:
            if set(group.lists) == members and weight != group.gross_weight:
                words = (number(weight), number(group.gross_weight))
                found.append(finding("T610", declSeqNo=key, found=words[0], expected=words[1]))
    return tuple(found)
