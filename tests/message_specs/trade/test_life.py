"""An inventory's state is what customs said last, in whatever order it was heard; what it allows is a table."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_specs.trade.life import Life, Said, life_after, life_of, state_of, stays
from message_specs.trade.papers import table

HAPPY = ("1", "2", "3", "120", "399", "500", "800", "899")


def said(status: str, minute: int, spec: str = "CEB622", **other: str) -> Said:
    return Said(f"2026112112{minute:02}00000", status, spec, **other)


def told(*statuses: str, spec: str = "CEB622") -> Life:
    return life_of("import", [said(status, minute, spec) for minute, status in enumerate(statuses)])


@pytest.mark.parametrize(
    ("statuses", "zh", "phase", "allows"),
    [
        ((), "尚未申报", "open", ""),
        (("1",), "暂存", "open", ""),
        (("1", "2"), "申报中", "declared", ""),
        (("2", "3"), "已发送海关", "declared", ""),
        (("2", "4"), "发送海关失败", "open", "correct"),
        (("2", "-621005"), "处理异常（-621005 金额超过单次交易限值）", "open", "correct"),
        (("2", "100"), "已退单", "open", "correct"),
        (("2", "120"), "已入库", "declared", "cancel"),
        (("2", "120", "300"), "人工审核中", "declared", ""),
        (("2", "120", "399"), "已审结", "declared", "cancel"),
        (("2", "120", "500"), "查验中", "declared", ""),
        (("120", "500", "501"), "扣留（移送通关）", "declared", ""),
        (("120", "500", "502"), "扣留（移送缉私）", "declared", ""),
        (("120", "500", "503"), "扣留（移送法规）", "declared", ""),
        (("120", "500", "599"), "扣留（其他）", "declared", ""),
        (("120", "600"), "挂起", "declared", ""),
        (("120", "500", "700"), "已责令退运", "void", ""),
        (("2", "120", "800"), "已放行", "released", "refund"),
        (("2", "120", "800", "899"), "已结关", "closed", "refund"),
        (("2", "120", "777"), "其他状态（777）", "declared", ""),
    ],
)
def test_each_state_has_its_name_its_phase_and_what_it_allows(
    statuses: tuple[str, ...], zh: str, phase: str, allows: str
) -> None:
    life = told(*statuses)
    may = {"correct": life.may_correct, "cancel": life.may_cancel, "refund": life.may_refund}
    assert (life.zh, life.phase, " ".join(word for word, yes in may.items() if yes)) == (zh, phase, allows)


def test_export_allows_a_cancel_in_any_state_before_release() -> None:
    allowed = [status for status in HAPPY if life_of("export", [said(status, 1, "CEB604")]).may_cancel]
    assert allowed == ["120", "399", "500"]


def test_every_code_of_the_receipts_of_inventories_has_a_state() -> None:
    codes = {
        "1",
        "2",
        "3",
        "4",
        "100",
        "120",
        "300",
        "399",
        "500",
        "501",
        "502",
        "503",
        "599",
        "600",
        "700",
        "800",
        "899",
    }
    assert {row["status"] for row in table("life.csv")} == codes | {"<0", "*"}
    assert all(state_of(code).known for code in codes)
    assert not state_of("777").known
    assert all(row["note"] for row in table("life.csv"))


def test_the_usual_way_goes_up_in_rank() -> None:
    assert all(state_of(before).rank < state_of(after).rank for before, after in pairwise(HAPPY))


def test_the_latest_time_decides_and_at_one_moment_the_higher_rank() -> None:
    assert life_of("import", [said("399", 5), said("120", 5)]).state.status == "399"
    assert life_of("import", [said("800", 9), said("120", 5), said("2", 1)]).state.status == "800"
    # Customs may take a release back.
    reversed_ = life_of("import", [said("800", 5), said("300", 9)])
    assert (reversed_.state.status, reversed_.released_on) == ("300", None)


def test_a_receipt_of_fourteen_digits_is_of_the_same_clock() -> None:
    life = life_of("export", [Said("20261121120000", "2", "CEB604"), Said("20261121120000001", "120", "CEB604")])
    assert life.state.status == "120"


@pytest.mark.parametrize(
    ("status", "info"),
    [
        ("-304001", "处理失败，业务主键重复入库失败"),
        ("-621004", ""),
        ("100", "[Code:1;Desc:清单数据已存在]"),
        ("-1", "重复发送"),
    ],
)
def test_that_a_copy_was_sent_twice_moves_no_state_back(status: str, info: str) -> None:
    life = life_of("import", [said("2", 1), said("120", 2), said(status, 9, info=info)])
    assert (life.state.status, life.may_correct) == ("120", False)
    # But it is all that is known where nothing else was said.
    assert life_of("import", [said(status, 9, info=info)]).state.status == status


def test_the_number_and_the_days_of_customs_are_kept() -> None:
    life = life_of("import", [said("120", 1, invt_no="N1"), said("800", 2), said("899", 3)])
    assert (life.invt_no, life.released_on, life.closed_on) == ("N1", date(2026, 11, 21), date(2026, 11, 21))
    assert told("2", "120").invt_no == ""
    assert told("120").released_on is None


def test_a_refused_correction_leaves_the_version_before_it_where_it_stood() -> None:
    life = life_of("import", [said("899", 1, of="1.1"), said("-621012", 2, of="2.1")])
    assert (life.state.status, life.phase) == ("899", "closed")
    assert life_of("import", [said("-621005", 1, of="1.1"), said("-621015", 2, of="2.1")]).state.status == "-621015"


def test_what_was_declared_anew_after_its_cancel_lives_by_itself() -> None:
    before = [said("120", 1, of="1.1"), said("399", 2, "CEB624", of="3.1")]
    assert life_of("import", before).phase == "void"
    anew = life_of("import", [*before, said("2", 3, of="2.1"), said("800", 4, of="2.1")])
    assert (anew.phase, anew.cancelled, anew.cancelling) == ("released", False, False)
    assert life_of("import", [*before, said("800", 4, of="1.1")]).phase == "void"


def test_an_accepted_cancel_ends_the_trade_and_a_refused_one_does_not() -> None:
    base = [said("120", 1)]
    under_way = life_of("import", [*base, said("2", 2, "CEB624", of="5.1"), said("120", 3, "CEB624", of="5.1")])
    assert (under_way.zh, under_way.phase, under_way.may_cancel) == ("已入库，撤销办理中", "declared", False)
    refused = life_after(under_way, said("100", 4, "CEB624", of="5.1"))
    assert (refused.zh, refused.may_cancel, refused.uses_fellows) == ("已入库", True, True)
    again = life_after(refused, said("399", 5, "CEB624", of="6.1"))
    assert (again.zh, again.phase, again.may_cancel, again.uses_fellows) == ("已撤销", "void", False, False)
    assert (again.may_correct, again.may_refund) == (False, False)


RECEIPTS = st.builds(
    Said,
    st.sampled_from(["20261121120000000", "20261121120000001", "20261121120005", "20261122000000000", "", "soon"]),
    st.sampled_from(
        ["1", "2", "3", "4", "100", "120", "300", "399", "500", "501", "700", "800", "899", "-621005", "777"]
    ),
    st.sampled_from(["CEB622", "CEB624"]),
    st.sampled_from(["", "5.1"]),
    st.sampled_from(["", "重复发送"]),
    st.sampled_from(["", "N1", "N2"]),
)
OF_INVENTORY = RECEIPTS.filter(lambda one: one.spec == "CEB622")


@given(st.lists(RECEIPTS, max_size=7), st.randoms(use_true_random=False))
def test_any_order_of_arrival_and_any_repetition_give_the_same_life(receipts: list[Said], random) -> None:
    shuffled = [*receipts, *receipts[:3]]
    random.shuffle(shuffled)
    life = life_of("import", receipts)
    assert life_of("import", shuffled) == life
    assert life_of("import", life.said) == life
    assert life.zh
    assert life.phase in {"open", "declared", "released", "closed", "void"}
    assert life.may_correct + life.may_cancel + life.may_refund <= 1


@given(st.lists(OF_INVENTORY, max_size=7), OF_INVENTORY)
def test_what_says_its_phase_again_moves_no_trade_without_an_accepted_cancel(receipts: list[Said], late: Said) -> None:
    life = life_of("import", receipts)
    if stays(life.phase, late):
        assert life_after(life, late).phase == life.phase


@given(RECEIPTS, st.sampled_from(["open", "declared", "released", "closed", "void"]))
def test_a_refusal_a_cancel_and_what_follows_a_void_are_always_read_whole(one: Said, phase: str) -> None:
    if one.spec != "CEB622" or one.status.startswith("-") or phase == "void":
        assert not stays(phase, one)
