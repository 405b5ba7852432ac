"""A worker outlives every trouble: what is in the ledger is answered from it, and no innocent file is held."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.config import load_house
from gateway.frames import Answer, Job
from gateway.in_force import in_force, nothing_in_force, put_in_force
from gateway.worker import Worker
from message_specs import writing
from spool import aside
from spool.interchange import Batch, Claim
from tests import samples
from tests.homes import carry, demo_home, take_in

FIRST = 261121204432000000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return demo_home(tmp_path)


class Cut(BaseException):
    """The process ends here, as far as the ledger can tell"""


def fails_at(step: str, trouble: BaseException) -> Callable[[str], None]:
    """A pulse that fails each time a step comes by."""

    def pulse(now_at: str) -> None:
        if now_at == step:
            raise trouble

    return pulse


def dropped(home: Path, *orders: int) -> tuple[Claim, ...]:
    folder = home / "spool/partners/shop/in"
    for order in orders:
        (folder / f"{order}.xml").write_bytes(samples.order(order))
    return tuple(
        Claim(FIRST + order, "shop", "folder", f"{order}.xml", str(folder / f"{order}.xml")) for order in orders
    )


def posted(order: int, body: bytes, once: str = "K") -> Claim:
    return Claim(FIRST + order, "shop", "http", "x.xml", body=body, once=once)


def batch(*claims: Claim) -> Batch:
    return Batch(claims[0].number, claims[-1].number, FIRST, claims)


def states(answer: Answer) -> list[str]:
    return [json.loads(body)["documents"][0]["state"] for _, body in sorted(answer.answers.items())]


def acks(home: Path) -> list[str]:
    names = os.listdir(home / "spool/partners/shop/out")
    return sorted(name.split(".")[0] for name in names if name.endswith(".ack.json"))


def rows(worker: Worker, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in worker._ledger.conn.execute(sql)]


OPEN = "SELECT first FROM batch WHERE let_go_at IS NULL ORDER BY first"


# letting go


def test_what_cannot_be_let_go_is_told_and_let_go_when_it_can(home: Path) -> None:
    worker, out = Worker(home, 0), home / "spool/partners/shop/out"
    out.rename(out.with_name("away"))
    told = worker.do(Job(1, "take_in", batch(*dropped(home, 1))))
    assert (told.trouble, states(told), len(told.untold)) == ("", ["ready"], 1)
    assert "out" in told.untold[0]
    late = worker.do(Job(2, "let_go_late", Batch(0, 0, FIRST + 9, ())))
    assert (len(late.untold), rows(worker, OPEN)) == (1, [(FIRST + 1,)])
    out.with_name("away").rename(out)
    assert worker.do(Job(3, "let_go_late", Batch(0, 0, FIRST + 9, ()))).untold == ()
    assert (acks(home), rows(worker, OPEN)) == (["1"], [])


def test_while_one_partners_folder_is_away_what_another_has_fetched_does_not_come_again(home: Path) -> None:
    worker, out = Worker(home, 0), home / "spool/partners/pay/out"
    out.rename(out.with_name("away"))
    (home / "spool/partners/pay/in/p.xml").write_bytes(samples.message("CEB411", 1))
    claims = (*dropped(home, 1), Claim(FIRST + 2, "pay", "folder", "p.xml", f"{home}/spool/partners/pay/in/p.xml"))
    worker.do(Job(1, "take_in", batch(*claims)))
    assert acks(home) == ["1"]
    for name in os.listdir(home / "spool/partners/shop/out"):
        (home / "spool/partners/shop/out" / name).unlink()
    worker.do(Job(2, "let_go_late", Batch(0, 0, FIRST + 9, ())))
    assert os.listdir(home / "spool/partners/shop/out") == []


def test_a_batch_that_is_still_in_flight_is_left_alone(home: Path) -> None:
    worker, out = Worker(home, 0), home / "spool/partners/shop/out"
    out.rename(out.with_name("away"))
    worker.do(Job(1, "take_in", batch(*dropped(home, 1))))
    out.with_name("away").rename(out)
    assert worker.do(Job(2, "let_go_late", Batch(0, 0, FIRST + 1, ()))) == Answer()
    assert rows(worker, OPEN) == [(FIRST + 1,)]


def test_one_batch_that_cannot_be_let_go_keeps_no_other_from_leaving(home: Path) -> None:
    take_in(home, "shop", "o.xml", samples.order(1))
    carry(home)
    receipt = writing.receipt("CEB312Message", "", [("OrderReturn", {
        "guid": samples.guid("R", 1), "ebpCode": samples.SHOP.code, "ebcCode": samples.SHOP.code,
        "orderNo": samples.trade(1)["orderNo"], "returnStatus": "2", "returnTime": "20261121090000000",
        "returnInfo": "x",
    })])  # fmt: skip
    cut = Worker(home, 0, fails_at("written", Cut()))
    answer = Claim(FIRST + 1, "customs", "folder", "r.xml", body=receipt)
    for one in (batch(answer), batch(*dropped(home, 2))):
        with pytest.raises(Cut):
            cut.take_in(one)
    ((place,),) = rows(cut, "SELECT evidence FROM interchange WHERE sender = 'customs'")
    (home / "spool/store" / place).unlink()
    worker = Worker(home, 1)
    told = worker.do(Job(1, "let_go_again"))
    assert (told.trouble, [one.split(":")[0] for one in told.untold]) == ("", [str(FIRST + 1)])
    assert ("2" in acks(home), rows(worker, OPEN)) == (True, [(FIRST + 1,)])


def test_open_batches_are_let_go_by_fifties(home: Path) -> None:
    cut = Worker(home, 0, fails_at("written", Cut()))
    for order in range(1, 61):
        with pytest.raises(Cut):
            cut.take_in(batch(*dropped(home, order)))
    worker = Worker(home, 1)
    first = worker.do(Job(1, "let_go_again"))
    assert (first.count, len(acks(home))) == (FIRST + 50, 50)
    assert worker.do(Job(2, "let_go_again", Batch(first.count, 0, FIRST + 100, ()))).count == 0
    assert len(acks(home)) == 60


# troubles


@pytest.mark.parametrize("kind", ["take_in", "take_again", "hold"])
def test_a_key_that_came_before_is_answered_also_where_its_bytes_are_poison(home: Path, kind: str) -> None:
    worker = Worker(home, 0, fails_at("judged", ZeroDivisionError()))
    first = worker.do(Job(1, "take_in", batch(posted(1, samples.order(1)))))
    assert states(first) == ["held"]
    for order, body, expected in ((2, samples.order(1), first.answers[FIRST + 1]), (3, samples.order(2), b"")):
        told = worker.do(Job(2, kind, batch(posted(order, body))))
        assert (told.trouble, told.answers) == ("", {FIRST + order: expected})
        assert worker.do(Job(3, "take_again", batch(posted(order, body)))).answers == {FIRST + order: expected}


def test_a_disk_that_is_full_after_the_commit_changes_no_answer(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = aside.sync_filesystem, iter([False, True])

    def full(folder: Path | str) -> None:
        if next(calls, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(folder)

    monkeypatch.setattr(aside, "sync_filesystem", full)
    worker = Worker(home, 0)
    (file,) = dropped(home, 2)
    told = worker.do(Job(1, "take_in", batch(posted(1, samples.order(1)), file)))
    assert (told.trouble, states(told), told.untold) == (
        "", ["ready", "ready"], ("[Errno 28] No space left on device",),
    )  # fmt: skip
    for kind in ("take_again", "hold"):
        again = worker.do(Job(2, kind, batch(file)))
        assert (again.trouble, states(again)) == ("", ["ready"])
    assert rows(worker, "SELECT count(*) FROM document") == [(2,)]


@pytest.mark.parametrize("kind", ["take_in", "take_again"])
def test_our_mistake_after_the_commit_is_answered_from_the_ledger(home: Path, kind: str) -> None:
    worker = Worker(home, 0, fails_at("written", ZeroDivisionError()))
    claims = (posted(1, samples.order(1)), *dropped(home, 2))
    told = worker.do(Job(1, kind, batch(*claims)))
    assert (told.trouble, states(told), acks(home)) == ("", ["ready", "ready"], ["2"])
    assert rows(worker, "SELECT DISTINCT state FROM document") == [("ready",)]


def test_a_full_ledger_holds_no_file_and_the_batch_is_taken_when_there_is_room(home: Path) -> None:
    worker = Worker(home, 0)
    book = worker._ledger.conn
    pages = book.execute("PRAGMA page_count").fetchone()[0]
    book.execute(f"PRAGMA max_page_count = {pages}")
    folder = home / "spool/partners/shop/in"
    (folder / "a.xml").write_bytes(samples.message("CEB311", 100))
    job = Job(1, "take_in", batch(Claim(FIRST + 1, "shop", "folder", "a.xml", f"{folder}/a.xml")))
    told = worker.do(job)
    assert (told.disk, told.answers, "full" in told.trouble) == (True, {}, True)
    assert rows(worker, "SELECT count(*) FROM document") == [(0,)]
    book.execute("PRAGMA max_page_count = 1000000")
    again = worker.do(Job(2, "take_again", job.batch))
    assert (again.trouble, len(json.loads(again.answers[FIRST + 1])["documents"])) == ("", 100)


def test_a_job_that_fails_for_no_known_reason_is_answered_with_its_traceback(home: Path) -> None:
    told = Worker(home, 0).do(Job(1, "nonsense"))
    assert "KeyError: 'nonsense'" in told.trouble


# the configuration in force


def test_a_worker_goes_by_what_the_daemon_put_in_force_while_the_files_are_wrong(home: Path) -> None:
    house = load_house(home)
    put_in_force(house)
    assert in_force(home) == house
    (home / "partners/shop.toml").write_text("no = TOML = at all")
    worker = Worker(home, 0, house=in_force)
    assert states(worker.do(Job(1, "take_in", batch(*dropped(home, 1))))) == ["ready"]
    assert worker.do(Job(2, "reload")) == Answer()


def test_where_nothing_is_in_force_the_files_count(home: Path) -> None:
    assert in_force(home) == load_house(home)
    put_in_force(load_house(home))
    nothing_in_force(home)
    assert not (home / "spool/house-in-force").exists()
