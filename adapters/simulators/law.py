"""What customs answers to what: stages, codes and texts, one row a kind of declaration.

Facts of the published specification and of receipts seen in practice.  A kind
that has no row here is received like the others, with the common rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ACCEPTED, TAKEN_IN, EXAMINED, RELEASED, CLOSED, RETURNED = "2", "120", "399", "800", "899", "100"
FORMAT = "-999999"


@dataclass(frozen=True, slots=True)
class Law:
    """One kind: its stages after acceptance, its negative codes, its words."""

    name: str
    stages: tuple[str, ...] = (TAKEN_IN,)
    again: str = "-999001"
    nothing: str = "-999002"
    signature: str = "-999003"
    used: str = "-999004"
    accepted: str = "新增申报成功[{guid}]"


_COMMON = Law("单证")
# One number for every kind of export: a business key that is there already.
_TWICE = "-304001"
_LAWS = {
    "CEB311": Law("订单", again="-301010", nothing="-301009", signature="-301020", used="-301011",
                  accepted="订单新增申报成功[{guid}]"),
    "CEB411": Law("支付单", again="-401007", nothing="-401006", signature="-401009", used="-401008",
                  accepted="支付单新增申报成功[{guid}]"),
    "CEB511": Law("运单", again="-504015", nothing="-504014", signature="-504011", used="-504016"),
    "CEB513": Law("运单状态", again="-505012", nothing="-505014", signature="-505011"),
    "CEB621": Law("清单", (TAKEN_IN, EXAMINED, RELEASED), "-621004", "-621011", "-621029", "-621012",
                  "清单新增申报成功[电商企业编码：{ebcCode}订单编号：{orderNo}]"),
    "CEB623": Law("撤销申请单", (TAKEN_IN, EXAMINED), "-623009", "-623003", "-623029"),
    "CEB625": Law("退货申请单", (TAKEN_IN, EXAMINED), "-625033", "-625016", "-625208", "-625022"),
    "CEB711": Law("入库明细单", (TAKEN_IN, EXAMINED), "-800003"),
    "CEB303": Law("订单", again=_TWICE),
    "CEB403": Law("收款单", again=_TWICE),
    "CEB505": Law("运单", (EXAMINED,), _TWICE),
    "CEB507": Law("运抵单", (EXAMINED,), _TWICE),
    "CEB509": Law("离境单", (EXAMINED,), _TWICE),
    "CEB603": Law("清单", (TAKEN_IN, EXAMINED, RELEASED), _TWICE),
    "CEB605": Law("撤销申请单", (EXAMINED,), _TWICE),
    "CEB607": Law("清单总分单", again=_TWICE),
    "CEB701": Law("汇总申请单", (EXAMINED,), _TWICE),
    "CEB213": Law("退货申请单", (TAKEN_IN, RELEASED)),
    "CEB215": Law("退货理货单", (EXAMINED,)),
}  # fmt: skip
_NUMBERS = ("payTransactionId", "logisticsNo", "orderNo", "copNo", "coElNo")
_TEXTS = {
    "3": "申报数据已发往海关",
    RETURNED: "[Code:1300;Desc:人工退单],请修改后重新申报",
    TAKEN_IN: "[Code:1800;Desc:逻辑校验通过]",
    "300": "[Code:1200;Desc:等待人工审核]",
    "500": "查验",
    EXAMINED: "[Code:2300;Desc:审结]",
    RELEASED: "[Code:2600;Desc:放行]",
    CLOSED: "结关",
}
# What is turned away at once, whatever its form.
_TURNED_AWAY = {
    "-621005": "金额超过单次交易限值",
    "-623003": "没有此编号的清单",
    "-625016": "没有此数据",
}


def law(spec: str) -> Law:
    """Return the row of a kind of declaration, or the common one."""
    return _LAWS.get(spec, _COMMON)


def words(spec: str, status: str, unit: Mapping[str, str]) -> str:
    """Return the returnInfo of a status, with the values of the unit in their places.

    >>> words("CEB311", "2", {"guid": "A1"})
    '订单新增申报成功[A1]'
    >>> words("CEB311", "-301010", {"orderNo": "N1"})
    '处理失败，相同编号的订单已存在[N1]'
    """
    row = law(spec)
    number = next((unit[name] for name in _NUMBERS if unit.get(name)), "")
    if status == ACCEPTED:
        blank = {"guid": "", "ebcCode": "", "orderNo": ""}
        return row.accepted.format_map(blank | dict(unit))
    if status == row.again:
        return f"处理失败，相同编号的{row.name}已存在[{number}]"
    if status == row.nothing:
        return f"处理失败，没有可变更或删除的{row.name}[{number}]"
    if status == row.used:
        return f"处理失败，{row.name}当前状态不允许此操作[{number}]"
    if status in _TURNED_AWAY:
        return _TURNED_AWAY[status]
    if status == row.signature:
        return f"处理失败，{row.name}验签失败[{number}]"
    return _TEXTS.get(status, f"状态 {status}")
