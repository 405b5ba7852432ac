"""Cross-checks: what the tax office holds together on a refund declaration is held together before it is sent.

They read the declaration as it will stand there (TAX101), so they judge one of ours and one that a partner made alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from message_specs.amounts import amount, number
from message_specs.findings import Finding, finding
from message_specs.tax.laws import Row, in_force
from message_specs.tax.linking import Law, refund_of

Texts = Mapping[str, str]
NOTHING: Final = Decimal(0)
_MONTHS: Final = 12


def is_export(line: Texts) -> bool:
    """Whether a line of a TAX101 is of the detail of exports; else it is one of purchases."""
    return "ckrq" in line


def cross_check(head: Texts, lines: Sequence[Texts], law: Law, windows: Sequence[Row], today: date) -> list[Finding]:
    """Everything that the two details say against each other, against the law of the day, or against their own head."""
    exports = [one for one in lines if is_export(one)]
    purchases = [one for one in lines if not is_export(one)]
    return [
        *_numbers(exports),
        *_links(exports, purchases),
        *_rates(exports, purchases, law),
        *_repeats(exports, purchases),
        *_deadlines(exports, windows, today),
        *_totals(head, exports, purchases),
    ]


def _numbers(exports: Sequence[Texts]) -> Iterator[Finding]:
    for row, one in enumerate(exports, 1):
        declared, agent = one.get("ckhwbgdh", ""), one.get("dlzm", "")
        if bool(declared) == bool(agent) or (declared and not (len(declared) == 21 and declared[-3:].isdigit())):
            yield finding("X119", path=f"ExportList[{row}]/ckhwbgdh", value=declared, found=declared or agent)


def _links(exports: Sequence[Texts], purchases: Sequence[Texts]) -> Iterator[Finding]:
    """Yield where a 关联号 stands on one side alone, where its units differ, or where its quantities do."""
    ours, theirs = _by_link(exports, "cksl"), _by_link(purchases, "sl")
    for key in sorted(set(ours) | set(theirs)):
        link, hs, unit = key
        if key not in ours or key not in theirs:
            yield finding("X117", path=link, value=link, link=link, hs=hs, unit=unit)
        elif ours[key] != theirs[key]:
            found, expected = number(theirs[key]), number(ours[key])
            yield finding("X104", path=link, value=found, link=link, hs=hs, found=found, expected=expected)


def _by_link(lines: Sequence[Texts], quantity: str) -> dict[tuple[str, str, str], Decimal]:
    sums: dict[tuple[str, str, str], Decimal] = {}
    for one in lines:
        key = (one.get("glh", ""), one.get("ckspdm", ""), one.get("jldw", ""))
        sums[key] = sums.get(key, NOTHING) + amount(one.get(quantity))
    return sums


def _rates(exports: Sequence[Texts], purchases: Sequence[Texts], law: Law) -> Iterator[Finding]:
    days: dict[tuple[str, str], set[date]] = {}
    for row, one in enumerate(exports, 1):
        on, hs = _day(one.get("ckrq", "")), one.get("ckspdm", "")
        if on is None:
            continue
        days.setdefault((one.get("glh", ""), hs), set()).add(on)
        if law.is_excluded(hs, on):
            yield finding("X116", path=f"ExportList[{row}]/ckspdm", value=hs, names=one.get("ckhwbgdh", ""), hs=hs)
    for row, one in enumerate(purchases, 1):
        place, hs = f"PurchaseList[{row}]", one.get("ckspdm", "")
        base, rate, tax_rate = (amount(one.get(name)) for name in ("jsje", "tsl", "zsl"))
        due = refund_of(base, rate)
        if due != amount(one.get("ktse")):
            found = one.get("ktse", "")
            yield finding("X106", path=f"{place}/ktse", value=found, found=found, expected=f"{due:f}")
        for on in sorted(days.get((one.get("glh", ""), hs), ())):
            known = law.rate_on(hs, on)
            if known is None:
                yield finding("X105", path=place, value=hs, names=one.get("glh", ""), hs=hs, day=on.isoformat())
            elif rate != min(known, tax_rate):
                expected = number(min(known, tax_rate))
                yield finding("X108", path=f"{place}/tsl", value=one.get("tsl"), found=number(rate), expected=expected)


def _repeats(exports: Sequence[Texts], purchases: Sequence[Texts]) -> Iterator[Finding]:
    seen: set[tuple[str, ...]] = set()
    for row, one in enumerate(exports, 1):
        key = (one.get("ckhwbgdh") or one.get("dlzm", ""), one.get("glh", ""))
        if key in seen:
            yield finding("X107", path=f"ExportList[{row}]/ckhwbgdh", value=key[0], names=key[0])
        seen.add(key)
    for row, one in enumerate(purchases, 1):
        names = f"{one.get('jhpzh', '')}/{one.get('pzhh', '')}"
        if (names, one.get("glh", ""), "") in seen:
            yield finding("X107", path=f"PurchaseList[{row}]/jhpzh", value=names, names=names)
        seen.add((names, one.get("glh", ""), ""))


def deadline(name: str, exported_on: date, windows: Sequence[Row]) -> date | None:
    """The last day of a window that is counted from the year after the export; None where the law knows none.

    >>> from message_specs.tax.laws import shipped
    >>> deadline("filing", date(2026, 11, 21), shipped("windows"))
    datetime.date(2027, 4, 30)
    """
    row = in_force(windows, exported_on, name=name)
    return date(exported_on.year + 1, int(row["months"]), int(row["day"])) if row else None


def _deadlines(exports: Sequence[Texts], windows: Sequence[Row], today: date) -> Iterator[Finding]:
    for row, one in enumerate(exports, 1):
        on = _day(one.get("ckrq", ""))
        if on is None:
            continue
        place, value = f"ExportList[{row}]/ckrq", one["ckrq"]
        if (on.year, on.month) >= (today.year, today.month):
            yield finding("X109", path=place, value=value, day=on.isoformat())
        last = deadline("filing", on, windows)
        if last is not None and today > last:
            yield finding("X110", path=place, value=value, until=last.isoformat())


def _totals(head: Texts, exports: Sequence[Texts], purchases: Sequence[Texts]) -> Iterator[Finding]:
    made = {
        "exportCount": Decimal(len(exports)),
        "purchaseCount": Decimal(len(purchases)),
        "baseTotal": sum((amount(one.get("jsje")) for one in purchases), NOTHING),
        "refundTotal": sum((amount(one.get("ktse")) for one in purchases), NOTHING),
    }
    for name, expected in made.items():
        if amount(head.get(name)) != expected:
            found = head.get(name, "")
            yield finding(
                "X120", path=f"RefundHead/{name}", value=found, name=name, found=found, expected=f"{expected:f}"
            )


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None
