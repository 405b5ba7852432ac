"""One export order has one live list: a second one under another copNo is not declared beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.simulators.port import sample
from tests.gateway.border import Border, codes, states


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    one = Border(home, tmp_path / "customs")
    yield one
    one.close()


def second(border: Border, copno: str) -> dict[str, object]:
    """A list of the order of trade 1 has come under this copNo."""
    guid = f"603{copno[-5:]}-7A31-4C52-9E10-000000001B59"
    return border.comes("CEB603", sample("CEB603", copNo=copno, guid=guid))


def test_a_second_list_of_an_order_is_refused_and_names_both(border: Border) -> None:
    first = border.trade()[-1]
    told = second(border, "QD26110000099001")
    assert (states(first), states(told), codes(told)) == (["ready"], ["refused"], ["T154"])
    lists = [one["number"] for one in border.dossier()["documents"] if one["kind"] == "inventory"]
    assert told["findings"][0]["zh"] == f"同一订单有 2 份清单：{'、'.join(lists)}"  # type: ignore[index]
    border.meets()
    assert len(border.port.trades()) == 1


def test_a_list_is_declared_anew_under_another_number_after_its_cancel(border: Border) -> None:
    border.trade()
    border.meets()
    border.comes("CEB605", sample("CEB605", invtNo=border.number(1), copNo="QD26110000007001"))
    border.meets()
    assert border.dossier()["phase"] == "void"
    told = second(border, "QD26110000099001")
    assert (states(told), codes(told)) == (["ready"], [])
    assert states(second(border, "QD26110000099002")) == ["refused"]


def test_a_list_that_customs_returned_leaves_room_for_another(border: Border) -> None:
    border.trade()
    border.says("CEB604", "InventoryReturn", "100", agentCode="3301980Q3D", copNo="QD26110000007001")
    assert states(second(border, "QD26110000099001")) == ["ready"]


def test_where_the_operator_only_warns_the_second_list_goes_and_says_so(border: Border) -> None:
    file = border.world.home / "kouan.toml"
    file.write_text(file.read_text("utf-8").replace("[severity]\n", '[severity]\nT154 = "warning"\n'), "utf-8")
    border.world.reload()
    border.trade()
    told = second(border, "QD26110000099001")
    assert (states(told), codes(told)) == (["ready"], ["T154"])
