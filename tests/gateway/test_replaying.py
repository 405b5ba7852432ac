"""A replay judges stored evidence again under a new number; nothing alive is declared twice."""

from pathlib import Path

import pytest

from gateway.replaying import Replayed, Ruling, replay
from gateway.selecting import Selection, interchanges
from gateway.submitting import Counter
from tests import homes, samples

RULING = Ruling("the rule was wrong", "li")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return homes.demo_home(tmp_path)


def again(home: Path, selection: Selection) -> list[Replayed]:
    with Counter(home) as counter:
        return list(replay(counter, interchanges(counter.ledger, selection), RULING))


def told(home: Path, selection: Selection) -> dict[str, object]:
    (one,) = again(home, selection)
    assert one.told is not None
    return one.told


def messages(home: Path) -> int:
    return homes.book(home).conn.execute("SELECT count(*) FROM message").fetchone()[0]


def test_what_is_alive_is_a_duplicate_and_not_declared_again(home: Path) -> None:
    first = homes.take_in(home, "shop", "o.xml", samples.message("CEB311", 2))
    second = told(home, Selection((first["number"],)))
    assert second["duplicate_of"] == first["number"]
    assert second["documents"] == first["documents"]
    assert messages(home) == 1
    row = homes.book(home).one("interchange", int(str(second["number"])))
    assert row is not None
    assert (row["replay_of"], row["door"], row["file"]) == (int(first["number"]), "replay", "o.xml")


def test_what_was_refused_gets_its_chance_under_todays_law(home: Path) -> None:
    partner = home / "partners/shop.toml"
    text = partner.read_text("utf-8")
    partner.write_text(text.replace('"CEB311", ', ""), "utf-8")
    first = homes.take_in(home, "shop", "o.xml", samples.message("CEB311", 2))
    assert {one["state"] for one in first["documents"]} == {"refused"}
    partner.write_text(text, "utf-8")
    second = told(home, Selection(partner="shop"))
    assert [one["state"] for one in second["documents"]] == ["ready", "ready"]  # type: ignore[attr-defined]
    assert messages(home) == 1
    assert homes.carry(home) == 1


def test_the_acknowledgement_of_a_replay_is_a_file_like_the_first(home: Path) -> None:
    first = homes.take_in(home, "shop", "o.xml", samples.order(1))
    second = told(home, Selection((first["number"],)))
    out = sorted(file.name for file in (home / "spool/partners/shop/out").iterdir())
    assert out == [f"o.xml.{first['number']}.ack.json", f"o.xml.{second['number']}.ack.json"]


def test_both_lives_tell_of_the_replay(home: Path) -> None:
    first = homes.take_in(home, "shop", "o.xml", samples.order(1))
    with Counter(home) as counter, counter.ledger.writing() as ledger:
        number = int(first["number"])
        ledger.run("add_next_stamp", number, 1, "x", "operator", "ready", "refused", "li", "wrong", None)
    second = told(home, Selection((first["number"],)))
    stamps = [homes.book(home).all("stamps_of", int(str(one["number"])), 1)[-1] for one in (first, second)]
    assert [(one["desk"], one["from_state"], one["to_state"], one["by"], one["reason"]) for one in stamps] == [
        ("replay", "refused", "refused", "li", f"replayed as {second['number']}: the rule was wrong"),
        ("replay", "ready", "ready", "li", f"replay of {first['number']}: the rule was wrong"),
    ]


def test_an_answer_that_came_too_early_is_settled_by_its_replay(home: Path) -> None:
    fields = {
        "guid": "1", "ebpCode": samples.SHOP.code, "orderNo": samples.trade(1)["orderNo"], "returnStatus": "120",
        "returnTime": "20261121120000000", "returnInfo": "ok",
    }  # fmt: skip
    early = homes.answer(home, "CEB312", "OrderReturn", fields)
    book = homes.book(home)
    assert [row["state"] for row in book.all("documents_of", int(early["number"]))] == ["held"]
    order = homes.take_in(home, "shop", "o.xml", samples.order(1))
    homes.carry(home)
    settled = told(home, Selection((early["number"],)))
    assert [row["state"] for row in book.all("documents_of", int(order["number"]))] == ["closed"]
    assert [row["state"] for row in book.all("documents_of", int(early["number"]))] == ["closed"]
    assert (home / f"spool/partners/shop/out/{settled['number']}.CEB312.xml").exists()
    told(home, Selection((early["number"],)))
    assert len(book.all("receipts_of", int(order["number"]), 1)) == 1


def test_evidence_that_is_gone_is_told_and_the_rest_goes_on(home: Path) -> None:
    for number in (1, 2):
        homes.take_in(home, "shop", f"{number}.xml", samples.order(number))
    lost = homes.book(home).all("interchanges_between", 0, 2**62)[0]
    (home / "spool/store" / lost["evidence"]).unlink()
    results = again(home, Selection(partner="shop"))
    assert {one.row["file"]: bool(one.trouble) for one in results} == {"1.xml": True, "2.xml": False}


def test_what_is_too_big_to_be_read_is_looked_at_where_it_lies(home: Path) -> None:
    first = homes.take_in(home, "shop", "o.xml", samples.order(1))
    settings = home / "kouan.toml"
    text = settings.read_text("utf-8")
    assert "message_bytes" in text
    lines = ["message_bytes = 1000" if "message_bytes =" in line else line for line in text.splitlines()]
    settings.write_text("\n".join(lines), "utf-8")
    second = told(home, Selection((first["number"],)))
    row = homes.book(home).one("interchange", int(str(second["number"])))
    assert row is not None
    assert [one["code"] for one in second["findings"]] == ["S004"]  # type: ignore[attr-defined]
    assert homes.book(home).one("interchange", int(first["number"]))["evidence"] == row["evidence"]  # type: ignore[index]


def test_many_go_in_by_hundreds(home: Path) -> None:
    for number in range(1, 6):
        homes.take_in(home, "shop", f"{number}.xml", samples.order(number))
    results = again(home, Selection(partner="shop"))
    assert [one.told["duplicate_of"] for one in results if one.told] == [str(one.row["number"]) for one in results]
    assert again(home, Selection(partner="shop"))[0].row["number"] == results[0].row["number"]
