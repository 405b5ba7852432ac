"""A table of any length is one interchange: its pieces are written as they are judged, and told as one at its end."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.reading import interchange
from gateway.settling import iso
from gateway.worker import Worker
from spool.interchange import Batch, Claim
from tests.crash.world import World
from tests.gateway.test_tables import take_in, with_maps
from tests.homes import demo_home
from tests.mapping.tables import as_csv, as_xlsx, grid, orders, row

LONG = 1_230


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(with_maps(demo_home(tmp_path), 'maps = ["orders-311"]'))
    yield world
    world.close()


def table(count: int = LONG, **bad: int) -> bytes:
    """A table of so many orders; the one numbered `bad` cannot be declared."""
    return as_csv(row(n, **({"数量": "x"} if n == bad.get("bad") else {})) for n in range(1, count + 1))


def told_in_out(world: World, name: str) -> dict[str, Any]:
    [file] = (world.home / "spool/partners/shop/out").glob(f"{name}.*.ack.json")
    told: dict[str, Any] = json.loads(file.read_bytes())
    return told


def test_a_long_table_is_acknowledged_as_one(world: World) -> None:
    world.drop("shop", "ORDERS.csv", table(bad=1_001))
    ((number, brief),) = take_in(world).items()
    assert (len(brief["documents"]), brief["complete"], brief["documents_so_far"], brief["after"]) == (
        1_000, True, LONG, 1_000,
    )  # fmt: skip
    whole = told_in_out(world, "ORDERS.csv")
    assert list(whole) == [
        "number", "file", "partner", "sha256", "received_at", "duplicate_of", "documents", "findings",
    ]  # fmt: skip
    assert [one["number"] for one in whole["documents"]] == [f"{number}.{n}" for n in range(1, LONG + 1)]
    assert whole["documents"][:1_000] == brief["documents"]
    assert [one["number"] for one in whole["documents"] if one["state"] != "ready"] == [f"{number}.1001"]
    assert [(one["code"], one["document"]) for one in whole["findings"]] == [("M030", 1_001)]
    why = (world.home / "spool/partners/shop/refused/ORDERS.csv.why.txt").read_text("utf-8")
    assert f"单证 Documents: {LONG}，退回 refused: 1\n" in why
    assert f"({number}.1001)" in why
    assert "[M030]" in why
    second = interchange(world.ledger, number, "shop", 1_000)
    assert second is not None
    assert second["documents"] == whole["documents"][1_000:]
    assert (second["findings"], second["after"]) == (whole["findings"], None)


def test_a_long_table_sent_again_is_a_duplicate_with_the_first_answer(world: World) -> None:
    world.drop("shop", "a.csv", table())
    [first] = take_in(world).values()
    world.drop("shop", "b.csv", table())
    [again] = take_in(world).values()
    assert (again["duplicate_of"], again["documents"]) == (first["number"], first["documents"])
    assert world.rows("SELECT count(*), max(version) FROM document") == [(LONG, 1)]
    assert world.rows("SELECT first FROM batch WHERE let_go_at IS NULL") == []


def test_what_a_long_table_repeats_of_earlier_tables_is_listed_under_its_first_number(world: World) -> None:
    world.drop("shop", "a.csv", table(600))
    [first] = take_in(world).values()
    world.drop("shop", "b.csv", as_csv(row(n) for n in range(590, 1_200)))
    take_in(world)
    told = told_in_out(world, "b.csv")
    assert [one["number"] for one in told["documents"]][:12] == [
        *(f"{first['number']}.{n}" for n in range(590, 601)), f"{told['number']}.12",
    ]  # fmt: skip
    assert [one["code"] for one in told["findings"]] == ["P302"] * 11


def test_of_all_or_nothing_nothing_goes_for_one_bad_order_at_the_end(tmp_path: Path) -> None:
    home = with_maps(demo_home(tmp_path), 'maps = ["orders-311"]')
    file = home / "partners/shop.toml"
    file.write_text(file.read_text("utf-8").replace("all_or_nothing = false", "all_or_nothing = true"), "utf-8")
    world = World(home)
    world.drop("shop", "ORDERS.csv", table(bad=LONG))
    take_in(world)
    told = told_in_out(world, "ORDERS.csv")
    assert {one["state"] for one in told["documents"]} == {"refused"}
    assert {one["code"] for one in told["findings"]} == {"M030", "P305"}
    assert world.carry() == []
    assert (home / "spool/partners/shop/refused/ORDERS.csv").read_bytes() == table(bad=LONG)
    world.drop("shop", "GOOD.csv", table())
    take_in(world)
    assert {one["state"] for one in told_in_out(world, "GOOD.csv")["documents"]} == {"ready"}
    world.close()


def test_a_table_of_more_documents_than_the_limit_is_refused_before_anything_is_declared(tmp_path: Path) -> None:
    home = with_maps(demo_home(tmp_path), 'maps = ["orders-311"]')
    file = home / "kouan.toml"
    file.write_text(file.read_text("utf-8").replace("table_documents = 500_000", "table_documents = 600"), "utf-8")
    world = World(home)
    world.drop("shop", "ORDERS.csv", table(601))
    [told] = take_in(world).values()
    assert (told["documents"], [one["code"] for one in told["findings"]]) == ([], ["M027"])
    world.close()


@pytest.mark.parametrize("name", ["ORDERS.csv", "ORDERS.xlsx"])
def test_a_table_longer_than_its_kind_may_be_is_never_read(tmp_path: Path, name: str) -> None:
    home = with_maps(demo_home(tmp_path), 'maps = ["orders-311"]')
    file = home / "kouan.toml"
    text = re.sub(r"^(table|workbook)_bytes = .*$", r"\1_bytes = 5000", file.read_text("utf-8"), flags=re.MULTILINE)
    file.write_text(text, "utf-8")
    world = World(home)
    world.drop("shop", name, as_xlsx({"订单": grid(orders(50))}) if name.endswith("x") else table(50))
    [told] = take_in(world).values()
    assert (told["documents"], [one["code"] for one in told["findings"]]) == ([], ["S004"])
    world.close()


def test_a_held_order_of_a_long_table_goes_on_alone(world: World) -> None:
    world.drop("shop", "ORDERS.csv", table())
    ((number, _),) = take_in(world).items()
    at = iso(world.now())
    with world.ledger.writing() as ledger:
        for ordinal in (3, 777):
            ledger.run("add_next_stamp", number, ordinal, at, "test", "ready", "held", "li", "look", None)
            ledger.run("add_next_stamp", number, ordinal, at, "test", "held", "checked", "li", "go", None)
            ledger.run("take_out", at, "go", number, ordinal)
    assert world.go_on() == 2
    [names] = world.rows("SELECT documents FROM message ORDER BY number DESC LIMIT 1")
    assert names == (f"{number}.3 {number}.777",)
    assert world.rows("SELECT state, due_at FROM document WHERE ordinal IN (3, 777)") == [("ready", None)] * 2


def test_the_book_lets_a_table_grow_only_by_its_next_part(world: World) -> None:
    world.drop("shop", "a.csv", table(600))
    ((number, _),) = take_in(world).items()
    law = b"x" * 32
    for part, documents in ((4, 700), (3, 500), (3, 700)):
        with pytest.raises(sqlite3.IntegrityError, match="does not follow"), world.ledger.writing() as ledger:
            ledger.run("add_part", number, part, documents, 0, law, 0, None)
    document = (number, 601, "CEB311", None, None, "shop", None, None, None, None, None, None, None)
    with pytest.raises(sqlite3.IntegrityError, match="comes with its part"), world.ledger.writing() as ledger:
        ledger.run("add_document", *document)
    for statement in ("UPDATE part SET documents = 9", "DELETE FROM part"):
        with pytest.raises(sqlite3.IntegrityError, match="a part is never"):
            world.ledger.conn.execute(statement)


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(with_maps(demo_home(tmp_path), 'maps = ["orders-311"]'), 0)


def claimed(worker: Worker, name: str, body: bytes, number: int) -> Claim:
    path = worker._home / "spool/partners/shop/in" / name
    path.write_bytes(body)
    return Claim(number, "shop", "folder", name, str(path))


NUMBER = 261121120000000001


def test_a_worker_does_a_piece_a_job_and_the_messages_beside_a_long_table_do_not_wait(worker: Worker) -> None:
    claims = (claimed(worker, "a.csv", table(), NUMBER), claimed(worker, "b.csv", as_csv(orders(1)), NUMBER + 1))
    answer = worker.take_in(Batch(NUMBER, NUMBER + 1, NUMBER, claims))
    assert (set(answer.answers), answer.trouble) == ({NUMBER, NUMBER + 1}, "")
    assert json.loads(answer.answers[NUMBER])["documents_so_far"] == 500
    single = Batch(NUMBER, NUMBER, NUMBER, claims[:1])
    seen = []
    while worker._clerk.is_unfinished(NUMBER):
        answer = worker.go_on(single)
        seen.append(json.loads(answer.answers[NUMBER])["documents_so_far"])
    assert seen == [1_000, LONG]
    assert len(list((worker._home / "spool/partners/shop/out").glob("a.csv.*.ack.json"))) == 1


def test_another_worker_goes_on_where_the_first_one_died(worker: Worker, tmp_path: Path) -> None:
    single = Batch(NUMBER, NUMBER, NUMBER, (claimed(worker, "a.csv", table(), NUMBER),))
    worker.take_in(single)
    worker.go_on(single)
    other = Worker(worker._home, 1)
    while other._clerk.is_unfinished(NUMBER):
        other.go_on(single)
    told = worker._ledger.conn.execute("SELECT count(*), count(DISTINCT key) FROM document").fetchone()
    assert tuple(told) == (LONG, LONG)


def test_a_long_table_that_cannot_go_on_ends_held_and_told(worker: Worker) -> None:
    single = Batch(NUMBER, NUMBER, NUMBER, (claimed(worker, "a.csv", table(), NUMBER),))
    worker.take_in(single)
    answer = worker.hold(single)
    told = json.loads(answer.answers[NUMBER])
    assert (told["complete"], told["documents"][-1]["state"], told["documents"][-1]["number"]) == (
        True, "held", f"{NUMBER}.501",
    )  # fmt: skip
    assert [one["code"] for one in told["findings"]] == ["K105"]
    assert not worker._clerk.is_unfinished(NUMBER)
