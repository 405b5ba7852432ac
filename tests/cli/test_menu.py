"""The command answers at once, speaks on stderr, gives data on stdout, and ends with a number that means something."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli import COMMANDS, ended, menu
from gateway.cli.talk import INTERRUPTED, LOCKED, NOT_FOUND, USAGE, Stop
from spool.errors import ForOperator, UnknownPartner

HEAVY = ("twisted", "lxml", "rich", "msgspec", "cryptography", "sqlite3", "gateway.config")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["--help"]) == 0
    told = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n  {name} " not in told] == []


def test_help_imports_nothing_heavy() -> None:
    script = f"""import sys
from gateway.cli import ended
ended(['--help'])
print([name for name in {HEAVY} if name in sys.modules])"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_a_near_miss_is_answered_with_the_likeliest_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["chek"]) == USAGE
    assert 'Did you mean "check"?' in capsys.readouterr().err


def test_an_unknown_option_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["init", "--nonsense", "x"]) == USAGE
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [
        (UnknownPartner("acme"), NOT_FOUND, "kouan: No file in partners/ names this partner: acme\n"),
        (ForOperator("x"), 1, "kouan: Our configuration, a key or a disk needs an operator: x\n"),
        (Stop("The ledger is locked.", LOCKED), LOCKED, "kouan: The ledger is locked.\n"),
        (KeyboardInterrupt(), INTERRUPTED, ""),
    ],
)
def test_whatever_is_raised_ends_in_a_sentence_and_a_number(
    trouble: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*_args: object, **_options: object) -> None:
        raise trouble

    monkeypatch.setattr(menu, "main", call)
    assert ended([]) == code
    assert capsys.readouterr().err.strip() == said.strip()


def test_home_is_taken_before_and_after_the_command_and_from_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KOUAN_HOME", raising=False)
    assert ended(["--home", str(home), "config", "check"]) == 0
    assert ended(["config", "check", "--home", str(home)]) == 0
    monkeypatch.setenv("KOUAN_HOME", str(home))
    assert ended(["config", "check"]) == 0
    monkeypatch.setenv("KOUAN_HOME", str(home / "nowhere"))
    assert ended(["config", "check"]) == NOT_FOUND
    assert "kouan init DIR" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["--version"]) == 0
    assert capsys.readouterr().out.startswith("kouan ")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    script = f"{sys.executable} -m gateway.cli spec xsd CEB311 | head -n 1"
    answer = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("<?xml")
    assert answer.stderr == ""
