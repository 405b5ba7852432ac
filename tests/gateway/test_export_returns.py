"""Goods of an export come back within a year, no more than went out, and what the site tallies is only told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.simulators.port import sample
from tests.gateway.border import Border, codes, day, states


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    file = home / "partners/ship.toml"
    text = file.read_text("utf-8").replace('roles = ["logistics"]', 'roles = ["logistics", "operator"]')
    file.write_text(text.replace('specs = ["CEB505"', 'specs = ["CEB215", "CEB505"'), "utf-8")
    one = Border(home, tmp_path / "customs")
    yield one
    one.close()


def back(border: Border, number: int = 1, **changes: str) -> dict[str, Any]:
    """An application for return has come, about the list of trade 1."""
    told = {"invtNo": border.number(1), "coElNo": f"TH2612000000{number:04d}", **changes}
    guid = f"2130700{number}-7A31-4C52-9E10-000000001B59"
    return border.comes("CEB213", sample("CEB213", guid=guid, **told))


def tally(border: Border, **changes: str) -> dict[str, Any]:
    return border.comes("CEB215", sample("CEB215", **{"invtNo": border.number(1), **changes}), sender="ship")


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


def test_a_released_list_is_not_cancelled_any_more(border: Border) -> None:
    border.closes(1)
    told = border.comes("CEB605", invtNo=border.number(1))
    assert (states(told), codes(told)) == (["refused"], ["T502"])
