"""What leaves is sealed once: packed by partner and authority, signed with his key, or carried on as it came."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.signing.certificates import from_pem
from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from gateway.signing.verify import verify
from message_specs.catalog import catalog
from message_specs.dxp.envelope import Envelope, unwrap
from message_specs.limits import Limits
from message_specs.opening import Opened, open_message
from tests import samples
from tests.crash.world import World
from tests.homes import demo_home
from tests.message_specs.test_samples import SAMPLES as ALL_SAMPLES

SAMPLES = ALL_SAMPLES / "good"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


def configured(world: World, file: str, old: str, new: str) -> World:
    text = (world.home / file).read_text("utf-8")
    assert old in text
    (world.home / file).write_text(text.replace(old, new), "utf-8")
    world.close()
    return World(world.home, moment=world.moment)


def left(world: World) -> list[Envelope]:
    envelopes = [unwrap(one.parcel.body, Limits()) for one in world.carry()]
    assert all(envelopes)
    return [one for one in envelopes if one]


def opened(envelope: Envelope) -> Opened:
    return open_message(envelope.data, unsigned_allowed=False)


def test_unsigned_orders_of_one_partner_leave_together_signed_with_his_key(world: World) -> None:
    for number in range(1, 6):
        world.drop("shop", f"{number}.xml", samples.order(number))
    world.take_in()
    (envelope,) = left(world)
    message = opened(envelope)
    assert (message.findings, len(message.documents), message.signed) == ((), 5, True)
    certificate = from_pem((world.home / "keys/shop/cert.pem").read_bytes())
    assert verify(envelope.data, [certificate], world.moment).valid
    assert (envelope.sender, envelope.receivers) == (samples.SHOP.dxp_id, ("DXPEDCCEB0000002",))
    ((guid, suite, key),) = world.rows("SELECT guid, suite, key_name FROM message")
    assert (message.guid, envelope.message_id, suite, key) == (guid, guid, "rsa-sha256", "shop")


def test_a_document_says_after_sealing_what_it_said_before(world: World) -> None:
    body = samples.message("CEB311", 3, start=1)
    world.drop("shop", "a.xml", body)
    world.take_in()
    (envelope,) = left(world)
    before = [document.canonical() for document in open_message(body).documents]
    assert [document.canonical() for document in opened(envelope).documents] == before


def test_no_message_holds_more_than_the_authority_takes(world: World) -> None:
    world = configured(world, "authorities/customs.toml", "pack = 100", "pack = 4")
    world.drop("shop", "a.xml", samples.message("CEB311", 6, start=1))
    world.drop("shop", "b.xml", samples.message("CEB311", 3, start=7))
    world.take_in()
    counts = [len(opened(envelope).documents) for envelope in left(world)]
    assert sorted(counts) == [1, 4, 4]


def test_partners_and_specs_are_never_mixed(world: World) -> None:
    world.drop("shop", "a.xml", samples.order(1))
    world.drop("shop", "b.xml", samples.message("CEB621", 1, start=2, sender=samples.SHOP))
    world.drop("agent", "c.xml", samples.message("CEB621", 1, start=3))
    world.drop("pay", "d.xml", samples.message("CEB411", 1, start=4))
    world.take_in()
    told = sorted((envelope.sender, envelope.message_type, len(opened(envelope).documents)) for envelope in left(world))
    assert told == [
        (samples.SHOP.dxp_id, "CEB311Message", 1), (samples.SHOP.dxp_id, "CEB621Message", 1),
        (samples.PAY.dxp_id, "CEB411Message", 1), (samples.AGENT.dxp_id, "CEB621Message", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["DxpMsg", "DxpMsgSv"])
def test_a_signed_message_is_carried_on_byte_for_byte_and_alone(world: World, form: str) -> None:
    world = configured(world, "authorities/customs.toml", 'form = "DxpMsg"', f'form = "{form}"')
    signed = sign_message(samples.message("CEB311", 2, start=1), load_signer(world.home / "keys", "shop"))
    world.drop("shop", "a.xml", signed)
    world.drop("shop", "b.xml", samples.order(9))
    world.take_in()
    bodies = [envelope.data for envelope in left(world)]
    assert signed in bodies
    assert len(bodies) == 2
    assert f"<dxp:{form} ".encode() in world.clerk.store.read(world.rows("SELECT evidence FROM message")[0][0])


def test_what_was_sealed_by_sm2_is_valid(world: World) -> None:
    world.drop("agent", "a.xml", samples.message("CEB621", 2, start=1))
    world.take_in()
    (envelope,) = left(world)
    certificate = from_pem((world.home / "keys/agent/cert.pem").read_bytes())
    verdict = verify(envelope.data, [certificate], world.moment)
    assert (verdict.valid, verdict.suite) == (True, "sm2-sm3")


def test_an_inventory_without_cop_no_gets_one_by_which_its_receipt_finds_it(world: World) -> None:
    body = samples.message("CEB621", 1, start=1)
    start, end = body.index(b"<ceb:copNo>"), body.index(b"</ceb:copNo>") + len(b"</ceb:copNo>")
    for name, empty in (("absent.xml", b""), ("empty.xml", b"<ceb:copNo></ceb:copNo>")):
        world.drop("agent", name, body[:start] + empty + body[end:])
    told = {one["file"]: one for one in world.take_in().values()}
    sealed = [document for envelope in left(world) for document in opened(envelope).documents]
    for document in sealed:
        given = document.text("InventoryHead/copNo")
        assert given
        assert world.rows("SELECT count(*) FROM document WHERE reply_key LIKE ?", f"{given}|%") == [(1,)]
    assert len(sealed) + sum(one["documents"][0]["state"] == "refused" for one in told.values()) >= 1


@pytest.mark.parametrize(("spec", "answer"), [("CEB623", "InvtCancelReturn"), ("CEB625", "InvtRefundReturn")])
def test_an_application_without_cop_no_gets_one_and_its_receipt_comes_home(
    world: World, spec: str, answer: str
) -> None:
    given = (SAMPLES / f"{spec}.xml").read_bytes()
    world.drop("agent", "a.xml", re.sub(rb"<ceb:copNo>.*</ceb:copNo>", b"", given))
    ((_, told),) = world.take_in().items()
    assert told["documents"][0]["state"] == "ready"
    (message,) = [opened(envelope) for envelope in left(world)]
    number = message.documents[0].head["copNo"]
    assert (message.findings, len(number)) == ((), 20)
    receipt = catalog().specs[spec].receipt or ""
    said = {"copNo": number, "agentCode": samples.AGENT.code, "returnStatus": "399", "returnTime": "20261121170000000"}
    world.answer("answer.xml", receipt, answer, {**said, "returnInfo": "[Code:2300;Desc:审核通过]"})
    world.take_in()
    assert world.rows("SELECT state FROM document WHERE spec = ?", spec) == [("closed",)]


def test_without_a_key_what_must_be_signed_is_refused_with_that_reason(world: World) -> None:
    world = configured(world, "partners/shop.toml", '[[keys]]\nname = "shop"', "")
    world.drop("shop", "a.xml", samples.message("CEB621", 1, sender=samples.SHOP))
    ((_, told),) = world.take_in().items()
    assert [finding["code"] for finding in told["findings"]] == ["P201"]
    assert told["documents"][0]["state"] == "refused"
    assert (world.home / "spool/partners/shop/refused/a.xml").exists()
    assert world.carry() == []


def test_a_key_in_trouble_lets_documents_wait_and_refuses_nothing(world: World) -> None:
    (world.home / "keys/shop/key.pem").rename(world.home / "key.pem")
    world.drop("shop", "a.xml", samples.message("CEB311", 2, start=1))
    ((_, told),) = world.take_in().items()
    assert {document["state"] for document in told["documents"]} == {"checked"}
    assert told["findings"] == []
    assert world.carry() == []
    ((why,),) = set(world.rows("SELECT why FROM document"))
    assert why.startswith("K102 ")
    (world.home / "key.pem").rename(world.home / "keys/shop/key.pem")
    assert world.go_on() == 0
    world.moment = world.moment.fromtimestamp(world.moment.timestamp() + 31, world.moment.tzinfo)
    assert world.go_on() == 2
    (envelope,) = left(world)
    assert len(opened(envelope).documents) == 2


def test_without_a_route_documents_are_held(world: World) -> None:
    world = configured(world, "routes.csv", "*,*,customs", "CEB621,*,customs")
    world.drop("shop", "a.xml", samples.order(1))
    ((_, told),) = world.take_in().items()
    assert told["documents"][0]["state"] == "held"
    assert world.rows("SELECT why FROM document")[0][0].startswith("K101 ")
