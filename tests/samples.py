"""Invented trades for tests and benchmarks: one number makes one whole trade, always the same.

Every person, enterprise and telephone number is made up: the citizen numbers name an area (330199)
that no authority hands out, with a right check digit, and the telephone numbers lie in a range that
no carrier uses.  Messages are unsigned, canonical in form and valid in both revisions.

>>> message("CEB311", 2, start=7).count(b"<ceb:Order>")
2
>>> order(7) == message("CEB311", 1, start=7)
True
"""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SURNAMES = "苏陆顾沈江许傅钟秦白云温叶柳简卓"
_GIVEN = ("知夏", "云栖", "文澜", "若溪", "景行", "书遥", "南乔", "怀瑾", "思衡", "清和", "予安", "亦舟")
_ROADS = ("栖云路", "望潮街", "青芝巷", "听泉路", "南屏弄", "桂雨路", "竹径街")
_GOODS = (  # name, model, tariff code, unit, unit price, country, statutory unit and quantity a piece
    (
        "婴幼儿配方奶粉3段", "品牌:晨露|规格:800克/罐|适用:12-36个月|成分:牛乳、乳糖、乳清蛋白",
        "1901101090", "122", "168.50", "609", "035", "0.8",
    ),
    (
        "保湿面膜", "品牌:雪芷|规格:25毫升/片,5片/盒|成分:水、甘油、透明质酸钠",
        "3304990039", "140", "79.90", "133", "035", "0.13",
    ),
    (
        "即溶咖啡粉", "品牌:远山|规格:200克/瓶|成分:阿拉比卡咖啡豆100%",
        "2101110000", "142", "45.00", "116", "035", "0.2",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Party:
    """An invented enterprise: registration code, exchange id, registered name."""

    code: str
    dxp_id: str
    title: str


SHOP = Party("3301961A2B", "DXPENT0000030001", "杭州云栖优选电子商务有限公司")
PAY = Party("3301960P7K", "DXPENT0000030002", "杭州钱潮支付服务有限公司")
SHIP = Party("3301960L5M", "DXPLGS0000030003", "杭州速达国际物流有限公司")
AGENT = Party("3301980Q3D", "DXPENT0000030004", "杭州口岸通报关服务有限公司")
SENDERS = {"CEB311": SHOP, "CEB411": PAY, "CEB511": SHIP, "CEB621": AGENT}


def citizen(number: int) -> str:
    """A citizen number of 18 characters with a right check digit, belonging to nobody.

    >>> citizen(1)
    '330199195102020018'
    """
    body = f"330199{1950 + number % 50}{1 + number % 12:02}{1 + number % 28:02}{number % 1000:03}"
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return body + "10X98765432"[total % 11]


def guid(kind: str, number: int) -> str:
    """A document guid in capitals, the same for the same number."""
    return f"{kind}{number:05d}"[-8:].rjust(8, "0") + f"-7A31-4C52-9E10-{number % 16**12:012X}"


def trade(number: int) -> dict[str, str]:
    """Every value that the four documents of trade `number` share."""
    lines = [_GOODS[(number + step) % len(_GOODS)] for step in range(3)]
    amounts = [(1 + (number + step) % 3, Decimal(goods[4])) for step, goods in enumerate(lines)]
    value = sum((count * price for count, price in amounts), Decimal(0))
    tax = (value * Decimal("0.091")).quantize(Decimal("0.01"))
    name = _SURNAMES[number % 16] + _GIVEN[number // 16 % 12]
    fields = {
        "orderNo": f"YX2026{number:012d}", "payNo": f"QC2026{number:014d}", "logisticsNo": f"SD{number:011d}",
        "copNo": f"KA26{number:014d}", "billNo": f"999-{10000000 + number % 90000000}",
        "goodsValue": f"{value}", "taxTotal": f"{tax}", "paid": f"{value + 8 + tax - 5}",
        "buyer": name, "id": citizen(number), "phone": f"126{number % 100_000_000:08d}",
        "address": f"浙江省杭州市云栖新区{_ROADS[number % 7]}{1 + number % 300}号{1 + number % 30}01室",
        "account": f"yx{number:010d}",
    }  # fmt: skip
    for step, ((title, model, tariff, unit, price, country, unit1, each), (count, _)) in enumerate(
        zip(lines, amounts, strict=True)
    ):
        fields |= {
            f"itemNo{step}": f"SKU{tariff[:6]}{step}", f"name{step}": title, f"model{step}": model,
            f"gcode{step}": tariff, f"unit{step}": unit, f"qty{step}": str(count), f"price{step}": price,
            f"total{step}": f"{count * Decimal(price)}", f"country{step}": country, f"unit1{step}": unit1,
            f"qty1{step}": f"{count * Decimal(each)}", f"gnum{step}": str(step + 1),
        }  # fmt: skip
    net = sum((Decimal(fields[f"qty1{step}"]) for step in range(3)), Decimal(0))
    return fields | {"net": f"{net}", "gross": f"{net + Decimal('0.35')}"}


def order(number: int) -> bytes:
    """A message with the one order of trade `number`, three lines, about 3 KB."""
    return message("CEB311", 1, start=number)


def message(
    spec: str,
    count: int,
    start: int = 1,
    *,
    sender: Party | None = None,
    app_type: str = "1",
    mode: str = "9610",
    parties: tuple[Party, Party, Party, Party] = (SHOP, PAY, SHIP, AGENT),
) -> bytes:
    """An unsigned message of `count` documents, for the trades `start`, `start` + 1 and so on.

    `parties` are shop, payment, logistics and agent; `sender` is who stands in BaseTransfer.
    """
    who = sender or dict(zip(SENDERS, parties, strict=True))[spec]
    names = dict(zip(("shop", "pay", "ship", "agent"), parties, strict=True))
    fixed = {f"{role}{part}": getattr(party, key) for role, party in names.items()
             for part, key in (("Code", "code"), ("Name", "title"))}  # fmt: skip
    fixed["appType"] = app_type
    unit = _template(spec, mode)
    body = "".join(
        unit.format_map({**fixed, **trade(number), "guid": guid(spec[3:], number)})
        for number in range(start, start + count)
    )
    root = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{spec} {count} {start} {app_type} {mode} {who.code}")).upper()
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ceb:{spec}Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="{root}" version="1.0">{body}'
        f"<ceb:BaseTransfer><ceb:copCode>{who.code}</ceb:copCode><ceb:copName>{who.title}</ceb:copName>"
        f"<ceb:dxpMode>DXP</ceb:dxpMode><ceb:dxpId>{who.dxp_id}</ceb:dxpId></ceb:BaseTransfer></ceb:{spec}Message>"
    ).encode()


@cache
def _template(spec: str, mode: str) -> str:
    """The text of one document: rows `name value` as elements, `9610:` and `1210:` rows in their mode only."""
    unit, head, line = _ROWS[spec]
    lines = "".join(_element(f"{unit}List", line.replace("#", str(step)), mode) for step in range(3)) if line else ""
    return f"<ceb:{unit}>{_element(f'{unit}Head', _START + head, mode)}{lines}</ceb:{unit}>"


def _element(name: str, rows: str, mode: str) -> str:
    kept = (row.strip().removeprefix(f"{mode}:") for row in rows.splitlines() if row.strip())
    leaves = (row.split(" ", 1) for row in kept if not row.startswith(("9610:", "1210:")))
    return f"<ceb:{name}>{''.join(f'<ceb:{leaf}>{value}</ceb:{leaf}>' for leaf, value in leaves)}</ceb:{name}>"


_START = """
    guid {guid}
    appType {appType}
    appTime 20261121093000
    appStatus 2
"""
_ORDER = """
    orderType I
    orderNo {orderNo}
    ebpCode {shopCode}
    ebpName {shopName}
    ebcCode {shopCode}
    ebcName {shopName}
    goodsValue {goodsValue}
    freight 8
    discount 5
    taxTotal {taxTotal}
    acturalPaid {paid}
    currency 142
    buyerRegNo {account}
    buyerName {buyer}
    buyerTelephone {phone}
    buyerIdType 1
    buyerIdNumber {id}
    payCode {payCode}
    payName {payName}
    payTransactionId {payNo}
    batchNumbers PH{copNo}
    consignee {buyer}
    consigneeTelephone {phone}
    consigneeAddress {address}
    consigneeDistrict 330106
    note 工作日送货,请勿折叠
"""
_ORDER_LINE = """
    gnum {gnum#}
    itemNo {itemNo#}
    itemName {name#}
    gmodel {model#}
    barCode 无
    unit {unit#}
    qty {qty#}
    price {price#}
    totalPrice {total#}
    currency 142
    country {country#}
"""
_PAYMENT = """
    payCode {payCode}
    payName {payName}
    payTransactionId {payNo}
    orderNo {orderNo}
    ebpCode {shopCode}
    ebpName {shopName}
    payerIdType 1
    payerIdNumber {id}
    payerName {buyer}
    telephone {phone}
    amountPaid {paid}
    currency 142
    payTime 20261121092512
"""
_WAYBILL = """
    logisticsCode {shipCode}
    logisticsName {shipName}
    logisticsNo {logisticsNo}
    9610:billNo {billNo}
    orderNo {orderNo}
    freight 8
    insuredFee 0
    currency 142
    weight {gross}
    packNo 1
    goodsInfo {name0},{name1},{name2}
    consignee {buyer}
    consigneeAddress {address}
    consigneeTelephone {phone}
"""
_INVENTORY = """
    orderNo {orderNo}
    ebpCode {shopCode}
    ebpName {shopName}
    ebcCode {shopCode}
    ebcName {shopName}
    logisticsNo {logisticsNo}
    logisticsCode {shipCode}
    logisticsName {shipName}
    copNo {copNo}
    assureCode {shopCode}
    1210:emsNo T2909W000088
    ieFlag I
    declTime 20261121
    9610:customsCode 2910
    9610:portCode 2910
    1210:customsCode 2909
    1210:portCode 2909
    buyerIdType 1
    buyerIdNumber {id}
    buyerName {buyer}
    buyerTelephone {phone}
    consigneeAddress {address}
    agentCode {agentCode}
    agentName {agentName}
    1210:areaCode {agentCode}
    1210:areaName {agentName}
    9610:tradeMode 9610
    9610:trafMode 5
    9610:trafNo 云栖航空
    9610:voyageNo YQ8026
    9610:billNo {billNo}
    9610:country 116
    1210:tradeMode 1210
    1210:trafMode Y
    1210:country 142
    freight 8
    insuredFee 0
    currency 142
    wrapType 2
    packNo 1
    grossWeight {gross}
    netWeight {net}
"""
_INVENTORY_LINE = """
    gnum {gnum#}
    1210:itemRecordNo R{gcode#}
    itemNo {itemNo#}
    itemName {name#}
    gcode {gcode#}
    gname {name#}
    gmodel {model#}
    barCode 无
    country {country#}
    tradeCountry {country#}
    currency 142
    qty {qty#}
    unit {unit#}
    qty1 {qty1#}
    unit1 {unit1#}
    price {price#}
    totalPrice {total#}
"""
_ROWS = {
    "CEB311": ("Order", _ORDER, _ORDER_LINE),
    "CEB411": ("Payment", _PAYMENT, ""),
    "CEB511": ("Logistics", _WAYBILL, ""),
    "CEB621": ("Inventory", _INVENTORY, _INVENTORY_LINE),
}
