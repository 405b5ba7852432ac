"""What is told in parting is told again from the ledger, word for word; and each folder holds what belongs there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.parting import acknowledgement_of, part_again
from message_specs.opening import open_receipt
from tests import samples
from tests.crash.world import World
from tests.homes import demo_home

BAD = b"<ceb:discount>6<"
FILES = {
    "good.xml": samples.message("CEB311", 2, start=1),
    "twin.xml": samples.message("CEB311", 2, start=1),
    "partly.xml": samples.message("CEB311", 3, start=10).replace(b"<ceb:discount>5<", BAD, 1),
    "bad.xml": samples.order(20).replace(b"<ceb:discount>5<", BAD),
    "mixed.xml": samples.message("CEB311", 2, start=2),
    "cut.xml": samples.order(30)[:900],
    "doctype.xml": samples.order(31).replace(b"?>\n", b"?>\n<!DOCTYPE a>\n", 1),
    "订单 1.xml": samples.order(40),
    "other.xml": b"<a></a>",
    "no-xml.xml": b"",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    yield world
    world.close()


def taken(world: World) -> dict[str, dict[str, Any]]:
    for name, body in FILES.items():
        world.drop("shop", name, body)
    first = world.take_in()
    world.moment = world.moment.fromtimestamp(world.moment.timestamp() + 60, world.moment.tzinfo)
    return {told["file"]: told for told in [*first.values(), *world.take_in().values()]}


def test_every_acknowledgement_is_told_again_from_the_ledger_word_for_word(world: World) -> None:
    told = taken(world)
    assert set(told) == set(FILES)
    for row in world.ledger.all("interchanges_between", 0, 10**18):
        assert acknowledgement_of(world.ledger, row).as_facts() == told[row["file"]]


def test_the_folders_hold_what_belongs_there(world: World) -> None:
    told = taken(world)
    acks = {f"out/{name}.{one['number']}.ack.json" for name, one in told.items()}
    forms = {f"out/{told[name]['number']}.CEB900.xml" for name in ("cut.xml", "doctype.xml", "other.xml")}
    refused = {"bad.xml", "cut.xml", "doctype.xml", "other.xml", "no-xml.xml"}
    whys = {f"refused/{name}.why.txt" for name in (*refused, "partly.xml")}
    seen = {path.removeprefix("shop/") for path in world.files()}
    assert seen == acks | forms | whys | {f"refused/{name}" for name in refused}
    for name in refused:
        assert world.files()[f"shop/refused/{name}"] == FILES[name]


def test_what_is_let_go_again_has_the_same_names_and_the_same_bytes(world: World) -> None:
    taken(world)
    before = world.files()
    again = part_again(world.home, world.ledger, world.clerk.store, 0, 10**18)
    shown = {
        str(Path(folder, name).relative_to(world.home / "spool/partners")): (
            body.read_bytes() if isinstance(body, Path) else body
        )
        for folder, name, body in again.files
    }
    assert shown == before


def test_a_reason_is_told_in_chinese_and_english_with_place_and_remedy(world: World) -> None:
    told = taken(world)["bad.xml"]
    (finding,) = told["findings"]
    text = world.files()["shop/refused/bad.xml.why.txt"].decode()
    for part in (told["number"], finding["code"], finding["zh"], finding["en"], finding["path"], finding["hint"]):
        assert part in text


def test_a_file_whose_root_could_be_read_is_answered_in_the_form_of_customs(world: World) -> None:
    told = taken(world)["cut.xml"]
    opened = open_receipt(world.files()[f"shop/out/{told['number']}.CEB900.xml"])
    assert opened.findings == ()
    head = opened.documents[0].head
    assert (head["returnStatus"], head["oriCopMsgId"], head["oriMessageType"]) == (
        "-999999", told["number"], "CEB311Message",
    )  # fmt: skip
    assert head["oriBizMessage"].encode() == FILES["cut.xml"]


def test_a_request_is_answered_on_its_line_and_not_in_a_folder(world: World) -> None:
    for body in (samples.order(1), b"<a></a>"):
        heard = world.post("shop", body)
        assert heard is not None
        assert json.loads(heard)["partner"] == "shop"
    assert [path for path in world.files() if not path.endswith(".CEB900.xml")] == []


@pytest.mark.parametrize("length", [180, 200, 255])
def test_a_file_with_a_long_name_is_answered_under_a_name_that_fits(world: World, length: int) -> None:
    for name, body in (
        (f"{'单' * (length // 3 - 2)}.xml", samples.order(1)),
        (f"{'b' * (length - 4)}.xml", b"<a></a>"),
    ):
        world.drop("shop", name, body)
    world.take_in()
    seen = world.files()
    assert sum(path.endswith(".ack.json") for path in seen) == 2
    assert sum(path.endswith(".why.txt") for path in seen) == 1
    assert [path for path in seen if path.startswith("shop/in/")] == []
    world.close()
    again = World(world.home, moment=world.moment)
    assert again.files() == seen
    assert again.recovered == ()
