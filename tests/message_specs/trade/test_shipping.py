"""Summary, arrival and departure of a bill name parcels whose lists are examined, and nothing else."""

from msgspec.structs import replace

from message_specs.trade.life import Life, Said, life_of
from message_specs.trade.papers import Paper
from message_specs.trade.shipping import of_bill, parcels_of, parts_missing, summary_allowed, weight_agrees
from tests.message_specs.trade.papers_of import changed, exported

LISTS = {"W1": exported()["inventory"], "W2": changed(exported()["inventory"], logisticsNo="W2", copNo="C2")}


def examined(number: str, status: str = "399") -> Life:
    return life_of("export", [Said("20261121120000000", status, "CEB604", invt_no=number)])


LIVES = {"W1": examined("N1"), "W2": examined("N2")}


def part(spec: str, *parcels: tuple[str, str], number: str = "1", count: str = "1") -> Paper:
    head = {"copNo": "B1", "billNo": "M1", "grossWeight": "3", "msgCount": count, "msgSeqNo": number}
    lines = tuple({"logisticsNo": parcel, "invtNo": invt_no} for parcel, invt_no in parcels)
    return Paper(40, 1, spec, "summary", "agent", "sent", "1", 1, "", head, lines)


WHOLE = part("CEB607", ("W1", "N1"), ("W2", ""))


def test_a_summary_of_examined_lists_is_in_order() -> None:
    assert summary_allowed(WHOLE, LISTS, LIVES) == weight_agrees([WHOLE], LISTS) == parts_missing([WHOLE]) == ()


def test_unknown_parcels_lists_not_yet_examined_and_other_numbers_are_told() -> None:
    one = part("CEB607", ("W9", ""), ("W1", "N8"), ("W2", "N2"))
    found = summary_allowed(one, LISTS, LIVES | {"W2": examined("N2", "120")})
    assert [(told.code, told.zh, told.value) for told in found] == [
        ("T620", "运单 W9 没有对应的清单", "W9"),
        ("T623", "总分单中运单 W1 的清单编号 N8 与清单的 N1 不一致", "W1"),
        ("T621", "运单 W2 的清单 4.1 当前状态为“已入库”，不能列入总分单", "W2"),
    ]
    assert found[0].path.endswith("/WayBillList[1]/logisticsNo")
    assert {str(told.severity) for told in found} == {"warning"}


def test_the_weight_is_that_of_all_lists_once_all_parts_are_there() -> None:
    heavy = replace(WHOLE, head={**WHOLE.head, "grossWeight": "9"})
    assert [one.zh for one in weight_agrees([heavy], LISTS)] == ["总分单毛重 9 与清单毛重之和 3 不一致"]
    first = replace(part("CEB607", ("W1", ""), count="2"), head={**heavy.head, "msgCount": "2"})
    assert weight_agrees([first], LISTS) == ()
    assert [one.zh for one in parts_missing([first])] == ["提运单 M1 的单证分为 2 份，仍缺第 2 份"]
    assert parts_missing([]) == ()


def test_an_arrival_or_departure_names_parcels_of_its_bill_or_none() -> None:
    assert of_bill(part("CEB507"), [WHOLE]) == of_bill(part("CEB509", ("W1", "")), [WHOLE]) == ()
    assert [one.zh for one in of_bill(part("CEB509", ("W7", "")), [WHOLE])] == ["运单 W7 不在提运单 M1 的总分单 B1 中"]
    assert of_bill(part("CEB509", ("W7", "")), []) == ()
    assert parcels_of([WHOLE]) == {"W1", "W2"}
