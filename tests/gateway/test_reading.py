"""Reading: what waits, and one life from the partner's file to the last receipt, by any of its names."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import reading
from gateway.cli import symptoms
from gateway.config import load_house
from gateway.replaying import Ruling
from gateway.selecting import Selection
from gateway.submitting import Counter
from gateway.verbs import Verbs
from tests import homes, samples

NOTHING: dict[str, list[Any]] = {"outbox": [], "documents": [], "unanswered": [], "causes": []}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return homes.demo_home(tmp_path)


def hold(home: Path, verb: str, number: str) -> None:
    with Counter(home) as counter:
        list(Verbs(counter, Ruling("wait", "li")).carry_out(verb, Selection((number,))))


def waits(home: Path, at: datetime | None = None, *, held: bool = True) -> dict[str, Any]:
    return reading.queue(homes.book(home), now=at or homes.now(), held=held)


def lives(home: Path, text: str) -> list[dict[str, Any]]:
    return list(reading.found(homes.book(home), text))


def receipt(status: str) -> dict[str, str]:
    return {
        "guid": "1", "ebpCode": samples.SHOP.code, "orderNo": samples.trade(1)["orderNo"], "returnStatus": status,
        "returnTime": f"2026112112000{len(status)}000", "returnInfo": "ok",
    }  # fmt: skip


def test_every_name_of_a_life_finds_it(home: Path) -> None:
    told = homes.take_in(home, "shop", "o.xml", samples.message("CEB311", 2))
    (message,) = {life["message"]["number"] for life in lives(home, told["number"])}
    first = told["documents"][0]
    numbers = [one["number"] for one in told["documents"]]
    for name, expected in (
        (told["number"], numbers),
        (message, numbers),
        (first["number"], numbers[:1]),
        (first["key"], numbers[:1]),
        (first["key"].rpartition("|")[2], numbers[:1]),
        ("nothing", []),
        (f"{told['number']}.9", []),
    ):
        assert [life["number"] for life in lives(home, name)] == expected


def test_a_life_is_told_from_the_file_to_the_last_receipt(home: Path) -> None:
    told = homes.take_in(home, "shop", "o.xml", samples.order(1))
    homes.carry(home)
    for status in ("2", "120"):
        homes.answer(home, "CEB312", "OrderReturn", receipt(status))
    (life,) = lives(home, told["number"])
    assert [(one["desk"], one["from"], one["to"]) for one in life["stamps"]] == [
        ("door", "", "received"),
        ("check", "received", "checked"),
        ("seal", "checked", "ready"),
        ("dispatch", "ready", "sent"),
        ("settle", "sent", "sent"),
        ("settle", "sent", "closed"),
    ]
    assert [(one["status"], one["outcome"], bool(one["zh"])) for one in life["receipts"]] == [
        ("2", "interim", True),
        ("120", "final", True),
    ]
    assert (life["file"], life["state"], life["message"]["outbox"][0]["state"]) == ("o.xml", "closed", "gone")


def test_what_was_refused_whole_is_told_with_its_findings(home: Path) -> None:
    told = homes.take_in(home, "shop", "x.xml", b"nonsense")
    (arrival,) = lives(home, told["number"])
    assert (arrival["number"], arrival["documents"]) == (told["number"], [])
    assert [one["code"][0] for one in arrival["findings"]] == ["S"]


def test_a_duplicate_and_an_answer_are_told_themselves(home: Path) -> None:
    first = homes.take_in(home, "shop", "o.xml", samples.order(1))
    homes.carry(home)
    second = homes.take_in(home, "shop", "o.xml", samples.order(1))
    (duplicate,) = lives(home, second["number"])
    assert (duplicate["duplicate_of"], duplicate["documents"][0]["state"]) == (first["number"], "sent")
    answer = homes.answer(home, "CEB312", "OrderReturn", receipt("120"))
    (told,) = lives(home, answer["number"])
    assert [one["number"] for one in told["receipts"]] == [f"{first['number']}.1"]


def test_the_evidence_is_found_as_it_came_and_as_it_left(home: Path) -> None:
    told = homes.take_in(home, "shop", "o.xml", samples.message("CEB311", 2))
    store = home / "spool/store"
    (came,) = reading.evidence_of(homes.book(home), told["number"])
    (left,) = reading.evidence_of(homes.book(home), told["number"], sent=True)
    assert (store / came).read_bytes() == samples.message("CEB311", 2)
    assert b"DxpMsg" in (store / left).read_bytes()
    bad = homes.take_in(home, "shop", "x.xml", b"nonsense")
    assert reading.evidence_of(homes.book(home), bad["number"], sent=True) == []


def test_the_queue_tells_what_waits_and_what_is_held(home: Path) -> None:
    assert waits(home) == NOTHING
    told = homes.take_in(home, "shop", "o.xml", samples.message("CEB311", 2))
    homes.take_in(home, "pay", "p.xml", samples.message("CEB411", 1))
    hold(home, "hold", f"{told['number']}.1")
    told_of = waits(home)
    assert [(row["destination"], row["partner"], row["state"], row["messages"]) for row in told_of["outbox"]] == [
        ("customs", "shop", "held", 1),
        ("customs", "pay", "waiting", 1),
    ]
    assert told_of["outbox"][0]["trouble"] == "held by li: wait"
    assert [(row["state"], row["partner"], row["why"], row["documents"]) for row in told_of["documents"]] == [
        ("held", "shop", "wait", 1)
    ]
    going = waits(home, held=False)
    assert [row["partner"] for row in going["outbox"]] == ["pay"]
    assert going["documents"] == []


def test_a_message_that_is_void_waits_no_more(home: Path) -> None:
    told = homes.take_in(home, "shop", "o.xml", samples.order(1))
    hold(home, "refuse", told["number"])
    assert waits(home) == NOTHING


def test_what_the_authority_has_had_for_a_day_without_a_word_is_counted(home: Path) -> None:
    told = homes.take_in(home, "shop", "o.xml", samples.message("CEB311", 2))
    homes.carry(home)
    (soon, late) = (homes.now() + timedelta(hours=hours) for hours in (23, 25))
    assert waits(home, soon)["unanswered"] == []
    assert [one.status for one in symptoms.unanswered(load_house(home), soon)] == ["ok"]
    (row,) = waits(home, late)["unanswered"]
    assert {name: row[name] for name in ("authority", "partner", "documents", "oldest_number", "hours")} == {
        "authority": "customs", "partner": "shop", "documents": 2, "oldest_number": told["number"], "hours": 24,
    }  # fmt: skip
    assert waits(home, late, held=False)["unanswered"] == []
    (symptom,) = symptoms.unanswered(load_house(home), late)
    assert (symptom.name, symptom.status, symptom.seen[:27]) == (
        "receipts of customs", "warning", "2 documents of shop sent, n",
    )  # fmt: skip
    homes.answer(home, "CEB312", "OrderReturn", receipt("2"))
    assert [row["documents"] for row in waits(home, late)["unanswered"]] == [1]


def test_single_documents_that_wait_are_listed(home: Path) -> None:
    told = homes.take_in(home, "shop", "o.xml", samples.message("CEB311", 3))
    hold(home, "hold", told["number"])
    rows = list(reading.waiting(homes.book(home)))
    assert [(row["number"], row["key"], row["state"], row["why"]) for row in rows] == [
        (one["number"], one["key"], "held", "wait") for one in told["documents"]
    ]
    assert len(list(reading.waiting(homes.book(home), limit=2))) == 2
    assert list(reading.waiting(homes.book(home), held=False)) == []
