"""Raw payment data as partners file it: read strictly, written down as it came, joined when customs asks.

The payment firm and the platform of a payment may both file.  Of each the last filing counts; of the raw request and
reply the firm's word goes before the platform's, of goods and payee the platform's before the firm's.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from gateway.config import House, Partner
from gateway.settling import iso
from message_specs.findings import Finding, finding
from message_specs.pay179.upload import wrong
from spool.ledger import Ledger

MOST: Final = 1000
"""So many payments may be filed at once."""
_PAYEE: Final = ("recpAccount", "recpCode", "recpName")
_LACKING: Final = "D105"
_RAW: Final = ("initalRequest", "initalResponse", "verDept", "payType", "tradingTime", "note")


class FiledGoods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One article of an order."""

    gname: str
    itemLink: str = ""


class FiledOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a partner tells of one order of a payment."""

    orderNo: str
    goodsInfo: tuple[FiledGoods, ...] = ()
    recpAccount: str = ""
    recpCode: str = ""
    recpName: str = ""


class Filed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a partner files of one payment; the names are those of the notice."""

    payCode: str
    payTransactionId: str
    initalRequest: str = ""
    initalResponse: str = ""
    verDept: str = ""
    payType: str = ""
    tradingTime: str = ""
    note: str = ""
    recpAccount: str = ""
    recpCode: str = ""
    recpName: str = ""
    orders: tuple[FiledOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was filed of one payment, joined: values of the head, of the payee, and of single orders."""

    head: Mapping[str, str]
    payee: Mapping[str, str]
    orders: Mapping[str, FiledOrder]

    @property
    def is_raw(self) -> bool:
        """Whether request and reply are there."""
        return bool(self.head.get("initalRequest") and self.head.get("initalResponse"))


def read(body: bytes) -> list[tuple[dict[str, Any], Filed | Finding]] | None:
    """Return each payment of a filing with how it was understood; None where the whole is no JSON of payments.

    >>> read(b'[{"payCode": 1}]')[0][1].value, read(b"no")
    ('Expected `str`, got `int` - at `$.payCode`', None)
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    rows = told if isinstance(told, list) else [told]
    if not rows or len(rows) > MOST or not all(isinstance(one, dict) for one in rows):
        return None
    return [(one, _filed(one)) for one in rows]


def _filed(row: dict[str, Any]) -> Filed | Finding:
    try:
        json.dumps(row, ensure_ascii=False).encode()
        filed = msgspec.convert(row, Filed)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        return finding("D140", name=str(error), value=str(error))
    if not filed.payCode.strip() or not filed.payTransactionId.strip():
        return finding("D140", name="payCode, payTransactionId")
    return filed


def _unfit(filed: Filed) -> list[Finding]:
    """Return what of a filing could never be uploaded; what is lacking may come from another."""
    values = msgspec.to_builtins(filed)
    found = [*wrong("head", values)]
    for one in values["orders"]:
        found += wrong("list", one, f"orders[{one['orderNo']}]/")
    return [one for one in found if one.code != _LACKING]


def may_file(partner: Partner, filed: Filed) -> bool:
    """Tell whether a partner may file of a payment: its payment firm, or a platform."""
    return (filed.payCode == partner.code and "payment" in partner.roles) or "platform" in partner.roles


def file(ledger: Ledger, partner: Partner, body: bytes, now: datetime, years: int) -> dict[str, Any] | None:
    """Everything that may be filed is in the ledger, synced; return what became of each, None where it is no JSON."""
    rows = read(body)
    if rows is None:
        return None
    until = kept_until(now, years)
    told = []
    with ledger.writing():
        for raw, filed in rows:
            if isinstance(filed, Filed) and not may_file(partner, filed):
                filed = finding("D141", payment=f"{filed.payCode}|{filed.payTransactionId}")  # noqa: PLW2901
            findings = [one.as_dict() for one in (_unfit(filed) if isinstance(filed, Filed) else [filed])]
            if isinstance(filed, Filed) and not findings:
                text = json.dumps(raw, ensure_ascii=False).encode()
                place = (filed.payCode, filed.payTransactionId, partner.name, iso(now), until)
                ledger.run("add_payment_data", *place, sha256(text).digest(), text)
            names = {name: str(raw.get(name, ""))[:60] for name in ("payCode", "payTransactionId")}
            told.append({**names, "filed": not findings, "findings": findings})
        # Whoever lacks another payment is not looked at again for this one, and whoever is looked at loses no attempt.
        filed_of = [f"{one['payCode']}|{one['payTransactionId']}" for one in told if one["filed"]]
        if filed_of:
            ledger.run("payment_inquiries_awake", iso(now), json.dumps(filed_of))
    return {"kept_until": until, "payments": told}


def kept_until(now: datetime, years: int) -> str:
    """Return until when evidence of this moment is kept.

    >>> from datetime import UTC
    >>> kept_until(datetime(2024, 2, 29, tzinfo=UTC), 3)
    '2027-03-01T00:00:00.000Z'
    """
    try:
        return iso(now.replace(year=now.year + years))
    except ValueError:
        return iso(now.replace(year=now.year + years, month=3, day=1))


def evidence(ledger: Ledger, house: House, platform: Partner, pay_code: str, transaction: str) -> Evidence:
    """Return what was filed of a payment by its firm and by this platform."""
    firms: list[Filed] = []
    platforms: list[Filed] = []
    for row in ledger.all("payment_data_of", pay_code, transaction):
        partner = house.partners.get(row["partner"])
        filed = msgspec.json.decode(row["body"], type=Filed)
        if row["partner"] == platform.name:
            platforms.append(filed)
        elif partner is not None and partner.code == pay_code:
            firms.append(filed)
    payee = platform.payment_data
    default = {"recpAccount": payee.recp_account, "recpCode": payee.recp_code, "recpName": payee.recp_name}
    return Evidence(
        head=_last(_RAW, [*platforms[-1:], *firms[-1:]]),
        payee=default | _last(_PAYEE, [*firms[-1:], *platforms[-1:]]),
        orders=_orders([*firms[-1:], *platforms[-1:]]),
    )


def _last(names: Sequence[str], filings: Iterable[Filed]) -> dict[str, str]:
    found: dict[str, str] = {}
    for filed in filings:
        found |= {name: value for name in names if (value := getattr(filed, name))}
    return found


def _orders(filings: Iterable[Filed]) -> dict[str, FiledOrder]:
    return {one.orderNo: one for filed in filings for one in filed.orders}
