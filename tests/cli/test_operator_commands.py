"""The operator's commands: data on stdout, talk on stderr, the exit code says how it ended; no daemon is needed."""

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.cli import ended
from tests import homes, samples


def order_file(folder: Path, count: int = 1, start: int = 1) -> Path:
    file = folder / f"orders{start}.xml"
    file.write_bytes(samples.message("CEB311", count, start=start))
    return file


def test_submit_prints_the_acknowledgement_and_the_same_file_twice_is_a_duplicate(told: Any, tmp_path: Path) -> None:
    file = order_file(tmp_path, 2)
    (first,) = told("submit", file, "--partner", "shop")
    assert list(first) == [
        "number", "file", "partner", "sha256", "received_at", "duplicate_of", "documents", "findings",
    ]  # fmt: skip
    assert [one["state"] for one in first["documents"]] == ["ready", "ready"]
    assert file.exists()
    (second,) = told("submit", file, "--partner", "shop")
    assert (second["duplicate_of"], second["documents"]) == (first["number"], first["documents"])


def test_submit_ends_by_what_became_of_the_files(
    told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.xml").write_text("nonsense")
    answers = told("submit", order_file(tmp_path), tmp_path / "bad.xml", "--partner", "shop", ends=1)
    assert [len(one["documents"]) for one in answers] == [1, 0]
    assert told("submit", tmp_path / "bad.xml", "--partner", "nobody", ends=4) == []
    assert told("submit", tmp_path / "missing.xml", "--partner", "shop", ends=2) == []
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(samples.order(7))))
    (piped,) = told("submit", "-", "--partner", "shop")
    assert piped["file"] == f"{piped['number']}.xml"
    changed = tmp_path / "changed.xml"
    changed.write_bytes(samples.order(7).replace("工作日送货".encode(), "周末送货".encode()))
    told("submit", changed, "--partner", "shop", ends=1)
    assert ended(["submit", str(changed), "--partner", "shop"]) == 1
    assert "not declared" in capsys.readouterr().err
    assert ended(["submit", str(order_file(tmp_path)), "--partner", "shop"]) == 0
    assert "nothing is declared twice" in capsys.readouterr().err


def test_queue_is_one_object_and_a_table_with_the_plan(
    told: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("outbox", "documents", "unanswered", "causes", "authorities", "payments")
    nothing: dict[str, Any] = {name: [] for name in names}
    assert told("queue") == [nothing]
    (first,) = told("submit", order_file(tmp_path, 2), "--partner", "shop")
    told("hold", f"{first['number']}.1", "--reason", "电话核实")
    ((waits,), listed) = told("queue"), told("queue", "--documents")
    assert list(waits["outbox"][0]) == [
        "destination", "partner", "state", "messages", "next_try", "oldest", "attempts", "trouble",
    ]  # fmt: skip
    assert [(row["state"], row["why"], row["documents"]) for row in waits["documents"]] == [("held", "电话核实", 1)]
    assert [row["number"] for row in listed] == [f"{first['number']}.1"]
    assert told("queue", "--waiting") == [nothing | {"trades": [], "open_trades": 0}]
    told("submit", order_file(tmp_path, 1, 9), "--partner", "shop")
    capsys.readouterr()
    assert ended(["queue"]) == 0
    shown = capsys.readouterr()
    assert "+08:00" in shown.out
    assert "tried again after 2 s" in shown.err
    assert ended(["queue", "--utc"]) == 0
    assert "+08:00" not in capsys.readouterr().out


def test_trace_tells_one_life_by_any_name(told: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first,) = told("submit", order_file(tmp_path, 2), "--partner", "shop")
    assert [life["number"] for life in told("trace", first["number"])] == [one["number"] for one in first["documents"]]
    (life,) = told("trace", "YX2026000000000002")
    assert life["stamps"][0]["to"] == "received"
    assert told("trace", "nothing", ends=4) == []
    assert ended(["trace", life["number"]]) == 0
    shown = capsys.readouterr().out
    for part in (life["key"], "check: received → checked", "customs: waiting", "by submit"):
        assert part in shown


def test_trace_shows_findings_and_receipts_in_chinese(
    home: Path, told: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.xml").write_text("nonsense")
    (bad,) = told("submit", tmp_path / "bad.xml", "--partner", "shop", ends=1)
    assert ended(["trace", bad["number"]]) == 0
    assert "不是 XML" in capsys.readouterr().out
    (good,) = told("submit", order_file(tmp_path), "--partner", "shop")
    homes.carry(home)
    said = {"guid": "1", "ebpCode": samples.SHOP.code, "orderNo": samples.trade(1)["orderNo"]}
    homes.answer(home, "CEB312", "OrderReturn", said | {"returnStatus": "120", "returnTime": "20261121120000000"})
    assert ended(["trace", good["number"]]) == 0
    shown = capsys.readouterr().out
    assert "回执 receipt  2026-11-21 12:00:00+08:00  CEB312 120" in shown


@pytest.mark.usefixtures("home")
def test_trace_gives_the_stored_bytes(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = order_file(tmp_path)
    assert ended(["submit", str(file), "--partner", "shop"]) == 0
    number = json.loads(capfdbinary.readouterr().out)["number"]
    assert ended(["trace", number, "--evidence"]) == 0
    assert capfdbinary.readouterr().out == file.read_bytes()
    assert ended(["trace", number, "--sent"]) == 0
    assert b"DxpMsg" in capfdbinary.readouterr().out
    assert ended(["trace", number, "--sent", "--evidence"]) == 2
    assert ended(["trace", "nothing", "--sent"]) == 4


def test_the_verbs_tell_each_item_and_record_the_reason(told: Any, tmp_path: Path) -> None:
    (first,) = told("submit", order_file(tmp_path), "--partner", "shop")
    (held,) = told("hold", "--key", "YX2026000000000001", "--reason", "核实", "--by", "li")
    assert list(held) == ["number", "spec", "key", "partner", "before", "after", "done", "note", "dry_run"]
    assert (held["number"], held["before"], held["after"], held["done"]) == (
        f"{first['number']}.1", "ready", "held", True,
    )  # fmt: skip
    assert told("release", held["number"], "--reason", "已核实", "--by", "li")[0]["after"] == "ready"
    assert told("refuse", "--partner", "shop", "--reason", "撤单", "--by", "li")[0]["after"] == "refused"
    (life,) = told("trace", held["number"])
    assert [(one["to"], one["by"], one["reason"]) for one in life["stamps"][3:]] == [
        ("held", "li", "核实"),
        ("ready", "li", "已核实"),
        ("refused", "li", "撤单"),
    ]


def test_the_verbs_end_by_how_many_could_be_done(told: Any, tmp_path: Path) -> None:
    (first,) = told("submit", order_file(tmp_path, 2), "--partner", "shop")
    one, other = (each["number"] for each in first["documents"])
    why = ("--reason", "x")
    told("hold", one, *why)
    assert [each["done"] for each in told("hold", one, other, *why, ends=3)] == [False, True]
    assert [each["done"] for each in told("hold", one, other, *why, ends=1)] == [False, False]
    told("hold", "261121000000000000", *why, ends=4)
    told("release", one, "261121000000000000", *why, ends=3)
    told("release", "--partner", "pay", *why, ends=4)


@pytest.mark.parametrize(
    "arguments",
    [
        ["hold", "--reason", "x"],
        ["replay"],
        ["hold", "--partner", "shop"],
        ["hold", "12", "--reason", "x"],
        ["hold", "261121000000000000.0", "--reason", "x"],
        ["hold", "--since", "soon", "--reason", "x"],
        ["hold", "--state", "lost", "--reason", "x"],
    ],
)
def test_what_is_not_said_clearly_is_wrong_usage(arguments: list[str], home: Path) -> None:
    assert ended(arguments) == 2


def test_a_dry_run_touches_nothing(home: Path, told: Any, tmp_path: Path) -> None:
    (first,) = told("submit", order_file(tmp_path, 2), "--partner", "shop")
    before = "\n".join(homes.book(home).conn.iterdump())
    files = sorted(file for file in (home / "spool").rglob("*") if file.is_file())
    for verb in ("hold", "refuse"):
        shown = told(verb, first["number"], "--dry-run")
        assert [(one["number"], one["dry_run"]) for one in shown] == [
            (each["number"], True) for each in first["documents"]
        ]
    (again,) = told("replay", "--partner", "shop", "--since", "2h", "--dry-run")
    assert (again["replay_of"], again["number"], again["dry_run"]) == (first["number"], None, True)
    assert "\n".join(homes.book(home).conn.iterdump()) == before
    assert sorted(file for file in (home / "spool").rglob("*") if file.is_file()) == files


def test_replay_answers_with_the_acknowledgement_and_the_old_number(
    told: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for start in (1, 2, 3):
        told("submit", order_file(tmp_path, 1, start), "--partner", "shop")
    answers = told("replay", "--partner", "shop", "--limit", 2, "--reason", "演练")
    assert [one["duplicate_of"] == one["replay_of"] != one["number"] for one in answers] == [True, True]
    assert ended(["replay", answers[0]["replay_of"]]) == 0
    assert "all of it stands as" in capsys.readouterr().out


def test_query_reads_and_shows_bytes_in_hex(told: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first,) = told("submit", order_file(tmp_path), "--partner", "shop")
    assert told("query", "SELECT number, sha256, size > 0 AS big FROM interchange") == [
        {"number": first["number"], "sha256": first["sha256"], "big": 1}
    ]
    assert ended(["query", "SELECT state, count(*) AS n FROM document GROUP BY state", "--csv"]) == 0
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out))) == [{"state": "ready", "n": "1"}]
    assert ended(["query", "SELECT state FROM document WHERE 0"]) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM stamp",
        "UPDATE document SET state = 'closed'",
        "WITH x AS (SELECT 1) INSERT INTO batch SELECT 1, 1, 1, NULL",
        "INSERT INTO batch VALUES (1, 1, 1, NULL) RETURNING *",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "ATTACH 'other.sqlite3' AS other",
        "DROP TABLE stamp",
        "CREATE TEMP TABLE t AS SELECT 1",
        "VACUUM",
        "SELECT 1; DELETE FROM stamp",
        "SELECT nothing FROM nowhere",
        "",
    ],
)
def test_query_does_nothing_but_read(sql: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = "\n".join(homes.book(home).conn.iterdump())
    assert ended(["query", sql]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "\n".join(homes.book(home).conn.iterdump()) == before


@pytest.mark.parametrize("arguments", [["queue"], ["trace", "x"], ["query", "SELECT 1"]])
def test_without_a_home_nothing_is_found(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended([*arguments, "--home", str(tmp_path / "nowhere")]) == 4
    assert "kouan init" in capsys.readouterr().err
