"""What must agree before customs takes a trade in: order, payment and waybill against the inventory or list.

Each difference is a code and its words, as they stand in a returnInfo; what is
said of persons, names none of their values.  Where no code is published for a
comparison, 1300 (returned by hand) is given.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from adapters.simulators.trade.papers import Paper

TEXTS = {
    "1300": "人工退单",
    "1313": "订购人超过年度限值",
    "1320": "清单与订单的商品项数不同",
    "1322": "订单与清单的商品不符",
    "1327": "订单的订购人与支付单的支付人不一致",
    "1332": "支付单金额与订单实际支付金额不符",
    "13035": "支付企业不一致",
    "13127": "清单与订单的订购人不一致",
    "130126": "清单与订单的订购人电话不一致",
}
Difference = tuple[str, str]
Lines = Sequence[Mapping[str, str]]


def said(differences: Sequence[Difference]) -> str:
    """Return the words of a returnInfo for these differences, each kind once.

    >>> said([("1332", ";订单：10;支付单：9")])
    '[Code:1332;Desc:支付单金额与订单实际支付金额不符];订单：10;支付单：9'
    """
    return "".join(f"[Code:{code};Desc:{TEXTS.get(code, '不符')}]{more}" for code, more in differences)


def of_import(
    inventories: Sequence[Paper], orders: Sequence[Paper], payment: Paper, waybill: Paper
) -> list[Difference]:
    """Return how the three documents and the first inventory differ; nothing when they match.

    Behind the first inventory stand those that share its waybill, behind the first order those that share its payment.
    """
    inventory, order = inventories[0], orders[0]
    found = [
        *_paid([one.head for one in orders], payment.head),
        *_bought(inventory.head, order.head),
        *_goods(inventory.lines, order.lines, ("qty", "totalPrice"), ("unit", "itemNo")),
        *_carried([one.head for one in inventories], order.head, waybill.head),
    ]
    return list(dict(reversed(found)).items())[::-1]


def of_export(inventory: Paper, order: Paper, waybill: Paper) -> list[Difference]:
    """Return how the order, the waybill and the list of an export differ."""
    ours, theirs = inventory.head, waybill.head
    found = [
        *_unequal("1300", "电商企业", ours, "ebcCode", order.head, "ebcCode"),
        *_unequal("1300", "毛重", ours, "grossWeight", theirs, "grossWeight"),
        *_unequal("1300", "件数", ours, "packNo", theirs, "packNo"),
        *(_unequal("1300", "运单电商企业", ours, "ebcCode", theirs, "ebcCode") if theirs.get("ebcCode") else ()),
        *_goods(inventory.lines, order.lines, ("qty", "price"), ("itemNo", "currency")),
    ]
    return list(dict(reversed(found)).items())[::-1]


def _paid(orders: Lines, payment: Mapping[str, str]) -> Iterator[Difference]:
    order = orders[0]
    if not _together(orders, "acturalPaid", payment.get("amountPaid")):
        yield "1332", f";订单：{order.get('acturalPaid')};支付单：{payment.get('amountPaid')}"
    if any(order.get(f"buyer{what}") != payment.get(f"payer{what}") for what in ("IdNumber", "Name")):
        yield "1327", f",订单号：{order.get('orderNo')}"
    for name in ("payCode", "payTransactionId"):
        if order.get(name):
            yield from _unequal("13035", "", order, name, payment, name)


def _bought(inventory: Mapping[str, str], order: Mapping[str, str]) -> Iterator[Difference]:
    if any(inventory.get(name) != order.get(name) for name in ("buyerName", "buyerIdNumber")):
        yield "13127", f",订单号：{order.get('orderNo')}"
    if inventory.get("buyerTelephone") != order.get("buyerTelephone"):
        yield "130126", f",订单号：{order.get('orderNo')}"
    yield from _unequal("1300", "电商企业", inventory, "ebcCode", order, "ebcCode")
    if inventory.get("consigneeAddress") != order.get("consigneeAddress"):
        yield "1300", ",收件地址不一致"


def _carried(inventories: Lines, order: Mapping[str, str], waybill: Mapping[str, str]) -> Iterator[Difference]:
    inventory = inventories[0]
    if all(one.get("orderNo") != waybill.get("orderNo") for one in inventories):
        yield from _unequal("1300", "运单订单号", inventory, "orderNo", waybill, "orderNo")
    if not _together(inventories, "grossWeight", waybill.get("weight")):
        yield from _unequal("1300", "毛重", inventory, "grossWeight", waybill, "weight")
    for name, words in (("freight", "运费"), ("insuredFee", "保费")):
        if waybill.get(name) and not _together(inventories, name, waybill[name]):
            yield from _unequal("1300", words, inventory, name, waybill, name)
    if inventory.get("billNo") and waybill.get("billNo"):
        yield from _unequal("1300", "提运单号", inventory, "billNo", waybill, "billNo")
    if any(order.get(name) != waybill.get(name) for name in ("consignee", "consigneeTelephone", "consigneeAddress")):
        yield "1300", ",运单收件人不一致"


def _goods(ours: Lines, theirs: Lines, must: Sequence[str], where_given: Sequence[str]) -> Iterator[Difference]:
    if len(ours) != len(theirs):
        yield "1320", f";清单：{len(ours)};订单：{len(theirs)}"
        return
    ordered = {line.get("gnum"): line for line in theirs}
    for line in ours:
        other = ordered.get(line.get("gnum"), {})
        odd = [name for name in must if not same(line.get(name), other.get(name))]
        odd += [name for name in where_given if other.get(name) and line.get(name) and line[name] != other[name]]
        if odd:
            yield "1322", f",商品序号：{line.get('gnum')}"


def _unequal(
    code: str, words: str, one: Mapping[str, str], name: str, other: Mapping[str, str], its: str
) -> Iterator[Difference]:
    if not same(one.get(name), other.get(its)):
        yield code, f",{words}不一致：{one.get(name, '')}/{other.get(its, '')}" if words else ""


def _together(heads: Lines, name: str, whole: str | None) -> bool:
    """Whether the first says what the other document says, or all of them together do."""
    if same(heads[0].get(name), whole):
        return True
    try:
        total = sum((Decimal(one.get(name) or "0") for one in heads), Decimal(0))
    except InvalidOperation:
        return False
    return len(heads) > 1 and same(str(total), whole)


def same(one: str | None, other: str | None) -> bool:
    """Whether two values are the same, as numbers where they are numbers.

    >>> same("2.01", "2.010"), same("A1", "A2"), same(None, "1")
    (True, False, False)
    """
    if one == other:
        return True
    try:
        return Decimal(one or "x") == Decimal(other or "x")
    except InvalidOperation:
        return False
