"""The real daemon asks the real service in a box, survives its misbehaviour and a kill, and tells nobody's number."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.desks.identity import tomorrow
from gateway.settling import iso
from tests import samples
from tests.adapters.simulators.identity_box import TOKEN, IdentityBox
from tests.crash.daemon import ask, quiet_home, running, until
from tests.homes import demo_home

DOCUMENTS = "SELECT state FROM document WHERE spec = 'CEB621' ORDER BY number"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[IdentityBox]:
    (tmp_path / "box").mkdir()
    made = IdentityBox(tmp_path / "box")
    yield made
    made.end()


def asking_home(tmp_path: Path, url: str, **more: str) -> Path:
    home = quiet_home(demo_home(tmp_path), workers=1)
    (home / "journeys.csv").write_text("mode,kind,desks,note\n*,*,check,\n*,CEB621,check identity,\n", "utf-8")
    (home / "keys/identity.token").write_text(TOKEN)
    text = (home / "kouan.toml").read_text("utf-8")
    for key, value in {"ask": '"always"', "url": f'"{url}"', "first_seconds": "0.2", **more}.items():
        text = re.sub(rf"(?m)^{key} = .*", f"{key} = {value}", text)
    (home / "kouan.toml").write_text(text, "utf-8")
    return home


def drop(home: Path, number: int) -> None:
    aside = home / "aside"
    aside.write_bytes(samples.message("CEB621", 1, start=number))
    aside.rename(home / f"spool/partners/agent/in/{number}.xml")


def states(home: Path) -> list[str]:
    return [state for (state,) in ask(home, DOCUMENTS)]


def words(home: Path) -> str:
    return (home / "run.log").read_text("utf-8", "replace")


def nobody_is_told(home: Path, *numbers: int) -> None:
    """No log, no table but the papers, and no file of the box holds a name or a number."""
    with sqlite3.connect(home / "ledger.sqlite3") as conn:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"question", "record"} < set(tables)
        told = "".join(repr(conn.execute(f"SELECT * FROM {name}").fetchall()) for name in tables if name != "paper")
    for trade in map(samples.trade, numbers):
        for text in (told, words(home)):
            assert trade["id"] not in text
            assert trade["buyer"] not in text


def test_inventories_wait_for_the_service_and_go_on_through_its_troubles(tmp_path: Path, box: IdentityBox) -> None:
    # 91 and 92 are the endings of which the box says MISMATCH and NO_RECORD.
    numbers = (1, 91, 92)
    home = asking_home(tmp_path, box.start("500=2").url)
    with running(home, "run", ends="stop"):
        for number in numbers:
            drop(home, number)
            until(lambda number=number: len(states(home)) == numbers.index(number) + 1, 15, lambda: words(home))
        until(lambda: not {"filed", "ready"} & set(states(home)), 20, lambda: words(home))
    assert states(home) == ["sent", "refused", "held"]
    assert [line["behaviour"] for line in box.book()].count("500") == 2
    assert len({line["pair"] for line in box.book() if not line["behaviour"]}) == 3
    assert len(box.book()) == 5
    assert "identity.postponed" in words(home)
    nobody_is_told(home, *numbers)


def test_a_kill_while_the_service_answers_is_no_second_asking_in_the_same_day(tmp_path: Path, box: IdentityBox) -> None:
    before = datetime.now(UTC)
    home = asking_home(tmp_path, box.start("slow=60").url, timeout_seconds="120.0")
    with running(home, "run"):
        drop(home, 1)
        until(lambda: len(box.book()) == 1, 15, lambda: words(home))
    with running(home, "run"):
        drop(home, 2)
        until(lambda: len(box.book()) == 2, 15, lambda: words(home))
    (first, second) = box.book()
    assert first["pair"] != second["pair"]
    waits = ask(home, "SELECT attempts, not_before, asked_at IS NOT NULL FROM question WHERE answered_at IS NULL")
    assert waits in ([(1, iso(tomorrow(moment)), 1)] * 2 for moment in (before, datetime.now(UTC)))
    assert states(home) == ["filed", "filed"]
    nobody_is_told(home, 1, 2)
