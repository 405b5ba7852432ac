"""The office of trades: which document is let in, and what follows from those that are."""

from collections.abc import Sequence

from adapters.simulators.judging import Unit
from adapters.simulators.trade.docket import Docket
from adapters.simulators.trade.exports import Exports
from adapters.simulators.trade.imports import Imports, admitted
from adapters.simulators.trade.papers import INVENTORIES, Paper
from adapters.simulators.trade.shelf import Shelf

_IMPORTS = ("CEB311", "CEB411", "CEB511", "CEB621", "CEB623", "CEB625")
# What a deletion hears after its acceptance.
_DELETED = {"CEB621": ("120", "899"), "CEB603": ("120", "899"), "CEB625": ("120", "399"), "CEB213": ("800",)}
_EXAMINED = ("CEB505", "CEB507", "CEB509", "CEB605", "CEB701", "CEB215", "CEB607")


class Office:
    """Judges trades on one shelf; used by one thread, inside its transactions."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._imports, self._exports = Imports(shelf), Exports(shelf)

    def refuses(self, spec: str, unit: Unit) -> str:
        """Return the negative code with which a new document is turned away, "" for welcome."""
        assert unit.facts is not None
        head, lines = unit.facts
        return admitted(spec, head, lines, self._shelf)

    def consider(self, papers: Sequence[Paper], docket: Docket) -> None:
        """Everything that follows from these papers is said; they stand on the shelf already."""
        # Inventories first: what they match need not look for them.
        for paper in sorted(papers, key=lambda one: one.spec not in INVENTORIES):
            if paper.app_type == "3":
                for status in _DELETED.get(paper.spec, ("399",) if paper.spec in _EXAMINED else ("120",)):
                    docket.say(paper, status)
            elif paper.waits:
                (self._imports if paper.spec in _IMPORTS else self._exports).come(paper, docket)
        self._shelf.write()
