"""Each story is what partners and customs do, and everything that can be seen afterwards, file by file.

`KOUAN_STORIES=write` writes what is seen now as what is expected; the difference is then read by a person.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.crash.world import contents
from tests.homes import demo_home
from tests.stories.stories import play

HERE = Path(__file__).parent
STORIES = sorted(path.parent.name for path in HERE.glob("*/given"))


@pytest.mark.parametrize("story", STORIES)
def test_the_story_ends_as_it_is_told(story: str, tmp_path: Path) -> None:
    seen = play(demo_home(tmp_path), HERE / story / "given")
    expected = HERE / story / "expected"
    if os.environ.get("KOUAN_STORIES") == "write":
        shutil.rmtree(expected, ignore_errors=True)
        for path, body in seen.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_bytes(body)
    assert seen == contents(expected)


def test_there_are_stories() -> None:
    assert len(STORIES) >= 15
