"""Which fellows an inventory waits for, by mode and day, and when it has waited too long.

The rows of waiting.csv are the law and the habits of the ports; the number of days is ours to choose.
A fellow counts when it is alive and neither held nor kept here by a key in trouble: it may still be refused, and
customs returns an inventory without it.  Sources: import rules 2,
export rules 3, export receipts 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from message_specs.findings import Finding, finding
from message_specs.trade.choosing import Chosen
from message_specs.trade.matching import applies, day
from message_specs.trade.papers import side_of, table

AGREEMENT = "agreement"
"""What an inventory waits for while its fellows are here and disagree."""
_KINDS = ("inventory", "order", "payment", "waybill")
_CODES = {"order": "T201", "payment": "T202", "waybill": "T203", "inventory": "T204"}
_NAMES = {"order": "订单", "payment": "支付单", "waybill": "运单", "inventory": "清单"}
KEYLESS = "keyless"
"""The state of a paper whose document cannot leave because a key is in trouble; in the ledger it is checked."""
_STOPPED = {"held": "T211", KEYLESS: "T214"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fellow: whether an inventory waits for it, and after how many days its partners are told."""

    kind: str
    required: bool
    days: int


@lru_cache(maxsize=256)
def fellows(side: str, mode: str, on: date) -> tuple[Wanted, ...]:
    """The fellows by the rows in force on that day; of several rows for one kind the last holds.

    >>> [wanted.kind for wanted in fellows("import", "1210", date(2026, 11, 21)) if wanted.required]
    ['order', 'waybill', 'inventory']
    """
    found: dict[str, Wanted] = {}
    for row in table("waiting.csv"):
        since, until = day(row["since"]), day(row["until"])
        if applies(row["modes"], side, mode) and (since is None or since <= on) and (until is None or on <= until):
            found[row["kind"]] = Wanted(row["kind"], row["need"] == "required", int(row["days"]))
    return tuple(found.values())


def _side(chosen: Chosen) -> str:
    return next((side_of(paper.spec) for kind in _KINDS if (paper := chosen.of(kind))), "")


def missing(chosen: Chosen, mode: str, today: date, *, inventory: bool = False) -> tuple[str, ...]:
    """The kinds that are required and not there, held or without a key; `inventory`: that one too."""
    found = []
    for wanted in fellows(_side(chosen), mode, today):
        if wanted.required and (inventory or wanted.kind != "inventory"):
            paper = chosen.of(wanted.kind)
            if paper is None or paper.state in _STOPPED:
                found.append(wanted.kind)
    return tuple(found)


def why_waiting(chosen: Chosen, mode: str, today: date, *, inventory: bool = False) -> tuple[Finding, ...]:
    """One finding for each fellow that is missing, and one for each that is held or without a key."""
    found = []
    for kind in missing(chosen, mode, today, inventory=inventory):
        paper = chosen.of(kind)
        found.append(finding(_STOPPED[paper.state], names=paper.name) if paper else finding(_CODES[kind]))
    return tuple(found)


def due(kinds: Sequence[str], since: date, side: str, mode: str, on: date) -> date | None:
    """The day on which a wait for these kinds has become too long; None when nothing is waited for.

    >>> due(("payment",), date(2026, 11, 21), "import", "9610", date(2026, 11, 21))
    datetime.date(2026, 11, 24)
    """
    days = [wanted.days for wanted in fellows(side, mode, on) if wanted.kind in kinds]
    return since + timedelta(days=min(days)) if days else None


def too_long(chosen: Chosen, mode: str, since: date, today: date, *, inventory: bool = False) -> Finding | None:
    """The finding for a dossier whose fellows are overdue; `since` is the day from which it waits."""
    kinds = missing(chosen, mode, today, inventory=inventory)
    last = due(kinds, since, _side(chosen), mode, today)
    if last is None or today < last:
        return None
    return finding(
        "T210",
        # The same words every day, so that nobody is told twice.
        days=str((last - since).days),
        since=since.isoformat(),
        missing="、".join(_NAMES[kind] for kind in kinds),
        missing_en=", ".join(kinds),
    )


def unmended(chosen: Chosen, mode: str, since: date, today: date, codes: Sequence[str]) -> Finding | None:
    """The finding for a trade whose documents have disagreed for too long; `since` is the day from which it waits."""
    last = due((AGREEMENT,), since, _side(chosen), mode, today)
    if not codes or last is None or today < last:
        return None
    days = str((last - since).days)
    return finding("T215", days=days, since=since.isoformat(), codes="、".join(dict.fromkeys(codes)))
