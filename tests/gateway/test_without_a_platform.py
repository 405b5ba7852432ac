"""Without a platform (无) every merchant numbers his own orders: one number of two merchants is two trades."""

import shutil
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from gateway import dossiers
from tests.crash.world import World
from tests.homes import with_trades

GOOD = Path(__file__).parents[2] / "message_specs/ceb/samples/good"
NUMBER = "CK2026000000007001"
OTHER = {
    "3301961A2B": "3301961B7T",
    "DXPENT0000030001": "DXPENT0000030009",
    "杭州云栖优选电子商务有限公司": "杭州听泉贸易有限公司",
}


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """Beside the demo's partners there is another merchant."""
    partners = home / "partners"
    lines = (partners / "shop.toml").read_text("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("token_sha256", "ssh_keys"))]
    text = "\n".join(kept).replace('name = "shop"', 'name = "rival"', 1)
    (partners / "rival.toml").write_text(_other(text) + "\n", "utf-8")
    shutil.copytree(home / "spool/partners/shop", home / "spool/partners/rival")
    one = World(with_trades(home))
    yield one
    one.close()


def _other(text: str) -> str:
    for mine, theirs in OTHER.items():
        text = text.replace(mine, theirs)
    return text


def sample(name: str, *, other: bool) -> bytes:
    """A sample, or the same as the other merchant has it: the order number stays, the waybill is another."""
    text = (GOOD / f"{name}.xml").read_text("utf-8")
    if other:
        text = _other(text).replace("SDE00000007001", "SDE00000007009").replace("QD26110000007001", "QD26110000007009")
    return text.encode()


DOCUMENTS = [
    ("shop", "CEB303_platform_abroad", False), ("ship", "CEB505", False), ("agent", "CEB603_9710", False),
    ("rival", "CEB303_platform_abroad", True), ("ship", "CEB505", True), ("agent", "CEB603_9710", True),
]  # fmt: skip


def post(world: World, sender: str, name: str, *, other: bool) -> None:
    told = world.post(sender, sample(name, other=other))
    assert told is not None
    assert b'"severity":"error"' not in told.replace(b'": "', b'":"'), told.decode()
    world.go_on()
    world.look()


@pytest.mark.parametrize("turn", list(permutations(range(6)))[::37])
def test_one_number_of_two_merchants_is_two_trades_in_any_order(world: World, turn: tuple[int, ...]) -> None:
    for place in turn:
        sender, name, other = DOCUMENTS[place]
        post(world, sender, name, other=other)
    assert world.rows("SELECT DISTINCT state FROM document") == [("ready",)]
    trades = dossiers.found(world.ledger, f"无|{NUMBER}")
    kinds = [sorted((one["kind"], one["partner"]) for one in trade["documents"]) for trade in trades]
    of_shop = [("inventory", "agent"), ("order", "shop"), ("waybill", "ship")]
    of_rival = [("inventory", "agent"), ("order", "rival"), ("waybill", "ship")]
    assert sorted(kinds) == sorted([of_shop, of_rival])
    assert [trade["findings"] for trade in trades] == [[], []]
    assert [trade["phase"] for trade in trades] == ["declared", "declared"]


def files(world: World, partner: str) -> list[Any]:
    box = world.home / "spool/partners" / partner
    return [file.read_bytes() for folder in ("out", "refused") for file in sorted((box / folder).iterdir())]


def test_neither_merchant_sees_anything_of_the_other(world: World) -> None:
    for sender, name, other in DOCUMENTS:
        post(world, sender, name, other=other)
    for mine, theirs in (("shop", "rival"), ("rival", "shop")):
        (seen,) = dossiers.found(world.ledger, NUMBER, mine)
        secret = "3301961B7T" if mine == "shop" else "3301961A2B"
        told = [str(seen).encode(), *files(world, mine)]
        assert not [one for one in told if secret.encode() in one or theirs.encode() in one]
    for merchant, partner in (("3301961A2B", "shop"), ("3301961B7T", "rival")):
        (whole,) = dossiers.found(world.ledger, f"无|{merchant}|{NUMBER}")
        assert [one["partner"] for one in whole["documents"] if one["kind"] == "order"] == [partner]


def test_a_trade_is_found_by_its_merchant_before_its_order_has_come(world: World) -> None:
    post(world, "agent", "CEB603_9710", other=False)
    (trade,) = dossiers.found(world.ledger, f"无|3301961A2B|{NUMBER}")
    assert [one["kind"] for one in trade["documents"]] == ["inventory"]
