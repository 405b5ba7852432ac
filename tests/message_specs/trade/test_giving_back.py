"""What was declared is corrected, cancelled and returned in its time, and never more comes back than was sent."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from message_specs.trade.giving_back import (
    RefundWindow,
    cancel_allowed,
    change_allowed,
    correct_allowed,
    known_as,
    left_of,
    refund_allowed,
    refund_window,
    return_allowed,
    stranger,
)
from message_specs.trade.life import Said, life_of
from message_specs.trade.papers import Paper, table
from message_specs.trade.windows import next_working, window
from tests.message_specs.trade.papers_of import exported, paper

INVENTORY = exported()["inventory"]
TODAY = date(2026, 11, 21)


def life(*statuses: str, side: str = "import"):
    spec = "CEB622" if side == "import" else "CEB604"
    return life_of(side, [Said(f"2026110112{minute:02}00000", status, spec) for minute, status in enumerate(statuses)])


def refund(number: int, *lines: Mapping[str, str], **other: object) -> Paper:
    head = {"copNo": f"R{number}", "agentCode": "G1", "ebcCode": "S1", "invtNo": "N1"}
    return paper("CEB625", head, lines, number=number, **other)


def line(gnum: str, qty: str, gcode: str = "6911101000", unit: str = "007") -> dict[str, str]:
    return {"gnum": gnum, "gcode": gcode, "qty": qty, "unit": unit}


def test_the_windows_are_those_of_the_notices() -> None:
    released = date(2026, 1, 31)
    assert refund_window(released, date(2026, 3, 2)) == RefundWindow(date(2026, 3, 2), date(2026, 3, 17), is_open=True)
    assert not refund_window(released, date(2026, 3, 3)).is_open
    export = refund_window(released, date(2027, 1, 31), "export")
    assert export == RefundWindow(None, date(2027, 1, 31), is_open=True)
    assert not refund_window(released, date(2027, 2, 1), "export").is_open
    unique = window("waybill_unique", "import", TODAY)
    assert unique is not None
    assert unique.until(date(2026, 8, 31)) == date(2027, 2, 28)
    assert all(row["source"] for row in table("windows.csv"))
    assert next_working(date(2026, 10, 1)) == date(2026, 10, 5)


@pytest.mark.parametrize(
    ("statuses", "correct", "cancel", "returned"),
    [
        (("2", "100"), [], ["T502"], ["T503"]),
        (("2", "120"), ["T501"], [], ["T503"]),
        (("2", "120", "800"), ["T501"], ["T502"], ["T505"]),
    ],
)
def test_each_state_allows_one_thing(
    statuses: tuple[str, ...], correct: list[str], cancel: list[str], returned: list[str]
) -> None:
    now = life(*statuses)
    found = (correct_allowed(now), cancel_allowed(now), return_allowed(now, TODAY))
    assert [[one.code for one in one_kind] for one_kind in found] == [correct, cancel, returned]


def test_a_late_return_names_its_last_day() -> None:
    [told] = return_allowed(life("800"), date(2026, 12, 2))
    assert (told.code, told.zh) == ("T504", "退货申请已过期：2026-11-01 放行，最迟 2026-12-01 申请")
    [told] = return_allowed(life("800"), date(2026, 12, 1))
    assert (told.code, told.zh) == ("T505", "退货须在 2026-12-16 之前运回原监管场所")
    [told] = return_allowed(life("800", side="export"), date(2027, 11, 2))
    assert told.code == "T504"


def test_a_cancel_is_applied_for_once_and_what_is_cancelled_stays_so() -> None:
    base = [Said("20261101120000000", "120", "CEB622", invt_no="N1")]
    under_way = life_of("import", [*base, Said("20261101120100000", "2", "CEB624", "5.1")])
    assert [one.code for one in cancel_allowed(under_way)] == ["T512"]
    cancelled = life_of("import", [*base, Said("20261101120100000", "399", "CEB624", "5.1")])
    assert [one.code for one in (*cancel_allowed(cancelled), *return_allowed(cancelled, TODAY))] == ["T516", "T516"]
    assert cancel_allowed(cancelled)[0].zh.startswith("本清单编号 N1 ")


def test_what_a_declared_inventory_uses_is_not_changed() -> None:
    [told] = change_allowed(INVENTORY, life("2", "120"))
    assert (told.code, told.zh) == ("T515", "清单 4.1 已使用本单证（已入库），不能再变更或删除")
    assert change_allowed(INVENTORY, life("2", "100")) == change_allowed(INVENTORY, life()) == ()


def test_a_stranger_may_do_nothing() -> None:
    one = refund(6)
    assert stranger(INVENTORY, one, set()) is None
    elsewhere = replace(one, partner="elsewhere")
    for code in (INVENTORY.head["agentCode"], INVENTORY.head["ebcCode"]):
        assert stranger(INVENTORY, elsewhere, {code}) is None
    for code in ("", "G9"):
        told = stranger(INVENTORY, elsewhere, {code})
        assert told is not None
        assert (told.code, told.zh) == ("T510", "本企业不是清单 N1 的申报企业或电商企业")


def test_a_number_is_of_the_inventory_that_customs_gave_it_to_and_not_of_those_that_name_it() -> None:
    head = dict(INVENTORY.head)
    given = replace(INVENTORY, head={**head, "invtNo": "", "copNo": "Z9"})
    claims = replace(INVENTORY, number=8, partner="elsewhere", head={**head, "invtNo": "N1", "copNo": "A1"})
    anew = replace(given, number=9, version=given.version + 1, app_type="2", head={**given.head, "invtNo": "N1"})
    assert known_as([claims, given], "N1") == given
    assert known_as([claims, anew, given], "N1") == anew
    assert known_as([claims], "N1") == claims
    assert known_as([], "N1") is None


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ([line("1", "2"), line("2", "6")], []),
        ([line("01", "1.5")], []),
        ([line("1", "2.1")], ["T508"]),
        ([line("1", "1"), line("1", "2")], ["T508"]),
        ([line("3", "1")], ["T506"]),
        ([line("1", "1", gcode="0101210000")], ["T507"]),
        ([line("1", "1", unit="011")], ["T514"]),
        ([line("1", "0")], ["T511"]),
        ([line("1", "-1")], ["T511"]),
    ],
)
def test_lines_of_a_return_are_held_against_the_original(lines: list[dict[str, str]], codes: list[str]) -> None:
    assert [one.code for one in refund_allowed(INVENTORY, [], refund(6, *lines))] == codes


def test_all_returns_together_stay_within_the_original() -> None:
    earlier = [refund(6, line("1", "1")), refund(7, line("1", "2"), state="refused"), refund(8, line("2", "5"))]
    [told] = refund_allowed(INVENTORY, earlier, refund(9, line("1", "2"), line("2", "1")))
    assert (told.code, told.path, told.value, told.document) == (
        "T508", "/CEB625Message/InvtRefund[invtNo='N1']/InvtRefundList[1]/qty", "2", 1,
    )  # fmt: skip
    assert told.zh == "第 1 项退货数量 2 超过可退数量 1（原 2，已退 1）"
    assert left_of(INVENTORY, earlier) == {"1": Decimal(1), "2": Decimal(1)}
    # A change of an earlier return counts instead of it.
    second = replace(refund(10, line("1", "2")), head=earlier[0].head, version=2, app_type="2")
    assert refund_allowed(INVENTORY, earlier, second) == ()


@given(st.lists(st.tuples(st.sampled_from("12"), st.integers(1, 4)), max_size=8), st.randoms(use_true_random=False))
def test_what_is_let_through_never_passes_the_original(asked: list[tuple[str, int]], random) -> None:
    accepted: list[Paper] = []
    for number, (gnum, qty) in enumerate(asked, 10):
        one = refund(number, line(gnum, str(qty)))
        random.shuffle(accepted)
        if not refund_allowed(INVENTORY, accepted, one):
            accepted.append(one)
    given_back = {
        gnum: sum(int(one.lines[0]["qty"]) for one in accepted if one.lines[0]["gnum"] == gnum) for gnum in "12"
    }
    assert given_back["1"] <= 2
    assert given_back["2"] <= 6
