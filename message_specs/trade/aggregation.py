"""Monthly aggregation of export lists (清单核放、汇总申报): what may be gathered, until when, and into what.

The platform of customs does the merging; what is predicted here is held against its answer (CEB792).  By which
fields lists are merged stands in grouping.csv.  Sources: export process 1, export rules 3, export receipts 4.

Known limits: which lines go into which declaration when there are more than one can hold is not published, so such
a group is only counted; a period is read as the days on which lists were closed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from message_specs.amounts import amount
from message_specs.findings import Finding, Severity, finding
from message_specs.trade.life import Life
from message_specs.trade.packed import Texts
from message_specs.trade.papers import Paper, table
from message_specs.trade.windows import Window, next_working, window

_CLOSED = "899"
_LIST = "CEB603"
_MONTHS = 24
_GATHERED_FLAG = "B"


@dataclass(frozen=True, slots=True)
class Item:
    """One merged line of a predicted declaration: by what it was merged, and which lines of which lists."""

    key: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    """Number of the list and gnum, sorted."""
    value: Decimal


@dataclass(frozen=True, slots=True)
class Group:
    """Lists that are expected in one declaration, and its merged lines."""

    key: tuple[str, ...]
    lists: tuple[str, ...]
    items: tuple[Item, ...]
    gross_weight: Decimal
    names: tuple[tuple[str, str], ...] = ()
    """What each part of the key is called, in Chinese and English."""

    def declarations(self, on: date) -> int:
        """How many declarations it takes by the limit of lines of that day."""
        limit = window("declaration_items", "export", on)
        return 1 if limit is None else max(1, -(-len(self.items) // limit.amount))


def gather_by(closed_on: date, *, working_day: bool = True) -> date:
    """The last day for gathering a list that was closed on that day, moved to a working day unless told otherwise.

    >>> gather_by(date(2026, 11, 2)), gather_by(date(2026, 10, 2)), gather_by(date(2026, 10, 2), working_day=False)
    (datetime.date(2026, 12, 15), datetime.date(2026, 11, 16), datetime.date(2026, 11, 15))
    """
    law = window("gather_by", "export", closed_on, "9610")
    last = law.until(closed_on) if law else closed_on
    return next_working(last) if working_day else last


@lru_cache(maxsize=16)
def _fields(place: str, flags: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (row["field"], row["zh"], row["en"])
        for row in table("grouping.csv")
        if row["place"] == place and (not row["when"] or row["when"] in flags)
    )


def _flags(head: Texts) -> tuple[str, ...]:
    return tuple(f"{name}={head.get(name, '').strip()}" for name in ("summaryFlag", "itemNameFlag"))


def group_of(one: Paper, flags: tuple[str, ...] = ()) -> tuple[str, ...]:
    """By what a list is put together with others in one declaration."""
    return tuple(one.head.get(name, "").strip() for name, _, _ in _fields("head", flags))


def predicted(lists: Mapping[str, Paper], apply: Paper | None = None) -> tuple[Group, ...]:
    """The declarations expected of these lists, by their numbers, with the flags of the application; sorted."""
    flags = _flags(apply.head) if apply else ()
    names = [name for name, _, _ in _fields("line", flags)]
    heads = tuple((zh, en) for _, zh, en in _fields("head", flags))
    members: dict[tuple[str, ...], list[str]] = {}
    for number in sorted(lists):
        members.setdefault(group_of(lists[number], flags), []).append(number)
    return tuple(replace(_group(key, members[key], lists, names), names=heads) for key in sorted(members))


def _group(key: tuple[str, ...], numbers: Sequence[str], lists: Mapping[str, Paper], names: Sequence[str]) -> Group:
    merged: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    values: dict[tuple[str, ...], Decimal] = {}
    for number in numbers:
        for line in lists[number].lines:
            item = tuple(line.get(name, "").strip() for name in names)
            merged.setdefault(item, []).append((number, _gnum(line)))
            values[item] = values.get(item, Decimal(0)) + amount(line.get("totalPrice"))
    items = tuple(Item(item, tuple(sorted(merged[item])), values[item]) for item in sorted(merged))
    weight = sum((amount(lists[number].head.get("grossWeight")) for number in numbers), Decimal(0))
    return Group(key, tuple(numbers), items, weight)


def _gnum(line: Texts) -> str:
    text = line.get("gnum", "").strip()
    return text.lstrip("0") or text


def can_gather(number: str, one: Paper, life: Life, gathered: Collection[str] = ()) -> tuple[Finding, ...]:
    """Nothing where the list may be gathered: closed, statistics flag B, not cancelled, not gathered already."""
    reasons = []
    if one.head.get("statisticsFlag", "").strip() != _GATHERED_FLAG:
        reasons.append(("统计标志不是 B", "its statistics flag is not B"))
    elif life.closed_on and _window(one, life.closed_on) is None:
        reasons.append(("该贸易方式的清单不汇总", "lists of its trade mode are not gathered"))
    if life.cancelled or life.state.status != _CLOSED:
        reasons.append((f"状态为“{life.zh}”", f"it is {life.en}"))
    if number in gathered:
        reasons.append(("已经汇总", "it was gathered already"))
    return tuple(finding("T601", value=number, invtNo=number, reason_zh=zh, reason=en) for zh, en in reasons)


def is_gathered_later(one: Paper, on: date) -> bool:
    """Whether it is a list that is gathered into a declaration once it is closed, by the law of that day.

    A list of 9710 or 9810 never is, whatever its flag: windows.csv names no window for these modes.
    """
    flag = one.head.get("statisticsFlag", "").strip()
    return one.spec == _LIST and flag == _GATHERED_FLAG and _window(one, on) is not None


def _window(one: Paper, on: date) -> Window | None:
    return window("gather_by", "export", on, one.head.get("tradeMode", "").strip())


def reminders(last: date) -> tuple[date, date]:
    """The days on which it is told that a list is not gathered yet: some days before the last day, and the last day.

    >>> reminders(date(2026, 12, 15))
    (datetime.date(2026, 12, 10), datetime.date(2026, 12, 15))
    """
    warn = window("gather_warn", "export", last)
    return last - timedelta(days=warn.amount if warn else 0), last


def late(number: str, life: Life, today: date, *, working_day: bool = True) -> Finding | None:
    """The warning for a closed list whose last day for gathering is near (T602), come or past (T611)."""
    closed = life.closed_on
    if closed is None:
        return None
    near, last = reminders(gather_by(closed, working_day=working_day))
    if today < near:
        return None
    return finding("T602" if today < last else "T611", invtNo=number, until=last.isoformat())


def asked(parts: Iterable[Paper], lists: Mapping[str, Paper], lives: Mapping[str, Life]) -> tuple[str, ...]:
    """The numbers of the lists for which an application asks, in all its parts: of its period, or those it names."""
    found: dict[str, None] = {}
    for part in parts:
        start, end = (part.head.get(name, "").strip()[:8] for name in ("startTime", "endTime"))
        if start and end:
            for number in sorted(lists):
                closed = lives[number].closed_on if number in lives else None
                same = lists[number].head.get("ebcCode", "").strip() == part.head.get("ebcCode", "").strip()
                if closed and same and start <= f"{closed:%Y%m%d}" <= end:
                    found[number] = None
        else:
            found.update((line["invtNo"].strip(), None) for line in part.lines if line.get("invtNo", "").strip())
    return tuple(found)


def months_of(head: Texts) -> tuple[date, ...]:
    """The first days of the months that the period of an application touches; none where it names no period.

    >>> months_of({"startTime": "20261120000000", "endTime": "20270101000000"})
    (datetime.date(2026, 11, 1), datetime.date(2026, 12, 1), datetime.date(2027, 1, 1))
    """
    start, end = (head.get(name, "").strip()[:6] for name in ("startTime", "endTime"))
    if not (len(start) == len(end) == 6 and start.isdigit() and end.isdigit()):
        return ()
    first, last = (int(text[:4]) * 12 + int(text[4:]) - 1 for text in (start, end))
    # A period of years would be a slip of the pen.
    return tuple(date(month // 12, month % 12 + 1, 1) for month in range(first, min(last, first + _MONTHS) + 1))


def period_allowed(
    apply: Paper,
    lists: Mapping[str, Paper],
    lives: Mapping[str, Life],
    gathered: Collection[str],
    today: date,
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What is to be told of an application for a period, all of it warnings, and the lists that are free for it.

    Customs chooses the lists of a period, and may know some that were declared elsewhere: nothing is refused.
    """
    meant = [number for number in asked((apply,), lists, lives) if not lives[number].cancelled]
    meant = [number for number in meant if is_gathered_later(lists[number], lives[number].closed_on or today)]
    free = [number for number in meant if number not in gathered]
    found = [one for number in meant for one in can_gather(number, lists[number], lives[number], gathered)]
    found += apply_allowed(apply, free, lists, lives, ())
    found += [one for number in free if (one := late(number, lives[number], today)) and one.code == "T611"]
    if not free:
        words = (apply.head.get(name, "").strip()[:8] for name in ("startTime", "endTime"))
        found.append(finding("T612", start=next(words), end=next(words)))
    return tuple(replace(one, severity=Severity.WARNING) for one in found), tuple(free)


def apply_allowed(
    apply: Paper,
    numbers: Iterable[str],
    lists: Mapping[str, Paper],
    lives: Mapping[str, Life],
    gathered: Collection[str],
) -> tuple[Finding, ...]:
    """Everything wrong with an application: unknown lists, lists that may not be gathered, several consignors."""
    found: list[Finding] = []
    flags = _flags(apply.head)
    who = [(name, zh, en) for name, zh, en in _fields("head", flags) if name in {"ebcCode", "ownerCode"}]
    values: dict[str, dict[str, None]] = {}
    for number in numbers:
        one = lists.get(number)
        if one is None:
            found.append(finding("T509", invtNo=number, document=apply.ordinal, value=number))
            continue
        found += can_gather(number, one, lives.get(number, Life("export")), gathered)
        for name, _, _ in who:
            values.setdefault(name, {})[one.head.get(name, "").strip()] = None
    consignor = apply.head.get("ebcCode", "").strip()
    if consignor and "ebcCode" in values:
        values["ebcCode"][consignor] = None
    for name, zh, en in who:
        if len(values.get(name, {})) > 1:
            found.append(finding("T603", name_zh=zh, name=en, found="、".join(sorted(values[name]))))
    return tuple(found)
