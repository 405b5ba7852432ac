"""A home that the commands find by themselves, and what a command tells programs."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import ended
from tests import homes


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
