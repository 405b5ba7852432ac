"""The export trade: order, waybill and list together; then the bill's arrival releases and its departure closes.

Parts of a split document count when the last one has come.  A receipt of
payment never holds a list up: it is taken in when its list is examined.

**Known limits.** A list without a bill number is found by its waybill in an
arrival that comes after it, not before.
"""

from collections.abc import Iterable
from decimal import Decimal

from adapters.simulators.trade import compare, duty
from adapters.simulators.trade.docket import Docket
from adapters.simulators.trade.imports import returned, too_much
from adapters.simulators.trade.papers import Paper, waybill_mark
from adapters.simulators.trade.shelf import Shelf
from adapters.simulators.trade.sums import Sums

_CANCELLABLE = ("2", "120", "300", "399", "500")
# A list of these modes holds up to so many yuan; a few rates are enough to tell.
_LIST_LIMIT = {"9710": 5000, "9810": 5000}
_YUAN = {"142": Decimal(1), "502": Decimal("7.1"), "300": Decimal("7.8"), "110": Decimal("0.91"), "303": Decimal(9)}


class Exports:
    """What a paper of an export moves."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._sums = Sums(shelf)
        self._matched = 0

    def come(self, paper: Paper, docket: Docket) -> None:
        """Everything that follows from this paper is said."""
        match paper.spec:
            case "CEB603":
                self._match(paper, docket)
            case "CEB303" | "CEB403":
                for listed in self._shelf.of_trade(paper.trade, "CEB603"):
                    self._match(listed, docket)
                    self._payments(listed, docket)
            case "CEB505":
                for listed in self._shelf.sharing(paper.key, "CEB603"):
                    self._match(listed, docket)
            case "CEB607" | "CEB507" | "CEB509" | "CEB701":
                self._part(paper, docket)
            case "CEB605":
                self._cancel(paper, docket)
            case "CEB213":
                self._return(paper, docket)
            case "CEB215":
                docket.say(paper, "399")
                self._shelf.changed(paper)

    def _match(self, listed: Paper, docket: Docket) -> None:
        if not listed.waits or docket.is_silent(listed):
            return
        shelf = self._shelf
        orders = [one for one in shelf.of_trade(listed.trade, "CEB303") if one.last != "100"]
        waybill = shelf.get("CEB505", waybill_mark(listed.head, listed.head.get("logisticsNo", "")))
        if not orders or waybill is None:
            return
        self._matched += 1
        wrong = compare.of_export(listed, orders[0], waybill) + _over_the_limit(listed)
        if docket.asked.mismatch:
            wrong = [(docket.asked.mismatch, "")]
        shelf.changed(listed)
        if wrong:
            docket.say(listed, "100", after=docket.latest(orders[0], waybill), returnInfo=compare.said(wrong))
            return
        accepted = docket.latest(orders[0], waybill, listed)
        for paper in (orders[0], waybill):
            if paper.waits:
                docket.say(paper, "120", after=accepted)
                shelf.changed(paper)
        docket.say(listed, "120", after=accepted)
        for status in (*docket.asked.reviews(self._matched), "399"):
            docket.say(listed, status)
        self._payments(listed, docket)
        self._release(listed, docket)

    def _payments(self, listed: Paper, docket: Docket) -> None:
        """A receipt of payment is taken in once its list is examined."""
        examined = listed.moment("399")
        for payment in self._shelf.of_trade(listed.trade, "CEB403") if examined else ():
            if payment.waits:
                docket.say(payment, "120", after=examined)
                self._shelf.changed(payment)

    def _part(self, paper: Paper, docket: Docket) -> None:
        parts = [one for one in self._shelf.of_trade(paper.trade, paper.spec) if one.last not in ("100", "void")]
        if len(parts) < int(paper.head.get("msgCount") or 1) or not any(one.waits for one in parts):
            return
        for part in parts:
            self._shelf.changed(part)
        if paper.spec == "CEB701":
            self._sums.gather(parts, docket)
            return
        for part in parts:
            docket.say(part, "399")
        for listed in self._carried(parts) if paper.spec != "CEB607" else ():
            listed.more[paper.spec] = True
            self._shelf.changed(listed)
            self._release(listed, docket, docket.latest(*parts))

    def _carried(self, parts: list[Paper]) -> Iterable[Paper]:
        """Return the lists of an arrival or departure: those of the waybills it names, or of its whole bill."""
        numbers = _numbers(parts)
        if not numbers:
            return self._shelf.of_bill(parts[0].head.get("billNo", ""), "CEB603")
        marks = [waybill_mark(parts[0].head, number) for number in sorted(numbers)]
        return [listed for mark in marks for listed in self._shelf.sharing(mark, "CEB603")]

    def _release(self, listed: Paper, docket: Docket, after: int = 0) -> None:
        """A list that is examined is released when its goods have arrived, and closed when they have left."""
        if listed.last == "399" and self._is_there(listed, "CEB507"):
            asked = docket.asked
            for status in (*asked.inspections(self._matched), *((asked.held,) if asked.held else ("800",))):
                docket.say(listed, status, after=after)
            self._shelf.changed(listed)
        if listed.last == "800" and self._is_there(listed, "CEB509"):
            docket.say(listed, "899", after=after)
            self._shelf.changed(listed)

    def _is_there(self, listed: Paper, spec: str) -> bool:
        if listed.more.get(spec):
            return True
        parts = [one for one in self._shelf.of_bill(listed.head.get("billNo", ""), spec) if one.last == "399"]
        return any(not one.lines or listed.head.get("logisticsNo", "") in _numbers([one]) for one in parts)

    def _cancel(self, paper: Paper, docket: Docket) -> None:
        listed = self._shelf.of_inventory(paper.head.get("invtNo", ""), "CEB603")
        self._shelf.changed(paper)
        if listed is None:
            why = "没有此编号的清单"
        elif any(paper.head.get(name) != listed.head.get(name) for name in ("agentCode", "ebcCode")):
            why = "申报企业与原清单不符"
        else:
            why = "" if listed.status(docket.at) in _CANCELLABLE else "清单状态不允许撤销"
        if why or listed is None:
            docket.say(paper, "100", returnInfo=f"[Code:1300;Desc:人工退单],{why}")
            return
        docket.say(paper, "399")
        docket.withdraw(listed)
        listed.said.append([docket.at, "void"])
        self._shelf.changed(listed)

    def _return(self, paper: Paper, docket: Docket) -> None:
        listed = self._shelf.of_inventory(paper.head.get("invtNo", ""), "CEB603")
        self._shelf.changed(paper)
        if listed is None or listed.status(docket.at) not in ("800", "899"):
            why = "原清单未放行或不存在"
        elif any(paper.head.get(name) != listed.head.get(name) for name in ("ebpCode", "ebcCode")):
            why = "电商企业与原清单不符"
        else:
            why = too_much(paper, listed, returned(listed))
        if why or listed is None:
            docket.say(paper, "100", returnInfo=f"[Code:1300;Desc:人工退单],{why}")
            return
        for status in ("120", *docket.asked.reviews(1), "800"):
            docket.say(paper, status)
        lines = {line["gnum"]: line["qty"] for line in paper.lines}
        listed.more.setdefault("refunds", []).append({"copNo": paper.head.get("coElNo", ""), "lines": lines})
        self._shelf.changed(listed)


def _numbers(parts: Iterable[Paper]) -> set[str]:
    return {line["logisticsNo"] for part in parts for line in part.lines if line.get("logisticsNo")}


def _over_the_limit(listed: Paper) -> list[compare.Difference]:
    limit = _LIST_LIMIT.get(listed.head.get("tradeMode", ""))
    if limit is None:
        return []
    rates = [_YUAN.get(line.get("currency", "")) for line in listed.lines]
    worth = sum((duty.number(line.get("totalPrice")) * rate for line, rate in zip(listed.lines, rates, strict=True)
                 if rate), Decimal(0))  # fmt: skip
    return [("1300", ",单票金额超过清单申报限值5000元")] if worth > limit else []
