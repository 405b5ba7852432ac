"""Goods of an export come back within a year, no more than went out, and what the site tallies is only told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.simulators.port import sample
from tests.gateway.border import Border, codes, day, nth, states


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    file = home / "partners/ship.toml"
    text = file.read_text("utf-8").replace('roles = ["logistics"]', 'roles = ["logistics", "operator", "agent"]')
    file.write_text(text.replace('specs = ["CEB505"', 'specs = ["CEB215", "CEB605", "CEB505"'), "utf-8")
    one = Border(home, tmp_path / "customs")
    yield one
    one.close()


NUMBER = "29102026E000000300"


def back(border: Border, number: int = 1, **changes: str) -> dict[str, Any]:
    """An application for return has come, about the list of trade 1."""
    told = {"invtNo": changes.get("invtNo") or border.number(1), "coElNo": f"TH2612000000{number:04d}", **changes}
    guid = f"2130700{number}-7A31-4C52-9E10-000000001B59"
    return border.comes("CEB213", sample("CEB213", guid=guid, **told))


def tally(border: Border, **changes: str) -> dict[str, Any]:
    return border.comes(
        "CEB215", sample("CEB215", **{"invtNo": changes.get("invtNo") or border.number(1), **changes}), sender="ship"
    )


def test_goods_come_back_in_both_books(border: Border) -> None:
    border.closes(1)
    told = back(border)
    assert (states(told), [(one["code"], one["zh"]) for one in told["findings"]]) == (
        ["ready"], [("T505", "退货须在 2027-11-23 之前运回原监管场所")],
    )  # fmt: skip
    assert border.meets() == ["214 2", "214 120", "214 800"]
    assert (states(tally(border)), border.meets()) == (["ready"], ["216 2", "216 399"])
    dossier = border.dossier()
    assert [one["kind"] for one in dossier["documents"]][-2:] == ["refund", "tally"]
    assert dossier["returns"]["left"] == {"1": "58", "2": "20"}
    [theirs] = border.port.trades()
    assert theirs["refunds"] == [{"copNo": "TH26120000000001", "lines": {"1": "2"}}]


def test_all_returns_together_give_back_no_more_than_went_out(border: Border) -> None:
    border.closes(1)
    assert states(back(border, qty="50")) == ["ready"]
    told = back(border, 2, qty="11")
    assert (states(told), [(one["code"], one["zh"]) for one in told["findings"] if one["severity"] == "error"]) == (
        ["refused"], [("T508", "第 1 项退货数量 11 超过可退数量 10（原 60，已退 50）")],
    )  # fmt: skip
    assert states(back(border, 3, qty="10")) == ["ready"]


def test_a_year_after_release_is_too_late(border: Border) -> None:
    border.closes(1)
    border.sleeps(day(11, 23).replace(year=2027))
    assert states(back(border)) == ["ready"]
    border.sleeps(day(11, 24).replace(year=2027))
    assert codes(back(border, 2)) == ["T504"]


def test_what_is_not_released_does_not_come_back(border: Border) -> None:
    border.trade(1)
    border.meets()
    assert (codes(back(border)), codes(tally(border))) == (["T503"], ["T541"])
    assert states(tally(border, coElNo="LH9")) == ["ready"]


def test_a_tally_that_nobody_applied_for_is_told(border: Border) -> None:
    border.closes(1)
    assert codes(tally(border)) == ["T540"]
    assert codes(tally(border, invtNo="29102026E999999999", coElNo="LH9")) == ["T509"]


def returned_by_customs(border: Border) -> None:
    """The list of trade 1 has left with its fellows, and customs has returned it."""
    leaves(border)
    is_told(border, "100")


def leaves(border: Border) -> None:
    """The documents of trade 1 have left, and customs has not said anything yet."""
    border.trade(1)
    border.world.go_on()
    border.world.carry()


def is_told(border: Border, status: str) -> None:
    """Customs says this of the list of trade 1, with the number that it gave it."""
    border.says("CEB604", "InventoryReturn", status, agentCode="3301980Q3D", copNo="QD26110000007001", invtNo=NUMBER)


def lacks(border: Border) -> list[str]:
    return [one["code"] for one in border.dossier()["lacking"]]


def test_a_list_that_customs_returned_lacks_itself_and_not_its_waybill(border: Border) -> None:
    returned_by_customs(border)
    assert (codes(back(border)), codes(tally(border))) == (["T503"], ["T541"])
    assert (border.dossier()["why"], lacks(border)) == ("T204 inventory", ["T204"])
    border.sleeps(day(11, 30))
    assert [border.notices(name) for name in ("shop", "pay", "ship")] == [[("T210",)]] * 3
    assert border.dossier()["why"] == "T210 inventory"
    told = border.comes("CEB603", nth(sample("CEB603", appType="2"), 1))
    assert (states(told), lacks(border)) == (["ready"], [])


def test_a_released_list_is_not_cancelled_any_more(border: Border) -> None:
    border.closes(1)
    told = border.comes("CEB605", invtNo=border.number(1))
    assert (states(told), codes(told)) == (["refused"], ["T502"])


def kinds(border: Border) -> list[str]:
    return [one["kind"] for one in border.dossier()["documents"]]


def test_a_cancel_that_named_the_list_before_its_number_was_known_voids_the_trade(border: Border) -> None:
    leaves(border)
    told = border.comes("CEB605", invtNo=NUMBER, copNo="CX1")
    assert (states(told), codes(told)) == (["ready"], ["T509"])
    border.world.go_on()
    border.world.carry()
    assert "cancel" not in kinds(border)
    is_told(border, "399")
    assert kinds(border)[-1] == "cancel"
    border.says("CEB606", "InvtCancelReturn", "399", agentCode="3301980Q3D", copNo="CX1", invtNo=NUMBER)
    assert border.dossier()["phase"] == "void"


def test_what_customs_said_of_the_cancel_before_the_list_had_its_number_counts(border: Border) -> None:
    leaves(border)
    border.comes("CEB605", invtNo=NUMBER, copNo="CX1")
    border.world.go_on()
    border.world.carry()
    border.says("CEB606", "InvtCancelReturn", "399", agentCode="3301980Q3D", copNo="CX1", invtNo=NUMBER)
    assert border.dossier()["phase"] == "declared"
    is_told(border, "399")
    assert border.dossier()["phase"] == "void"


def test_a_return_and_a_tally_that_came_before_the_number_are_in_the_dossier_once_it_is_told(border: Border) -> None:
    leaves(border)
    assert (codes(back(border, invtNo=NUMBER)), codes(tally(border, invtNo=NUMBER))) == (["T509"], ["T509"])
    is_told(border, "800")
    assert kinds(border)[-2:] == ["refund", "tally"]
    assert border.dossier()["returns"]["left"] == {"1": "58", "2": "20"}


def test_a_strangers_cancel_of_a_number_to_come_joins_no_trade(border: Border) -> None:
    leaves(border)
    told = border.comes(
        "CEB605", sender="ship", invtNo=NUMBER, copNo="CX1", agentCode="3301960L5M", ebcCode="3301999X9X"
    )
    is_told(border, "399")
    assert (states(told), kinds(border)[-1]) == (["ready"], "inventory")
