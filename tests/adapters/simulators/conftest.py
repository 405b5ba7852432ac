"""A customs in a box for each test, killed at its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.simulators.box import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A customs that is not started yet; it is killed at the end."""
    made = Box(tmp_path)
    yield made
    made.kill()
