"""A partner drops a table and every document in it goes its way, with a number, a key and its own findings."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from gateway.config import inspect_house
from tests.crash.world import World
from tests.homes import demo_home
from tests.mapping.tables import as_csv, as_xlsx, grid, orders, row


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(with_maps(demo_home(tmp_path), 'maps = ["orders-311"]'))
    yield world
    world.close()


def take_in(world: World) -> dict[int, dict[str, Any]]:
    """What was dropped is taken in, once it has stood still for long enough."""
    told: dict[int, dict[str, Any]] = {}
    for _ in range(4):
        world.moment += timedelta(seconds=1)
        told |= world.take_in()
    return told


def with_maps(home: Path, line: str) -> Path:
    file = home / "partners" / "shop.toml"
    text = file.read_text("utf-8")
    file.write_text(re.sub(r"^maps = .*$", line, text, count=1, flags=re.MULTILINE), "utf-8")
    assert line in file.read_text("utf-8")
    return home


@pytest.mark.parametrize("name", ["ORDERS.csv", "ORDERS.xlsx"])
def test_a_table_of_any_length_is_numbered_through_and_packed_by_hundreds(world: World, name: str) -> None:
    rows = orders(230)
    world.drop("shop", name, as_csv(rows) if name.endswith("csv") else as_xlsx({"订单": grid(rows)}))
    ((number, told),) = take_in(world).items()
    assert told["findings"] == []
    assert [one["number"] for one in told["documents"]] == [f"{number}.{n}" for n in range(1, 231)]
    assert {one["state"] for one in told["documents"]} == {"ready"}
    assert told["documents"][0]["key"] == "3301961A2B|YX202600000001"
    assert [count for (count,) in world.rows("SELECT count(*) FROM document GROUP BY message ORDER BY message")] == [
        100, 100, 30,
    ]  # fmt: skip


def test_a_bad_document_is_refused_at_its_cell_and_the_others_go(world: World) -> None:
    world.drop("shop", "ORDERS.csv", as_csv([row(1), row(2, 数量="1.2E+3"), row(3)]))
    ((number, told),) = take_in(world).items()
    assert [one["state"] for one in told["documents"]] == ["ready", "refused", "ready"]
    [found] = told["findings"]
    assert (found["code"], found["document"], found["row"], found["cell"], found["value"]) == (
        "M031",
        2,
        3,
        "T3",
        "1.2E+3",
    )
    why = (world.home / "spool/partners/shop/refused/ORDERS.csv.why.txt").read_text("utf-8")
    assert "单元格 cell T3" in why
    assert f"{number}.2" in why


def test_a_row_that_cannot_be_read_refuses_the_document_it_may_belong_to_and_no_other(world: World) -> None:
    line = as_csv([row(2, 3)]).decode().splitlines()[1].replace("保湿", '"保"湿')
    world.drop("shop", "ORDERS.csv", as_csv(orders(3)) + f"{line}\r\n".encode())
    [told] = take_in(world).values()
    assert [one["state"] for one in told["documents"]] == ["ready", "refused", "ready"]
    found = [(one["code"], one["row"], one["document"]) for one in told["findings"]]
    assert found == [("M021", 8, None), ("M028", 8, 2)]
    why = (world.home / "spool/partners/shop/refused/ORDERS.csv.why.txt").read_text("utf-8")
    assert "[M021]" in why
    assert "[M028]" in why


def test_a_row_that_belongs_to_nobody_is_told_though_nothing_is_refused(world: World) -> None:
    world.drop("shop", "ORDERS.csv", as_csv(orders(2)) + b'X,"a"b,c\r\n')
    [told] = take_in(world).values()
    assert [one["state"] for one in told["documents"]] == ["ready", "ready"]
    assert {one["code"] for one in told["findings"]} == {"M021"}
    assert "[M021]" in (world.home / "spool/partners/shop/refused/ORDERS.csv.why.txt").read_text("utf-8")
    assert not (world.home / "spool/partners/shop/refused/ORDERS.csv").exists()


def test_a_row_that_may_be_missing_from_any_document_refuses_the_whole_file(world: World) -> None:
    world.drop("shop", "ORDERS.csv", as_csv(orders(2)) + b"," * 19 + "3,79.90,韩国\r\n".encode())
    [told] = take_in(world).values()
    assert (told["documents"], [one["code"] for one in told["findings"]]) == ([], ["M022", "M029"])
    assert (world.home / "spool/partners/shop/refused/ORDERS.csv").exists()


def test_the_same_table_again_is_a_duplicate(world: World) -> None:
    for name in ("a.csv", "b.csv"):
        world.drop("shop", name, as_csv(orders(2)))
        told = take_in(world)
    assert [one["duplicate_of"] is not None for one in told.values()] == [True]


def test_a_table_that_no_map_fits_is_refused_with_the_reason(tmp_path: Path) -> None:
    world = World(with_maps(demo_home(tmp_path), 'maps = [{map = "orders-311", files = "orders*"}]'))
    world.drop("shop", "stock.csv", as_csv(orders(2)))
    world.drop("shop", "ORDERS-1.csv", as_csv(orders(1)))
    codes = {told["file"]: [one["code"] for one in told["findings"]] for told in take_in(world).values()}
    world.close()
    assert codes == {"stock.csv": ["M019"], "ORDERS-1.csv": []}


def test_a_table_without_the_right_to_send_it_is_refused(tmp_path: Path) -> None:
    home = with_maps(demo_home(tmp_path), 'maps = ["payments-411"]')
    world = World(home)
    head = {"支付企业代码": "1", "支付企业名称": "x", "支付交易编号": "T1", "订单编号": "O1", "电商平台代码": "2"}
    rest = {"电商平台名称": "y", "支付人证件号码": "1", "支付人姓名": "苏", "支付金额": "1", "支付时间": "20261121"}
    world.drop("shop", "p.csv", as_csv([head | rest]))
    [told] = take_in(world).values()
    world.close()
    assert "P101" in {one["code"] for one in told["findings"]}
    assert {one["state"] for one in told["documents"]} == {"refused"}


def test_a_map_of_the_home_that_is_wrong_keeps_the_house_shut(tmp_path: Path) -> None:
    home = with_maps(demo_home(tmp_path), 'maps = ["mine"]')
    (home / "maps").mkdir()
    (home / "maps/mine.csv").write_text(
        "path,column,verb,argument\n@from,,,orders-311\nOrderHead/nothing,x,text,\n", "utf-8"
    )
    _, problems = inspect_house(home, {})
    assert "there is no field" not in json.dumps([str(one) for one in problems])
    assert any("OrderHead/nothing" in str(one) for one in problems)


def test_evidence_mapped_again_gives_the_same_documents(world: World) -> None:
    from gateway.case import Arrival
    from gateway.opening import Opener, TrustedCertificates
    from spool.interchange import Claim

    opener = Opener(world.clerk.house, TrustedCertificates(world.clerk.house))
    data = as_csv(orders(3))
    arrival = Arrival(Claim(261121120000000001, "shop", "folder", "a.csv"), "", data, b"", len(data))
    first, second = (opener.open(arrival, world.moment) for _ in range(2))
    assert [one.document.canonical() for one in first.cases] == [one.document.canonical() for one in second.cases]
    assert first.cases[0].document.head["appTime"] == "20261121120000"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_partner_may_have_his_receipts_as_tables(tmp_path: Path, form: str) -> None:
    home = with_maps(demo_home(tmp_path), 'maps = ["orders-311"]')
    file = home / "partners/shop.toml"
    file.write_text(file.read_text("utf-8").replace('receipts = "xml"', f'receipts = "{form}"'), "utf-8")
    world = World(home)
    world.drop("shop", "ORDERS.csv", as_csv(orders(1)))
    take_in(world)
    world.carry()
    unit = {
        "guid": "G" * 36, "ebpCode": "3301961A2B", "ebcCode": "3301961A2B", "orderNo": "YX202600000001",
        "returnStatus": "2", "returnTime": "20261121120000000", "returnInfo": "=ok",
    }  # fmt: skip
    world.answer("a.xml", "CEB312", "OrderReturn", unit)
    take_in(world)
    world.close()
    [receipt] = [one for one in (home / "spool/partners/shop/out").iterdir() if ".CEB312." in one.name]
    assert receipt.suffix == f".{form}"
    if form == "csv":
        [headings, line] = csv.reader(io.StringIO(receipt.read_bytes().decode("utf-8-sig")))
        assert dict(zip(headings, line, strict=True)) | {"订单编号": "YX202600000001", "回执信息": "'=ok"} == dict(
            zip(headings, line, strict=True)
        )
    else:
        rows = python_calamine.load_workbook(str(receipt)).get_sheet_by_index(0).to_python()
        assert len(rows) == 2


def test_of_several_maps_the_one_whose_columns_the_file_has_is_used(tmp_path: Path) -> None:
    world = World(with_maps(demo_home(tmp_path), 'maps = ["inventories-621", "orders-311"]'))
    world.drop("shop", "ORDERS.csv", as_csv(orders(1)))
    [told] = take_in(world).values()
    world.close()
    assert [one["spec"] for one in told["documents"]] == ["CEB311"]
    assert told["findings"] == []
