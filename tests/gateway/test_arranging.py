"""What came before is not declared again: same bytes, key and version, or idempotency key get the first answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.replaying import Ruling, replay
from gateway.selecting import Selection
from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from gateway.submitting import Counter
from gateway.verbs import Verbs
from tests import samples
from tests.crash.world import World, fields
from tests.homes import demo_home

ONE = samples.order(1)
OTHER = ONE.replace("勿折叠".encode(), "可折叠".encode())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


def take(world: World, **files: bytes) -> dict[str, dict[str, Any]]:
    """The shop's files as one batch; the acknowledgements by file."""
    for name, body in files.items():
        world.drop("shop", name, body)
    return {told["file"]: told for told in world.take_in().values()}


def declared(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT key, version, state FROM document WHERE version IS NOT NULL ORDER BY key, version")


def codes(told: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in told["findings"]]


def names(told: dict[str, Any]) -> list[str]:
    return [document["number"] for document in told["documents"]]


def changed(app_type: str, note: str = "可折叠") -> bytes:
    return samples.message("CEB311", 1, start=1, app_type=app_type).replace("勿折叠".encode(), note.encode())


@pytest.mark.parametrize("together", [True, False])
def test_the_same_bytes_again_get_the_first_answer(world: World, together: bool) -> None:
    told = take(world, a=ONE, b=ONE) if together else {**take(world, a=ONE), **take(world, b=ONE)}
    assert told["b"]["duplicate_of"] == told["a"]["number"]
    assert (told["b"]["documents"], told["b"]["findings"]) == (told["a"]["documents"], told["a"]["findings"])
    assert len(declared(world)) == 1


def test_the_same_bytes_of_another_partner_are_his_own_matter(world: World) -> None:
    take(world, a=ONE)
    world.drop("pay", "a", ONE)
    ((_, told),) = world.take_in().items()
    assert told["duplicate_of"] is None
    assert "P101" in codes(told)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("body", "code"), [(ONE + b"\n", "P301"), (OTHER, "P302")])
def test_the_same_key_again_is_not_declared(world: World, together: bool, body: bytes, code: str) -> None:
    told = take(world, a=ONE, b=body) if together else {**take(world, a=ONE), **take(world, b=body)}
    assert (codes(told["b"]), names(told["b"])) == ([code], names(told["a"]))
    assert told["b"]["duplicate_of"] == (told["a"]["number"] if code == "P301" else None)
    assert len(declared(world)) == 1


def test_of_a_file_with_known_and_new_orders_the_new_go_on(world: World) -> None:
    first = take(world, a=ONE)["a"]
    told = take(world, b=samples.message("CEB311", 3, start=1))["b"]
    assert (told["duplicate_of"], codes(told)) == (None, ["P301"])
    assert sorted(names(told)) == sorted([names(first)[0], f"{told['number']}.2", f"{told['number']}.3"])
    assert [version for _, version, _ in declared(world)] == [1, 1, 1]


def test_the_same_bytes_of_a_file_with_known_and_new_orders_get_all_of_its_answer(world: World) -> None:
    take(world, a=ONE)
    first = take(world, b=samples.message("CEB311", 2, start=1))["b"]
    told = take(world, c=samples.message("CEB311", 2, start=1))["c"]
    assert (told["documents"], told["findings"]) == (first["documents"], first["findings"])


def test_two_copies_at_once_of_a_file_whose_orders_are_known_both_hear_of_the_first(world: World) -> None:
    first = take(world, a=ONE)["a"]
    told = take(world, b=OTHER, c=OTHER)
    assert names(told["b"]) == names(told["c"]) == names(first)


def test_one_order_twice_in_a_message_is_declared_once(world: World) -> None:
    unit = ONE[ONE.index(b"<ceb:Order>") : ONE.index(b"</ceb:Order>") + 12]
    told = take(world, a=ONE.replace(unit, unit + unit))["a"]
    assert codes(told) == ["P301"]
    assert len(declared(world)) == 1


@pytest.mark.parametrize("app_type", ["2", "3"])
def test_a_change_is_a_new_version_and_the_same_change_again_is_not(world: World, app_type: str) -> None:
    take(world, a=ONE)
    take(world, b=changed(app_type))
    told = take(world, c=changed(app_type) + b"\n")["c"]
    assert codes(told) == ["P301"]
    assert [version for _, version, _ in declared(world)] == [1, 2]


def test_changes_of_one_batch_are_versions_in_their_order(world: World) -> None:
    take(world, a=ONE, b=changed("2", "轻放"), c=changed("2", "重放"))
    assert [version for _, version, _ in declared(world)] == [1, 2, 3]


def test_after_a_refusal_by_customs_the_same_bytes_are_declared_again(world: World) -> None:
    take(world, a=ONE)
    world.carry()
    world.answer("r", "CEB312", "OrderReturn", fields(1, "100"))
    world.take_in()
    told = take(world, a=ONE)["a"]
    assert told["duplicate_of"] is None
    assert [(version, state) for _, version, state in declared(world)] == [(1, "refused"), (2, "ready")]


def heard_from_customs(world: World, status: str, second: int) -> None:
    world.carry()
    world.answer(f"r{second}", "CEB312", "OrderReturn", fields(1, status, second))
    world.take_in()


def test_a_refused_change_leaves_what_stood_before_it_standing(world: World) -> None:
    first = take(world, a=ONE)["a"]
    heard_from_customs(world, "120", 1)
    take(world, b=changed("2"))
    heard_from_customs(world, "100", 2)
    told = take(world, c=ONE + b"\n", d=OTHER, e=changed("2", "轻放"))
    assert [codes(told[name]) for name in "cde"] == [["P301"], ["P302"], []]
    assert names(told["c"]) == names(told["d"]) == names(first)
    assert [(version, state) for _, version, state in declared(world)] == [
        (1, "closed"), (2, "refused"), (3, "ready"),
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["2", "100"])
def test_an_older_change_is_never_declared_again_over_a_newer_one(world: World, end: str) -> None:
    take(world, a=ONE)
    older = take(world, b=changed("2", "轻放"))["b"]
    heard_from_customs(world, end, 1)
    newer = take(world, c=changed("2", "重放"))["c"]
    told = take(world, d=changed("2", "轻放") + b"\n")["d"]
    assert (codes(told), names(told)) == ((["P301"], names(older)) if end == "2" else (["P302"], names(newer)))
    with Counter(world.home, world.now) as counter:
        rows = [row for row in [counter.ledger.one("interchange", int(older["number"]))] if row]
        (again,) = replay(counter, rows, Ruling("again", "eve"))
    assert [one["code"] for one in (again.told or {})["findings"]] == codes(told)
    assert [version for _, version, _ in declared(world)] == [1, 2, 3]


def test_a_deletion_frees_the_key_only_when_customs_has_closed_it(world: World) -> None:
    take(world, a=ONE)
    heard_from_customs(world, "120", 1)
    take(world, b=changed("3"))
    told = take(world, c=OTHER, d=ONE)
    assert (codes(told["c"]), told["d"]["duplicate_of"] is None) == (["P302"], False)
    heard_from_customs(world, "120", 2)
    assert codes(take(world, e=OTHER)["e"]) == []
    assert [(version, state) for _, version, state in declared(world)] == [
        (1, "closed"), (2, "closed"), (3, "ready"),
    ]  # fmt: skip


def inventory(number: int, cop: int = 1, **more: Any) -> bytes:
    said, wanted = (samples.trade(n)["copNo"].encode() for n in (number, cop))
    return samples.message("CEB621", 1, start=number, **more).replace(said, wanted)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("sender", ["agent", "shop"])
def test_a_cop_no_that_names_another_document_is_refused(world: World, sender: str, together: bool) -> None:
    world.drop("agent", "a", inventory(1))
    told = [] if together else [*world.take_in().values()]
    world.drop(sender, "b", inventory(2, sender=samples.SHOP if sender == "shop" else None))
    told += world.take_in().values()
    assert sorted((one["documents"][0]["state"], *codes(one)) for one in told) == [("ready",), ("refused", "P308")]
    assert [version for _, version, _ in declared(world)] == [1]


def test_a_cop_no_is_free_for_changes_and_after_a_refusal(world: World) -> None:
    world.drop("agent", "a", inventory(1))
    world.drop("agent", "b", inventory(1, app_type="2"))
    world.take_in()
    assert [(version, state) for _, version, state in declared(world)] == [(1, "ready"), (2, "ready")]
    with Counter(world.home, world.now) as counter:
        list(Verbs(counter, Ruling("no", "eve")).carry_out("refuse", Selection(partner="agent")))
    world.drop("agent", "c", inventory(2))
    ((_, told),) = world.take_in().items()
    assert told["documents"][0]["state"] == "ready"


def test_after_a_refusal_by_us_the_same_bytes_are_refused_again_with_their_reasons(world: World) -> None:
    bad = ONE.replace(b"<ceb:discount>5<", b"<ceb:discount>6<")
    first, again = take(world, a=bad)["a"], take(world, a=bad)["a"]
    assert (first["findings"], again["duplicate_of"]) == (again["findings"], None)
    assert declared(world) == []


def test_of_a_signed_message_with_a_known_order_nothing_goes(world: World) -> None:
    take(world, a=ONE)
    signed = sign_message(samples.message("CEB311", 2, start=1), load_signer(world.home / "keys", "shop"))
    told = take(world, b=signed)["b"]
    assert sorted(codes(told)) == ["P301", "P306"]
    assert [key[-1] for key, *_ in declared(world)] == ["1"]
    assert {"refused", "ready"} == {one["state"] for one in told["documents"]}


def test_a_key_that_another_partner_declared_is_refused(world: World) -> None:
    world.drop("agent", "a", samples.message("CEB621", 1))
    world.take_in()
    told = take(world, b=samples.message("CEB621", 1, sender=samples.SHOP))["b"]
    assert (codes(told), told["documents"][0]["state"]) == (["P303"], "refused")
    assert len(declared(world)) == 1


# the idempotency key


def heard(world: World, body: bytes, once: str | None = "k") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(world.post("shop", body, once) or b"null")
    return told


def test_a_request_repeated_under_its_key_gets_the_first_answer(world: World) -> None:
    first, again = heard(world, ONE), heard(world, ONE)
    assert again["duplicate_of"] == first["number"]
    assert (again["documents"], again["findings"]) == (first["documents"], first["findings"])


def test_a_key_used_for_other_bytes_is_a_conflict_and_takes_nothing_in(world: World) -> None:
    heard(world, ONE)
    assert world.post("shop", OTHER, "k") == b""
    assert world.rows("SELECT count(*) FROM interchange") == [(1,)]


def test_a_key_of_one_partner_is_free_for_another(world: World) -> None:
    heard(world, ONE)
    told = json.loads(world.post("pay", samples.message("CEB411", 1), "k") or b"")
    assert told["documents"][0]["state"] == "ready"


@pytest.mark.parametrize("body", [b"no XML", ONE.replace(b"<ceb:discount>5<", b"<ceb:discount>6<")])
def test_a_refused_request_repeated_under_its_key_hears_the_reasons_again(world: World, body: bytes) -> None:
    first, again = heard(world, body), heard(world, body)
    assert first["findings"]
    assert (again["documents"], again["findings"]) == (first["documents"], first["findings"])


def test_the_answer_to_a_key_that_was_used_for_a_duplicate_is_that_of_the_first(world: World) -> None:
    first = heard(world, ONE, None)
    told = [heard(world, ONE, "k") for _ in range(3)]
    assert {json.dumps(one["documents"]) for one in told} == {json.dumps(first["documents"])}


def test_what_an_operator_refused_after_it_was_carried_stays_declared(tmp_path: Path) -> None:
    from gateway.replaying import Ruling
    from gateway.selecting import Selection
    from gateway.submitting import Counter
    from gateway.verbs import Verbs
    from tests.homes import carry, take_in

    home = demo_home(tmp_path)
    first = take_in(home, "shop", "a.xml", samples.order(1))
    carry(home)
    told = Selection((first["documents"][0]["number"],))
    with Counter(home) as counter:
        list(Verbs(counter, Ruling("a mistake", "li")).carry_out("refuse", told))
    again = take_in(home, "shop", "a.xml", samples.order(1))
    other = take_in(home, "shop", "b.xml", samples.order(1) + b"\n")
    assert again["duplicate_of"] == first["number"]
    assert [one["code"] for one in other["findings"]] == ["P301"]
    assert [one["state"] for one in other["documents"]] == ["refused"]
