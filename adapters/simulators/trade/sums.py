"""Monthly aggregation: closed lists are gathered into declarations, and customs tells of each twice (792).

A declaration gathers lists that are equal in consignor, transport mode,
producing enterprise, country and exit office; a line of it, lines that are
equal in destination, tariff code and currency; it has fifty lines at most.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.simulators.receipts import CHINA
from adapters.simulators.trade import duty
from adapters.simulators.trade.docket import Docket
from adapters.simulators.trade.papers import Paper
from adapters.simulators.trade.shelf import Shelf

LINES_OF_A_DECLARATION = 50
_HEAD = ("ebcCode", "trafMode", "ownerCode", "country", "portCode")
_BODY = ("country", "gcode", "currency")
_ECHO = ("customsCode", "agentCode", "agentName", "ebcCode", "ebcName", "declAgentCode", "declAgentName")


class Sums:
    """What an aggregate application gathers."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def gather(self, parts: Sequence[Paper], docket: Docket) -> None:
        """The parts of an application are answered, and the declarations that come of it are told."""
        first = min(parts, key=lambda part: int(part.head.get("msgSeqNo") or 1))
        numbers = [line.get("invtNo", "") for part in parts for line in part.lines]
        lists, why = self._named(numbers, first, docket) if numbers else self._of_period(first, docket)
        if why:
            for part in parts:
                docket.say(part, "100", returnInfo=f"[Code:1300;Desc:人工退单],{why}")
            return
        serial = (first.message * 100 + first.ordinal - 1) % 10**7
        year = f"{datetime.fromtimestamp(docket.at / 1000, CHINA):%Y}"
        base = f"{first.head.get('customsCode', '0000'):0>4.4}{year}{serial:07d}"
        for part in parts:
            docket.say(part, "399", sumNo=f"{base}000")
        declared = declarations(lists)
        for later in (False, True):
            results = [
                self._result(first, base, number, lines, later=later) for number, lines in enumerate(declared, 1)
            ]
            docket.say(first, "R" if later else "A", code="CEB792", results=results)
        for one in lists:
            one.more["sum"] = f"{base}000"
            self._shelf.changed(one)

    def _named(self, numbers: Sequence[str], first: Paper, docket: Docket) -> tuple[list[Paper], str]:
        found = []
        for number in numbers:
            listed = self._shelf.of_inventory(number, "CEB603")
            if listed is None or not _is_ripe(listed, first, docket):
                return [], f"清单不满足汇总条件：{number}"
            found.append(listed)
        return found, ""

    def _of_period(self, first: Paper, docket: Docket) -> tuple[list[Paper], str]:
        start, end = first.head.get("startTime", ""), first.head.get("endTime", "") or "9"
        found = []
        for listed in self._shelf.all_of("CEB603"):
            if _is_ripe(listed, first, docket):
                closed = f"{datetime.fromtimestamp(listed.moment('899') / 1000, CHINA):%Y%m%d%H%M%S}"
                found += [listed] if start <= closed <= end else []
        return found, "" if found else "期间内没有可汇总的清单"

    @staticmethod
    def _result(
        first: Paper, base: str, number: int, lines: Sequence[dict[str, Any]], *, later: bool
    ) -> dict[str, Any]:
        papers = {id(line["paper"]): line["paper"] for line in lines}.values()
        head = {name: first.head.get(name, "") for name in _ECHO}
        head |= {"sumNo": f"{base}000", "declSeqNo": f"{base}{number:03d}"}
        if later:
            head |= {"decTmpNo": f"I{base}{number:02d}", "decPreNo": f"{base}{number + 300:03d}",
                     "entryId": f"{base}{number + 600:03d}"}  # fmt: skip
        head |= {
            weight: str(sum((duty.number(one.head.get(weight)) for one in papers), Decimal(0)))
            for weight in ("grossWeight", "netWeight")
        }
        listed = [{name: str(value) for name, value in line.items() if name != "paper"} for line in lines]
        return {"head": head, "lines": [] if later else listed}


def declarations(lists: Sequence[Paper]) -> list[list[dict[str, Any]]]:
    """Return the lines of each declaration that these lists give, each with its number in the declaration."""
    groups: dict[tuple[str, ...], list[Paper]] = {}
    for one in lists:
        groups.setdefault(tuple(one.head.get(name, "") for name in _HEAD), []).append(one)
    made = []
    for papers in groups.values():
        places: dict[tuple[str, ...], int] = {}
        lines: list[tuple[int, dict[str, Any]]] = []
        for paper in papers:
            for line in paper.lines:
                place = places.setdefault(tuple(line.get(name, "") for name in _BODY), len(places))
                lines.append((place, {
                    "paper": paper, "invtNo": paper.invt, "logisticsNo": paper.head.get("logisticsNo", ""),
                    "gseqno": place % LINES_OF_A_DECLARATION + 1, "gnum": line.get("gnum", ""),
                    "gcode": line.get("gcode", ""),
                }))  # fmt: skip
        for start in range(0, len(places), LINES_OF_A_DECLARATION):
            made.append([line for place, line in lines if start <= place < start + LINES_OF_A_DECLARATION])
    return made


def _is_ripe(listed: Paper, first: Paper, docket: Docket) -> bool:
    return (
        listed.status(docket.at) == "899"
        and listed.head.get("statisticsFlag") == "B"
        and listed.head.get("ebcCode") == first.head.get("ebcCode")
        and "sum" not in listed.more
    )
