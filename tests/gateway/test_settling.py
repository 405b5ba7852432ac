"""A receipt finds its document by key, whatever the order, and takes it where its code says and no further."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.carriers.carrier import Carried
from gateway.booking import moves
from gateway.parting import part_again
from gateway.receipts import ReceiptsDisagree
from gateway.replaying import Ruling
from gateway.selecting import Selection
from gateway.submitting import Counter
from gateway.verbs import Verbs
from message_specs import writing
from message_specs.dxp.envelope import unwrap
from message_specs.limits import Limits
from message_specs.opening import open_receipt
from spool.states import MOVES, State
from tests import homes, samples
from tests.crash.world import World, fields
from tests.homes import demo_home


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    world.drop("shop", "orders.xml", samples.message("CEB311", 2, start=1))
    world.take_in()
    world.carry()
    yield world
    world.close()


def said(
    world: World, *units: dict[str, str], file: str = "r.xml", spec: str = "CEB312", unit: str = "OrderReturn"
) -> None:
    world.answer(file, spec, unit, *units)
    world.take_in()


def documents(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT state, status FROM document WHERE version IS NOT NULL ORDER BY number, ordinal")


def receipts(world: World) -> list[str]:
    return sorted(path for path in world.files() if path.endswith(".CEB312.xml"))


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("outcome", ["interim", "final", "refused"])
def test_every_outcome_leads_by_legal_moves_and_never_out_of_an_end(state: State, outcome: str) -> None:
    stands = state
    for after in moves(state, outcome):
        assert after == stands or after in MOVES[stands]
        stands = after
    assert stands == state or state in (State.READY, State.SENT)
    if state in (State.READY, State.SENT):
        assert stands == {"interim": State.SENT, "final": State.CLOSED, "refused": State.REFUSED}[outcome]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_receipts_end_the_same_in_any_order_of_arrival(tmp_path: Path, order: tuple[int, ...], world: World) -> None:
    told = [fields(1, "2", 1), fields(1, "3", 2), fields(1, "120", 3)]
    for turn in order:
        said(world, told[turn], file=f"{turn}.xml")
    assert documents(world)[0] == ("closed", "120")
    assert len(receipts(world)) == 3


def test_a_refusal_frees_the_key_and_what_comes_later_is_only_stamped(world: World) -> None:
    said(world, fields(1, "100", 1), file="1.xml")
    said(world, fields(1, "120", 2), file="2.xml")
    assert documents(world)[0] == ("refused", "120")
    world.drop("shop", "again.xml", samples.order(1))
    world.take_in()
    assert world.rows("SELECT version, state FROM document WHERE key LIKE '%001' ORDER BY version") == [
        (1, "refused"), (2, "ready"),
    ]  # fmt: skip


def test_a_receipt_belongs_to_the_version_that_was_declared_last(world: World) -> None:
    said(world, fields(1, "100", 1), file="1.xml")
    world.drop("shop", "again.xml", samples.order(1))
    world.take_in()
    world.carry()
    said(world, fields(1, "120", 2), file="2.xml")
    assert world.rows("SELECT version, state, status FROM document WHERE key LIKE '%001' ORDER BY version") == [
        (1, "refused", "100"), (2, "closed", "120"),
    ]  # fmt: skip


def versions(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT version, state, status FROM document WHERE key LIKE '%001' ORDER BY version")


def said_at(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo('Asia/Shanghai')):%Y%m%d%H%M%S}000"


def later(world: World, **seconds: int) -> datetime:
    world.moment += timedelta(**seconds)
    return world.moment


def test_a_receipt_means_the_version_that_was_newest_when_it_was_said(world: World) -> None:
    early = later(world, minutes=5)
    later(world, minutes=5)
    world.drop("shop", "change.xml", samples.message("CEB311", 1, start=1, app_type="2"))
    world.take_in()
    world.carry()
    said(world, fields(1, "100") | {"returnTime": said_at(early)}, file="late.xml")
    assert versions(world) == [(1, "refused", "100"), (2, "sent", None)]
    said(world, fields(1, "120") | {"returnTime": said_at(later(world, minutes=5))}, file="new.xml")
    assert versions(world) == [(1, "refused", "100"), (2, "closed", "120")]


def test_a_receipt_said_in_the_second_of_the_seal_means_what_was_sealed(world: World) -> None:
    world.moment = later(world, minutes=5).replace(microsecond=700_000)
    world.drop("shop", "change.xml", samples.message("CEB311", 1, start=1, app_type="2"))
    world.take_in()
    said(world, fields(1, "120") | {"returnTime": said_at(world.moment)[:14]})
    assert versions(world) == [(1, "sent", None), (2, "closed", "120")]


def test_an_answer_that_comes_twice_does_not_settle_the_next_version(world: World) -> None:
    said(world, fields(1, "100", 1), file="1.xml")
    world.drop("shop", "again.xml", samples.order(1))
    world.take_in()
    world.carry()
    said(world, fields(1, "100", 1), file="2.xml")
    assert versions(world) == [(1, "refused", "100"), (2, "sent", None)]
    duplicates = "SELECT count(*) FROM interchange WHERE sender = 'customs' AND duplicate_of IS NOT NULL"
    assert world.rows(duplicates) == [(1,)]
    said(world, fields(1, "100", 1), fields(2, "2", 1), file="with another.xml")
    assert versions(world) == [(1, "refused", "100"), (2, "sent", None)]


def test_a_receipt_of_what_was_declared_passes_by_a_change_that_never_left(world: World) -> None:
    world.drop("shop", "change.xml", samples.message("CEB311", 1, start=1, app_type="2"))
    (told,) = world.take_in().values()
    with Counter(world.home, world.now) as counter:
        list(Verbs(counter, Ruling("no", "eve")).carry_out("refuse", Selection((told["number"],))))
    said(world, fields(1, "120") | {"returnTime": said_at(later(world, minutes=5))})
    assert versions(world) == [(1, "closed", "120"), (2, "refused", None)]


def test_an_authority_settles_only_what_was_declared_to_it(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    text = (home / "authorities/customs.toml").read_text("utf-8")
    other = text.replace('name = "customs"', 'name = "tax"').replace("authorities/customs/", "authorities/tax/")
    (home / "authorities/tax.toml").write_text(other.replace("simulate = true", "simulate = false"), "utf-8")
    homes.take_in(home, "shop", "o.xml", samples.order(1))
    homes.carry(home)
    (guid,) = homes.book(home).conn.execute("SELECT guid FROM message").fetchone()
    whole = {"guid": "1", "returnStatus": "-999999", "returnInfo": "x", "oriCopMsgId": guid}
    for root, unit, told in (("CEB312", "OrderReturn", fields(1, "100")), ("CEB900", "MessageReturn", whole)):
        homes.take_in(home, "tax", f"{root}.xml", writing.receipt(f"{root}Message", "", [(unit, told)]))
    homes.take_in(home, "tax", "rep.xml", reply(guid, "1001"))
    rows = homes.book(home).conn.execute("SELECT spec, state, substr(why, 1, 4) FROM document ORDER BY number")
    assert [tuple(row) for row in rows] == [
        ("CEB311", "sent", None), ("CEB312", "held", "K103"), ("CEB900", "held", "K103"), ("DxpRep", "held", "K103"),
    ]  # fmt: skip


# inventories: their receipts name them by copNo and agentCode

INVENTORY = {"guid": "r", "customsCode": "2910", "ebpCode": samples.SHOP.code, "ebcCode": samples.SHOP.code}


def about(cop: str, status: str, agent: str | None = samples.AGENT.code, second: int = 0) -> dict[str, str]:
    told = INVENTORY | {"copNo": cop, "returnStatus": status, "returnTime": f"202611211700{second:02d}000"}
    return told | {"returnInfo": "ok"} | ({"agentCode": agent} if agent is not None else {})


def inventories(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT version, state, status FROM document WHERE spec = 'CEB621' ORDER BY version")


@pytest.mark.parametrize("agent", [None, "", samples.AGENT.code])
def test_a_receipt_of_a_changed_inventory_is_settled_with_agent_or_without(world: World, agent: str | None) -> None:
    for app_type in "12":
        world.drop("agent", f"{app_type}.xml", samples.message("CEB621", 1, start=1, app_type=app_type))
        world.take_in()
        world.carry()
    said(world, about(samples.trade(1)["copNo"], "800", agent), spec="CEB622", unit="InventoryReturn")
    assert inventories(world) == [(1, "sent", None), (2, "closed", "800")]


def test_a_receipt_of_another_agents_inventory_is_held(world: World) -> None:
    world.drop("agent", "i.xml", samples.message("CEB621", 1, start=1))
    world.take_in()
    world.carry()
    said(world, about(samples.trade(1)["copNo"], "-621018", "440198000X"), spec="CEB622", unit="InventoryReturn")
    assert inventories(world) == [(1, "sent", None)]
    assert world.rows("SELECT substr(why, 1, 11) FROM document WHERE state = 'held'") == [("K103 CEB622",)]


def test_a_receipt_that_could_mean_two_documents_is_held(world: World) -> None:
    world.drop("agent", "i.xml", samples.message("CEB621", 2, start=1))
    world.take_in()
    world.carry()
    # Two workers may have taken them in at one moment.
    world.ledger.conn.execute(
        "UPDATE document SET reply_key = ? WHERE spec = 'CEB621'", (f"SAME|{samples.AGENT.code}",)
    )
    for turn, agent in enumerate((None, samples.AGENT.code)):
        said(world, about("SAME", "800", agent), file=f"{turn}.xml", spec="CEB622", unit="InventoryReturn")
    assert {row[1:] for row in inventories(world)} == {("sent", None)}
    assert world.rows("SELECT count(*) FROM document WHERE why LIKE 'K103%'") == [(2,)]


# what the exchange node says


def reply(guid: str, code: str) -> bytes:
    return (
        f'<dxp:DxpRep xmlns:dxp="http://www.chinaport.gov.cn/dxp" ver="1.0"><dxp:RecevierId>R</dxp:RecevierId>'
        f"<dxp:Response><dxp:ResponseCode>{code}</dxp:ResponseCode><dxp:ResponseInfo>签名无效</dxp:ResponseInfo>"
        f"<dxp:NoticeTime>2026-11-21</dxp:NoticeTime><dxp:OriHead><dxp:CopMsgId>{guid}</dxp:CopMsgId></dxp:OriHead>"
        "</dxp:Response></dxp:DxpRep>"
    ).encode()


def node_says(world: World, file: str, code: str, guid: str = "") -> None:
    ((known,),) = world.rows("SELECT guid FROM message")
    world.drop("customs", file, reply(guid or known, code))
    world.take_in()


def test_what_the_exchange_node_did_not_take_is_held_for_an_operator(world: World) -> None:
    node_says(world, "rep.xml", "1001")
    held = ("held", "K106 DxpRep 1001 签名无效")
    assert world.rows("SELECT state, why FROM document") == [held, held]
    stamp = world.rows("SELECT desk, from_state, to_state, by, reason FROM stamp ORDER BY sequence DESC LIMIT 1")
    assert stamp == [("settle", "sent", "held", "customs", held[1])]
    with Counter(world.home, world.now) as counter:
        list(Verbs(counter, Ruling("asked", "eve")).carry_out("release", Selection()))
    node_says(world, "once more.xml", "1001")
    assert documents(world) == [("sent", None), ("sent", None)]


def test_what_the_exchange_node_did_not_take_is_not_tried_again(tmp_path: Path) -> None:
    world = World(demo_home(tmp_path))
    world.drop("shop", "o.xml", samples.order(1))
    world.take_in()
    node_says(world, "rep.xml", "0002")
    assert (documents(world), world.carry()) == ([("held", None)], [])
    with Counter(world.home, world.now) as counter:
        list(Verbs(counter, Ruling("mended", "eve")).carry_out("release", Selection()))
    assert len(world.carry()) == 1


def test_what_the_exchange_node_took_is_stamped(world: World) -> None:
    node_says(world, "rep.xml", "0000")
    assert documents(world) == [("sent", None), ("sent", None)]
    assert world.rows("SELECT count(*) FROM stamp WHERE reason LIKE 'DxpRep 0000%'") == [(2,)]


def test_what_the_exchange_node_says_of_a_message_nobody_knows_is_held(world: World) -> None:
    node_says(world, "rep.xml", "1001", "nobody's")
    assert documents(world) == [("sent", None), ("sent", None)]
    assert world.rows("SELECT state, why FROM document WHERE version IS NULL") == [("held", "K103 DxpRep nobody's")]


def test_the_same_receipt_again_is_neither_kept_nor_given_twice(world: World) -> None:
    for turn in range(3):
        said(world, fields(1, "120", 1), file=f"{turn}.xml")
    said(world, fields(1, "120", 1), fields(2, "2", 1), file="with another.xml")
    assert len(receipts(world)) == 2
    assert world.rows("SELECT count(*) FROM receipt") == [(2,)]
    assert world.rows("SELECT count(*) FROM stamp WHERE desk = 'settle'") == [(2,)]


def test_a_receipt_of_an_unknown_document_is_held_and_no_partner_reads_it(world: World) -> None:
    said(world, fields(77, "120"))
    assert world.rows("SELECT state, why, partner FROM document WHERE version IS NULL") == [
        ("held", "K103 CEB312 3301961A2B|YX2026000000000077", "customs")
    ]
    assert receipts(world) == []


def test_a_receipt_of_a_document_that_never_left_is_held(world: World) -> None:
    world.drop("shop", "bad.xml", samples.order(9).replace(b"<ceb:discount>5<", b"<ceb:discount>6<"))
    world.take_in()
    said(world, fields(9, "120"))
    assert world.rows("SELECT why FROM document WHERE state = 'held'") == [
        ("K103 CEB312 3301961A2B|YX2026000000000009",)
    ]


@pytest.mark.parametrize("body", ["系统繁忙 <<<".encode(), b"<CEB999Message/>", b"", b"<a></a>", b"\xff\xfe"])
def test_nonsense_is_kept_as_evidence_and_held(world: World, body: bytes) -> None:
    world.drop("customs", "nonsense.xml", body)
    world.take_in()
    world.moment = world.moment.fromtimestamp(world.moment.timestamp() + 60, world.moment.tzinfo)
    world.take_in()
    ((state, why, number),) = world.rows("SELECT state, why, number FROM document WHERE version IS NULL")
    assert (state, why[:4]) == ("held", "K104")
    ((place,),) = world.rows("SELECT evidence FROM interchange WHERE number = ?", number)
    assert world.clerk.store.read(place) == body


def test_an_answer_in_an_envelope_is_given_on_without_it(world: World) -> None:
    from adapters.customs import wrap

    message = writing.receipt(
        "CEB312Message", "G", [("OrderReturn", fields(1, "120")), ("OrderReturn", fields(2, "2"))]
    )
    envelope = wrap(
        message, form="DxpMsg", message_id="M", sender="DXPEDCCEB0000002", receiver="DXPENT0000030001",
        message_type="CEB312Message", created=world.moment,
    )  # fmt: skip
    assert unwrap(envelope, Limits()) is not None
    world.drop("customs", "r.xml", envelope)
    world.take_in()
    ((path, body),) = [(path, world.files()[path]) for path in receipts(world)]
    assert (path.split("/")[0], body) == ("shop", message)


def test_an_answer_about_several_partners_is_divided_among_them(world: World) -> None:
    world.drop("agent", "i.xml", samples.message("CEB621", 1, start=1))
    mine = samples.message("CEB621", 1, start=2, sender=samples.SHOP)
    world.drop("shop", "i.xml", mine)
    world.take_in()
    world.carry()
    unit = {
        "customsCode": "2910", "ebpCode": samples.SHOP.code, "ebcCode": samples.SHOP.code,
        "agentCode": samples.AGENT.code, "returnStatus": "800", "returnTime": "20261121170000000", "returnInfo": "放行",
    }  # fmt: skip
    units = [{"guid": samples.guid("R", n)} | unit | {"copNo": f"KA26{n:014d}"} for n in (1, 2)]
    said(world, *units, spec="CEB622", unit="InventoryReturn")
    read = {
        path.split("/")[0]: [one.text("copNo") for one in open_receipt(body).documents]
        for path, body in world.files().items() if path.endswith(".CEB622.xml")
    }  # fmt: skip
    assert read == {"agent": ["KA2600000000000001"], "shop": ["KA2600000000000002"]}


def test_a_receipt_file_that_was_lost_is_written_again_as_it_was(world: World) -> None:
    said(world, fields(1, "120"), fields(2, "2"))
    (path,) = receipts(world)
    before = world.files()[path]
    (world.home / "spool/partners" / path).unlink()
    world.ledger.conn.execute("UPDATE batch SET let_go_at = NULL")
    world.clerk.let_go_again()
    assert world.files()[path] == before


def lost_receipt(world: World, *units: dict[str, str]) -> tuple[Path, Path]:
    """The answer's evidence, and the receipt in out/ that is to be written again."""
    said(world, *units)
    (path,) = receipts(world)
    ((place,),) = world.rows("SELECT evidence FROM interchange WHERE sender = 'customs'")
    (world.home / "spool/partners" / path).unlink()
    world.ledger.conn.execute("UPDATE batch SET let_go_at = NULL WHERE first IN (SELECT answer FROM receipt)")
    return world.clerk.store.path(place), world.home / "spool/partners" / path


def test_a_lost_receipt_is_written_again_however_long_it_is(world: World) -> None:
    evidence, file = lost_receipt(world, fields(1, "2"), fields(2, "2"))
    # The house's limits allowed it when it came in; built-in ones would not.
    body = evidence.read_bytes().replace(b"<returnInfo>[2]", b"<returnInfo>" + b"x" * 21 * 2**20, 1)
    assert len(body) > Limits().message_bytes
    evidence.write_bytes(body)
    world.clerk.let_go_again()
    assert file.read_bytes() == body


@pytest.mark.parametrize("units", [1, 0])
def test_nothing_is_written_when_evidence_and_ledger_disagree(world: World, units: int) -> None:
    evidence, file = lost_receipt(world, fields(1, "2"), fields(2, "2"))
    fewer = writing.receipt("CEB312Message", "", [("OrderReturn", fields(1, "2"))][:units])
    evidence.write_bytes(fewer if units else b"<a/>")
    with pytest.raises(ReceiptsDisagree):
        part_again(world.home, world.ledger, world.clerk.store, 0, 10**18)
    assert not file.exists()


def test_what_customs_decided_while_a_refused_message_was_held_holds_when_it_is_released(tmp_path: Path) -> None:
    world = World(demo_home(tmp_path))
    world.drop("shop", "a.xml", samples.order(1))
    world.take_in()
    world.carry(lambda one: Carried(one.parcel.number, ok=False, trouble="400", permanent=True))
    said(world, fields(1, "120"))
    assert documents(world) == [("held", "120")]
    with Counter(world.home, world.now) as counter:
        list(Verbs(counter, Ruling("they have it", "eve")).carry_out("release", Selection()))
    assert documents(world) == [("closed", "120")]
    assert world.carry() == []
