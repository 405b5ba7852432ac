"""Every statement has a name, is understood by the database, and is used."""

import re
import sqlite3
from pathlib import Path

from spool.ledger import Ledger
from spool.named_sql import parse, queries

ROOT = Path(__file__).parents[2]


def test_a_file_is_parted_at_its_names() -> None:
    assert parse("-- about\n\n-- name: one\nSELECT 1;\n\n-- name: two\nSELECT\n 2;\n") == {
        "one": "SELECT 1", "two": "SELECT\n 2",
    }  # fmt: skip


def test_the_database_understands_every_statement(tmp_path: Path) -> None:
    conn = Ledger(tmp_path / "ledger.sqlite3").conn
    wrong = {}
    for name, text in queries().items():
        numbered = [int(mark) for mark in re.findall(r"\?(\d+)", text)]
        marks = max(numbered) if numbered else text.count("?")
        try:
            conn.execute(f"EXPLAIN {text}", ["[]"] * marks)
        except sqlite3.Error as trouble:
            wrong[name] = str(trouble)
    assert wrong == {}


def test_every_statement_is_used_somewhere() -> None:
    code = "".join(file.read_text("utf-8") for floor in ("gateway", "spool") for file in (ROOT / floor).rglob("*.py"))
    assert [name for name in queries() if f'"{name}"' not in code] == []


def test_the_spool_holds_no_statement_of_its_own() -> None:
    own = re.compile(r'"(?:SELECT|INSERT|UPDATE|DELETE) ')
    files = (ROOT / "spool").rglob("*.py")
    assert [str(file.relative_to(ROOT)) for file in files if own.search(file.read_text("utf-8"))] == []
