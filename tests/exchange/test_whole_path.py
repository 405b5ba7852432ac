"""Records of a bank become files of the office, and what the office says of each comes back to the bank.

The real daemon and a real office in a box, as processes: also an office that is late, and one that says nothing.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli import fx_symptoms
from gateway.config import load_house
from tests.crash.daemon import ask, quiet_home, running, until
from tests.exchange.office import BASIC, office, report, reporting, table, told
from tests.homes import demo_home


def states(home: Path) -> list[tuple[str, str]]:
    return ask(home, "SELECT key, state FROM document WHERE spec = 'BOPA' ORDER BY key")


def test_records_of_a_table_are_declared_and_answered_one_by_one(tmp_path: Path) -> None:
    home = reporting(quiet_home(demo_home(tmp_path)))
    rows = [BASIC | {"申报号码": report(n), "银行业务编号": f"BANK{n:04d}"} for n in range(1, 6)]
    with office(home, "reject-some=5"), running(home, "run"):
        box = home / "spool/partners/bank"
        (box / "in/.a").write_bytes(table(*rows))
        (box / "in/.a").rename(box / "in/BOPA-1.csv")
        until(lambda: len(list((box / "out").glob("*.BOPAR.xml"))) == 1, 30, lambda: str(states(home)))
    assert states(home) == [*((report(n), "closed") for n in range(1, 5)), (report(5), "refused")]
    assert [one["report"] for one in told(home)] == [report(n) for n in range(1, 6)]
    (receipt,) = (box / "out").glob("*.BOPAR.xml")
    text = receipt.read_text("utf-8")
    assert text.count("<returnStatus>0</returnStatus>") == 4
    assert f"<RPTNO>{report(5)}</RPTNO><returnStatus>1</returnStatus>" in text
    assert "TXAMT TXAMT 抽查退回" in text


def drop(home: Path, *rows: dict[str, str]) -> Path:
    box = home / "spool/partners/bank"
    (box / "in/.a").write_bytes(table(*rows))
    (box / "in/.a").rename(box / "in/BOPA-1.csv")
    return box


def silent_after(home: Path, seconds: float) -> None:
    file = home / "authorities/safe.toml"
    days = f"silent_days = {seconds / 86400:.8f}"
    file.write_text(file.read_text("utf-8").replace("silent_days = 2.0", days), "utf-8")


def test_feedback_that_comes_late_is_correlated_after_its_silence_was_told(tmp_path: Path) -> None:
    home = reporting(quiet_home(demo_home(tmp_path)))
    silent_after(home, 2)
    with office(home, "late=6", "reject-some=2"), running(home, "run"):
        box = drop(home, *(BASIC | {"申报号码": report(n)} for n in (1, 2)))
        until(lambda: len(list((box / "out").glob("*.F166.*.notice.json"))) >= 1, 30, lambda: str(states(home)))
        assert [state for _, state in states(home)] == ["sent", "sent"]
        until(lambda: len(list((box / "out").glob("*.BOPAR.xml"))) == 1, 30, lambda: str(states(home)))
    assert states(home) == [(report(1), "closed"), (report(2), "refused")]
    assert [one["good"] for one in told(home)] == [True, False]


def test_an_office_that_says_nothing_is_told_to_the_partner_and_the_operator(tmp_path: Path) -> None:
    home = reporting(quiet_home(demo_home(tmp_path)))
    silent_after(home, 2)
    with office(home, "silent"), running(home, "run"):
        box = drop(home, BASIC | {"申报号码": report(1)})
        until(lambda: len(list((box / "out").glob("*.F166.*.notice.json"))) >= 1, 30, lambda: str(states(home)))
    notice = json.loads(next((box / "out").glob("*.F166.*.notice.json")).read_bytes())
    assert notice["records"] == [report(1)]
    assert states(home) == [(report(1), "sent")]
    assert [one["report"] for one in told(home)] == [report(1)]
    found = fx_symptoms.feedback(load_house(home), datetime.now(UTC) + timedelta(seconds=2))
    assert [(one.status, one.name) for one in found] == [("warning", "feedback of safe")]


BOTH = [BASIC | {"申报号码": report(n)} for n in (1, 2)]
CLOSED = [(report(1), "closed"), (report(2), "closed")]
SENT = [(report(1), "sent"), (report(2), "sent")]


def why_held(home: Path) -> str:
    rows = ask(home, "SELECT why FROM document WHERE partner = 'safe' AND state = 'held'")
    return " ".join(why for (why,) in rows)


@pytest.mark.parametrize(("behaviour", "ends", "why"), [
    ("half=2", CLOSED, ""),
    ("unknown-record", CLOSED, "K103 BOPAR 999999999999261122Z999"),
    ("wrong-encoding reject-some=2", SENT, "K104 the feedback is in the wrong encoding"),
    ("wrong-counts", SENT, "K104 the control file BOPT"),
    ("wrong-totals", SENT, "K104 the counts of the feedback"),
])  # fmt: skip
def test_bad_feedback_settles_what_it_says_clearly_and_nothing_else(
    tmp_path: Path, behaviour: str, ends: list[tuple[str, str]], why: str
) -> None:
    home = reporting(quiet_home(demo_home(tmp_path)))
    with office(home, *behaviour.split()), running(home, "run"):
        drop(home, *BOTH)
        until(lambda: _has(home, ends, why), 30, lambda: f"{states(home)} {why_held(home)}")
    assert states(home) == ends
    assert why_held(home).startswith(why)


def _has(home: Path, ends: list[tuple[str, str]], why: str) -> bool:
    return states(home) == ends and (not why or why in why_held(home))


def _appears(folder: Path) -> Callable[[], bool]:
    return lambda: folder.is_dir() and any(folder.iterdir())


def test_a_daemon_that_is_killed_over_feedback_settles_it_once_when_it_is_there_again(tmp_path: Path) -> None:
    home = reporting(quiet_home(demo_home(tmp_path)))
    beside = home / "spool/authorities/safe"
    with office(home, "late=1"):
        with running(home, "run"):
            box = drop(home, *BOTH)
            taken, read = _appears(beside / "taken"), _appears(beside / "read")
            until(lambda: taken() or read(), 30, lambda: str(states(home)), pause=0.001)
        with running(home, "run"):
            until(lambda: states(home) == CLOSED and read(), 30, lambda: str(states(home)))
    receipts = list((box / "out").glob("*.BOPAR.xml"))
    assert [one.read_text("utf-8").count("<returnStatus>0</returnStatus>") for one in receipts] == [2]
    assert len(told(home)) == 2
