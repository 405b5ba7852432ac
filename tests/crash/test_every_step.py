"""The power may fail at any step of the clerk, any rename, any write, and again while recovering: the ending is one.

Acknowledgements, refusals, receipts, ledger rows and what leaves for customs are those of a day without a crash,
besides numbers, guids and times.
"""

import os
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from tests import samples
from tests.crash.world import START, Placeholders, PowerCut, Stop, World, copied, fields
from tests.homes import demo_home

STEPS = ("claimed", "judged", "sealed", "synced", "writing", "written", "let go")


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that has declared three orders, and found a batch of every kind of file since."""
    home = demo_home(tmp_path_factory.mktemp("morning"))
    world = World(home)
    world.drop("shop", "early.xml", samples.message("CEB311", 3, start=1))
    world.take_in()
    world.carry()
    for sender, file, body in batch(home):
        world.drop(sender, file, body)
    world.answer("answer.xml", "CEB312", "OrderReturn", fields(3, "120"), fields(2, "100"), fields(99, "120"))
    world.close()
    return home


def batch(home: Path) -> list[tuple[str, str, bytes]]:
    good = samples.message("CEB311", 3, start=10)
    signed = sign_message(samples.order(20), load_signer(home / "keys", "shop"))
    return [
        ("shop", "good.xml", good),
        ("shop", "good-again.xml", good),
        (
            "shop",
            "bad.xml",
            samples.message("CEB311", 3, start=30).replace(b"<ceb:discount>5<", b"<ceb:discount>6<", 1),
        ),
        ("shop", "all-bad.xml", samples.order(40).replace(b"<ceb:discount>5<", b"<ceb:discount>6<")),
        ("shop", "known.xml", samples.order(1).replace("勿折叠".encode(), "可折叠".encode())),
        ("shop", "partly-known.xml", samples.message("CEB311", 2, start=12)),
        ("shop", "signed.xml", signed),
        ("shop", "broken-seal.xml", signed.replace("勿折叠".encode(), "可折叠".encode())),
        ("shop", "doctype.xml", b"<!DOCTYPE a><a></a>"),
        ("agent", "inventory.xml", samples.message("CEB621", 2, start=50)),
        ("pay", "not-mine.xml", samples.order(60)),
    ]


def day(home: Path, *stops: Stop) -> tuple[dict[str, Any], list[str]]:
    """How the day ends when the power fails at these stops, and the steps that were seen."""
    seen: list[str] = []
    for turn, stop in enumerate(stops, 1):
        try:
            world = World(home, moment=START + timedelta(minutes=turn), pulse=stop)
            world.take_in()
            world.close()
        except PowerCut:
            continue
        finally:
            seen += stop.seen
    return ending(home), seen


def ending(home: Path) -> dict[str, Any]:
    """Everything that is to be the same, after a last quiet start."""
    world = World(home, moment=START + timedelta(hours=1))
    world.take_in()
    names = Placeholders()
    told: dict[str, Any] = {"in": [path for path in world.files() if "/in/" in path]}
    told["files"] = {names(path.encode()).decode(): names(body) for path, body in world.files().items()}
    whose = "(SELECT file || '.' || d.ordinal FROM interchange i WHERE i.number = d.number)"
    told["interchanges"] = world.rows(
        "SELECT sender, door, file, size, sha256, spec, revision, documents, findings IS NULL,"
        " (SELECT file FROM interchange f WHERE f.number = i.duplicate_of) FROM interchange i ORDER BY file"
    )
    told["documents"] = world.rows(
        f"SELECT {whose} AS name, spec, key, version, partner, state, app_type, authority, status, why"
        " FROM document d ORDER BY name"
    )
    told["stamps"] = world.rows(
        f"SELECT {whose} AS name, sequence, desk, from_state, to_state, by, findings IS NULL FROM stamp d"
        " ORDER BY name, sequence"
    )
    told["receipts"] = world.rows(
        f"SELECT {whose} AS name, partner, unit, spec, status, outcome,"
        " CASE spec WHEN 'CEB900' THEN 'our own clock' ELSE said_at END, info FROM receipt d ORDER BY name"
    )
    told["leaving"] = sorted(
        world.rows(f"SELECT {whose}, spec, version FROM document d WHERE number = ? AND ordinal = ?", number, ordinal)[
            0
        ]
        for one in world.carry()
        for number, ordinal in one.documents
    )
    told["open"] = world.rows("SELECT first FROM batch WHERE let_go_at IS NULL")
    evidence = {place for (place,) in world.rows("SELECT evidence FROM interchange UNION SELECT evidence FROM message")}
    store = home / "spool/store"
    told["unknown evidence"] = {str(f.relative_to(store)) for f in store.rglob("*") if f.is_file()} - evidence
    world.close()
    return told


@pytest.fixture(scope="module")
def quiet_day(morning: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    told, seen = day(copied(morning, tmp_path_factory.mktemp("quiet") / "home"), Stop())
    assert seen == list(STEPS)
    assert (told["in"], told["open"], told["unknown evidence"]) == ([], [], set())
    assert len(told["leaving"]) == 3 + 2 + 1 + 1 + 2
    return told


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_after_a_step_changes_no_ending(
    morning: Path, quiet_day: dict[str, Any], tmp_path: Path, step: str
) -> None:
    told, seen = day(copied(morning, tmp_path / "home"), Stop(step))
    assert seen[-1] == step
    assert told == quiet_day


@pytest.mark.parametrize("again", STEPS)
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_while_recovering_from_a_crash_changes_no_ending(
    morning: Path, quiet_day: dict[str, Any], tmp_path: Path, step: str, again: str
) -> None:
    told, _ = day(copied(morning, tmp_path / "home"), Stop(step), Stop(again))
    assert told == quiet_day


class Disk:
    """The operating system's own calls; before the n-th of them the power fails."""

    def __init__(self, patch: pytest.MonkeyPatch, call: str, count: int) -> None:
        self._real, self._left = getattr(os, call), count
        patch.setattr(os, call, self)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            raise PowerCut(*arguments)
        return self._real(*arguments, **named)

    @property
    def reached(self) -> bool:
        return self._left <= 0


@cache
def calls(morning: Path, call: str, folder: Path) -> int:
    """How many such calls a day makes."""
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch, call, 10**9)
        world = World(copied(morning, folder / call))
        before = disk._left
        world.take_in()
        world.close()
    return before - disk._left


@pytest.mark.parametrize("call", ["rename", "write"])
def test_a_crash_before_any_rename_or_write_changes_no_ending(
    morning: Path, quiet_day: dict[str, Any], tmp_path: Path, call: str
) -> None:
    count = calls(morning, call, tmp_path)
    assert count > 10
    for turn in range(1, count + 1):
        home = copied(morning, tmp_path / f"home{turn}")
        world = World(home)
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, call, turn)
            with pytest.raises(PowerCut):
                world.take_in()
        assert ending(home) == quiet_day, f"{call} {turn} of {count}"


def test_what_was_never_acknowledged_at_the_http_door_is_set_aside_and_nothing_is_promised(
    morning: Path, tmp_path: Path
) -> None:
    home = copied(morning, tmp_path / "home")
    for step in STEPS[:5]:
        world = World(home, pulse=Stop(step))
        with pytest.raises(PowerCut):
            world.post("shop", samples.order(70), "key-1")
    world = World(home)
    assert world.rows("SELECT * FROM interchange WHERE door = 'http'") == []
    heard = world.post("shop", samples.order(70), "key-1")
    assert heard is not None
    assert b'"state":"ready"' in heard
    aside = os.listdir(home / "spool/leftovers")
    assert len([name for name in aside if "~+shop~" in name]) == 5


@pytest.mark.parametrize("step", ["written", "let go"])
def test_who_repeats_his_request_after_a_lost_answer_hears_the_first(morning: Path, tmp_path: Path, step: str) -> None:
    home = copied(morning, tmp_path / "home")
    with pytest.raises(PowerCut):
        World(home, pulse=Stop(step)).post("shop", samples.order(70), "key-1")
    world = World(home)
    heard = world.post("shop", samples.order(70), "key-1")
    ((first,),) = world.rows("SELECT number FROM interchange WHERE once = 'key-1'")
    assert heard is not None
    assert f'"duplicate_of":"{first}"'.encode() in heard
    assert f'"number":"{first}.1"'.encode() in heard
    assert world.rows("SELECT count(*) FROM message WHERE documents = ?", f"{first}.1") == [(1,)]
