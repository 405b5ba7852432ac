"""Arrangements and goods are checked before anything is drawn up by them, each mistake with its place."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.cli import ended
from gateway.config import House, inspect_house, load_house
from gateway.draws import Arranged, Arrangements
from gateway.goods import file_of
from gateway.in_force import in_force, put_in_force
from message_specs.trade.goods import read_goods
from tests.gateway.test_drawing import ARRANGEMENT, HEAD, arrange, goods
from tests.gateway.test_drawing_export import ARRANGEMENT as EXPORTS

GOOD = "3301961A2B,S1,2101110000,,,142,035,0.2,,,,,,2026-01-01,\n"


def told(home: Path) -> list[tuple[str, str]]:
    return [(one.file, one.what) for one in inspect_house(home, {})[1] if one.severity == "error"]


@pytest.mark.parametrize(
    ("was", "becomes", "what"),
    [
        ('spec = "CEB621"', 'spec = "CEB603"', 'the map draw-603 takes no value "trafNo"'),
        ('mode = "9610"', 'mode = "961"', 'unknown trade mode "961"'),
        ('merchants = ["3301961A2B"]', "merchants = []", "no merchant is named"),
        ('merchants = ["3301961A2B"]', 'map = "draw-62"', "No map of this name comes with Kouan or stands in"),
        ('merchants = ["3301961A2B"]', 'map = "draw-603"', "the map draw-603 makes CEB603"),
        ('portCode = "2910"', 'portCod = "2910"', 'the map draw-621 takes no value "portCod"'),
        ('portCode = "2910"\n', "", "nothing fills InventoryHead/portCode"),
        ('portCode = "2910"', 'portCode = "2910"\ntradeMode = "1210"', 'the map draw-621 takes no value "tradeMode"'),
    ],
)
def test_an_arrangement_that_cannot_work_keeps_the_house_shut(home: Path, was: str, becomes: str, what: str) -> None:
    arrange(home, goods(1))
    file = home / "partners/agent.toml"
    text = file.read_text("utf-8")
    assert was in ARRANGEMENT
    before, mark, after = text.partition("\n[[draws]]")
    file.write_text(before + mark + after.replace(was, becomes, 1), "utf-8")
    found = told(home)
    assert found[0][0] == "partners/agent.toml"
    assert found[0][1].startswith(what)


def test_inventories_are_drawn_up_for_those_who_may_send_them(home: Path) -> None:
    file = home / "partners/pay.toml"
    file.write_text(file.read_text("utf-8") + ARRANGEMENT, "utf-8")
    assert told(home) == [("partners/pay.toml", "this partner may not send CEB621")]


def test_one_merchant_has_one_arrangement_and_his_own_before_one_for_all(home: Path) -> None:
    arrange(home, goods(1))
    assert told(home) == []
    house = load_house(home)
    (draw,) = house.partners["agent"].draws
    everybody = msgspec.structs.replace(draw, merchants=("*",), mode="1210")
    both = {"a": msgspec.structs.replace(house.partners["agent"], draws=(everybody,)), "b": house.partners["agent"]}
    arrangements = Arrangements(both)
    assert arrangements.of("CEB311", {"ebcCode": "3301961A2B"}) == Arranged("b", draw)
    assert arrangements.of("CEB311", {"ebcCode": "3301961A2C"}) == Arranged("a", everybody)
    assert arrangements.of("CEB303", {"ebcCode": "3301961A2B", "orderType": "E"}) is None
    shop = home / "partners/shop.toml"
    shop.write_text(shop.read_text("utf-8") + ARRANGEMENT, "utf-8")
    assert told(home) == [("partners/shop.toml", "CEB621 of 3301961A2B is drawn up by agent already")]


def test_exports_of_a_merchant_have_one_arrangement_for_each_type_of_order(home: Path) -> None:
    arrange_exports(home, "9610", "9810")
    assert told(home) == []
    arrangements = Arrangements(load_house(home).partners)
    found = [arrangements.of("CEB303", {"ebcCode": "3301961A2B", "orderType": kind}) for kind in ("E", "W", "B")]
    assert [one.draw.mode if one else None for one in found] == ["9610", "9810", None]
    arrange_exports(home, "1210")
    assert told(home) == [("partners/agent.toml", "CEB603 of every merchant is drawn up by agent already")]


def arrange_exports(home: Path, *modes: str) -> None:
    file = home / "partners/agent.toml"
    text = file.read_text("utf-8")
    if "CEB603" not in text.partition("specs = [")[2].partition("]")[0]:
        text = text.replace("\nspecs = [", '\nspecs = ["CEB603", ', 1)
    file.write_text(text + "".join(EXPORTS.replace("9610", mode) for mode in modes), "utf-8")


def test_what_is_in_force_has_its_goods(home: Path) -> None:
    arrange(home, goods(1))
    house: House = load_house(home)
    put_in_force(house)
    assert in_force(home).goods == house.goods
    assert len(house.goods["agent"]) == 3
    (home / "goods/agent.csv").write_bytes(HEAD.encode() + b"x\n")
    assert {file for file, _ in told(home)} == {"goods/agent.csv"}


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (GOOD.replace(",S1,", ",,"), [("T714", "itemNo")]),
        (GOOD.replace("2101110000", "210111"), [("T715", "gcode")]),
        (GOOD.replace(",142,", ",14x,"), [("T715", "unit")]),
        (GOOD.replace(",0.2,", ",0,"), [("T715", "qty1")]),
        (GOOD.replace(",0.2,", ",1e2,"), [("T715", "qty1")]),
        (GOOD.replace(",0.2,,", ",0.2,011,"), [("T714", "qty2")]),
        (GOOD.replace(",035,0.2,", ",011,1,"), [("T719", "netWeight")]),
        (GOOD.replace("2026-01-01", "2026-1-1"), [("T716", "from")]),
        (GOOD.replace("01-01,", "01-01,2025-01-01"), [("T716", "until")]),
        (GOOD.strip() + ",x\n", [("T718", "")]),
        (GOOD + GOOD, [("T717", "from")]),
    ],
)
def test_a_row_of_goods_that_is_wrong_says_so(row: str, found: list[tuple[str, str]]) -> None:
    read, wrong = read_goods((HEAD + row).encode())
    assert read == ()
    assert [(one.code, one.path) for one in wrong] == found


def test_a_table_of_goods_that_cannot_be_read_says_so() -> None:
    assert [one.code for one in read_goods("货号".encode("gb18030"))[1]] == ["T710"]
    assert [one.code for one in read_goods(HEAD.encode() + b'"x\n')[1]] == ["T711"]
    assert [one.code for one in read_goods(HEAD.replace("gcode", "hs").encode())[1]] == ["T712", "T713"]


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def go(*arguments: object, ends: int = 0) -> list[Any]:
        capsys.readouterr()
        assert ended([*map(str, arguments), "--json", "--home", str(home)]) == ends
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return go


def test_goods_are_loaded_whole_or_not_at_all_and_listed(home: Path, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text(HEAD + GOOD, "utf-8")
    row = {**dict.fromkeys(HEAD.strip().split(","), ""),
        "line": 2, "ebcCode": "3301961A2B", "itemNo": "S1", "gcode": "2101110000", "unit": "142", "unit1": "035",
        "qty1": "0.2", "from": "2026-01-01"
    }  # fmt: skip
    change = {"ebcCode": "3301961A2B", "itemNo": "S1", "from": "2026-01-01", "before": None, "after": row}
    assert run("goods", "load", "agent", file, "--dry-run") == [change]
    assert not file_of(home, "agent").exists()
    assert run("goods", "load", "agent", file) == [change]
    assert run("goods", "load", "agent", file) == []
    assert run("goods", "list", "agent", "--on", "2026-02-01") == [row]
    assert run("goods", "list", "agent", "--on", "2025-02-01") == []
    file.write_text(HEAD + GOOD.replace("0.2", "-1"), "utf-8")
    assert [one["code"] for one in run("goods", "load", "agent", file, ends=1)] == ["T715"]
    assert file_of(home, "agent").read_text("utf-8") == HEAD + GOOD
    assert run("goods", "load", "nobody", file, ends=4) == []
