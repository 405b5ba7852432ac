"""Who may send what: a partner what its roles send, and nothing that only an authority or an exchange node writes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.config import load_house
from gateway.tables import uses
from message_specs.catalog import catalog
from tests.crash.world import World
from tests.homes import demo_home
from tests.message_specs.test_samples import SAMPLES

NODE = SAMPLES.parents[1] / "dxp/samples"
REFUND = (SAMPLES / "good/CEB625.xml").read_bytes()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


def told(world: World, sender: str, body: bytes, file: str = "a.xml") -> dict[str, Any]:
    world.drop(sender, file, body)
    (answer,) = world.take_in().values()
    return answer


def test_the_partners_of_a_trial_may_send_whatever_their_roles_send(tmp_path: Path) -> None:
    for partner in load_house(demo_home(tmp_path)).partners.values():
        may = {one.code for one in catalog().specs.values() if set(one.senders) & set(partner.roles)}
        assert set(partner.specs) == may, partner.name


@pytest.mark.parametrize(
    ("sender", "file", "expected"),
    [
        ("shop", "ORDERS.csv", "orders-311"), ("shop", "orders-303.csv", "orders-303"),
        ("shop", "a.625.xlsx", "refunds-625"), ("agent", "CEB623.csv", "cancels-623"),
        ("agent", "lists 603.csv", "inventories-603"), ("pay", "403.csv", "receipts-403"),
        ("pay", "BOPA-1.csv", "income-bopa"),
        ("ship", "513.csv", "waybill-status-513"), ("ship", "w.csv", "waybills-511"),
    ],
)  # fmt: skip
def test_the_partners_of_a_trial_may_send_tables_of_each_kind(
    tmp_path: Path, sender: str, file: str, expected: str
) -> None:
    partner = load_house(demo_home(tmp_path)).partner(sender)
    assert next(one.map for one in uses(partner) if Path(file).match(one.files)) == expected
    words = [one.map.rpartition("-")[2].upper() for one in uses(partner)]
    assert {f"CEB{word}" if word.isdigit() else word for word in words} <= set(partner.specs)


@pytest.mark.parametrize("sample", ["DxpMsg", "DxpMsgSv", "DxpRep"])
def test_an_envelope_is_told_to_be_one(world: World, sample: str) -> None:
    answer = told(world, "shop", (NODE / f"good/{sample}.xml").read_bytes())
    assert [(one["code"], one["zh"], one["en"]) for one in answer["findings"]] == [
        (
            "P106",
            f"上传的是交换信封 {sample}，不是业务报文",
            f"this is the envelope {sample} and not a business message",
        ),
    ]
    assert [one["state"] for one in answer["documents"]] in ([], ["refused"])
    assert world.carry() == []


def test_a_receipt_from_a_partner_is_refused(world: World) -> None:
    answer = told(world, "shop", (SAMPLES / "good/CEB622.xml").read_bytes())
    assert "P105" in {one["code"] for one in answer["findings"]}
    assert world.carry() == []


def refund(*lines: int, cop: str = "") -> bytes:
    [line] = re.findall(rb"<ceb:InvtRefundList>.*?</ceb:InvtRefundList>", REFUND, re.DOTALL)[:1]
    rows = [re.sub(rb"<ceb:gnum>\d+<", b"<ceb:gnum>%d<" % number, line) for number in lines]
    body = re.sub(rb"<ceb:InvtRefundList>.*</ceb:InvtRefundList>", b"".join(rows), REFUND, flags=re.DOTALL)
    told = f"<ceb:copNo>{cop}</ceb:copNo>".encode() if cop else b""
    return re.sub(rb"<ceb:copNo>.*?</ceb:copNo>", told, body)


def test_two_refunds_of_one_inventory_are_told_apart_by_their_lines(world: World) -> None:
    first, second = told(world, "agent", refund(1)), told(world, "agent", refund(2, 3), "b.xml")
    assert [one["documents"][0]["state"] for one in (first, second)] == ["ready", "ready"]
    keys = [one["documents"][0]["key"].split("|") for one in (first, second)]
    assert [key[-1] for key in keys] == ["1", "2,3"]
    assert keys[0][:3] == keys[1][:3]
    given = [row for (row,) in world.rows("SELECT reply_key FROM document ORDER BY number")]
    assert len(set(given)) == 2
    again = told(world, "agent", refund(3, 2), "c.xml")
    assert {one["code"] for one in again["findings"]} == {"P302", "C251"}


def test_with_a_number_of_its_own_a_refund_may_change_its_lines(world: World) -> None:
    told(world, "agent", refund(1, cop="TH1"))
    changed = refund(1, 2, cop="TH1").replace(b"<ceb:appType>1<", b"<ceb:appType>2<")
    told(world, "agent", changed, "b.xml")
    assert world.rows("SELECT version, state FROM document ORDER BY version") == [(1, "ready"), (2, "ready")]
