"""A home with the demo's four partners, made once; each test gets a copy of its own."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.home import make_home
from tests.homes import every_document_alone

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = make_home(tmp_path_factory.mktemp("made") / "home", NOW, demo=True)
    every_document_alone(home)
    return home


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo, tmp_path / "home"))
