"""An export goes from its documents to customs' last word, and both books agree: by flag, mode, list and bill."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.simulators.port import sample
from tests.gateway.border import Border, codes, day, nth, states

EXAMINED = ["304 120", "404 120", "506 120", "604 120", "604 399"]


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    one = Border(home, tmp_path / "customs")
    yield one
    one.close()


def aggregated(border: Border, trade: int = 1) -> dict[str, Any] | None:
    found: dict[str, Any] | None = border.dossier(trade)["aggregation"]
    return found


def test_a_trade_of_9610_b_goes_from_its_documents_to_two_results(border: Border) -> None:
    told = [*border.trade(1), *border.trade(2)]
    assert [states(one) for one in told] == [["ready"]] * 8
    assert sorted(border.meets()) == sorted([*EXAMINED, "304 2", "404 2", "506 2", "604 2"] * 2)
    steps = []
    for spec in ("CEB607", "CEB507", "CEB509"):
        steps.append((spec, codes(border.comes(spec)), sorted(border.meets())))
    assert steps == [
        ("CEB607", [], ["608 2", "608 399"]),
        ("CEB507", [], ["508 2", "508 399", "604 800", "604 800"]),
        ("CEB509", [], ["510 2", "510 399", "604 899", "604 899"]),
    ]
    dossier = border.dossier()
    assert (dossier["phase"], dossier["why"], dossier["aggregation"]) == ("closed", "T602 2026-12-15", None)
    assert dossier["windows"][-1] == {
        "name": "gather_by", "since": "2026-11-23", "until": "2026-12-15", "open": True
    }  # fmt: skip
    told_701 = border.gathers(1, 2)
    assert (codes(told_701), states(told_701)) == ([], ["ready"])
    assert (aggregated(border) or {})["state"] == "applied"
    assert border.meets() == ["702 2", "702 399", "792 A", "792 R"]
    one = aggregated(border)
    assert one is not None
    number = one["sum_no"]
    assert one == {
        "state": "aggregated", "application": f"{told_701['number']}.1", "sum_no": number,
        "declaration": f"{number[:-3]}001", "entry": f"{number[:-3]}601", "declaration_state": "R",
        "verdict": "agrees", "findings": [],
    }  # fmt: skip
    assert border.stamps("aggregate") == [f"CEB792 {number} 与预计归并一致 as predicted"]
    assert (border.dossier()["due_at"], border.dossier()["why"]) == (None, None)
    ours, theirs = border.books()
    assert ours == theirs == {"QD26110000007001": "899", "QD26110000007002": "899"}
    border.sleeps(day(12, 20))
    assert border.notices("agent") == []


def test_what_is_not_gathered_is_told_before_the_day_and_on_it_and_never_again(border: Border) -> None:
    border.closes(1)
    heard = []
    for number in (9, 10, 12, 15, 16, 20):
        border.sleeps(day(12, number))
        heard.append(border.notices("agent"))
    first, last = ("T602",), ("T611",)
    assert heard == [[], [first], [first], [first, last], [first, last], [first, last]]
    assert border.notices("shop") == []


def test_an_application_keeps_its_lists_silent_until_customs_returns_it(border: Border) -> None:
    border.closes(1)
    border.gathers(1)
    border.sleeps(day(12, 11))
    assert border.notices("agent") == []
    border.says("CEB702", "SummaryReturn", "100", copNo="HZ26120000007001", ebcCode="3301961A2B", msgSeqNo="1")
    assert (border.notices("agent"), aggregated(border)) == ([("T602",)], None)
    again = border.gathers(1, copNo="HZ26120000007009")
    assert states(again) == ["ready"]


@pytest.mark.parametrize(
    ("flag", "mode", "why"),
    [("A", "9610", "统计标志不是 B"), ("B", "9810", "该贸易方式的清单不汇总")],
)
def test_statistics_a_and_goods_between_enterprises_are_never_gathered(
    border: Border, flag: str, mode: str, why: str
) -> None:
    border.closes(1, **modes(mode, statisticsFlag=flag))
    assert (border.dossier()["phase"], border.dossier()["due_at"]) == ("closed", None)
    told = border.gathers(1)
    assert (states(told), [one["zh"] for one in told["findings"] if one["code"] == "T601"]) == (
        ["refused"], [f"清单 {border.number(1)} 不能汇总：{why}"],
    )  # fmt: skip
    border.sleeps(day(12, 20))
    assert border.notices("agent") == []


def modes(mode: str, **of_list: str) -> dict[str, dict[str, str]]:
    """Order, payment and list of a trade mode, worth less than the limit of the list channel."""
    kind = {"9710": "B", "9810": "W"}.get(mode, "E")
    goods = {"price": "4", "totalPrice": "240"}
    return {
        "CEB303": {"orderType": kind, "goodsValue": "480", **goods},
        "CEB403": {"charge": "516"},
        "CEB603": {"tradeMode": mode, **goods, **of_list},
    }


@pytest.mark.parametrize("mode", ["9610", "9710", "9810"])
def test_the_list_channel_of_each_mode_is_released_and_closed_in_both_books(border: Border, mode: str) -> None:
    border.closes(1, **modes(mode))
    assert border.books() == ({"QD26110000007001": "899"}, {"QD26110000007001": "899"})
    assert (border.dossier()["mode"], border.dossier()["phase"]) == (mode, "closed")


def test_export_from_a_bonded_area_is_gathered_too(border: Border) -> None:
    for spec in ("CEB303", "CEB403", "CEB505"):
        border.comes(spec, nth(sample(spec), 2))
    assert states(border.comes("CEB603_1210", statisticsFlag="B")) == ["ready"]
    border.meets()
    for spec in ("CEB607", "CEB507", "CEB509"):
        border.comes(spec)
        border.meets()
    dossier = border.dossier(2)
    assert (dossier["mode"], dossier["phase"], dossier["why"]) == ("1210", "closed", "T602 2026-12-15")
    assert border.books() == ({"QD26110000007002": "899"}, {"QD26110000007002": "899"})


def test_a_period_gathers_what_was_closed_in_it(border: Border) -> None:
    border.closes(1, 2)
    told = border.comes("CEB701_period_202205")
    assert states(told) == ["ready"]
    assert border.meets() == ["702 2", "702 399", "792 A", "792 R"]
    assert [(one["state"], one["verdict"]) for one in (aggregated(border, 1), aggregated(border, 2)) if one] == [
        ("aggregated", "agrees"), ("aggregated", "agrees"),
    ]  # fmt: skip
    assert codes(border.gathers(1, copNo="HZ9")) == ["T601"]


def period(border: Border, **changes: str) -> dict[str, Any]:
    return border.comes("CEB701_period_202205", **changes)


def test_a_period_takes_each_list_once(border: Border) -> None:
    border.closes(1, 2)
    assert states(border.gathers(1)) == ["ready"]
    told = period(border, copNo="HZ9")
    assert [(one["code"], one["severity"], one["value"]) for one in told["findings"]] == [
        ("T601", "warning", border.number(1))
    ]
    assert states(told) == ["ready"]
    again = period(border, copNo="HZ8")
    assert (states(again), codes(again)) == (["ready"], ["T601", "T601", "T612"])
    assert codes(border.gathers(2, copNo="HZ7")) == ["T601"]


def test_a_period_that_customs_returned_gives_its_lists_free(border: Border) -> None:
    border.closes(1)
    assert codes(period(border)) == []
    border.world.go_on()
    border.world.carry()
    border.says("CEB702", "SummaryReturn", "100", ebcCode="3301961A2B", copNo="HZ26120000007001", msgSeqNo="1")
    assert border.world.rows("SELECT state FROM document WHERE spec = 'CEB701'") == [("refused",)]
    assert codes(period(border, copNo="HZ9")) == []


def test_a_period_in_which_nothing_was_closed_and_one_that_is_too_late_are_told(border: Border) -> None:
    border.closes(1)
    months = {"startTime": "20261001000000", "endTime": "20261031235959"}
    assert [(one["code"], one["zh"]) for one in period(border, **months)["findings"]] == [
        ("T612", "此处没有 20261001 至 20261031 结关而未汇总的清单")
    ]
    border.sleeps(day(12, 16))
    assert codes(period(border, copNo="HZ9")) == ["T611"]


def test_a_period_by_producer_tells_that_its_lists_have_several(border: Border) -> None:
    border.trade(1)
    border.closes(2, CEB603={"ownerCode": "91330199MA2E7999XB"})
    assert codes(period(border, summaryFlag="2")) == ["T603"]
    assert codes(border.gathers(1, 2, copNo="HZ9", summaryFlag="2")) == ["T601", "T601", "T603"]


def test_a_list_is_gathered_once_and_by_whom_it_belongs_to(border: Border) -> None:
    border.closes(1, 2)
    assert states(border.gathers(1)) == ["ready"]
    double = border.gathers(1, 2, copNo="HZ9")
    assert [(one["code"], one["value"], one["path"][-25:]) for one in double["findings"]] == [
        ("T601", border.number(1), "/SummaryApplyList[1]/invtNo"[-25:])
    ]
    unknown = border.comes("CEB701", copNo="HZ8")
    assert codes(unknown) == ["T509", "T509"]
    assert states(border.gathers(2, copNo="HZ9")) == ["ready"]


def test_lists_declared_elsewhere_pass_where_the_operator_says_so(home: Path, tmp_path: Path) -> None:
    file = home / "kouan.toml"
    file.write_text(file.read_text("utf-8").replace("[severity]\n", '[severity]\nT509 = "warning"\n'), "utf-8")
    border = Border(home, tmp_path / "customs")
    answer = border.comes("CEB701")
    assert (states(answer), codes(answer)) == (["ready"], ["T509", "T509"])
    border.close()


def test_what_is_not_closed_yet_is_not_gathered(border: Border) -> None:
    border.trade(1)
    border.meets()
    told = border.gathers(1)
    assert [one["zh"] for one in told["findings"]] == [f"清单 {border.number(1)} 不能汇总：状态为“已审结”"]


def test_a_stranger_hears_nothing_of_a_list_but_that_it_is_not_his(border: Border) -> None:
    border.closes(1)
    told = border.gathers(1, sender="shop", agentCode="3301961A2C", ebcCode="3301961A2C")
    assert (states(told), codes(told)[-1]) == (["refused"], "T510")


def test_a_result_that_differs_is_stamped_told_and_shown(border: Border) -> None:
    border.closes(1, 2)
    number = f"{border.gathers(1, 2)['number']}.1"
    border.changes = lambda body: body.replace(b"<gcode>4202220000<", b"<gcode>4202220001<", 1)
    assert border.meets()[-1] == "792 R"
    one = aggregated(border)
    assert one is not None
    told = [(found["code"], found["zh"]) for found in one["findings"]]
    wanted = f"汇总结果第 2 项（清单 {border.number(1)}）商品编码 4202220001 与清单的 4202220000 不一致"
    assert (one["verdict"], told) == ("differs", [("T608", wanted)])
    assert border.stamps("aggregate") == [f"CEB792 {one['sum_no']} T608"]
    assert border.notices("agent") == [("T608",)]
    assert one["application"] == number


def test_a_list_that_customs_leaves_out_is_told_when_it_goes_on_to_declare(border: Border) -> None:
    border.closes(1, 2)
    border.gathers(1, 2)
    left_out = border.number(2).encode()
    border.changes = lambda body: without_lines(body, left_out)
    border.meets()
    assert border.notices("agent") == [("T604",)]
    assert (aggregated(border, 1) or {})["state"] == "aggregated"
    assert (aggregated(border, 2) or {})["state"] == "applied"


@pytest.mark.parametrize(
    ("was", "becomes", "code"),
    [
        (rb"<invtNo>\w+(</invtNo><logisticsNo>\w+</logisticsNo><gseqno>2<)", rb"<invtNo>29102026E9\1", "T605"),
        (rb"<grossWeight>[^<]*", b"<grossWeight>1", "T610"),
        (rb"(</SummaryResultList>)<SummaryResultList>.*</SummaryResultList>", rb"\1", "T609"),
    ],
)
def test_whatever_customs_gathered_otherwise_is_told(border: Border, was: bytes, becomes: bytes, code: str) -> None:
    border.closes(1)
    border.gathers(1)
    border.changes = lambda body: re.sub(was, becomes, body, count=1)
    border.meets()
    border.sleeps(day(11, 26))
    assert code in [one["code"] for one in (aggregated(border) or {})["findings"]]


def test_lists_that_were_to_stand_apart_and_stand_together_are_told(border: Border) -> None:
    border.trade(1)
    border.closes(2, CEB603={"country": "110"})
    border.gathers(1, 2)
    border.changes = lambda body: re.sub(rb"(<declSeqNo>\w*)00\d<", rb"\g<1>001<", body)
    border.meets()
    border.sleeps(day(11, 26))
    assert "T606" in [one["code"] for one in (aggregated(border) or {})["findings"]]


def test_lists_that_were_to_stand_together_and_stand_apart_are_told(border: Border) -> None:
    border.closes(1, 2)
    border.gathers(1, 2)
    border.changes = lambda body: apart(body, border.number(2).encode())
    border.meets()
    border.sleeps(day(11, 26))
    assert "T607" in [one["code"] for one in (aggregated(border) or {})["findings"]]


def apart(body: bytes, number: bytes) -> bytes:
    """An answer in which the lines of one list stand in a declaration of their own."""
    result = re.search(rb"<SummaryResult>.*?</SummaryResult>", body, re.DOTALL)
    lines = re.findall(rb"<SummaryResultList><invtNo>" + number + rb"<.*?</SummaryResultList>", body)
    if result is None or not lines:
        return body
    all_lines = rb"<SummaryResultList>.*</SummaryResultList>"
    other = re.sub(all_lines, b"".join(lines), re.sub(rb"00\d</declSeqNo>", b"009</declSeqNo>", result[0]))
    return without_lines(body, number).replace(b"</SummaryResult>", b"</SummaryResult>" + other, 1)


def without_lines(body: bytes, number: bytes) -> bytes:
    """An answer without the lines of one list."""
    line = rb"<SummaryResultList><invtNo>" + number + rb"<.*?</SummaryResultList>"
    return re.sub(line, b"", body)


def test_results_that_came_before_a_crash_are_compared_after_it(border: Border) -> None:
    border.closes(1)
    border.gathers(1)
    border.is_looking = False
    assert border.meets()[-1] == "792 R"
    assert (aggregated(border) or {})["verdict"] is None
    border.is_looking = True
    border.restarts()
    border.looks()
    assert (aggregated(border) or {})["verdict"] == "agrees"
    assert len(border.stamps("aggregate")) == 1


def test_results_before_their_number_are_compared_when_it_comes(border: Border) -> None:
    border.closes(1)
    border.gathers(1)
    border.is_backwards = True
    assert sorted(border.meets()) == ["702 2", "702 399", "792 A", "792 R"]
    assert (aggregated(border) or {})["verdict"] == "agrees"
    assert border.dossier()["due_at"] is None
