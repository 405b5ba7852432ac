"""Exemptions (无票免税): exports without a purchase invoice are registered from released lists, each line once.

What is registered is booked with its lines in one transaction and handed into the hall like a refund
(gateway.refunds); a line that a refund uses is never registered, and the other way round.

Known limits: a gathered list has another name in a refund (the declaration's), so there only the scheme of the firm,
by day, keeps a line from being both.  Amounts stand in the currency of the list; the assessment (核定征收) takes those
in yuan, and converts the others by the table `dollars` where the rates of both are filed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from gateway.config import Partner
from gateway.declared_elsewhere import elsewhere
from gateway.refunds import Declared, export_thing, next_batch, used_things
from gateway.tax_exports import Listed, part_of, released
from gateway.tax_files import NoTaxLaw, own, table
from gateway.tax_forms import element, message_of
from gateway.taxpayers import Taxpayer, taxpayer_of
from message_specs import writing
from message_specs.amounts import amount, number
from message_specs.findings import Finding, Severity, finding
from message_specs.tax.exempting import Record, assessed, checks
from message_specs.tax.forms import Forms
from message_specs.tax.laws import NoLaw, Row, in_force
from message_specs.trade.sharing import WIDE, fen
from spool.ledger import Ledger

Facts = dict[str, Any]
Texts = Mapping[str, str]
_YUAN: Final = "142"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A registration that may be booked, its records, and what was left out with its reason."""

    declared: Declared
    records: tuple[Record, ...]
    findings: tuple[Finding, ...]


def draw(ledger: Ledger, home: Path, partner: Partner, taxpayer: str, month: str, now: datetime, until: date) -> Drawn:
    """Return the registration of a period with its next batch; nothing is booked."""
    firm = taxpayer_of(own(home, "enterprises"), taxpayer, "exempt", until)
    theirs = elsewhere(ledger, "exempt", taxpayer)
    batch = next_batch(ledger, taxpayer, month, "exempt", theirs)
    found: list[Finding] = []
    good: list[Record] = []
    listed = list(lines_of(ledger, firm, until, found))
    used = used_things(ledger, [thing_of(one) for one in listed])
    excluded = table(home, "excluded")
    for one in listed:
        if thing_of(one) in used or one.number in theirs.exports:
            continue
        wrong = list(checks(one, firm.zone(one.exported_on), firm.districts(one.exported_on), excluded))
        found += wrong
        if not any(said.severity is Severity.ERROR for said in wrong):
            good.append(one)
    head = _head(firm, until, (month, batch), good, now)
    key = f"exempt|{taxpayer}|{month}|{batch}"
    groups = [element("ExemptionHead", head)]
    groups += [element("ExemptionList", _fields(place, one)) for place, one in enumerate(good, 1)]
    body = message_of(key, "TaxExemptMessage", "Exemption", "".join(groups), partner)
    return Drawn(Declared(key, Forms(), body, head), tuple(good), tuple(found))


def thing_of(one: Record) -> str:
    """Return the name under which a line is used: that of a refund, so that no line is both."""
    return export_thing(one.number)


def uses_of(records: Iterable[Record]) -> dict[str, tuple[int, int]]:
    """Return what a registration uses: each line whole."""
    return {thing_of(one): (1, 1) for one in records}


def lines_of(ledger: Ledger, firm: Taxpayer, until: date, found: list[Finding]) -> Iterable[Record]:
    """Yield every line that a firm exported until a day, less what came back, and tell of that in `found`."""
    for listed in released(ledger, firm.codes, until):
        if not firm.is_filed(listed.exported_on):
            continue
        if any(listed.back.values()):
            found.append(finding("X112", path=listed.invt_no, value=listed.invt_no, names=listed.invt_no))
        for line in listed.paper.lines:
            one = _record(listed, line)
            stays = 1 - listed.back.get(one.gnum, Decimal(0))
            if stays > 0:
                yield replace(one, quantity=part_of(one.quantity, stays), amount=fen(WIDE.multiply(one.amount, stays)))


def _record(listed: Listed, line: Texts) -> Record:
    return Record(
        listed.invt_no,
        int(amount(line.get("gnum"))),
        listed.exported_on,
        line.get("gcode", "").strip(),
        line.get("gname", "").strip(),
        line.get("unit", "").strip(),
        amount(line.get("qty")),
        amount(line.get("price")),
        amount(line.get("totalPrice")),
        line.get("currency", "").strip(),
        listed.paper.head.get("customsCode", "").strip(),
    )


def _head(firm: Taxpayer, until: date, of: tuple[str, str], records: list[Record], now: datetime) -> dict[str, str]:
    return {
        "taxpayerNo": firm.number,
        "taxpayerName": firm.name,
        "zone": firm.zone(until) or firm.rows[-1]["zone"],
        "sbny": of[0],
        "sbpc": of[1],
        "appTime": writing.return_time(now)[:14],
        "recordCount": str(len(records)),
        "amountTotal": f"{sum((one.amount for one in records), Decimal(0)):.2f}",
    }


def _fields(place: int, one: Record) -> dict[str, str]:
    return {
        "xh": f"{place:08d}",
        "invtNo": one.invt_no,
        "gnum": str(one.gnum),
        "ckrq": f"{one.exported_on:%Y%m%d}",
        "ckspdm": one.hs,
        "hwmc": one.name,
        "jldw": one.unit,
        "sl": number(one.quantity),
        "dj": number(one.price),
        "je": f"{one.amount:.2f}",
        "bz": one.currency,
    }


def report(ledger: Ledger, home: Path, taxpayer: str, first: date, last: date) -> Facts:
    """Return what a firm exported in a period and what income is assessed on it (核定征收)."""
    firm = taxpayer_of(own(home, "enterprises"), taxpayer, "exempt", last)
    found: list[Finding] = []
    records = [one for one in lines_of(ledger, firm, last, found) if one.exported_on >= first]
    dollars = table(home, "dollars")
    worth = [(one, in_yuan(one, dollars)) for one in records]
    receipts = sum((value for _, value in worth if value is not None), Decimal(0))
    untold = sorted({one.currency for one, value in worth if value is None})
    found += [finding("X207", value=one, currency=one) for one in untold]
    try:
        income = assessed(receipts, table(home, "assessment"), last)
    except NoLaw as lacking:
        raise NoTaxLaw(f"assessment {lacking}") from lacking
    used = used_things(ledger, [thing_of(one) for one in records])
    theirs = elsewhere(ledger, "exempt", taxpayer).exports
    registered = sum(thing_of(one) in used or one.number in theirs for one in records)
    sums: dict[str, Decimal] = {}
    for one in records:
        sums[one.currency] = sums.get(one.currency, Decimal(0)) + one.amount
    return {
        "taxpayer": taxpayer, "name": firm.name, "zone": firm.zone(last), "from": first.isoformat(),
        "until": last.isoformat(), "lists": len({one.invt_no for one in records}), "records": len(records),
        "registered": registered, "unregistered": len(records) - registered,
        "amounts": {name: f"{sums[name]:.2f}" for name in sorted(sums)}, "receipts": f"{receipts:.2f}",
        "margin": f"{income.margin:f}", "income": f"{income.income:f}", "rate": f"{income.rate:f}",
        "tax": f"{income.tax:f}", "preferred_rate": _text(income.preferred),
        "preferred_tax": _text(income.preferred_tax), "findings": [said.as_dict() for said in found],
    }  # fmt: skip


def _text(figure: Decimal | None) -> str | None:
    return None if figure is None else f"{figure:f}"


def in_yuan(one: Record, dollars: Iterable[Row]) -> Decimal | None:
    """Return what a record is worth in yuan by the rates of its day; None where they are not filed."""
    if one.currency == _YUAN:
        return one.amount
    rows = tuple(dollars)
    theirs, ours = (in_force(rows, one.exported_on, currency=name) for name in (one.currency, _YUAN))
    if theirs is None or ours is None or not Decimal(ours["rate"]):
        return None
    value = WIDE.divide(WIDE.multiply(one.amount, Decimal(theirs["rate"])), Decimal(ours["rate"]))
    return fen(value)
