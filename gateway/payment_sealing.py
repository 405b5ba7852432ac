"""Sealing an upload: head and lists from the ledger and what was filed, written once, signed, never changed after.

RSA keys sign with SHA-1 here whatever else they sign with: the notice knows no other digest for them.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from gateway.config import House, Partner
from gateway.payment_gathering import Paid, paid_with
from gateway.raw_payments import Evidence, FiledOrder, evidence
from gateway.signing.keys import load_signer
from gateway.signing.rsa import RsaSigner
from gateway.signing.signer import KeyExpired, KeyNotYetValid, Signer
from message_specs.findings import Finding, finding
from message_specs.pay179.upload import form, texts, wrong
from message_specs.trade.papers import Paper
from spool.errors import ForOperator
from spool.ledger import Ledger
from spool.number import CHINA


@dataclass(frozen=True, slots=True)
class Sealed:
    """One upload: what was signed, the bytes that leave, and what it is about."""

    guid: str
    pay_code: str
    transaction_id: str
    orders: tuple[str, ...]
    suite: str
    cert_no: str
    signed: bytes
    body: bytes
    warnings: tuple[Finding, ...] = ()


def sealed(
    ledger: Ledger, house: House, platform: Partner, session: str, order_no: str, now: datetime
) -> Sealed | tuple[Finding, ...]:
    """Return the upload of an order's payment, or everything that is lacking."""
    paid = paid_with(ledger, platform.code, order_no)
    if isinstance(paid, Finding):
        return (paid,)
    payment = paid.payment.head
    filed = evidence(ledger, house, platform, payment.get("payCode", ""), payment.get("payTransactionId", ""))
    if not filed.is_raw:
        return (finding("D103", payment=paid.name, value=paid.name),)
    guid = str(uuid4()).upper()
    head = _head(guid, paid, filed)
    lists = [_list(one, platform, filed) for one in paid.orders]
    told = list(wrong("head", head, "payExchangeInfoHead/"))
    for one in lists:
        told += wrong("list", one, f"payExchangeInfoLists[{one['orderNo']}]/")
    if told:
        return tuple(told)
    signer = signer_of(house, platform, now)
    if isinstance(signer, Finding):
        return (signer,)
    differs = paid.differs()
    parts = texts(session, head, lists, int(now.timestamp() * 1000))
    value = base64.b64encode(signer.sign(parts.signed)).decode("ascii")
    names = tuple(str(one["orderNo"]) for one in lists)
    return Sealed(
        guid, head["payCode"], head["payTransactionId"], names, signer.suite, signer.key_name, parts.signed,
        form(parts.sealed(signer.key_name, value)), (differs,) if differs else (),
    )  # fmt: skip


def _head(guid: str, paid: Paid, filed: Evidence) -> dict[str, str]:
    payment = paid.payment.head
    said = {name: payment.get(name, "") for name in ("ebpCode", "payCode", "payTransactionId", "currency")}
    return {
        "guid": guid,
        **said,
        "totalAmount": payment.get("amountPaid", ""),
        "tradingTime": payment.get("payTime", ""),
        **filed.head,
    }


def _list(order: Paper, platform: Partner, filed: Evidence) -> dict[str, Any]:
    number = order.head.get("orderNo", "")
    told = filed.orders.get(number, FiledOrder(number))
    own = {name: value for name in ("recpAccount", "recpCode", "recpName") if (value := getattr(told, name))}
    goods: list[dict[str, str]] = [{"gname": one.gname, "itemLink": one.itemLink} for one in told.goodsInfo]
    if not goods:
        goods = [{"gname": line.get("itemName", ""), "itemLink": _link(platform, number, line)} for line in order.lines]
    return {"orderNo": number, "goodsInfo": goods, **filed.payee, **own}


def _link(platform: Partner, number: str, line: Mapping[str, str]) -> str:
    link = platform.payment_data.item_link
    return link.replace("{orderNo}", number).replace("{itemNo}", line.get("itemNo", ""))


def signer_of(house: House, platform: Partner, now: datetime) -> Signer | Finding:
    """Return what signs for a platform at this moment, or why nothing can."""
    use = platform.key_for(house.kouan.payment_data.authority, now.astimezone(CHINA).date())
    if use is None:
        return finding("D112", partner=platform.name, reason="partners/*.toml [[keys]]")
    try:
        signer = load_signer(house.home / "keys", use.name, now)
        if isinstance(signer, RsaSigner) and signer.suite != "rsa-sha1":
            return RsaSigner(signer.name, "rsa-sha1", signer.key_pem(), signer.certificate_der)
    except KeyExpired as trouble:
        return finding("D110", partner=platform.name, reason=str(trouble))
    except KeyNotYetValid as trouble:
        return finding("D111", partner=platform.name, reason=str(trouble))
    except ForOperator as trouble:
        return finding("D112", partner=platform.name, reason=str(trouble))
    return signer
