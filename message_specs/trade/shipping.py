"""The bill of an export shipment: its waybill summary (607), arrival (507) and departure (509) held against its lists.

These documents come in parts of one copNo; an arrival without lines means the whole bill.  All rules here are
inferred, so they warn.  Sources: export rules 3, export receipts 3.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from message_specs.amounts import amount, number
from message_specs.findings import Finding, finding
from message_specs.trade.life import Life
from message_specs.trade.papers import Paper
from message_specs.trade.paths import path_of

_CARRIED = {"CEB507": ("运抵单", "arrival"), "CEB509": ("离境单", "departure")}
_EXAMINED = frozenset({"399", "500", "800"})


def parts_missing(parts: Sequence[Paper]) -> tuple[Finding, ...]:
    """The warning for a split document whose parts are not all there; the parts are of one copNo."""
    if not parts:
        return ()
    count = max(int(amount(part.head.get("msgCount"))) for part in parts)
    there = {int(amount(part.head.get("msgSeqNo"))) for part in parts}
    missing = [str(one) for one in range(1, count + 1) if one not in there]
    if not missing:
        return ()
    bill = parts[0].head.get("billNo", "")
    return (finding("T625", billNo=bill, count=str(count), missing="、".join(missing)),)


def summary_allowed(part: Paper, lists: Mapping[str, Paper], lives: Mapping[str, Life]) -> tuple[Finding, ...]:
    """What is wrong with the lines of a waybill summary: `lists` and `lives` are by the number of the waybill."""
    found: list[Finding] = []
    for row, line in enumerate(part.lines, 1):
        parcel = line.get("logisticsNo", "").strip()
        path = path_of(part.spec, "logisticsNo", part.head.get("copNo", ""), row)
        if parcel not in lists:
            found.append(finding("T620", document=part.ordinal, path=path, value=parcel, logisticsNo=parcel))
            continue
        life = lives.get(parcel, Life("export"))
        if life.cancelled or life.state.status not in _EXAMINED:
            name = lists[parcel].name
            words = {"names": name, "state": life.zh, "state_en": life.en}
            found.append(_told("T621", part, path, parcel, words))
        named = line.get("invtNo", "").strip()
        if named and life.invt_no and named != life.invt_no:
            found.append(_told("T623", part, path, parcel, {"found": named, "expected": life.invt_no}))
    return tuple(found)


def _told(code: str, part: Paper, path: str, parcel: str, words: Mapping[str, str]) -> Finding:
    return finding(
        code,
        document=part.ordinal,
        path=path,
        value=parcel,
        logisticsNo=parcel,
        names=words.get("names", ""),
        state=words.get("state", ""),
        state_en=words.get("state_en", ""),
        found=words.get("found", ""),
        expected=words.get("expected", ""),
    )


def weight_agrees(parts: Sequence[Paper], lists: Mapping[str, Paper]) -> tuple[Finding, ...]:
    """The warning for a complete summary whose gross weight is not that of its lists."""
    if not parts or parts_missing(parts):
        return ()
    parcels = parcels_of(parts)
    if not parcels <= set(lists):
        return ()
    weight = sum((amount(lists[parcel].head.get("grossWeight")) for parcel in sorted(parcels)), Decimal(0))
    told = amount(parts[0].head.get("grossWeight"))
    return () if told == weight else (finding("T622", found=number(told), expected=number(weight)),)


def parcels_of(parts: Iterable[Paper]) -> set[str]:
    """The numbers of all waybills that these parts name."""
    return {parcel for part in parts for line in part.lines if (parcel := line.get("logisticsNo", "").strip())}


def of_bill(part: Paper, summary: Sequence[Paper]) -> tuple[Finding, ...]:
    """The parcels of an arrival or departure that its bill does not hold; nothing where no summary is known."""
    known = parcels_of(summary)
    if not known:
        return ()
    strays = parcels_of([part]) - known
    names = "、".join(sorted({one.head.get("copNo", "") for one in summary}))
    return tuple(
        finding(
            "T624",
            document=part.ordinal,
            path=path_of(part.spec, "logisticsNo", part.head.get("copNo", ""), row),
            value=parcel,
            logisticsNo=parcel,
            billNo=part.head.get("billNo", ""),
            names=names,
        )
        for row, line in enumerate(part.lines, 1)
        if (parcel := line.get("logisticsNo", "").strip()) in strays
    )


def not_in_summary(carried: Paper, parcel: str) -> Finding:
    """The warning for a parcel that arrived or left with the bill and is left out of the summary that comes now."""
    kind = _CARRIED[carried.spec]
    return finding("T626", value=parcel, logisticsNo=parcel, names=carried.name, kind=kind[0], kind_en=kind[1])
