"""`kouan demo` brings every answer of every authority home, says where it lies, and fails where one does not come."""

import csv
import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
COUNTS = ("handed_in", "gone", "book", "answers", "closed", "refused")


def demo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "gateway.cli", "demo", "--keep", str(home), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, Any]]]:
    """The home of a demonstration of two trades and forty, and its picture by authority."""
    home = tmp_path_factory.mktemp("demo") / "home"
    done = demo(home, "--trades", "2", "--json")
    assert done.returncode == 0, done.stderr[-4000:]
    return home, {one["authority"]: one for one in map(json.loads, done.stdout.splitlines())}


def test_everything_goes_out_once_and_every_answer_comes_home(shown: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    _, picture = shown
    assert {name: tuple(one[count] for count in COUNTS) for name, one in picture.items()} == {
        # Forty-two trades of four documents, and an order in a wrong currency that never leaves; two receipts for
        # each order, payment and waybill, four for each inventory.
        "customs": (169, 168, 168, 420, 168, 1),
        # A refund drawn up from tables, one that the firm made by another rate, and a registration; two words each.
        "tax": (3, 3, 3, 6, 2, 1),
        # Three incomes with their declarations, a change of one that the office never had, a person's settlement, a
        # remittance for released trades.
        "safe": (9, 9, 9, 9, 8, 1),
        "payment_data": (2, 2, 2, 2, 2, 0),
    }


def test_answers_lie_where_the_picture_says(shown: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    home, picture = shown
    files = Counter(
        file.name.split(".")[1] for partner in ("shop", "pay", "ship", "agent", "bank")
        for file in (home / "spool/partners" / partner / "out").glob("*.xml")
    )  # fmt: skip
    # A file of receipts holds what came in one answer; the tax office's answers hold one word each.
    assert (files["TAX102"], files["TAX202"]) == (4, 2)
    assert {spec: files[spec] for spec in ("BOPAR", "BOPBR", "BOPGR", "JSHDR")} == {
        "BOPAR": 1, "BOPBR": 1, "BOPGR": 1, "JSHDR": 1,
    }  # fmt: skip
    for one in picture.values():
        for place in one["where"]:
            assert ":" in place or list(home.glob(place)), place


def test_an_example_of_each_authority_is_told(shown: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    home, picture = shown
    tax, safe, asked = (picture[name]["examples"] for name in ("tax", "safe", "payment_data"))
    assert [one.partition("→ ")[2].partition("  ")[0] for one in tax] == [
        "3 审核通过", "4 26332000000000012345 退税率应为 9", "3 审核通过",
    ]  # fmt: skip
    taken = [one.rpartition("/")[2] for one in safe if "records taken" in one]
    assert sorted((one[:4], one.partition("→ ")[2]) for one in taken) == [
        ("BOPA", "3 of 4 records taken"), ("BOPB", "1 of 1 records taken"), ("BOPG", "3 of 3 records taken"),
        ("JSHD", "1 of 1 records taken"),
    ]  # fmt: skip
    assert [one.partition(" → ")[2].partition("  ")[0] for one in safe if one.startswith("BOPA ")] == [
        "0 外汇局已采用 taken by the exchange office", "1 RPTNO RPTNO 申报号码不存在，不能修改或删除",
    ]  # fmt: skip
    assert len(asked) == 1
    *declared, bill = picture["customs"]["examples"]
    assert re.fullmatch(r"CEB816 \w+ → 税款 levied 42.89, 预估 predicted 42.89", bill)
    for example in (*tax, *declared, *(one for one in safe if "/out/" in one)):
        assert (home / "spool/partners" / example.rpartition("  ")[2]).is_file(), example


def test_nothing_of_it_is_left_for_an_operator(shown: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    home, _ = shown
    with closing(sqlite3.connect(f"file:{home}/ledger.sqlite3?mode=ro", uri=True)) as ledger:
        states = {state for (state,) in ledger.execute("SELECT DISTINCT state FROM document")}
        waiting = ledger.execute("SELECT count(*) FROM outbox WHERE state <> 'gone'").fetchone()
        refund = ledger.execute("SELECT key, undone_at FROM tax_drawn").fetchall()
    assert (states, waiting, len(refund)) == ({"closed", "refused"}, (0,), 1)
    with (home / "forms/purchases.csv").open(encoding="utf-8") as file:
        assert sum(int(row["税额"]) for row in csv.DictReader(file)) == 1040


def test_no_process_of_it_is_left(shown: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    home, _ = shown
    commands = [entry.read_bytes() for entry in Path("/proc").glob("[0-9]*/cmdline") if entry.is_file()]
    assert [one for one in commands if str(home).encode() in one] == []
    with pytest.raises(OSError, match="refused"):
        urlopen(_caller(home), timeout=5)


def _caller(home: Path) -> str:
    [line] = [one for one in (home / "kouan.toml").read_text("utf-8").splitlines() if one.startswith("upload_to")]
    return str(json.loads(line.partition(" = ")[2]))


@pytest.mark.parametrize(
    ("behaviours", "missing"),
    [(["tax:silent"], "tax 0/3"), (["safe:silent", "payment_data:500"], "safe 0/9, payment_data 0/1")],
)
def test_an_authority_that_does_not_answer_fails_it_by_name(
    tmp_path: Path, behaviours: list[str], missing: str
) -> None:
    asked = [part for one in behaviours for part in ("--behaviour", one)]
    done = demo(tmp_path / "home", "--trades", "1", "--patience", "8", *asked)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"before every receipt was home: {missing};" in done.stderr


def test_a_misbehaviour_of_nobody_is_refused_at_once(tmp_path: Path) -> None:
    done = demo(tmp_path / "home", "--behaviour", "post:silent")
    assert (done.returncode, done.stdout) == (1, "")
    assert "post:silent" in done.stderr
