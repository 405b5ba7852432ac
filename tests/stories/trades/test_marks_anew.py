"""The marks of an earlier Kouan are reckoned anew from its papers, whatever has happened to its trades.

After each line of every story the ledger is what an earlier Kouan would have written and is brought up to date again:
step 0014 maps marks by pairs, so with the pairs turned it goes back.
"""

import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.book import marks_anew
from gateway.desks import voiding_mark
from message_specs.trade.marking import digest_of
from message_specs.trade.papers import NOBODY, kinds_of_marks, marks_of, unpack
from spool.ledger import Ledger, statements
from tests.stories.trades.playing import Story
from tests.stories.trades.test_trade_stories import HERE, STORIES, made_home

_STEP = files("spool").joinpath("migrations", "0014_nearby_marks.sql").read_text("utf-8")
_BACK = _STEP.replace("m.came", "m.filing").replace("    filing  INTEGER", "    came    INTEGER")
_TABLES = ("mark", "dossier", "paper", "record")
_MEETING = ("order", "order_no", "order_alone", "sold", "shipped", "payment", "waybill", "declared")


def _before(spec: str, body: bytes) -> str:
    """What step 0014 would change, turned."""
    pairs = msgspec.json.decode(marks_anew(spec, body), type=list[tuple[int, int]])
    return msgspec.json.encode([(after, before) for before, after in pairs]).decode()


def _taken(ledger: Ledger, step: str, told: Callable[[str, bytes], str]) -> None:
    """The step is taken with these pairs."""
    ledger.conn.create_function("marks_anew", 2, told)
    with ledger.writing():
        for statement in statements(step):
            ledger.conn.execute(statement)


def _rows(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    rows = {name: sorted(map(tuple, ledger.conn.execute(f"SELECT * FROM {name}")), key=repr) for name in _TABLES}
    years = [(key, json.loads(value or "null")) for key, value, _ in rows["record"] if key.startswith("quota|")]
    return {**rows, "record": [one for one in rows["record"] if not one[0].startswith("quota|")], "years": years}


class Upgraded(Story):
    """A story after each line of which the house is an earlier one that is brought up to date."""

    def _happen(self, words: list[str]) -> None:
        super()._happen(words)
        ledger = self.world.ledger
        stands = _rows(ledger)
        _taken(ledger, _BACK, _before)
        self._is_earlier(ledger, len(stands["mark"]))
        _taken(ledger, _STEP, marks_anew)
        assert _rows(ledger) == stands

    def _is_earlier(self, ledger: Ledger, count: int) -> None:
        """Every mark is a digest, and by each its paper is found, as before step 0014."""
        papers = ledger.conn.execute("SELECT spec, body FROM paper JOIN document USING (number, ordinal)")
        new = {mark for paper in papers for mark in _meeting(*paper)}
        rows = [tuple(row) for row in ledger.conn.execute("SELECT mark, number, ordinal FROM mark")]
        assert len(rows) == count
        assert new.isdisjoint(mark if ordinal >= 0 else mark ^ 1 for mark, _, ordinal in rows)
        assert new.isdisjoint(number for _, number, _ in rows)
        assert {voiding_mark(mark) for mark in new}.isdisjoint(mark for mark, *_ in rows)
        for dossier in ledger.conn.execute("SELECT mark, platform, order_no FROM dossier"):
            if dossier["platform"] != NOBODY:
                assert dossier["mark"] == digest_of(f"order|{dossier['platform']}|{dossier['order_no']}")
        told = "".join(row["key"] + row["value"] for row in ledger.conn.execute("SELECT key, value FROM record"))
        assert not any(str(mark) in told for mark in new)
        left = {row[0] for row in ledger.conn.execute("SELECT dossier FROM paper")}
        assert new.isdisjoint(left)


def _meeting(spec: str, body: bytes) -> set[int]:
    head, lines = unpack(body)
    kinds = [kind for kind in kinds_of_marks(spec) if kind in _MEETING]
    return {mark for kind in kinds for mark in marks_of(kind, spec, head, lines)}


@pytest.mark.parametrize("story", STORIES)
def test_a_story_goes_on_with_the_ledger_of_an_earlier_kouan(story: str, tmp_path: Path) -> None:
    home = Path(shutil.copytree(made_home(), tmp_path / "home"))
    script = (HERE / story / "story.txt").read_text("utf-8")
    assert Upgraded(home, script).play() == (HERE / story / "told.txt").read_text("utf-8")
