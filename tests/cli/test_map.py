"""`kouan map` turns a table into messages that `kouan check` finds good, and says where a table is wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway import one_core
from gateway.cli import ended, menu
from tests.mapping.tables import as_csv, orders, row


def told(*arguments: object) -> tuple[int, str]:
    """The exit code and what stands on stdout."""
    answer = CliRunner().invoke(menu, [str(one) for one in arguments], standalone_mode=False)
    assert answer.exception is None, answer.exception
    return answer.return_value or 0, answer.stdout


def test_a_table_becomes_messages_of_a_hundred_that_are_good(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_bytes(as_csv(orders(120)))
    assert told("map", tmp_path / "o.csv", "--map", "orders-311", "-o", tmp_path / "o.xml")[0] == 0
    code, text = told("check", tmp_path / "o.xml", tmp_path / "o.2.xml", "--json")
    assert code == 0
    assert [json.loads(line)["documents"] for line in text.splitlines()] == [100, 20]


def test_findings_stand_on_stdout_with_json_and_the_good_documents_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_bytes(as_csv([row(1), row(2, 数量="x")]))
    code, text = told("map", tmp_path / "o.csv", "--map", "orders-311", "-o", tmp_path / "o.xml", "--json")
    answer = json.loads(text)
    assert (code, answer["documents"], answer["valid"]) == (1, 2, False)
    assert answer["rows"] == {"read": 2, "mapped": 2, "refused": 0, "blank": 0}
    assert [(one["code"], one["row"], one["cell"]) for one in answer["findings"]] == [("M030", 3, "T3")]
    assert (tmp_path / "o.xml").read_bytes().count(b"<ceb:Order>") == 1


def test_a_map_may_be_a_file_and_is_checked_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("path,column,verb,argument\n@from,,,orders-311\nOrderHead/x,y,text,\n", "utf-8")
    code, text = told("map", "check", tmp_path / "mine.csv", "--json")
    assert (code, json.loads(text)["line"], json.loads(text)["code"]) == (1, 3, "M052")
    assert told("map", "check", "orders-311")[0] == 0


@pytest.mark.parametrize("name", ["orders-31", "nothing"])
def test_an_unknown_map_ends_with_not_found(tmp_path: Path, name: str) -> None:
    assert ended(["map", "coverage", name]) == 4


def test_trying_and_covering_show_the_cells(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_bytes(as_csv(orders(1)))
    assert "YX202600000001" in told("map", "try", tmp_path / "o.csv", "--map", "orders-311")[1]
    assert len(told("map", "coverage", "orders-311", "--json")[1].splitlines()) == 43


def test_new_writes_a_map_and_a_template_once(tmp_path: Path) -> None:
    assert told("map", "new", "CEB411", "-o", tmp_path)[0] == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["CEB411.map.csv", "CEB411.xlsx"]
    assert told("map", "check", tmp_path / "CEB411.map.csv")[0] == 0
    assert ended(["map", "new", "CEB411", "-o", str(tmp_path)]) == 2


def on_a_terminal(arguments: list[str]) -> tuple[int, str]:
    """The exit code of a process whose stderr is a terminal, and what it showed there."""
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 1 << 16):
            shown += part
    except OSError:
        pass  # Linux ends a terminal that nobody has open any more with an error.
    os.close(ours)
    return process.wait(60), shown.decode()


def test_a_terminal_is_shown_how_far_the_file_is_read_and_nobody_else(tmp_path: Path) -> None:
    table = tmp_path / "o.csv"
    arguments = ["-m", "gateway.cli", "map", str(table), "--map", "orders-311", "-o", str(tmp_path)]
    # More rows than are read ahead of the first document.
    table.write_bytes(as_csv(orders(12_000, 1)))
    code, shown = on_a_terminal(arguments)
    steps = [int(percent) for percent in re.findall(r"(\d+)%", shown)]
    assert (code, steps[0], steps[-1], steps == sorted(steps)) == (0, 0, 100, True)
    assert len(set(steps)) > 2
    table.write_bytes(as_csv(orders(2)))
    answer = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    told = f"{table}: CEB311 by orders-311, 2 documents from 4 rows: 4 mapped, 0 refused, 0 blank.\n"
    assert (answer.stdout, answer.stderr) == ("", told)


def test_a_table_three_times_as_long_takes_no_more_memory(tmp_path: Path) -> None:
    (short, _), (long, _) = (one_core.streamed(tmp_path, mib) for mib in (6, 18))
    assert long.documents > 2.9 * short.documents
    assert long.memory_mib < min(short.memory_mib + 4, 150)
