"""Each story is a trade from its files to its end, and everything that its partners see on the way.

`KOUAN_STORIES=write` writes what is seen now as what is expected; the difference is then read by a person.
"""

import atexit
import os
import shutil
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from gateway.home import make_home
from tests.stories.trades.playing import BEGINS, DIFFER, Story

HERE = Path(__file__).parent
STORIES = sorted(path.parent.name for path in HERE.glob("*/story.txt"))

# What the goods of tests.samples pay that ours has no row for.
_RATES = """\
hs,valid_from,valid_to,duty,vat,ct_type,ct_rate,ct_threshold,ct_per,unit1,unit2,name,source
1901101090,2020-01-01,,15,13,none,,,,035,,婴幼儿配方奶粉,
"""


@cache
def made_home() -> Path:
    """A home whose keys are good on the day on which the stories begin."""
    folder = tempfile.mkdtemp(prefix="kouan-trades-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = make_home(Path(folder) / "home", BEGINS - timedelta(days=7), demo=True)
    (home / "rates.csv").write_text(_RATES, "utf-8")
    return home


@pytest.mark.parametrize("story", STORIES)
def test_the_trade_goes_as_it_is_told(story: str, tmp_path: Path) -> None:
    home = Path(shutil.copytree(made_home(), tmp_path / "home"))
    seen = Story(home, (HERE / story / "story.txt").read_text("utf-8")).play()
    expected = HERE / story / "told.txt"
    if os.environ.get("KOUAN_STORIES") == "write":
        expected.write_text(seen, "utf-8")
    assert seen == expected.read_text("utf-8")
    assert DIFFER not in seen


def test_there_are_stories_of_every_kind() -> None:
    assert len(STORIES) >= 50
