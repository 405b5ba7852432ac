"""Closed lists are gathered in time into the declarations that customs will make of them, and its answer is checked."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from message_specs.trade.aggregated import compare_792, weights
from message_specs.trade.aggregation import (
    Group,
    Item,
    apply_allowed,
    asked,
    can_gather,
    gather_by,
    is_gathered_later,
    late,
    predicted,
)
from message_specs.trade.life import Life, Said, life_of
from message_specs.trade.papers import Paper
from tests.message_specs.trade.papers_of import PARTNERS, changed, exported

TODAY = date(2026, 11, 21)
HEAD = {"trafMode": "5", "country": "502", "portCode": "2900", "customsCode": "2900", "ownerCode": "O1"}


def listed(number: int, *goods: tuple[str, str], **head: str) -> Paper:
    """A list with lines of (gcode, final destination)."""
    lines = tuple(
        {"gnum": str(row), "gcode": code, "country": country, "currency": "142", "itemName": "茶", "totalPrice": "10"}
        for row, (code, country) in enumerate(goods, 1)
    )
    made = changed(exported()["inventory"], **{**HEAD, "copNo": f"C{number}", **head})
    return replace(made, number=number, lines=lines)


TEA, CUP = "0902101000", "6911101000"
LISTS = {
    "N1": listed(11, (TEA, "502"), (CUP, "502")),
    "N2": listed(12, (TEA, "502"), (TEA, "303")),
    "N3": listed(13, (TEA, "502"), country="303"),
}
KEY = ("S1", "5", "502", "2900", "2900", "9610")


def closed(day: int = 21, month: int = 11) -> Life:
    return life_of("export", [Said(f"2026{month:02}{day:02}120000000", "899", "CEB604")])


def paper(
    spec: str, kind: str, number: int, head: Mapping[str, str], lines: tuple[Mapping[str, str], ...] = ()
) -> Paper:
    return Paper(number, 1, spec, kind, PARTNERS["inventory"], "sent", "1", 1, "", head, lines)


def application(*numbers: str, **head: str) -> Paper:
    lines = tuple({"invtNo": number} for number in numbers)
    return paper("CEB701", "aggregate", 20, {"ebcCode": "S1", "summaryFlag": "1", **head}, lines)


def result(declaration: str, *lines: tuple[str, str, str], weight: str = "3.00") -> Paper:
    texts = tuple({"invtNo": number, "gnum": gnum, "gcode": code} for number, gnum, code in lines)
    return paper("CEB792", "aggregate_result", 30, {"declSeqNo": declaration, "grossWeight": weight}, texts)


FIRST = result("D1", ("N1", "1", TEA), ("N1", "2", CUP), ("N2", "1", TEA), ("N2", "2", TEA))
SECOND = result("D2", ("N3", "1", TEA), weight="1.5")


def test_the_last_day_is_the_fifteenth_of_the_next_month_or_the_working_day_after_it() -> None:
    assert gather_by(date(2026, 11, 30)) == date(2026, 12, 15)
    assert gather_by(date(2026, 12, 1)) == date(2027, 1, 15)
    assert gather_by(date(2026, 7, 31)) == date(2026, 8, 17)  # the 15th is a Saturday
    assert gather_by(date(2026, 7, 31), working_day=False) == date(2026, 8, 15)


def test_lists_are_put_together_by_head_and_their_lines_by_destination_code_and_currency() -> None:
    first, second = predicted(LISTS)[::-1]
    assert first.names[2] == ("运抵国（地区）", "country of arrival")
    assert first == Group(
        KEY,
        ("N1", "N2"),
        (
            Item(("303", TEA, "142"), (("N2", "2"),), Decimal(10)),
            Item(("502", TEA, "142"), (("N1", "1"), ("N2", "1")), Decimal(20)),
            Item(("502", CUP, "142"), (("N1", "2"),), Decimal(10)),
        ),
        Decimal("3.00"),
        first.names,
    )
    assert (second.key[2], second.lists) == ("303", ("N3",))


def test_the_flags_of_the_application_part_lists_by_owner_and_lines_by_name() -> None:
    lists = {"N1": LISTS["N1"], "N2": changed(LISTS["N2"], {"itemName": "红茶"}, ownerCode="O2")}
    by_consignor = predicted(lists, application(summaryFlag="1", itemNameFlag="1"))
    assert [(group.lists, len(group.items)) for group in by_consignor] == [(("N1", "N2"), 4)]
    by_owner = predicted(lists, application(summaryFlag="2", itemNameFlag="0"))
    assert [group.lists for group in by_owner] == [("N1",), ("N2",)]


@given(st.permutations(list(LISTS)))
def test_the_prediction_knows_no_order(numbers: list[str]) -> None:
    assert predicted({number: LISTS[number] for number in numbers}) == predicted(LISTS)


@pytest.mark.parametrize(
    ("change", "life", "gathered", "reasons"),
    [
        ({}, closed(), (), []),
        ({"statisticsFlag": "A"}, closed(), (), ["统计标志不是 B"]),
        ({}, life_of("export", [Said("20261121120000000", "800", "CEB604")]), (), ["状态为“已放行”"]),
        ({}, closed(), ("N1",), ["已经汇总"]),
    ],
)
def test_only_closed_lists_with_flag_b_are_gathered_and_once(
    change: dict[str, str], life: Life, gathered: tuple[str, ...], reasons: list[str]
) -> None:
    found = can_gather("N1", changed(LISTS["N1"], **change), life, gathered)
    assert [one.zh for one in found] == [f"清单 N1 不能汇总：{reason}" for reason in reasons]


def test_a_list_that_is_not_gathered_is_told_five_days_before() -> None:
    assert late("N1", closed(2), date(2026, 12, 9)) is None
    told = late("N1", closed(2), date(2026, 12, 10))
    assert told is not None
    assert (told.code, told.zh) == ("T602", "清单 N1 须在 2026-12-15 之前汇总申报")
    assert late("N1", Life("export"), date(2027, 1, 1)) is None
    told = late("N1", closed(2), date(2026, 12, 15))
    assert told is not None
    assert (told.code, told.zh) == ("T611", "清单 N1 的汇总申报期限 2026-12-15 已到，尚未汇总")


@pytest.mark.parametrize(("flag", "mode", "is_gathered"), [("B", "9610", True), ("A", "9610", False),
                                                           ("B", "1210", True), ("B", "9710", False)])  # fmt: skip
def test_lists_of_flag_b_are_gathered_but_none_between_enterprises(flag: str, mode: str, *, is_gathered: bool) -> None:
    one = changed(LISTS["N1"], statisticsFlag=flag, tradeMode=mode)
    assert is_gathered_later(one, TODAY) is is_gathered
    assert (can_gather("N1", one, closed()) == ()) is is_gathered


def test_an_application_names_its_lists_or_a_period() -> None:
    lives = {"N1": closed(1), "N2": closed(20), "N3": closed(1, 10)}
    parts = [application("N2", "N9"), application("N1", "N2")]
    assert asked(parts, LISTS, lives) == ("N2", "N9", "N1")
    period = application("N3", startTime="20261101000000", endTime="20261119235959")
    assert asked([period], LISTS, lives) == ("N1",)
    assert asked([changed(period, ebcCode="S9")], LISTS, lives) == ()


def test_what_is_wrong_with_an_application_is_told() -> None:
    lives = {number: closed() for number in LISTS}
    assert apply_allowed(application(), LISTS, LISTS, lives, ()) == ()
    codes = [one.code for one in apply_allowed(application(), ["N1", "N9"], LISTS, lives, ("N1",))]
    assert codes == ["T601", "T509"]
    other = LISTS | {"N2": changed(LISTS["N2"], ebcCode="S2", ownerCode="O2")}
    assert [one.zh for one in apply_allowed(application(summaryFlag="2"), LISTS, other, lives, ())] == [
        "汇总申请中的清单属于不同的收发货人：S1、S2",
        "汇总申请中的清单属于不同的生产销售企业：O1、O2",
    ]
    [told] = apply_allowed(application(ebcCode="S9"), LISTS, LISTS, lives, ())
    assert (told.code, told.zh[-5:]) == ("T603", "S1、S9")


def compared(*results: Paper, whole: bool = True) -> list[tuple[str, str]]:
    found = compare_792(predicted(LISTS), results, LISTS, TODAY, whole=whole)
    return [(one.code, one.zh) for one in found]


def test_a_result_as_predicted_says_nothing_in_any_order_and_parts() -> None:
    parts = [replace(FIRST, lines=FIRST.lines[:2]), SECOND, replace(FIRST, lines=FIRST.lines[2:]), result("D1")]
    assert compared(FIRST, SECOND) == compared(SECOND, FIRST) == compared(*parts) == []
    assert weights(predicted(LISTS), parts) == ()


def test_what_differs_from_the_prediction_is_told() -> None:
    assert compared(FIRST) == [("T604", "汇总结果缺少清单 N3")]
    assert compared(FIRST, whole=False) == []
    assert compared(FIRST, SECOND, result("D3", ("N8", "1", TEA))) == [("T605", "汇总结果多出清单 N8")]
    mixed = replace(FIRST, lines=(*FIRST.lines, *SECOND.lines))
    assert compared(mixed) == [
        ("T606", "归并与预计不同：报关单 D1 中的清单 N1、N2、N3 预计分属不同报关单（运抵国（地区） 303、502）")
    ]
    apart = result("D3", ("N2", "1", TEA), ("N2", "2", TEA))
    assert compared(replace(FIRST, lines=FIRST.lines[:2]), apart, SECOND) == [
        ("T607", "归并与预计不同：N1、N2 预计为同一报关单，结果分在 D1、D3")
    ]
    assert compared(FIRST, result("D2", ("N3", "1", CUP))) == [
        ("T608", f"汇总结果第 1 项（清单 N3）商品编码 {CUP} 与清单的 {TEA} 不一致")
    ]
    assert compared(replace(FIRST, lines=FIRST.lines[1:]), SECOND) == [("T609", "汇总结果缺少清单 N1 的第 1 项")]
    [told] = weights(predicted(LISTS), [replace(FIRST, head={**FIRST.head, "grossWeight": "4"})])
    assert (told.code, told.zh) == ("T610", "报关单 D1 的毛重 4 与清单毛重之和 3 不一致")


def test_a_group_of_more_lines_than_a_declaration_holds_may_be_split() -> None:
    goods = [(f"{6900000000 + row}", "502") for row in range(51)]
    lists = {"N1": listed(11, *goods)}
    [group] = predicted(lists)
    assert (len(group.items), group.declarations(TODAY)) == (51, 2)
    lines = [("N1", str(row + 1), code) for row, (code, _) in enumerate(goods)]
    parts = [result("D1", *lines[:50]), result("D2", *lines[50:])]
    assert compare_792([group], parts, lists, TODAY, whole=True) == ()
