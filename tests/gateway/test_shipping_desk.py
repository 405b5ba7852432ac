"""A bill's summary, arrival and departure are held against its lists; everything is a warning and goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.simulators.port import changed, sample
from tests.gateway.border import Border, codes, nth, states

PARCELS = ("SDE00000007001", "SDE00000007002")


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    one = Border(home, tmp_path / "customs")
    yield one
    one.close()


def examined(border: Border, *trades: int) -> None:
    for number in trades:
        border.trade(number)
    border.meets()


def part(spec: str, number: int, count: int, *drop: str, **changes: str) -> bytes:
    """One part of a split document, without the lines of some parcels."""
    guid = f"{spec[3:]}0700{number}-7A31-4C52-9E10-000000001B59"
    text = changed(sample(spec), msgSeqNo=str(number), msgCount=str(count), guid=guid, **changes).decode()
    for parcel in drop:
        start = text.index(parcel)
        tag = {"CEB607": "WayBillList", "CEB507": "ArrivalList", "CEB509": "DepartureList"}[spec]
        first, last = text.rindex(f"<ceb:{tag}>", 0, start), text.index(f"</ceb:{tag}>", start) + len(f"</ceb:{tag}>")
        text = text[:first] + text[last:]
    return text.encode()


def zh(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["zh"]) for one in told["findings"]]


def test_a_summary_of_examined_lists_has_nothing_to_tell(border: Border) -> None:
    examined(border, 1, 2)
    told = border.comes("CEB607")
    assert (states(told), codes(told)) == (["ready"], [])


def test_parcels_without_a_list_and_lists_that_are_not_examined_are_told(border: Border) -> None:
    border.trade(1)
    told = border.comes("CEB607")
    assert states(told) == ["ready"]
    assert [(code, text[-12:]) for code, text in zh(told)] == [
        ("T621", "尚未申报”，不能列入总分单"[-12:]), ("T620", "7002 没有对应的清单"[-12:]),
    ]  # fmt: skip


def test_another_weight_and_another_number_than_the_lists_have_are_told(border: Border) -> None:
    examined(border, 1, 2)
    wrong = "29102026E999999999"
    named = sample("CEB607", grossWeight="41").replace(
        b"7001</ceb:logisticsNo>", f"7001</ceb:logisticsNo><ceb:invtNo>{wrong}</ceb:invtNo>".encode()
    )
    assert zh(border.comes("CEB607", named)) == [
        ("T623", f"总分单中运单 {PARCELS[0]} 的清单编号 {wrong} 与清单的 {border.number(1)} 不一致"),
        ("T622", "总分单毛重 41 与清单毛重之和 40.8 不一致"),
    ]


def test_a_cancelled_list_has_no_place_in_a_summary(border: Border) -> None:
    examined(border, 1, 2)
    assert codes(border.comes("CEB605", invtNo=border.number(1))) == []
    assert border.meets() == ["606 2", "606 399"]
    assert border.dossier()["phase"] == "void"
    assert [one["kind"] for one in border.dossier()["documents"]][-1] == "cancel"
    assert codes(border.comes("CEB607")) == ["T621"]
    ours, theirs = border.books()
    assert ours == theirs == {"QD26110000007001": "void", "QD26110000007002": "399"}


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_weight_is_told_with_the_part_that_makes_a_summary_whole(border: Border, order: tuple[int, int]) -> None:
    examined(border, 1, 2)
    others = {1: PARCELS[1], 2: PARCELS[0]}
    bodies = [part("CEB607", number, 2, others[number], grossWeight="41") for number in order]
    told = [codes(border.comes("CEB607", body)) for body in bodies]
    # The last part alone says that another is missing.
    assert told == ([[], ["T622"]] if order == (1, 2) else [["T625"], ["T622"]])


def test_an_arrival_names_parcels_of_its_bill_and_tells_what_is_missing_before_it(border: Border) -> None:
    examined(border, 1, 2)
    border.comes("CEB607", part("CEB607", 1, 2, PARCELS[1]))
    assert zh(border.comes("CEB507")) == [
        ("T624", f"运单 {PARCELS[1]} 不在提运单 999-20007001 的总分单 ZF26110000007001 中"),
        ("T625", "提运单 999-20007001 的单证分为 2 份，仍缺第 2 份"),
    ]


def test_a_departure_tells_what_is_missing_of_the_arrival(border: Border) -> None:
    examined(border, 1, 2)
    border.comes("CEB607")
    assert codes(border.comes("CEB507", part("CEB507", 1, 2, PARCELS[1]))) == []
    assert codes(border.comes("CEB509")) == ["T625"]


def test_the_lists_of_a_bill_are_found_by_their_waybills_and_not_by_the_bill(border: Border) -> None:
    examined(border, 1, 2)
    border.trade(3)
    asked: list[str] = []
    border.world.ledger.conn.set_trace_callback(asked.append)
    border.comes("CEB509")
    border.comes("CEB607", nth(part("CEB607", 1, 1, PARCELS[1], grossWeight="20.4"), 1))
    border.world.ledger.conn.set_trace_callback(None)
    read = [line for line in asked if "FROM receipt WHERE number" in line]
    # That of its own parcel, and that of the parcel which left with the bill and is not in the summary.
    assert len(read) == 2


def test_a_summary_that_comes_after_the_arrival_hears_which_of_its_parcels_it_lacks(border: Border) -> None:
    examined(border, 1, 2)
    arrived = border.comes("CEB507")
    (name,) = (one["number"] for one in arrived["documents"])
    told = border.comes("CEB607", part("CEB607", 1, 1, PARCELS[1], grossWeight="20.4"))
    assert zh(told) == [("T626", f"运抵单 {name} 中的运单 {PARCELS[1]} 不在总分单中，其清单由贵方申报")]
    left = border.comes("CEB509")
    assert [(one["code"], one["path"], one["zh"]) for one in left["findings"]] == [
        (
            "T624",
            "/CEB509Message/Departure[copNo='LJ26110000007001']/DepartureList[2]/logisticsNo",
            f"运单 {PARCELS[1]} 不在提运单 999-20007001 的总分单 ZF26110000007001 中",
        )
    ]
