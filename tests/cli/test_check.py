"""`kouan check` says everything that is wrong with each file and touches no ledger."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.customs import wrap
from gateway.cli import ended

SAMPLES = Path(__file__).parents[2] / "message_specs/ceb/samples"
GOOD, BAD = SAMPLES / "good/CEB311.xml", SAMPLES / "bad/CEB311_amounts.xml"
KEYS = ["code", "severity", "document", "path", "line", "column", "row", "cell", "value", "zh", "en", "hint"]


@pytest.fixture(autouse=True)
def _without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOUAN_HOME", raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_good_file_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["check", str(GOOD), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "file": str(GOOD),
        "spec": "CEB311",
        "revision": "202205",
        "strict": True,
        "documents": 1,
        "valid": True,
        "findings": [],
    }


def test_a_bad_file_ends_with_one_and_every_finding_has_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["check", str(BAD), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["valid"]
    assert [list(finding) for finding in answer["findings"]] == [KEYS] * len(answer["findings"])
    assert "C210" in {finding["code"] for finding in answer["findings"]}


def test_each_file_is_an_object_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["check", str(GOOD), str(BAD), "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["file"], one["valid"]) for one in told] == [(str(GOOD), True), (str(BAD), False)]


def test_people_read_a_table_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["check", str(BAD)]) == 1
    told = capsys.readouterr()
    assert "实际支付金额" in told.out
    assert "acturalPaid should be" in told.out
    assert "bad (1 errors, 2 warnings)" in told.err


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(GOOD.read_bytes())))
    assert ended(["check", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == "-"


def test_the_spec_and_the_revision_can_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["check", str(GOOD), "--revision", "2018", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["revision"] == "2018"
    assert ended(["check", str(GOOD), "--spec", "CEB411", "--json"]) == 1
    assert ended(["check", str(GOOD), "--spec", "CEB4"]) == 2
    assert "There is no spec" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_wrong_usage() -> None:
    assert ended(["check", "nowhere.xml"]) == 2


def test_a_message_in_its_envelope_is_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "enveloped.xml"
    file.write_bytes(
        wrap(
            GOOD.read_bytes(),
            form="DxpMsg",
            message_id="1",
            sender="DXPENT0000030001",
            receiver="DXPEDCCEB0000002",
            message_type="CEB311Message",
            created=datetime(2026, 11, 21, tzinfo=UTC),
        )
    )
    assert ended(["check", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["spec"] == "CEB311"


def test_the_home_may_soften_a_finding(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = home / "kouan.toml"
    settings.write_text(settings.read_text("utf-8").replace("# C210 =", "C210 ="), "utf-8")
    assert ended(["check", str(BAD), "--json", "--home", str(home)]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {finding["severity"] for finding in findings} == {"warning"}


SENT = GOOD.parents[1] / "bad/CEB816_as_sent.xml"


def test_a_receipt_is_read_as_settling_reads_it_unless_it_is_to_be_strict(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["check", str(SENT), "--spec", "CEB816"]) == 0
    told = capsys.readouterr()
    assert "S021" in told.out
    assert "--strict makes them errors" in told.err
    assert ended(["check", str(SENT), "--strict", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["strict"] is True
    assert ended(["check", str(SENT), "--spec", "CEB818"]) == 1


@pytest.mark.parametrize(("day", "revision"), [("2022-04-30", "2018"), ("2022-05-01", "202205")])
def test_the_day_decides_the_revision(day: str, revision: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["check", str(GOOD), "--date", day, "--json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["revision"] == revision
