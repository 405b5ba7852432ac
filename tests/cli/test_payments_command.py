"""`kouan payments` lists, shows and sends what customs asked for, and files raw data."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import ended
from gateway.config import load_house
from gateway.payment_calls import Calls
from gateway.payment_uploads import Uploads
from spool.ledger import Ledger
from tests import samples
from tests.homes import demo_home, now, take_in, with_trades
from tests.payments import asked_home, raw, raws

ORDER = samples.trade(1)["orderNo"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = asked_home(with_trades(demo_home(tmp_path)), "http://127.0.0.1:1/upload")
    for sender, spec in (("shop", "CEB311"), ("pay", "CEB411")):
        take_in(home, sender, f"{spec}.xml", samples.message(spec, 1))
    book, house = Ledger(home / "ledger.sqlite3"), load_house(home)
    body = json.dumps({"orderNo": ORDER, "sessionID": "S1", "serviceTime": int(now().timestamp() * 1000)})
    calls = Calls(None, None, book, lambda: house, now)
    calls.answered(house.partner("shop"), "127.0.0.1", f"openReq={body}".encode(), now())
    book.close()
    return home


@pytest.fixture
def told(home: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str, ends: int = 0) -> list[Any]:
        capsys.readouterr()
        assert ended([*arguments, "--home", str(home), "--json"]) == ends
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def seal(home: Path) -> None:
    book = Ledger(home / "ledger.sqlite3")
    Uploads(book, load_house(home)).due(now())
    book.close()


def test_a_session_is_listed_shown_filed_for_and_sent(
    home: Path, tmp_path: Path, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(home)
    (one,) = told("payments", "list", "--open")
    assert (one["session"], one["order"], one["state"], one["attempts"], one["payment"]) == (
        "S1",
        ORDER,
        "asked",
        1,
        None,
    )
    assert [each["code"] for each in one["findings"]] == ["D103"]
    filing = tmp_path / "raw.json"
    filing.write_bytes(raws(1))
    (filed,) = told("payments", "file", str(filing), "--partner", "pay")
    assert (filed["payTransactionId"], filed["filed"]) == (samples.trade(1)["payNo"], True)
    assert told("payments", "send", "S1", "--by", "wu") == [
        {"session": "S1", "done": True, "state": "asked", "note": ""}
    ]
    seal(home)
    (whole,) = told("payments", "show", "S1")
    assert (whole["state"], whole["orders"], whole["suite"]) == ("sealed", [ORDER], "rsa-sha1")
    (upload,) = whole["uploads"]
    assert upload["signed"].startswith('"sessionID":"S1"||"payExchangeInfoHead":"{"guid":"')
    assert json.loads(upload["payExInfoStr"])["certNo"] == whole["cert_no"]
    assert ended(["payments", "show", "S1", "--home", str(home)]) == 0
    shown = capsys.readouterr().out
    assert "[D132] wu 于" in shown
    assert "签名原文 signed" in shown
    assert ended(["payments", "list", "--home", str(home)]) == 0
    assert ORDER in capsys.readouterr().out
    assert ended(["queue", "--home", str(home)]) == 0
    assert "Payment data that customs asked for" in capsys.readouterr().err


def test_what_is_not_there_or_cannot_be_filed_is_told(home: Path, tmp_path: Path, told: Any) -> None:
    told("payments", "show", "nobody", ends=4)
    assert [one["done"] for one in told("payments", "send", "S1", "nobody", ends=3)] == [True, False]
    filing = tmp_path / "raw.json"
    filing.write_text("no")
    told("payments", "file", str(filing), "--partner", "pay", ends=1)
    filing.write_text(json.dumps([raw(1), raw(2, payCode="1")]))
    assert [one["filed"] for one in told("payments", "file", str(filing), "--partner", "pay", ends=3)] == [True, False]
    told("payments", "file", str(filing), "--partner", "nobody", ends=4)


def test_the_doctor_says_who_signs_and_what_is_in_the_way(home: Path, told: Any) -> None:
    def seen(ends: int) -> list[tuple[str, str]]:
        (answer,) = told("doctor", ends=ends)
        found = [one for one in answer["symptoms"] if one["name"] == "payment data"]
        return [(one["status"], " ".join(one["seen"].split()[:3])) for one in found]

    assert seen(0) == [("ok", "shop signs with"), ("warning", "1 of shop")]
    (home / "journeys.csv").write_text("mode,kind,desks,note\n*,*,check,\n", "utf-8")
    assert seen(1)[1:3] == [("error", "CEB311 is not"), ("error", "CEB411 is not")]


def test_what_others_wrote_moves_no_cursor_of_the_operator(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seal(home)
    book, house = Ledger(home / "ledger.sqlite3"), load_house(home)
    Calls(None, None, book, lambda: house, now).answered(
        house.partner("shop"), "127.0.0.1",
        b'openReq={"orderNo":"%s","sessionID":"S1","serviceTime":1}&x=\x1b[2J' % ORDER.encode(), now(),
    )  # fmt: skip
    book.close()
    capsys.readouterr()
    for command in (("payments", "show", "S1"), ("query", "SELECT CAST(body AS TEXT) AS body FROM payment_call")):
        assert ended([*command, "--home", str(home)]) == 0
        out = capsys.readouterr().out
        assert ("\x1b" in out, "·[2J" in out) == (False, True)
