"""`kouan authority` tells how each stands and rules it without a daemon; what is held is released by its cause."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.carriers.carrier import Carried
from gateway.cli import ended
from gateway.cli.turnstile_symptoms import CURES, WORDS
from gateway.dispatch import Outgoing
from gateway.turnstile import Turnstile
from spool.ledger import Ledger
from tests import homes, samples


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = homes.demo_home(tmp_path)
    monkeypatch.setenv("KOUAN_HOME", str(made))
    return made


@pytest.fixture
def told(home: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object, ends: int = 0) -> list[Any]:
        capsys.readouterr()
        assert ended([*map(str, arguments), "--json"]) == ends
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def refused(home: Path, why: str) -> None:
    """The authority has refused everything that is due, each with a word of its own about it."""
    clerk = homes.clerk(home)
    outgoing = Outgoing(clerk.ledger, clerk.store, clerk.house.authority("customs"))
    leaving = outgoing.due(homes.now())
    said = [Carried(one.parcel.number, False, "", why.format(one.parcel.number), True) for one in leaving]
    outgoing.told(leaving, said, homes.now())
    clerk.ledger.close()


def test_an_authority_is_open_until_it_is_paused_and_open_again_when_resumed(
    told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    row, *others = told("authority", "list")
    assert [(one["name"], one["state"]) for one in others] == [("safe", "open"), ("tax", "open")]
    assert row == {
        "name": "customs", "title": "海关总署跨境电商通关服务平台", "carrier": "folder", "state": "open", "until": None,
        "why": None, "failures": 0, "waiting": 0, "with_client": 0, "held": 0, "next_try": None,
    }  # fmt: skip
    (paused,) = told("authority", "pause", "customs", "--until", "2h", "--reason", "系统升级", "--by", "li")
    assert (paused["state"], paused["why"], bool(paused["until"])) == ("paused", "li: 系统升级", True)
    assert [one["name"] for one in told("queue")[0]["authorities"]] == ["customs"]
    states = {one["name"]: one["state"] for one in told("doctor")[0]["authorities"]}
    assert (states.pop("customs"), set(states.values())) == ("paused", {"open"})
    (whole,) = told("authority", "show", "customs")
    assert (whole["paused"]["by"], whole["paused"]["reason"]) == ("li", "系统升级")
    assert [(one["what"], one["by"]) for one in whole["stamps"]] == [("paused", "li")]
    capsys.readouterr()
    assert ended(["authority", "list"]) == ended(["authority", "show", "customs"]) == ended(["queue"]) == 0
    shown = capsys.readouterr()
    assert "paused 暂停" in shown.out
    assert "暂不发送 Nothing leaves at the moment for" in shown.err
    assert "kouan authority resume customs" in shown.out
    assert told("authority", "resume", "customs")[0]["state"] == "open"
    assert ended(["authority", "resume", "customs"]) == 0
    assert "was not paused" in capsys.readouterr().err
    assert ended(["authority", "pause", "customs", "--reason", "x"]) == 0
    assert "until it is resumed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["show", "nobody"], 4),
        (["pause", "nobody", "--reason", "x"], 4),
        (["resume", "nobody"], 4),
        (["probe", "nobody"], 4),
        (["pause", "customs"], 2),
        (["pause", "customs", "--reason", "x", "--until", "soon"], 2),
        (["pause", "customs", "--reason", "x", "--until", "2020-01-01"], 2),
        (["probe", "customs"], 6),
    ],
)
def test_how_it_ends_says_what_was_wrong(home: Path, arguments: list[str], code: int) -> None:
    assert home.is_dir()
    assert ended(["authority", *arguments]) == code


def test_what_is_held_is_grouped_by_cause_and_released_by_it(
    home: Path, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    homes.take_in(home, "shop", "a.xml", samples.message("CEB311", 2))
    homes.take_in(home, "pay", "b.xml", samples.message("CEB411", 1))
    refused(home, "customs answered 403 Forbidden: message {} of an unknown address")
    homes.take_in(home, "shop", "c.xml", samples.message("CEB311", 1, start=9))
    refused(home, "customs answered 400 Bad Request: {}")
    (queue,) = told("queue")
    told_of = [(one["authority"], one["why"], one["documents"], one["messages"]) for one in queue["causes"]]
    assert told_of == [
        ("customs", "customs answered 403 Forbidden: message … of an unknown address", 3, 2),
        ("customs", "customs answered 400 Bad Request: …", 1, 1),
    ]
    assert sorted(queue["causes"][0]["partners"]) == ["pay", "shop"]
    cause = queue["causes"][0]["cause"]
    capsys.readouterr()
    assert ended(["queue"]) == 0
    assert "kouan release --cause CAUSE" in capsys.readouterr().err
    why = ("--reason", "address is known now")
    assert len(told("release", "--cause", cause, "--authority", "customs", "--dry-run")) == 3
    assert told("release", "--cause", cause, "--authority", "tax", *why, ends=4) == []
    assert told("release", "--cause", cause, "--partner", "ship", *why, ends=4) == []
    assert [one["after"] for one in told("release", "--cause", cause, *why)] == ["ready"] * 3
    assert homes.carry(home) == 2
    assert [one["documents"] for one in told("queue")[0]["causes"]] == [1]
    (other,) = told("refuse", "--cause", "customs answered 400", "--reason", "wrong")
    assert other["after"] == "refused"
    assert told("queue")[0]["causes"] == []


def broken(home: Path) -> None:
    """Nobody answers at customs: its breaker has opened over five messages."""
    clerk = homes.clerk(home)
    authority = clerk.house.authority("customs")
    turnstile = Turnstile(clerk.ledger, Outgoing(clerk.ledger, clerk.store, authority), authority)
    leaving = turnstile.due(homes.now())
    said = [Carried(one.parcel.number, False, "", "no connection", fault="road") for one in leaving] * 5
    turnstile.told(leaving, said[:1], homes.now())
    for _ in range(4):
        turnstile.told(leaving, said[:1], homes.now())
    clerk.ledger.close()


def test_the_doctor_and_the_queue_say_in_both_languages_for_whom_nothing_leaves_and_what_to_do(
    home: Path, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def seen() -> list[tuple[str, str, str]]:
        (answer,) = told("doctor")
        assert "customs" in [one["name"] for one in answer["authorities"]]
        of_customs = [one for one in answer["symptoms"] if one["name"] == "authority customs"]
        return [(one["status"], one["seen"].partition(" 至 until")[0], one["cure"]) for one in of_customs]

    homes.take_in(home, "shop", "o.xml", samples.order(1))
    assert seen() == [("ok", "畅通 open; 待发 1 waiting", "")]
    broken(home)
    assert seen() == [("warning", "熔断 broken", CURES["broken"].format(name="customs"))]
    assert [(one["state"], one["failures"]) for one in told("queue")[0]["authorities"]] == [("broken", 5)]
    capsys.readouterr()
    assert ended(["doctor"]) == ended(["queue"]) == 0
    assert capsys.readouterr().out.count("先排除故障") == 2
    told("authority", "pause", "customs", "--reason", "升级", "--by", "li")
    assert seen() == [("warning", "暂停 paused: li: 升级; 待发 1 waiting", CURES["paused"].format(name="customs"))]
    told("authority", "resume", "customs")
    file = home / "authorities/customs.toml"
    file.write_text(f'maintenance = [{{ daily = "00:00-24:00" }}]\n{file.read_text("utf-8")}', "utf-8")
    assert seen() == [("ok", "维护 maintenance", CURES["maintenance"].format(name="customs"))]
    assert CURES.keys() == WORDS.keys() - {"open", "paced"}


def test_the_doctor_tells_of_what_is_held_and_of_a_date_that_cannot_be_right(home: Path, told: Any) -> None:
    homes.take_in(home, "shop", "o.xml", samples.order(1))
    refused(home, "400 of {}")
    homes.take_in(home, "shop", "p.xml", samples.order(2))
    book = Ledger(home / "ledger.sqlite3")
    book.conn.execute("UPDATE outbox SET not_before = '2100-01-01T00:00:00.000Z' WHERE state = 'waiting'")
    book.close()
    (answer,) = told("doctor")
    of_customs = [(one["status"], one["seen"]) for one in answer["symptoms"] if one["name"] == "authority customs"]
    assert of_customs == [
        ("ok", "畅通 open; 待发 1 waiting"), ("warning", "扣留 1 messages held"),
        ("warning", "下次 next try 2100-01-01 08:00:00+08:00"),
    ]  # fmt: skip
