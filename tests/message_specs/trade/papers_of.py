"""Papers for tests: one agreeing trade of import and one of export, any text of which may be changed."""

from collections.abc import Mapping

from msgspec.structs import replace

from message_specs.opening import open_message
from message_specs.trade.papers import Paper, kind_of, pack, unpack
from tests.samples import message

_LINES = (
    {"gnum": "1", "itemNo": "S1", "itemName": "茶壶", "qty": "2", "unit": "007", "price": "10", "totalPrice": "20",
     "currency": "142"},
    {"gnum": "2", "itemNo": "S2", "itemName": "茶杯", "qty": "6", "unit": "007", "price": "5", "totalPrice": "30",
     "currency": "142"},
)  # fmt: skip
_EXPORT: Mapping[str, dict[str, str]] = {
    "CEB303": {"orderType": "E", "ebpCode": "P1", "ebcCode": "S1", "orderNo": "X1", "goodsValue": "50",
               "freight": "8", "currency": "142"},
    "CEB403": {"ebpCode": "P1", "ebcCode": "S1", "orderNo": "X1", "payNo": "Y1", "charge": "58", "currency": "142"},
    "CEB505": {"logisticsCode": "L1", "logisticsNo": "W1", "freight": "8", "insuredFee": "1", "currency": "142",
               "grossWeight": "1.5", "packNo": "1", "ebcCode": "S1"},
    "CEB603": {"ebpCode": "P1", "ebcCode": "S1", "orderNo": "X1", "logisticsCode": "L1", "logisticsNo": "W1",
               "copNo": "C1", "agentCode": "G1", "statisticsFlag": "B", "tradeMode": "9610", "freight": "8",
               "fCurrency": "142", "fFlag": "3", "insuredFee": "1", "iCurrency": "142", "iFlag": "3", "packNo": "1",
               "grossWeight": "1.50", "netWeight": "1.2"},
}  # fmt: skip
NUMBERS = {"order": 1, "payment": 2, "waybill": 3, "inventory": 4, "cancel": 5, "refund": 6}
PARTNERS = {"order": "shop", "payment": "pay", "waybill": "ship", "inventory": "agent", "cancel": "agent",
            "refund": "agent"}  # fmt: skip


def paper(spec: str, head: Mapping[str, str], lines: tuple[Mapping[str, str], ...] = (), **other: object) -> Paper:
    kind = kind_of(spec)
    made = Paper(NUMBERS[kind], 1, spec, kind, PARTNERS[kind], "filed", "1", 1, "", dict(head), lines)
    return replace(made, **other)  # type: ignore[arg-type]


def changed(one: Paper, lines: Mapping[str, str] | None = None, **texts: str) -> Paper:
    """The paper with other texts in its head, and in its first line."""
    first = ({**one.lines[0], **(lines or {})}, *one.lines[1:]) if one.lines else ()
    return replace(one, head={**one.head, **texts}, lines=first)


def imported(number: int = 7, mode: str = "9610") -> dict[str, Paper]:
    """An import trade that agrees in everything, by kind."""
    found = {}
    for spec in ("CEB311", "CEB411", "CEB511", "CEB621"):
        head, lines = unpack(pack(open_message(message(spec, 1, start=number, mode=mode)).documents[0]))
        found[kind_of(spec)] = paper(spec, head, lines)
    return found


def exported() -> dict[str, Paper]:
    """An export trade that agrees in everything, by kind."""
    goods = tuple({**line, "gname": line["itemName"], "gcode": "6911101000"} for line in _LINES)
    lines = {"CEB303": _LINES, "CEB603": goods}
    return {kind_of(spec): paper(spec, head, lines.get(spec, ())) for spec, head in _EXPORT.items()}
