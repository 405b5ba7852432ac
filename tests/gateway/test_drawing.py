"""An inventory is drawn up from three documents and filed goods, sent like any other, and tells where it is from."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from gateway import dossiers, outstanding
from gateway.cli import ended
from gateway.drawing import Drawing, Drawn, goods_mark
from gateway.frames import Answer, Job
from gateway.rates import install
from gateway.replaying import Ruling, replay
from gateway.selecting import Selection, interchanges
from gateway.sources import Source, sources_of
from gateway.submitting import Counter
from gateway.trading import trade_of
from gateway.worker import Worker
from message_specs.limits import Limits
from message_specs.opening import open_message
from message_specs.trade.joining import cop_no
from spool.number import CHINA
from tests.crash.world import PowerCut, Stop, World
from tests.homes import with_trades
from tests.samples import AGENT, SHOP, message, trade

SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship"}
ARRANGEMENT = """
[[draws]]
spec = "CEB621"
mode = "9610"
merchants = ["3301961A2B"]
[draws.values]
customsCode = "2910"
portCode = "2910"
trafMode = "5"
trafNo = "云栖航空"
voyageNo = "YQ8026"
country = "116"
wrapType = "2"
"""
HEAD = "ebcCode,itemNo,gcode,gname,gmodel,unit,unit1,qty1,unit2,qty2,netWeight,itemRecordNo,country,from,until\n"
EACH = {"1901101090": "0.8", "3304990039": "0.13", "2101110000": "0.2"}
COP_NO = cop_no(SHOP.code, SHOP.code, "YX2026000000000001")


def goods(*numbers: int, without: str = "") -> bytes:
    """The goods of these trades as their agent files them."""
    rows = {}
    for facts in map(trade, numbers):
        for step in range(3):
            item, code = facts[f"itemNo{step}"], facts[f"gcode{step}"]
            each = EACH[code]
            rows[item] = f"{SHOP.code},{item},{code},,,{facts[f'unit{step}']},035,{each},,,,,,2026-01-01,\n"
    return (HEAD + "".join(row for item, row in rows.items() if item != without)).encode()


def arrange(home: Path, table: bytes) -> Path:
    with_trades(home)
    with (home / "partners/agent.toml").open("a", encoding="utf-8") as file:
        file.write(ARRANGEMENT)
    (home / "goods").mkdir()
    (home / "goods/agent.csv").write_bytes(table)
    return home


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(arrange(home, goods(1)))
    yield one
    one.close()


def come(world: World, spec: str, *, number: int = 1, was: str = "", becomes: str = "", app_type: str = "1") -> Any:
    """The document of trade `number` comes, with a text in it changed, and trades are looked at."""
    body = message(spec, 1, start=number, app_type=app_type)
    assert was.encode() in body
    body = body.replace(was.encode(), becomes.encode()) if was else body
    sender = {**SENDERS, "CEB621": "agent"}[spec]
    world.drop(sender, f"{spec}-{number}-{len(becomes)}{app_type}.xml", body)
    (told,) = world.take_in().values()
    look(world)
    return told


def look(world: World) -> None:
    """A second goes by, and everything that is due is looked at."""
    world.moment += timedelta(seconds=1)
    world.look()
    world.go_on()


def inventories(world: World) -> list[tuple[str, str, str]]:
    sql = (
        "SELECT d.key, d.state, i.door FROM document d JOIN interchange i ON i.number = d.number "
        "WHERE d.spec IN ('CEB621', 'CEB603') ORDER BY d.number, d.ordinal"
    )
    return world.rows(sql)  # type: ignore[return-value]


def notices(world: World, partner: str) -> list[Any]:
    out = world.home / "spool/partners" / partner / "out"
    return [json.loads(file.read_bytes()) for file in sorted(out.glob("*.notice.json"))]


def phase(world: World) -> str:
    (one,) = dossiers.found(world.ledger, "YX2026000000000001")
    return str(one["phase"])


KEY = f"{SHOP.code}|YX2026000000000001"


@pytest.mark.parametrize("order", list(permutations(SENDERS)), ids="-".join)
def test_whatever_comes_last_the_inventory_is_drawn_up_and_declared(world: World, order: tuple[str, ...]) -> None:
    for spec in order[:-1]:
        come(world, spec)
        assert inventories(world) == []
    come(world, order[-1])
    assert inventories(world) == [(KEY, "ready", "drawing")]
    assert phase(world) == "declared"
    assert len(world.carry()) == 4
    (told,) = [json.loads(one) for name, one in world.files().items() if "/out/draw-621.drawing." in name]
    assert [(one["spec"], one["state"]) for one in told["documents"]] == [("CEB621", "ready")]
    assert [one for one in told["findings"] if one["severity"] == "error"] == []
    look(world)
    assert len(inventories(world)) == 1


def drawn(world: World) -> dict[str, str]:
    """Every value of the newest inventory, by its path."""
    return {one.path: one.value for one in sources(world)}


def sources(world: World) -> list[Source]:
    (row,) = world.rows("SELECT max(number), ordinal FROM document WHERE spec IN ('CEB621', 'CEB603')")
    return list(sources_of(world.clerk.house, world.ledger, f"{row[0]}.{row[1]}"))


def three(world: World) -> None:
    for spec in SENDERS:
        come(world, spec)


BONDED = """
[[draws]]
spec = "CEB621"
mode = "1210"
values = { customsCode = "2909", portCode = "2909", trafMode = "Y", country = "142", emsNo = "T2909W000088", \
areaCode = "3301980Q3D", areaName = "杭州口岸通报关服务有限公司", wrapType = "2" }
"""


@pytest.mark.parametrize("mode", ["9610", "1210"])
def test_every_value_is_that_of_a_hand_made_inventory(home: Path, mode: str) -> None:
    arrange(home, goods(1))
    if mode == "1210":
        file = home / "partners/agent.toml"
        file.write_text(file.read_text("utf-8").replace(ARRANGEMENT, BONDED.replace("\\\n", "")), "utf-8")
        rows = [row.split(",") for row in goods(1).decode().splitlines()]
        for row in rows[1:]:
            row[11] = f"R{row[2]}"
        (home / "goods/agent.csv").write_text("\n".join(map(",".join, rows)) + "\n", "utf-8")
    world = World(home)
    for spec, sender in SENDERS.items():
        world.drop(sender, f"{spec}.xml", message(spec, 1, mode=mode))
    world.take_in()
    look(world)
    assert [state for _, state, _ in inventories(world)] == ["ready"]
    made = drawn(world)
    world.close()
    sent = message("CEB621", 1, mode=mode)
    expected = open_message(sent, revision_of=lambda _: "202205", limits=Limits()).documents[0]
    head = {name: text for name, text in expected.head.items() if text}
    ours = {path.removeprefix("InventoryHead/"): text for path, text in made.items() if path.startswith("InventoryH")}
    for name in ("guid", "appTime", "declTime", "copNo"):
        head.pop(name), ours.pop(name)
    assert ours == head
    for line, wanted in enumerate(expected.lines, 1):
        place = f"InventoryList[{line}]/"
        got = {path.removeprefix(place): text for path, text in made.items() if path.startswith(place)}
        assert got == {name: text for name, text in wanted.items() if text and name != "tradeCountry"}
    assert made["InventoryHead/copNo"] == COP_NO


def test_every_value_tells_where_it_came_from(world: World) -> None:
    three(world)
    papers = {row[0]: f"{row[1]}.1" for row in world.rows("SELECT spec, number FROM document")}
    order, waybill = f"order {papers['CEB311']}", f"waybill {papers['CEB511']}"
    told = {one.path: (one.of, one.what) for one in sources(world)}
    assert all(of for of, _ in told.values())
    assert {path: told[path] for path in CHECKED} == {
        "InventoryHead/buyerName": (order, "OrderHead/buyerName"),
        "InventoryHead/grossWeight": (waybill, "LogisticsHead/weight"),
        "InventoryHead/customsCode": ("agent value", "customsCode"),
        "InventoryHead/agentCode": ("partner", "code"),
        "InventoryHead/ieFlag": ("map", "constant I"),
        "InventoryHead/assureCode": ("reckoned", "same InventoryHead/ebcCode"),
        "InventoryList[2]/price": (order, "OrderList[2]/price"),
        "InventoryList[2]/gcode": ("goods line 3", "gcode"),
        "InventoryList[2]/qty1": ("reckoned", "order.lines.qty 3 * goods.qty1 0.2"),
    }
    # What is filed later changes nothing of what was declared.
    (world.home / "goods/agent.csv").write_bytes(goods(2))
    world.reload()
    assert {one.path: (one.of, one.what) for one in sources(world)} == told


CHECKED = (
    "InventoryHead/buyerName", "InventoryHead/grossWeight", "InventoryHead/customsCode", "InventoryHead/agentCode",
    "InventoryHead/ieFlag", "InventoryHead/assureCode", "InventoryList[2]/price", "InventoryList[2]/gcode",
    "InventoryList[2]/qty1",
)  # fmt: skip


def test_the_trace_shows_the_sources(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    three(world)
    capsys.readouterr()
    (number,) = [row[0] for row in world.rows("SELECT number FROM document WHERE spec = 'CEB621'")]
    capsys.readouterr()
    assert ended(["trace", f"{number}.1", "--json", "--home", str(world.home)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {key: told["sources"][12][key] for key in ("path", "value")} == {
        "path": "InventoryHead/copNo",
        "value": COP_NO,
    }
    assert ended(["trace", f"{number}.1", "--home", str(world.home)]) == 0
    assert f"InventoryHead/copNo = {COP_NO}  ← reckoned digest of order.ebpCode" in capsys.readouterr().out


def test_goods_that_are_not_filed_are_asked_for_and_drawn_when_they_come(home: Path) -> None:
    item = trade(1)["itemNo1"]
    world = World(arrange(home, goods(1, without=item)))
    three(world)
    assert inventories(world) == []
    (told,) = notices(world, "agent")
    assert (told["spec"], [(one["code"], one["value"]) for one in told["findings"]]) == ("CEB311", [("T701", item)])
    assert notices(world, "shop") == []
    look(world)
    assert len(notices(world, "agent")) == 1
    (world.home / "goods/agent.csv").write_bytes(goods(1))
    world.reload()
    look(world)
    assert inventories(world) == [(KEY, "ready", "drawing")]
    assert world.rows("SELECT count(*) FROM awaited WHERE mark = ?", goods_mark("agent")) == [(0,)]
    world.close()


def waits(world: World) -> list[tuple[str, str]]:
    """For what the operator sees the trade wait: each kind and the code that tells why."""
    (one,) = dossiers.found(world.ledger, "YX2026000000000001", house=world.clerk.house)
    return [(told["kind"], told["code"]) for told in one["lacking"]]


def outstanding_trade(world: World) -> tuple[str, str, list[str]]:
    (one,) = outstanding.trades(world.ledger, world.moment.astimezone(CHINA).date(), 9, world.clerk.house)
    return one["mode"], one["partner"], one["waits_for"]


def test_the_operator_sees_what_keeps_an_inventory_from_being_drawn_up(home: Path) -> None:
    item = trade(1)["itemNo1"]
    world = World(arrange(home, goods(1, without=item)))
    come(world, "CEB311")
    assert waits(world) == [("waybill", "T203"), ("payment", "T202"), ("inventory", "T707")]
    come(world, "CEB411")
    come(world, "CEB511")
    assert waits(world) == [("inventory", "T701")]
    assert outstanding_trade(world) == ("9610", "agent", ["inventory", "T701"])
    (shops,) = dossiers.found(world.ledger, "YX2026000000000001", "shop", house=world.clerk.house)
    assert [one["code"] for one in shops["lacking"]] == ["T204"]
    world.close()


def test_bonded_goods_without_a_record_number_are_not_declared(home: Path) -> None:
    arrange(home, goods(1))
    file = home / "partners/agent.toml"
    file.write_text(file.read_text("utf-8").replace('mode = "9610"', 'mode = "1239"'), "utf-8")
    world = World(home)
    three(world)
    assert inventories(world) == []
    (told,) = notices(world, "agent")
    assert [(one["code"], one["value"]) for one in told["findings"]] == [
        ("T706", trade(1)[f"itemNo{step}"]) for step in range(3)
    ]
    world.close()


@pytest.mark.parametrize(
    ("was", "becomes", "code"),
    [
        ("<ceb:itemNo>SKU210111", "<ceb:itemNo> ", "T701"),
        ("<ceb:unit>142", "<ceb:unit>011", "T702"),
        ("<ceb:itemNo>SKU3304990</ceb:itemNo>", "", "T703"),
    ],
)
def test_goods_that_do_not_fit_the_order_wait(world: World, was: str, becomes: str, code: str) -> None:
    come(world, "CEB311", was=was, becomes=becomes)
    come(world, "CEB411")
    come(world, "CEB511")
    assert inventories(world) == []
    (told,) = notices(world, "agent")
    assert [one["code"] for one in told["findings"]] == [code]


def test_a_disagreement_is_told_to_both_and_drawn_when_it_is_mended(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB411", was="<ceb:amountPaid>", becomes="<ceb:amountPaid>1")
    come(world, "CEB511")
    assert inventories(world) == []
    assert [one["findings"][0]["code"] for one in notices(world, "shop")] == ["T101"]
    assert [one["findings"][0]["code"] for one in notices(world, "pay")] == ["T101"]
    (one,) = dossiers.found(world.ledger, "YX2026000000000001")
    assert (one["phase"], one["why"]) == ("open", "T101")
    come(world, "CEB411", app_type="2")
    assert inventories(world) == [(KEY, "ready", "drawing")]


def test_which_of_two_waybills_is_meant_is_asked_and_not_guessed(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB411")
    first, second = (trade(number)["logisticsNo"] for number in (1, 9))
    body = message("CEB511", 1)
    world.drop("ship", "one.xml", body)
    world.drop("ship", "two.xml", body.replace(first.encode(), second.encode()))
    world.take_in()
    look(world)
    assert inventories(world) == []
    (told,) = notices(world, "agent")
    assert [one["code"] for one in told["findings"]] == ["T155"]
    come(world, "CEB511", was=first, becomes=second, app_type="3")
    assert inventories(world) == [(KEY, "ready", "drawing")]
    assert drawn(world)["InventoryHead/logisticsNo"] == first


def test_an_inventory_of_ones_own_wins(world: World) -> None:
    come(world, "CEB621")
    three(world)
    assert inventories(world) == [(KEY, "ready", "folder")]


def test_an_inventory_of_ones_own_that_comes_late_meets_the_law_of_keys(world: World) -> None:
    three(world)
    told = come(world, "CEB621")
    assert [one["code"] for one in told["findings"] if one["code"].startswith("P3")] == ["P302"]
    assert inventories(world) == [(KEY, "ready", "drawing")]


def test_the_copy_that_was_drawn_up_while_another_came_is_refused(world: World) -> None:
    for spec, sender in SENDERS.items():
        world.drop(sender, f"{spec}.xml", message(spec, 1))
    world.take_in()
    drawing = Drawing(world.clerk, world.lane)
    (dossier,) = [row[0] for row in world.rows("SELECT mark FROM dossier")]
    chosen = trade_of(world.ledger, dossier)
    arranged = drawing.arranged(chosen)
    assert arranged is not None
    rows = drawing.join(arranged, chosen, world.now().date()).rows
    # The merchant is another in the agent's own: the law of keys alone would not see that it is the same trade.
    own = message("CEB621", 1).replace(b"<ceb:ebcCode>3301961A2B", b"<ceb:ebcCode>3301961A2C")
    world.drop("agent", "own.xml", own)
    world.take_in()
    drawing.draw([Drawn(arranged, rows)])
    assert inventories(world) == [
        (KEY.replace("2B|", "2C|"), "ready", "folder"), (KEY, "refused", "drawing"),
    ]  # fmt: skip
    (why,) = [body for name, body in world.files().items() if "refused/draw-621" in name and name.endswith("why.txt")]
    assert "T705" in why.decode()


def said(world: World, status: str) -> None:
    """Customs has answered about the inventory that was drawn up."""
    world.moment += timedelta(seconds=1)
    when = f"{world.moment.astimezone(CHINA):%Y%m%d%H%M%S}000"
    fields = {
        "guid": "0" * 36, "customsCode": "2910", "ebpCode": SHOP.code, "ebcCode": SHOP.code, "agentCode": AGENT.code,
        "copNo": COP_NO, "preNo": "B20261121000000001", "invtNo": "29102026I000000001", "returnStatus": status,
        "returnInfo": "-", "returnTime": when,
    }  # fmt: skip
    world.answer(f"622-{status}-{when}.xml", "CEB622", "InventoryReturn", fields)
    world.take_in()
    look(world)


def test_a_closed_trade_awaits_nothing_more(world: World) -> None:
    three(world)
    world.carry()
    assert world.rows("SELECT count(*) FROM awaited") == [(3,)]
    said(world, "800")
    assert (phase(world), world.rows("SELECT count(*) FROM awaited")) == ("released", [(3,)])
    said(world, "899")
    assert (phase(world), world.rows("SELECT count(*) FROM awaited")) == ("closed", [(0,)])


@pytest.mark.parametrize("status", ["100", "-621004"])
def test_what_customs_returned_is_drawn_again_when_something_has_changed(world: World, status: str) -> None:
    three(world)
    world.carry()
    said(world, status)
    assert [state for _, state, _ in inventories(world)] == ["refused"]
    assert [one["findings"][0]["code"] for one in notices(world, "agent")] == ["T704"]
    (world.home / "goods/agent.csv").write_bytes(goods(1).replace(b",0.8,", b",0.9,"))
    world.reload()
    look(world)
    assert [(state, door) for _, state, door in inventories(world)] == [("refused", "drawing"), ("ready", "drawing")]
    assert phase(world) == "declared"
    assert len(notices(world, "agent")) == 1


def test_what_our_own_check_refuses_is_told_and_not_drawn_again_and_again(world: World) -> None:
    (file,) = [world.home / "partners/agent.toml"]
    file.write_text(file.read_text("utf-8").replace('trafMode = "5"', 'trafMode = "55"'), "utf-8")
    world.reload()
    three(world)
    assert [state for _, state, _ in inventories(world)] == ["refused"]
    (why,) = [body for name, body in world.files().items() if "refused/draw-621" in name and name.endswith("why.txt")]
    assert "S0" in why.decode()
    look(world)
    come(world, "CEB411", number=2)
    assert [state for _, state, _ in inventories(world)] == ["refused"]
    file.write_text(file.read_text("utf-8").replace('trafMode = "55"', 'trafMode = "5"'), "utf-8")
    world.reload()
    come(world, "CEB311", app_type="2")
    assert [state for _, state, _ in inventories(world)] == ["refused", "ready"]


def test_what_our_own_desks_refuse_is_drawn_again_when_the_goods_are_filed_anew(world: World) -> None:
    (world.home / "goods/agent.csv").write_bytes(goods(1).replace(b",1901101090,", b",1901101099,"))
    file = world.home / "kouan.toml"
    file.write_text(file.read_text("utf-8").replace("[severity]\n", '[severity]\nT301 = "error"\n'), "utf-8")
    install(world.home, b"hs,valid_from,valid_to,duty,vat,ct_type\n1901101090,2020-01-01,,0,13,none\n")
    world.reload()
    three(world)
    look(world)
    (number,) = [row[0] for row in world.rows("SELECT number FROM document WHERE spec = 'CEB621'")]
    (told,) = dossiers.found(world.ledger, "YX2026000000000001", house=world.clerk.house)
    assert [one["zh"] for one in told["lacking"]] == [
        f"代制清单 {number}.1 未被接受；单证与备案均未变化，不再重制"
    ]  # fmt: skip
    (world.home / "goods/agent.csv").write_bytes(goods(1))
    world.reload()
    look(world)
    assert [(state, door) for _, state, door in inventories(world)] == [("refused", "drawing"), ("ready", "drawing")]


def test_a_table_that_a_bad_map_spoilt_is_replayed_when_the_map_is_mended(home: Path) -> None:
    arrange(home, goods(1))
    file = home / "partners/agent.toml"
    file.write_text(file.read_text("utf-8").replace("\n[draws.values]", '\nmap = "ours"\n[draws.values]'), "utf-8")
    (home / "maps").mkdir(exist_ok=True)
    text = "path,column,verb,argument\n@from,,,draw-621\nInventoryHead/currency,{},text,\n"
    (home / "maps/ours.csv").write_text(text.format("order.buyerName"), "utf-8")
    world = World(home)
    three(world)
    assert [state for _, state, _ in inventories(world)] == ["refused"]
    (home / "maps/ours.csv").write_text(text.format("order.currency"), "utf-8")
    world.reload()
    (row,) = world.rows("SELECT number FROM interchange WHERE door = 'drawing'")
    world.close()
    with Counter(home) as counter:
        (one,) = replay(counter, interchanges(counter.ledger, Selection((str(row[0]),))), Ruling("mended", "li"))
    assert one.told is not None
    assert [entry["state"] for entry in one.told["documents"]] == ["ready"]
    world = World(home, moment=world.moment)
    assert drawn(world)["InventoryHead/currency"] == "142"
    world.close()


def test_a_worker_draws_up_what_is_due_and_goes_by_goods_that_came(home: Path) -> None:
    world = World(arrange(home, HEAD.encode()))
    for spec, sender in SENDERS.items():
        world.drop(sender, f"{spec}.xml", message(spec, 1))
    world.take_in()
    worker = Worker(home, 1)
    assert worker.do(Job(0, "look")).news == ("agent",)
    assert inventories(world) == []
    (home / "goods/agent.csv").write_bytes(goods(1))
    assert worker.do(Job(1, "reload")).trouble == ""
    assert worker.do(Job(2, "look")) == Answer(count=1)
    assert inventories(world) == [(KEY, "ready", "drawing")]
    world.close()


def test_a_hundred_inventories_go_into_one_table(home: Path) -> None:
    world = World(arrange(home, goods(1, 2, 3)))
    for spec, sender in SENDERS.items():
        for first in (1, 51, 101):
            world.drop(sender, f"{spec}-{first}.xml", message(spec, 50, start=first))
    world.take_in()
    look(world)
    assert world.rows("SELECT documents FROM interchange WHERE door = 'drawing' ORDER BY number") == [(100,), (50,)]
    assert {state for _, state, _ in inventories(world)} == {"ready"}
    world.close()


class Faulty:
    """A pulse that fails at the first and the second table that is judged after it was armed, and never again."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self, step: str) -> None:
        if step == "judged" and self.left:
            self.left -= 1
            raise ValueError("a mistake of ours")


def test_a_mistake_of_ours_holds_one_inventory_and_not_its_neighbours(home: Path) -> None:
    faulty = Faulty()
    world = World(arrange(home, goods(1, 2)), pulse=faulty)
    for spec, sender in SENDERS.items():
        world.drop(sender, f"{spec}.xml", message(spec, 2))
    world.take_in()
    faulty.left = 2
    look(world)
    sql = "SELECT d.spec, d.state FROM document d JOIN interchange i ON i.number = d.number WHERE i.door = 'drawing'"
    assert sorted(world.rows(sql)) == [("?", "held"), ("CEB621", "ready")]
    acknowledged = [json.loads(one) for name, one in world.files().items() if "/out/draw-621.drawing." in name]
    assert sorted(one["documents"][0]["state"] for one in acknowledged) == ["held", "ready"]
    look(world)
    assert len(world.rows(sql)) == 2
    world.close()


STEPS = ("claimed", "judged", "sealed", "synced", "writing", "written", "let go")


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_while_drawing_ends_in_one_inventory(home: Path, step: str) -> None:
    world = World(arrange(home, goods(1)))
    for spec, sender in SENDERS.items():
        world.drop(sender, f"{spec}.xml", message(spec, 1))
    world.take_in()
    world.close()
    broken = World(world.home, moment=world.moment, pulse=Stop(step))
    broken.moment += timedelta(seconds=1)
    with pytest.raises(PowerCut):
        broken.look()
    broken.close()
    after = World(world.home, moment=broken.moment)
    look(after)
    assert inventories(after) == [(KEY, "ready", "drawing")]
    assert phase(after) == "declared"
    assert len(after.rows("SELECT 1 FROM message WHERE spec = 'CEB621'")) == 1
    assert len([name for name in after.files() if "/out/draw-621.drawing." in name]) == 1
    after.close()
