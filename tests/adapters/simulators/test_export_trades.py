"""Customs' own law of the export trade: list, bill, arrival, departure, aggregation, cancel and return."""

from itertools import permutations
from pathlib import Path

import pytest
from lxml import etree

from tests.adapters.simulators.port import Port, changed, sample

ORDER, WAYBILL, LIST = "CEB303", "CEB505", "CEB603"
MATCHED = ["304 120", "506 120", "604 120", "604 399"]


def second(body: bytes) -> bytes:
    """The same of the next trade, on the same bill."""
    return body.replace(b"00007001<", b"00007002<").replace(b"00000007001</ceb:copNo", b"00000007002</ceb:copNo")


def trade(**of: dict[str, str]) -> list[bytes]:
    return [sample(spec, **of.get(spec, {})) for spec in (ORDER, WAYBILL, LIST)]


def closed(place: Path, *asked: str, **of: dict[str, str]) -> Port:
    port = Port(place, *asked).tell(*trade(**of)).tell(*map(second, trade(**of)))
    port.tell(sample("CEB607")).tell(sample("CEB507")).tell(sample("CEB509"))
    port.heard()
    return port


def apply(port: Port, **changes: str) -> bytes:
    body = sample("CEB701", **changes)
    for number, one in zip((b"29102026E000007001", b"29102026E000007002"), port.trades(), strict=True):
        body = body.replace(number, str(one["invtNo"]).encode())
    return body


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_waybill_and_list_in_any_order_match_when_the_last_has_come(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    port, bodies = Port(tmp_path), trade()
    for place in order[:2]:
        port.tell(bodies[place])
    assert all(one.endswith(" 2") for one in port.statuses())
    last = ("304 2", "506 2", "604 2")[order[2]]
    assert sorted(port.tell(bodies[order[2]]).statuses()) == sorted([*MATCHED, last])


@pytest.mark.parametrize("first", [True, False])
def test_a_receipt_of_payment_is_taken_in_only_when_its_list_is_examined(tmp_path: Path, *, first: bool) -> None:
    port = Port(tmp_path)
    if first:
        assert port.tell(sample("CEB403")).statuses() == ["404 2"]
        assert sorted(port.tell(*trade()).statuses()) == sorted(["304 2", "506 2", "604 2", *MATCHED, "404 120"])
    else:
        port.tell(*trade()).heard()
        assert port.tell(sample("CEB403")).statuses() == ["404 2", "404 120"]


@pytest.mark.parametrize(
    ("spec", "change", "said"),
    [
        (WAYBILL, {"grossWeight": "9"}, "[Code:1300;Desc:人工退单],毛重不一致：20.4/9"),
        (WAYBILL, {"packNo": "2"}, "[Code:1300;Desc:人工退单],件数不一致：1/2"),
        (LIST, {"qty": "61"}, "[Code:1322;Desc:订单与清单的商品不符],商品序号：1"),
        (LIST, {"tradeMode": "9810", "totalPrice": "5100"}, "[Code:1300;Desc:人工退单],单票金额超过清单申报限值5000元"),
    ],
)
def test_what_differs_returns_the_list(tmp_path: Path, spec: str, change: dict[str, str], said: str) -> None:
    port = Port(tmp_path).tell(*trade(**{spec: change}))
    units = [(code[:6], status, part.findtext("{*}returnInfo")) for code, _, status, part in port.units()]
    assert units[-1] == ("CEB604", "100", said)
    assert port.trades()[0]["state"] == "100"


def test_the_bill_arrives_and_leaves_and_its_lists_are_released_and_closed(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade()).tell(*map(second, trade()))
    port.heard()
    assert port.tell(sample("CEB607")).statuses() == ["608 2", "608 399"]
    assert sorted(port.tell(sample("CEB507")).statuses()) == ["508 2", "508 399", "604 800", "604 800"]
    assert sorted(port.tell(sample("CEB509")).statuses()) == ["510 2", "510 399", "604 899", "604 899"]
    assert [one["state"] for one in port.trades()] == ["899", "899"]


def test_departure_and_arrival_may_come_before_the_lists(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(sample("CEB509")).tell(sample("CEB507"))
    port.heard()
    assert port.tell(*trade()).statuses()[-3:] == ["604 399", "604 800", "604 899"]


def test_parts_wait_for_the_last_of_them(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade()).tell(*map(second, trade()))
    port.heard()
    parts = [changed(sample("CEB507"), msgCount="2", msgSeqNo=str(n), guid=f"5070700{n}-7A31-4C52-9E10-000000001B59")
             for n in (1, 2)]  # fmt: skip
    assert port.tell(parts[1]).statuses() == ["508 2"]
    heard = port.tell(parts[0]).statuses()
    assert sorted(heard) == ["508 2", "508 399", "508 399", "604 800", "604 800"]


def test_an_empty_arrival_is_the_whole_bill(tmp_path: Path) -> None:
    bill = etree.fromstring(sample("CEB507_whole_bill")).findtext(".//{*}billNo") or ""
    port = Port(tmp_path).tell(*trade(**{LIST: {"billNo": bill}}))
    port.heard()
    assert port.tell(sample("CEB507_whole_bill", msgCount="1", msgSeqNo="1")).statuses()[-1] == "604 800"


def test_closed_lists_are_gathered_into_declarations_that_are_told_twice(tmp_path: Path) -> None:
    port = closed(tmp_path)
    units = port.tell(apply(port)).units()
    assert [(code[3:6], status) for code, _, status, _ in units] == [
        ("702", "2"), ("702", "399"), ("792", "A"), ("792", "R"),
    ]  # fmt: skip
    number = units[1][3].findtext("{*}sumNo")
    first, later = units[2][3], units[3][3]
    assert {part.findtext(".//{*}sumNo") for part in (first, later)} == {number}
    lines = [[line.findtext(f"{{*}}{name}") for name in ("gseqno", "gnum", "gcode")]
             for line in first.iterfind("{*}SummaryResultList")]  # fmt: skip
    assert lines == [["1", "1", "6109100021"], ["2", "2", "4202220000"]] * 2
    assert later.find("{*}SummaryResultList") is None
    assert len(later.findtext(".//{*}entryId") or "") == 18


def test_lists_of_another_group_become_another_declaration(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade()).tell(*[changed(second(body)) for body in trade(**{LIST: {"country": "110"}})])
    port.tell(sample("CEB507")).tell(sample("CEB509")).heard()
    told = [part for code, *_, part in port.tell(apply(port)).units() if code == "CEB792Message"]
    numbers = [part.findtext(".//{*}declSeqNo") for part in told]
    assert (len(told), len(set(numbers)), numbers[:2]) == (4, 2, numbers[2:])


def test_what_is_not_closed_or_gathered_already_cannot_be_gathered(tmp_path: Path) -> None:
    port = closed(tmp_path)
    assert port.tell(apply(port)).statuses()[-1] == "792 R"
    assert port.tell(apply(port, copNo="HZ9")).statuses() == ["702 2", "702 100"]
    assert port.tell(sample("CEB701", copNo="HZ8")).statuses() == ["702 2", "702 100"]


def test_a_period_gathers_what_was_closed_in_it(tmp_path: Path) -> None:
    port = closed(tmp_path)
    assert port.tell(sample("CEB701_period_202205")).statuses() == ["702 2", "702 399", "792 A", "792 R"]


def test_a_list_is_cancelled_before_release_and_not_after_it(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*trade())
    number = str(port.trades()[0]["invtNo"])
    port.heard()
    assert port.tell(sample("CEB605", invtNo=number)).statuses() == ["606 2", "606 399"]
    assert port.trades()[0]["state"] == "void"
    port.tell(changed(trade()[2], wrapType="4"))
    port.tell(sample("CEB507")).heard()
    number = str(port.trades()[0]["invtNo"])
    assert port.tell(sample("CEB605", invtNo=number, copNo="CX9")).statuses() == ["606 2", "606 100"]
    assert port.tell(sample("CEB605", invtNo="29102026E999999999")).statuses() == ["606 2", "606 100"]


def test_goods_come_back_up_to_their_quantity(tmp_path: Path) -> None:
    port = closed(tmp_path)
    number = str(port.trades()[0]["invtNo"])
    assert port.tell(sample("CEB213", invtNo=number)).statuses() == ["214 2", "214 120", "214 800"]
    assert port.tell(sample("CEB213", invtNo=number, coElNo="TH9", qty="59")).statuses() == ["214 2", "214 100"]
    assert port.tell(sample("CEB215")).statuses() == ["216 2", "216 399"]
