"""Cross-checks: what the tax office holds together on a refund declaration is held together before it is sent.

They read the declaration as it will stand there (TAX101), so they judge one of ours and one that a partner made alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from message_specs.amounts import amount, number
from message_specs.findings import Finding, finding
from message_specs.identity import is_credit_code
from message_specs.tax.deadlines import deadline, late_until
from message_specs.tax.forms import CONSUMPTION, NOTHING, VAT, refund_of
from message_specs.tax.laws import Row
from message_specs.tax.rebating import Law

Texts = Mapping[str, str]
_EVIDENCE: Final = "收汇"
"""What stands beside an export whose foreign exchange is told with it."""
_SPECIAL: Final = "02"
"""A special VAT invoice (增值税专用发票)."""
_AGENCY: Final = 20
"""How long a proof of agency (代理出口货物证明) with its item is: 18 and 2, as offline clients ask for it."""


def is_export(line: Texts) -> bool:
    """Whether a line of a TAX101 is of the detail of exports; else it is one of purchases."""
    return "ckrq" in line


def cross_check(head: Texts, lines: Sequence[Texts], law: Law, windows: Sequence[Row], today: date) -> list[Finding]:
    """Everything that the two details say against each other, against the law of the day, or against their own head."""
    exports = [one for one in lines if is_export(one)]
    purchases = [one for one in lines if not is_export(one)]
    return [
        *_numbers(exports),
        *_kinds(purchases),
        *_links(exports, purchases),
        *_names(exports, purchases),
        *_excluded(exports, law),
        *_rates(exports, purchases, law),
        *_repeats(exports, purchases),
        *_deadlines(exports, windows, today),
        *_totals(head, exports, purchases),
    ]


def _numbers(exports: Sequence[Texts]) -> Iterator[Finding]:
    for row, one in enumerate(exports, 1):
        declared, agent = one.get("ckhwbgdh", ""), one.get("dlzm", "")
        good = len(declared) == 21 and declared[-3:].isdigit() if declared else len(agent) == _AGENCY
        if bool(declared) == bool(agent) or not good:
            yield finding("X119", path=f"ExportList[{row}]/ckhwbgdh", value=declared, found=declared or agent)


def _kinds(purchases: Sequence[Texts]) -> Iterator[Finding]:
    for row, one in enumerate(purchases, 1):
        if one.get("sz") not in (VAT, CONSUMPTION):
            yield finding("X137", path=f"PurchaseList[{row}]/sz", value=one.get("sz"), found=one.get("sz", ""))
        yield from voucher_checks(one, f"PurchaseList[{row}]/jhpzh", f"PurchaseList[{row}]/ghfsbh")


def voucher_checks(one: Texts, number_at: str, seller_at: str) -> Iterator[Finding]:
    """Yield where the number of an invoice or of its seller cannot be right.

    >>> [said.code for said in voucher_checks({"pzzl": "02", "jhpzh": "1234", "ghfsbh": "91330100MA2B1C3D4F"}, "", "")]
    ['X145', 'X144']
    """
    voucher, seller = one.get("jhpzh", ""), one.get("ghfsbh", "")
    if one.get("pzzl") == _SPECIAL and not (voucher.isascii() and voucher.isdigit() and len(voucher) in (18, 20)):
        yield finding("X145", path=number_at, value=voucher, found=voucher)
    if not is_credit_code(seller):
        yield finding("X144", path=seller_at, value=seller, found=seller, names=voucher)


def _links(exports: Sequence[Texts], purchases: Sequence[Texts]) -> Iterator[Finding]:
    """Yield where a 关联号 stands on one side alone, where its units differ, or where its quantities do.

    Consumption tax may be refunded of fewer goods than were exported, and never of more.
    """
    ours = _by_link(exports, "cksl")
    theirs = _by_link([one for one in purchases if one.get("sz") != CONSUMPTION], "sl")
    for key, paid in sorted(_by_link([one for one in purchases if one.get("sz") == CONSUMPTION], "sl").items()):
        if paid > ours.get(key, NOTHING):
            found, expected = number(paid), number(ours.get(key, NOTHING))
            yield finding("X104", path=key[0], value=found, link=key[0], hs=key[1], found=found, expected=expected)
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


def _names(exports: Sequence[Texts], purchases: Sequence[Texts]) -> Iterator[Finding]:
    names: dict[str, set[str]] = {}
    for one in exports:
        names.setdefault(one.get("glh", ""), set()).add(one.get("ckspmc", ""))
    for row, one in enumerate(purchases, 1):
        known, name = names.get(one.get("glh", ""), set()), one.get("spmc", "")
        if known and name not in known:
            other = "、".join(sorted(known))
            yield finding("X102", path=f"PurchaseList[{row}]/spmc", value=name, found=name, expected=other)


def _code(line: Texts) -> str:
    """The code by whose rate an export is refunded: that of its main material, where it is declared by that."""
    return line.get("sbspdm") or line.get("ckspdm", "")


def _excluded(exports: Sequence[Texts], law: Law) -> Iterator[Finding]:
    for row, one in enumerate(exports, 1):
        on, hs = _day(one.get("ckrq", "")), _code(one)
        if on is not None and law.is_excluded(hs, on):
            yield finding("X116", path=f"ExportList[{row}]/ckspdm", value=hs, names=one.get("ckhwbgdh", ""), hs=hs)


def _rates(exports: Sequence[Texts], purchases: Sequence[Texts], law: Law) -> Iterator[Finding]:
    days: dict[tuple[str, str], set[tuple[date, str]]] = {}
    for one in exports:
        if (on := _day(one.get("ckrq", ""))) is not None:
            days.setdefault((one.get("glh", ""), one.get("ckspdm", "")), set()).add((on, _code(one)))
    for row, one in enumerate(purchases, 1):
        place = f"PurchaseList[{row}]"
        base, rate, tax_rate = (amount(one.get(name)) for name in ("jsje", "tsl", "zsl"))
        due = refund_of(base, rate)
        if due != amount(one.get("ktse")):
            found = one.get("ktse", "")
            yield finding("X106", path=f"{place}/ktse", value=found, found=found, expected=f"{due:f}")
        if one.get("sz") == CONSUMPTION:
            if rate != tax_rate:
                told, levied = number(rate), number(tax_rate)
                yield finding("X108", path=f"{place}/tsl", value=one.get("tsl"), found=told, expected=levied)
            continue
        for on, hs in sorted(days.get((one.get("glh", ""), one.get("ckspdm", "")), ())):
            yield from _rate(law.rates_on(hs, on), one, place, (hs, on))


def _rate(known: Sequence[Decimal], line: Texts, place: str, of: tuple[str, date]) -> Iterator[Finding]:
    rate, tax_rate = amount(line.get("tsl")), amount(line.get("zsl"))
    allowed = {min(one, tax_rate) for one in known}
    if not known:
        yield finding("X105", path=place, value=of[0], names=line.get("glh", ""), hs=of[0], day=of[1].isoformat())
    elif rate not in allowed:
        expected = " / ".join(number(one) for one in sorted(allowed))
        yield finding("X108", path=f"{place}/tsl", value=line.get("tsl"), found=number(rate), expected=expected)


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


def _deadlines(exports: Sequence[Texts], windows: Sequence[Row], today: date) -> Iterator[Finding]:
    """Yield what is declared too early or too late; after the period, what says nothing of foreign exchange."""
    for row, one in enumerate(exports, 1):
        on = _day(one.get("ckrq", ""))
        if on is None:
            continue
        place, value = f"ExportList[{row}]/ckrq", one["ckrq"]
        if (on.year, on.month) >= (today.year, today.month):
            yield finding("X109", path=place, value=value, day=on.isoformat())
        last, never = deadline("filing", on, windows), late_until(on, windows)
        if never is not None and today > never:
            names = one.get("ckhwbgdh") or one.get("dlzm", "")
            yield finding("X131", path=place, value=value, names=names, until=never.isoformat())
        elif last is not None and today > last and _EVIDENCE not in one.get("bz", ""):
            yield finding("X110", path=place, value=value, until=last.isoformat())


def _totals(head: Texts, exports: Sequence[Texts], purchases: Sequence[Texts]) -> Iterator[Finding]:
    made = {
        "exportCount": Decimal(len(exports)),
        "purchaseCount": Decimal(len(purchases)),
        "baseTotal": sum((amount(one.get("jsje")) for one in purchases), NOTHING),
        "refundTotal": sum((amount(one.get("ktse")) for one in purchases), NOTHING),
    }
    return _against_head("RefundHead", head, made)


def _against_head(group: str, head: Texts, made: Mapping[str, Decimal]) -> Iterator[Finding]:
    for name, expected in made.items():
        if amount(head.get(name)) != expected:
            found = head.get(name, "")
            yield finding("X120", path=f"{group}/{name}", value=found, name=name, found=found, expected=f"{expected:f}")


def exempt_check(head: Texts, lines: Sequence[Texts], law: Law) -> list[Finding]:
    """Everything that a registration of exempt exports says against itself or against the law of the day."""
    found: list[Finding] = []
    seen: set[tuple[str, str]] = set()
    for row, one in enumerate(lines, 1):
        place, key = f"ExemptionList[{row}]", (one.get("invtNo", ""), one.get("gnum", ""))
        names, on, hs = "/".join(key), _day(one.get("ckrq", "")), one.get("ckspdm", "")
        if key in seen:
            found.append(finding("X107", path=f"{place}/invtNo", value=key[0], names=names))
        seen.add(key)
        if on is not None and law.is_excluded(hs, on):
            found.append(finding("X203", path=f"{place}/ckspdm", value=hs, names=names, hs=hs))
    total = sum((amount(one.get("je")) for one in lines), NOTHING)
    made = {"recordCount": Decimal(len(lines)), "amountTotal": total}
    return [*found, *_against_head("ExemptionHead", head, made)]


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None
