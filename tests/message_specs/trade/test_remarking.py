"""What the marks of an earlier Kouan were: told by that Kouan, and kept here as it told them."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from message_specs.trade.marking import mark_of
from message_specs.trade.remarking import remarked

_ORDER = {"ebpCode": "E1", "ebcCode": "M1", "orderNo": "A1"}
_NOBODY = {**_ORDER, "ebpCode": "无"}
_INVENTORY = {"logisticsCode": "L1", "logisticsNo": " W1 ", "agentCode": "G1", "copNo": "C1", "invtNo": "N1"}

Texts = Mapping[str, str]


@pytest.mark.parametrize(
    ("spec", "head", "lines", "told"),
    [
        (
            "CEB311",
            {**_ORDER, "payCode": "P1", "payTransactionId": "T1"},
            (),
            [
                ("order", 1108646763123363787, mark_of("order", "E1", "A1")),
                ("order_no", 8410729255802738749, mark_of("order_no", "A1")),
                ("payment", -300578682404021352, mark_of("payment", "P1", "T1")),
            ],
        ),
        (
            "CEB603",
            {**_NOBODY, **_INVENTORY},
            (),
            [
                ("order", -4097376971276411078, mark_of("order", "无", "M1", "A1")),
                ("order_alone", 5507989679651919026, mark_of("order_alone", "A1")),
                ("sold", -7068094221048171792, mark_of("sold", "M1", "A1")),
                ("waybill", -8626458512502659954, mark_of("waybill", "L1", "W1")),
                ("declared", -5700427388329326690, mark_of("declared", "G1", "C1")),
            ],
        ),
        (
            "CEB505",
            {"ebcCode": "M1", "note": "A1"},
            (),
            [("shipped", 4055206613101572579, mark_of("shipped", "M1", "A1"))],
        ),
        (
            "BOPA",
            {"RPTNO": "R1"},
            (_ORDER, _NOBODY),
            [
                ("order", 1108646763123363787, mark_of("order", "E1", "A1")),
                ("order", -4097376971276411078, mark_of("order", "无", "M1", "A1")),
            ],
        ),
        ("CEB623", {"invtNo": "N1"}, (), []),
    ],
)
def test_each_mark_that_lies_elsewhere_now_is_told_with_what_it_was(
    spec: str, head: Texts, lines: Sequence[Texts], told: list[tuple[str, int, int]]
) -> None:
    assert list(remarked(spec, msgspec.msgpack.encode((head, lines)))) == told
