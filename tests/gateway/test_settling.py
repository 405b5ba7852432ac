"""A receipt finds its document by key, whatever the order, and takes it where its code says and no further."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from adapters.carriers.carrier import Carried
from gateway.replaying import Ruling
from gateway.selecting import Selection
from gateway.settling import moves
from gateway.submitting import Counter
from gateway.verbs import Verbs
from message_specs.dxp.envelope import unwrap
from message_specs.limits import Limits
from message_specs.opening import open_receipt
from spool.states import MOVES, State
from tests import samples
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
    from message_specs import writing

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
