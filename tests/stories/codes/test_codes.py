"""Each code of a trade that no longer story tells is told in the shortest trade that provokes it, by the real clerk."""

import re
import shutil
from pathlib import Path

import pytest

from tests.stories.trades.playing import Story
from tests.stories.trades.test_trade_stories import made_home

_PARTS = re.split(r"(?m)^(T\d{3})\n", (Path(__file__).parent / "cases.txt").read_text("utf-8"))[1:]
CASES = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))


@pytest.mark.parametrize("code", CASES)
def test_the_code_is_told(code: str, tmp_path: Path) -> None:
    home = Path(shutil.copytree(made_home(), tmp_path / "home"))
    seen = Story(home, CASES[code]).play()
    assert re.search(rf"\b{code}\b", seen), seen
