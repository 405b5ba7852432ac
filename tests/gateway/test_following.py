"""What an authority says by a number of its own finds the document that was given it, whichever comes first."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from gateway.following import PATIENCE
from gateway.reading import documents as lives
from gateway.receipts import formed
from gateway.replaying import Ruling, replay
from gateway.selecting import Selection
from gateway.submitting import Counter
from gateway.verbs import Verbs
from message_specs.opening import open_message, open_receipt
from tests import samples
from tests.crash.world import PowerCut, Stop, World
from tests.homes import demo_home
from tests.message_specs.test_samples import SAMPLES

INVT = "29102026I000000001"
OTHER = "29102026I000000002"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(demo_home(tmp_path))
    world.drop("agent", "i.xml", samples.message("CEB621", 2, start=1))
    world.take_in()
    world.carry()
    yield world
    world.close()


def released(trade: int, number: str = INVT) -> tuple[str, str, dict[str, str]]:
    unit = {
        "guid": samples.guid("R", trade), "customsCode": "2910", "ebpCode": samples.SHOP.code,
        "ebcCode": samples.SHOP.code, "agentCode": samples.AGENT.code, "copNo": samples.trade(trade)["copNo"],
        "preNo": f"B20261121{trade:09d}", "invtNo": number, "returnStatus": "800",
        "returnTime": "20261121170000000", "returnInfo": "[Code:2600;Desc:放行]",
    }  # fmt: skip
    return "CEB622", "InventoryReturn", unit


def bill(number: str = INVT, serial: int = 1) -> tuple[str, str, dict[str, Any]]:
    head = {
        "guid": samples.guid("T", serial), "returnTime": "20261121170100000", "invtNo": number,
        "taxNo": f"{number}_{serial}", "customsTax": "0", "valueAddedTax": "9.10", "consumptionTax": "0",
        "status": "1", "note": "",
    }  # fmt: skip
    line = {"gnum": "1", "gcode": "1901101090", "taxPrice": "100", "customsTax": "0", "valueAddedTax": "9.10"}
    return "CEB816", "Tax", {"TaxHeadRd": head, "TaxListRd": line}


def void(number: str = INVT, serial: int = 1) -> tuple[str, str, dict[str, Any]]:
    head = {
        "guid": samples.guid("U", serial), "returnTime": "20261121180000000", "invtNo": number,
        "taxNo": f"{number}_{serial}", "status": "3",
    }  # fmt: skip
    return "CEB818", "Tax", {"TaxHeadStatus": head}


def application(cop: str, *parts: int, of: int = 1) -> bytes:
    """An application of several parts, each a document with its own number."""
    body = (SAMPLES / "good/CEB701.xml").read_bytes()
    start, end = body.index(b"<ceb:SummaryApply>"), body.index(b"</ceb:SummaryApply>") + len("</ceb:SummaryApply>")
    units = []
    for part in parts:
        unit = body[start:end]
        for name, text in {"copNo": cop, "msgCount": of, "msgSeqNo": part}.items():
            unit = re.sub(rf"<ceb:{name}>[^<]*<".encode(), f"<ceb:{name}>{text}<".encode(), unit)
        units.append(unit)
    return body[:start] + b"".join(units) + body[end:]


def examined(cop: str, part: int, number: str) -> tuple[str, str, dict[str, Any]]:
    head = open_message(application(cop, part)).documents[0].head
    unit = {
        "guid": samples.guid("S", part), "agentCode": head["agentCode"], "ebcCode": head["ebcCode"], "copNo": cop,
        "preNo": f"S20261121{part:09d}", "sumNo": number, "msgSeqNo": str(part), "returnStatus": "399",
        "returnTime": "20261121170000000", "returnInfo": "审结",
    }  # fmt: skip
    return "CEB702", "SummaryReturn", unit


def result(number: str, group: str, state: str) -> tuple[str, str, dict[str, Any]]:
    head = {
        "guid": samples.guid("V", 1), "sumNo": number, "opDate": "20261121190000000", "declSeqNo": group,
        "decState": state, "msgSeqNo": "1", "msgCount": "1",
    }  # fmt: skip
    return "CEB792", "SummaryResult", {"SummaryResultHead": head}


def says(world: World, file: str, spec: str, unit: str, *units: dict[str, Any]) -> None:
    world.answer(file, spec, unit, *units)
    world.take_in()


def receipts(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT partner, ordinal, spec, status, info FROM receipt ORDER BY said_at, spec, info")


def stands(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT ordinal, state, status FROM document WHERE version IS NOT NULL ORDER BY ordinal")


def waiting(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT spec, state, why FROM document WHERE version IS NULL ORDER BY number, ordinal")


def files(world: World, spec: str) -> list[str]:
    return sorted(path.split("/")[0] for path in world.files() if path.endswith(f".{spec}.xml"))


TOLD = [
    ("agent", 1, "CEB622", "800", "[Code:2600;Desc:放行]"),
    ("agent", 1, "CEB816", "1", f"{INVT}_1"),
    ("agent", 1, "CEB818", "3", f"{INVT}_1"),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_bill_and_status_find_the_inventory_in_any_order_of_arrival(world: World, order: tuple[int, ...]) -> None:
    answers = [released(1), bill(), void()]
    for turn in order:
        says(world, f"{turn}.xml", *answers[turn])
    assert receipts(world) == TOLD
    assert stands(world) == [(1, "closed", "800"), (2, "sent", None)]
    assert {row[1] for row in waiting(world)} <= {"closed"}
    assert [files(world, spec) for spec in ("CEB622", "CEB816", "CEB818")] == [["agent"]] * 3


def test_all_three_in_one_batch_settle_too(world: World) -> None:
    for file, (spec, unit, told) in {"1.xml": void(), "2.xml": bill(), "3.xml": released(1)}.items():
        world.answer(file, spec, unit, told)
    world.take_in()
    assert receipts(world) == TOLD


def test_what_waited_reads_as_customs_wrote_it(world: World) -> None:
    spec, unit, told = bill()
    says(world, "bill.xml", spec, unit, told, bill(OTHER)[2])
    ((number,),) = world.rows("SELECT DISTINCT number FROM document WHERE spec = 'CEB816'")
    says(world, "r.xml", *released(1))
    body = world.files()[f"agent/out/{number}.1.CEB816.xml"]
    assert [one.text("TaxHeadRd/taxNo") for one in open_receipt(body).documents] == [f"{INVT}_1"]
    assert waiting(world) == [("CEB816", "closed", None), ("CEB816", "received", f"K109 CEB816 invtNo {OTHER}")]


def test_two_bills_of_one_inventory_are_two(world: World) -> None:
    says(world, "r.xml", *released(1))
    for serial in (1, 2, 2):
        says(world, f"{serial}{len(receipts(world))}.xml", *bill(serial=serial))
    assert receipts(world) == [*TOLD[:2], ("agent", 1, "CEB816", "1", f"{INVT}_2")]


def test_a_number_claimed_for_two_documents_says_nothing(world: World) -> None:
    says(world, "1.xml", *released(1))
    says(world, "2.xml", *released(2))
    says(world, "bill.xml", *bill())
    assert stands(world) == [(1, "closed", "800"), (2, "closed", "800")]
    assert waiting(world) == [("CEB816", "held", f"K110 invtNo {INVT}")]
    assert files(world, "CEB816") == []


def test_after_a_day_an_operator_is_asked_and_it_settles_all_the_same(world: World) -> None:
    says(world, "bill.xml", *bill())
    world.moment += PATIENCE - timedelta(minutes=1)
    assert world.go_on() == 0
    world.moment += timedelta(minutes=1)
    assert world.go_on() == 1
    assert waiting(world) == [("CEB816", "held", f"K103 CEB816 {INVT}")]
    says(world, "r.xml", *released(1))
    assert receipts(world) == TOLD[:2]
    assert waiting(world) == [("CEB816", "closed", None)]
    assert world.rows(
        "SELECT from_state, to_state FROM stamp JOIN document USING (number, ordinal) WHERE version IS NULL"
        " ORDER BY sequence"
    ) == [("", "received"), ("received", "held"), ("held", "received"), ("received", "closed")]  # fmt: skip


def test_what_an_operator_put_aside_does_not_settle(world: World) -> None:
    says(world, "bill.xml", *bill())
    with Counter(world.home, world.now) as counter:
        ((number,),) = world.rows("SELECT number FROM document WHERE version IS NULL")
        list(Verbs(counter, Ruling("theirs", "eve")).carry_out("refuse", Selection((f"{number}.1",))))
    says(world, "r.xml", *released(1))
    assert receipts(world) == TOLD[:1]
    assert waiting(world) == [("CEB816", "refused", "theirs")]


def test_a_replay_of_what_waits_settles_once(world: World) -> None:
    says(world, "bill.xml", *bill())
    ((number,),) = world.rows("SELECT number FROM document WHERE version IS NULL")
    with Counter(world.home, world.now) as counter:
        row = world.ledger.one("interchange", number)
        assert row is not None
        list(replay(counter, [row], Ruling("again", "eve")))
    says(world, "r.xml", *released(1))
    assert receipts(world) == TOLD[:2]
    assert waiting(world) == [("CEB816", "closed", None)] * 2


@pytest.mark.parametrize("step", ["synced", "written", "let go"])
def test_a_crash_while_the_number_comes_loses_no_receipt_that_waited(world: World, step: str) -> None:
    says(world, "bill.xml", *bill())
    world.clerk._pulse = Stop(step)
    with pytest.raises(PowerCut):
        says(world, "r.xml", *released(1))
    world.close()
    again = World(world.home, moment=world.moment)
    again.take_in()
    assert receipts(again) == TOLD[:2]
    assert files(again, "CEB816") == ["agent"]
    again.close()


def test_the_inventory_is_found_by_the_number_it_was_given(world: World) -> None:
    says(world, "r.xml", *released(1))
    found = [(one["spec"], one["number"].partition(".")[2]) for one in lives(world.ledger, INVT)]
    assert found == [("CEB621", "1")]


SUM = "2910202600000000001"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (0, 2, 3, 1)])
def test_an_aggregate_answer_is_said_of_every_part_of_its_application(tmp_path: Path, order: tuple[int, ...]) -> None:
    world = World(demo_home(tmp_path))
    world.drop("agent", "a.xml", application("HZ1", 1, 2, of=2))
    world.drop("agent", "b.xml", application("HZ2", 1))
    assert {document["state"] for told in world.take_in().values() for document in told["documents"]} == {"ready"}
    world.carry()
    answers = [examined("HZ1", 1, SUM), examined("HZ1", 2, SUM), result(SUM, "1", "A"), result(SUM, "2", "A")]
    for turn in order:
        says(world, f"{turn}.xml", *answers[turn])
    told = world.rows("SELECT key, spec, status, info FROM receipt WHERE spec = 'CEB792' ORDER BY key, info")
    assert [row[1:] for row in told] == [("CEB792", "A", "1 1"), ("CEB792", "A", "2 1")] * 2
    assert [key.split("|")[1:] for key, *_ in told] == [["1", "HZ1"]] * 2 + [["2", "HZ1"]] * 2
    assert set(files(world, "CEB792")) == {"agent"}
    assert world.rows("SELECT state, count(*) FROM document WHERE spec = 'CEB701' GROUP BY state") == [
        ("closed", 2), ("sent", 1),
    ]  # fmt: skip
    world.close()


@pytest.mark.parametrize("sample", ["CEB816", "CEB818_void", "CEB792_202205"])
def test_a_table_of_what_came_unasked_tells_what_its_status_means(sample: str) -> None:
    name, body = formed("1.xml", (SAMPLES / f"good/{sample}.xml").read_bytes(), "csv")
    headings, *rows = (line.split(",") for line in body.decode("utf-8-sig").splitlines())
    assert (name, headings[-2:]) == ("1.csv", ["回执含义", "结果"])
    assert rows
    assert all(row[-2] and row[-1] == "处理中" for row in rows)
