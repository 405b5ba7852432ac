"""Statistics: what came between two days and what became of it, in all or by mode, partner or day.

Documents count by the day on which they came, trades by the day on which their dossier was opened, both in China.
The mode of a document is that of its trade; a waybill, and what belongs to a trade whose inventory has not gone yet,
has none.  The partner of a trade is who declared its inventory.
"""

from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Any, Final, Literal

from gateway.gathering import CHINA
from gateway.settling import iso
from message_specs.trade.papers import kind_of
from spool.ledger import Ledger

Facts = dict[str, Any]
By = Literal["", "mode", "partner", "day"]
PHASES: Final = ("open", "declared", "released", "closed", "void")
_OF_DAY: Final = 10**12
"""A number of ours divided by this is its day in China, yymmdd."""


def counted(ledger: Ledger, since: date, until: date, *, by: By = "") -> list[Facts]:
    """Return the figures of the days from `since` to `until`, both counted: one group in all, else one a name."""
    groups: dict[str, Facts] = {}
    after = until + timedelta(days=1)
    numbers = (_first(since), _first(after) - 1, by)
    for row in ledger.all("documents_counted", *numbers):
        group = _group(groups, _name(row["name"], by))
        spec, state, count = row["spec"], row["state"], row["documents"]
        group["documents"].append({"kind": kind_of(spec), "spec": spec, "state": state, "count": count})
        group["refused"] += count if state == "refused" else 0
    for row in ledger.all("mismatches_counted", *numbers):
        _group(groups, _name(row["name"], by))["mismatches"][row["code"]] = row["documents"]
    days = (*(iso(datetime.combine(day, time(), CHINA)) for day in (since, after)), by)
    for row in ledger.all("trades_counted", *days):
        _group(groups, row["name"])["trades"][row["phase"]] = row["trades"]
    seconds: dict[str, list[float]] = {}
    for row in ledger.all("trades_released", *days):
        if row["seconds"] is not None:
            seconds.setdefault(row["name"], []).append(max(row["seconds"], 0.0))
    for name, took in seconds.items():
        group = _group(groups, name)
        group["released"], group["median_seconds"] = len(took), round(median(took))
    return [groups[name] for name in sorted(groups)]


def _group(groups: dict[str, Facts], name: str) -> Facts:
    if name not in groups:
        groups[name] = {
            "name": name,
            "documents": [],
            "refused": 0,
            "mismatches": {},
            "trades": dict.fromkeys(PHASES, 0),
            "released": 0,
            "median_seconds": None,
        }
    return groups[name]


def _first(day: date) -> int:
    return int(f"{day:%y%m%d}") * _OF_DAY


def _name(name: str, by: By) -> str:
    """Return a group's name: the day of a number as a day.

    >>> _name("261121", "day"), _name("9610", "mode")
    ('2026-11-21', '9610')
    """
    return f"20{name[:2]}-{name[2:4]}-{name[4:]}" if by == "day" else name
