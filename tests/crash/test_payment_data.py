"""The real daemon answers the real caller in a box: asked, 10000, uploaded, verified, kept, whatever is killed."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.raw_payments import file
from gateway.signing.keys import new_key
from spool.ledger import Ledger
from tests import samples
from tests.adapters.simulators.payment_box import PaymentBox
from tests.crash.daemon import KOUAN, ROOT, ask, quiet_home, running, until
from tests.homes import demo_home, now, take_in, with_trades
from tests.payments import asked_home, raws
from tests.ports import free_port

SESSIONS = "SELECT state, attempts, trouble FROM payment_inquiry ORDER BY asked_at"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[PaymentBox]:
    (tmp_path / "box").mkdir()
    made = PaymentBox(tmp_path / "box")
    yield made
    made.end()


def words(home: Path) -> str:
    return (home / "run.log").read_text("utf-8", "replace")


def traded(
    tmp_path: Path, box: PaymentBox, *behaviours: str, filed: bool = True, key: str = "shop", **more: str
) -> Path:
    """A home with one whole trade, and customs that knows where to ask."""
    home = with_trades(quiet_home(demo_home(tmp_path), workers=1))
    if key != "shop":
        file_ = home / "partners/shop.toml"
        file_.write_text(file_.read_text("utf-8").replace('\n[[keys]]\nname = "shop"', f'\n[[keys]]\nname = "{key}"'))
    port = free_port()
    box.start(*behaviours, url=f"http://127.0.0.1:{port}/platDataOpen/shop", certificate=home / f"keys/{key}/cert.pem")
    asked_home(home, box.url, port=port, **more)
    for sender, spec in (("shop", "CEB311"), ("pay", "CEB411")):
        take_in(home, sender, f"{spec}.xml", samples.message(spec, 1))
    if filed:
        filing(home)
    return home


def filing(home: Path) -> None:
    from gateway.config import load_house

    ledger = Ledger(home / "ledger.sqlite3")
    assert file(ledger, load_house(home).partner("pay"), raws(1), now(), 3)
    ledger.close()


ORDER = samples.trade(1)["orderNo"]


@pytest.mark.parametrize(("key", "suite"), [("shop", "rsa-sha1"), ("agent", "sm2-sm3")])
def test_a_trade_is_asked_for_and_its_data_arrives_verified(
    tmp_path: Path, box: PaymentBox, key: str, suite: str
) -> None:
    home = traded(tmp_path, box, key=key)
    with running(home, "run", ends="stop"):
        (said,) = box.ask(ORDER)
        assert json.loads(said["said"])["code"] == "10000"
        until(lambda: ask(home, SESSIONS) == [("answered", 1, None)], 15, lambda: words(home))
    (one,) = box.book()
    assert (one["code"], one["orders"], one["transaction"]) == ("10000", [ORDER], samples.trade(1)["payNo"])
    assert one["total"] == samples.trade(1)["paid"]
    assert ask(home, "SELECT suite, guid, cert_no FROM payment_upload") == [(suite, one["guid"], one["cert"])]
    ((body,),) = ask(home, "SELECT body FROM payment_answer")
    assert json.loads(body)["message"] == "上传成功"


@pytest.mark.parametrize("wrong", ["20000=2", "500=2", "cut=2", "garbage=2"])
def test_what_went_wrong_is_repeated_with_the_same_session_and_the_same_bytes(
    tmp_path: Path, box: PaymentBox, wrong: str
) -> None:
    home = traded(tmp_path, box, wrong)
    with running(home, "run", ends="stop"):
        (said,) = box.ask(ORDER)
        until(lambda: ask(home, SESSIONS) == [("answered", 3, None)], 20, lambda: words(home))
    came = box.book()
    assert len(came) == 3
    assert {(one["session"], one["sha256"]) for one in came} == {(said["session"], came[0]["sha256"])}
    assert ask(home, "SELECT count(*) FROM payment_answer") == [(3,)]


def test_attempts_are_bounded_and_then_an_operator_decides(tmp_path: Path, box: PaymentBox) -> None:
    home = traded(tmp_path, box, "20000=3", attempts="3")
    with running(home, "run", ends="stop"):
        (said,) = box.ask(ORDER)
        until(lambda: [row[:2] for row in ask(home, SESSIONS)] == [("held", 3)], 15, lambda: words(home))
        assert "D120" in told(home, "queue")["payments"][0]["code"]
        assert [one["done"] for one in lines(home, "payments", "send", said["session"])] == [True]
        until(lambda: ask(home, SESSIONS) == [("answered", 1, None)], 15, lambda: words(home))
    assert len({one["sha256"] for one in box.book()}) == 1
    assert lines(home, "payments", "send", said["session"], code=1)[0]["done"] is False


def test_an_error_code_is_held_at_once_and_sealed_anew_when_the_operator_says_so(
    tmp_path: Path, box: PaymentBox
) -> None:
    home = traded(tmp_path, box, "20001=1")
    with running(home, "run", ends="stop"):
        (said,) = box.ask(ORDER)
        until(lambda: [row[:2] for row in ask(home, SESSIONS)] == [("held", 1)], 15, lambda: words(home))
        lines(home, "payments", "send", said["session"], "--anew", "--by", "wu")
        until(lambda: ask(home, SESSIONS)[0][0] == "answered", 15, lambda: words(home))
    first, second = box.book()
    assert first["session"] == second["session"] == said["session"]
    assert first["guid"] != second["guid"]
    whole = told(home, "payments", "show", said["session"])
    assert [len(whole[name]) for name in ("calls", "uploads", "answers")] == [1, 2, 2]
    assert [one["code"] for one in whole["notes"]] == ["D132"]


def test_an_answer_that_comes_too_late_is_asked_for_again(tmp_path: Path, box: PaymentBox) -> None:
    home = traded(tmp_path, box, "timeout=1", timeout_seconds="1.0")
    with running(home, "run", ends="stop"):
        box.ask(ORDER)
        until(lambda: ask(home, SESSIONS) == [("answered", 2, None)], 20, lambda: words(home))
    assert len({one["sha256"] for one in box.book()}) == 1


@pytest.mark.parametrize("form", ["html", "backslash"])
def test_a_call_that_is_escaped_is_understood(tmp_path: Path, box: PaymentBox, form: str) -> None:
    home = traded(tmp_path, box, form)
    with running(home, "run", ends="stop"):
        box.ask(ORDER)
        until(lambda: ask(home, SESSIONS) == [("answered", 1, None)], 15, lambda: words(home))


def test_a_session_that_is_repeated_is_one_session_and_one_about_another_order_is_refused(
    tmp_path: Path, box: PaymentBox
) -> None:
    home = traded(tmp_path, box, "repeat", "conflict")
    with running(home, "run", ends="stop"):
        codes = [json.loads(one["said"])["code"] for one in box.ask(ORDER)]
        until(lambda: ask(home, SESSIONS) == [("answered", 1, None)], 15, lambda: words(home))
    assert codes == ["10000", "10000", "20000"]
    assert len(box.book()) == 1
    (one,) = lines(home, "payments", "list")
    assert [note["code"] for note in one["notes"]] == ["D130"]


def test_an_unknown_order_is_received_and_told_and_waits_for_its_trade(tmp_path: Path, box: PaymentBox) -> None:
    home = traded(tmp_path, box, "unknown", attempts="2")
    with running(home, "run", ends="stop"):
        (said,) = box.ask(ORDER)
        assert json.loads(said["said"])["code"] == "10000"
        until(lambda: [row[0] for row in ask(home, SESSIONS)] == ["held"], 15, lambda: words(home))
    assert [(one["code"], one["state"]) for one in told(home, "queue")["payments"]] == [("D101", "held")]
    assert box.book() == []


def test_raw_data_that_comes_later_lets_the_session_go_on(tmp_path: Path, box: PaymentBox) -> None:
    home = traded(tmp_path, box, filed=False, first_seconds="600.0", most_seconds="600.0")
    with running(home, "run", ends="stop"):
        box.ask(ORDER)
        until(lambda: "D103" in (ask(home, SESSIONS)[0][2] or ""), 15, lambda: words(home))
        filing(home)
        until(lambda: ask(home, SESSIONS)[0][0] == "answered", 15, lambda: words(home))


def test_an_expired_certificate_and_a_wrong_clock_are_told_and_a_new_key_heals(tmp_path: Path, box: PaymentBox) -> None:
    home = traded(tmp_path, box, "skew=7200", first_seconds="600.0", most_seconds="600.0")
    shutil.move(home / "keys/shop", tmp_path / "good")
    new_key(home / "keys", "shop", "rsa", "invented", 1, now=now() - timedelta(days=2))
    with running(home, "run", ends="stop"):
        (said,) = box.ask(ORDER)
        until(lambda: "D110" in (ask(home, SESSIONS)[0][2] or ""), 15, lambda: words(home))
        assert [one["code"] for one in told(home, "queue")["payments"]] == ["D110"]
        seen = [one for one in told(home, "doctor", code=1)["symptoms"] if one["name"] == "payment data"]
        assert {one["seen"].partition(" ")[0] for one in seen if one["status"] == "error"} == {"D110"}
        assert any("D113" in one["seen"] for one in seen)
        shutil.rmtree(home / "keys/shop")
        shutil.move(tmp_path / "good", home / "keys/shop")
        lines(home, "payments", "send", said["session"])
        until(lambda: ask(home, SESSIONS)[0][0] == "answered", 15, lambda: words(home))


def test_a_kill_between_the_answer_and_the_upload_loses_nothing(tmp_path: Path, box: PaymentBox) -> None:
    home = traded(tmp_path, box, filed=False)
    with running(home, "run"):
        (said,) = box.ask(ORDER)
        assert json.loads(said["said"])["code"] == "10000"
    assert ask(home, "SELECT session, state FROM payment_inquiry") == [(said["session"], "asked")]
    filing(home)
    with running(home, "run", ends="stop"):
        until(lambda: ask(home, SESSIONS)[0][0] == "answered", 15, lambda: words(home))
    assert [one["session"] for one in box.book()] == [said["session"]]


def test_a_kill_between_the_upload_and_its_answer_repeats_the_same_bytes(tmp_path: Path, box: PaymentBox) -> None:
    home = traded(tmp_path, box, "timeout=1")
    with running(home, "run"):
        box.ask(ORDER)
        until(lambda: len(box.book()) == 1, 15, lambda: words(home))
    assert [row[0] for row in ask(home, SESSIONS)] == ["sealed"]
    with running(home, "run", ends="stop"):
        until(lambda: ask(home, SESSIONS) == [("answered", 1, None)], 15, lambda: words(home))
    first, second = box.book()
    assert {name: first[name] for name in ("session", "guid", "sha256")} == {
        name: second[name] for name in ("session", "guid", "sha256")
    }


def lines(home: Path, *command: str, code: int = 0) -> list[dict[str, Any]]:
    """What a command of `kouan` says with --json, line by line."""
    done = subprocess.run([*KOUAN, *command, "--json", "--home", str(home)], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == code, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(home: Path, *command: str, code: int = 0) -> dict[str, Any]:
    (one,) = lines(home, *command, code=code)
    return one
