"""`kouan dossier`, `kouan queue --trades` and `kouan stats` tell people and programs the same of a trade."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import ended
from tests.crash.world import World
from tests.gateway.test_trades import come, declared, inventory_said
from tests.homes import with_trades
from tests.stories.trades.documents import asked, made

ORDER = "YX2026000000000001"


@pytest.fixture
def told(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("KOUAN_HOME", str(home))

    def run(*arguments: str, ends: int = 0) -> str:
        assert ended(arguments) == ends
        return capsys.readouterr().out

    return run


def test_a_trade_that_waits_is_told_on_one_screen(home: Path, told: Any) -> None:
    world = World(with_trades(home))
    come(world, "CEB311")
    come(world, "CEB411", was="<ceb:amountPaid>", becomes="<ceb:amountPaid>1")
    come(world, "CEB621")
    world.close()
    text = told("dossier", ORDER)
    for part in (
        "卷宗 dossier  3301961A2B  YX2026000000000001  9610  收单 open", "尚缺 waits    运单 waybill", "[T203]",
        "[T101]", "请核对后更正", "更正 mends: shop (订单 order", "清单 inventory", "filed", "税款 tax",
    ):  # fmt: skip
        assert part in text, part
    assert len(text.splitlines()) < 50
    (facts,) = map(json.loads, told("dossier", ORDER, "--json").splitlines())
    assert [one["code"] for one in facts["findings"]] == ["T101"]
    assert told("dossier", "nothing", ends=4) == ""
    assert json.loads(told("queue", "--trades", "--json"))["waits_for"] == ["waybill", "T101"]
    assert "运单 waybill、T101" in told("queue", "--trades")
    (waits,) = map(json.loads, told("queue", "--waiting", "--json").splitlines())
    assert (waits["open_trades"], waits["trades"][0]["partner"]) == (1, "agent")
    assert "运单 waybill、T101" in told("queue", "--waiting")


def test_what_a_desk_said_twice_is_told_once(home: Path, told: Any) -> None:
    world = World(with_trades(home))
    for line in (
        "agent list of=CEB603_9710 price=8.5 totalPrice=510",
        "shop order of=CEB303_platform_abroad price=8.5 totalPrice=510 goodsValue=750",
        "ship waybill of=CEB505",
    ):
        one = asked(line.split())
        world.drop(one.partner, f"{one.word}.xml", made(one))
        world.take_in()
        world.go_on()
    (row,) = world.rows("SELECT count(*) FROM stamp WHERE findings LIKE '%T332%'")
    world.close()
    assert (row, told("dossier", "CK2026000000007001").count("[T332]")) == ((2,), 1)


def test_a_trade_that_was_released_is_told_with_its_state_and_windows(home: Path, told: Any) -> None:
    world = World(with_trades(home))
    declared(world)
    inventory_said(world, "800")
    world.close()
    text = told("dossier", "29002026I000000001")
    for part in ("海关 customs  800 已放行 released  invtNo 29002026I000000001", "可退 left to return", "期限 window",
                 "退货申请", "回执 receipts", "CEB622 800"):  # fmt: skip
        assert part in text, part
    (group,) = map(json.loads, told("stats", "--json").splitlines())
    assert (group["released"], group["trades"]["released"]) == (1, 1)
    assert "9610" in told("stats", "--by", "mode")
    assert told("stats", "--since", "2026-02-01", "--until", "2026-01-01", ends=2) == ""


def test_what_several_looks_say_of_a_document_is_told_once(home: Path, told: Any) -> None:
    file = home / "kouan.toml"
    file.write_text(f'{file.read_text("utf-8")}\nT305 = "warning"\n', "utf-8")
    world = World(with_trades(home))
    come(world, "CEB621", was="<ceb:freight>8<", becomes="<ceb:freight>9000<")
    for spec in ("CEB411", "CEB511", "CEB311"):
        come(world, spec)
    world.go_on()
    stamped = world.rows("SELECT count(*) FROM stamp WHERE findings LIKE '%T305%'")
    world.close()
    assert (stamped, told("dossier", ORDER).count("[T305]")) == ([(2,)], 1)


def test_a_broken_configuration_hides_no_trade(home: Path, told: Any) -> None:
    world = World(with_trades(home))
    come(world, "CEB311")
    world.close()
    (home / "routes.csv").write_text("nonsense\n", "utf-8")
    assert ORDER in told("dossier", ORDER)
