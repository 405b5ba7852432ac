"""The import trade: order, payment and waybill wait at 2 for their inventory; together they go on to the tax bill.

**Known limits.** A change of an inventory that was taken in is refused; a
refund in part leaves the tax bill as it is, a whole one makes it void.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.simulators.receipts import CHINA
from adapters.simulators.trade import compare, duty
from adapters.simulators.trade.docket import Docket
from adapters.simulators.trade.papers import FAILED, Paper, payment_mark, waybill_mark
from adapters.simulators.trade.shelf import Shelf

_CANCELLABLE = ("120", "300", "399", "500", "800")
_BILLED = ("assureCode", "ebcCode", "logisticsCode", "agentCode", "customsCode")
_MOST_FEN = 10**12
_REFUNDABLE = ("800", "899")
# It was there when its cancel or return was let in, and another declaration of the same key came before they were read.
_GONE = "没有此编号的清单"


def admitted(spec: str, head: Mapping[str, str], lines: Any, shelf: Shelf) -> str:
    """Return the negative code with which a document is turned away at the port, "" for welcome."""
    if spec == "CEB621" and duty.taxable(head, lines) > duty.SINGLE_LIMIT and not duty.is_single_item(lines):
        return "-621005"
    if spec in ("CEB623", "CEB625") and shelf.of_inventory(head.get("invtNo", ""), "CEB621") is None:
        return "-623003" if spec == "CEB623" else "-625016"
    return ""


class Imports:
    """What a paper of an import moves."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._matched = 0

    def come(self, paper: Paper, docket: Docket) -> None:
        """Everything that follows from this paper is said."""
        match paper.spec:
            case "CEB621":
                self._inventory(paper, docket)
            case "CEB311" | "CEB411":
                orders = self._shelf.sharing(paper.key, "CEB311") if paper.spec == "CEB411" else []
                for trade in dict.fromkeys([paper.trade, *(one.trade for one in orders)]):
                    for inventory in self._shelf.of_trade(trade, "CEB621"):
                        self._match(inventory, docket)
            case "CEB511":
                for inventory in self._shelf.sharing(paper.key, "CEB621"):
                    self._match(inventory, docket)
            case "CEB623":
                self._cancel(paper, docket)
            case "CEB625":
                self._refund(paper, docket)

    def _inventory(self, paper: Paper, docket: Docket) -> None:
        payments = self._payments(paper)
        if not payments:
            head = paper.head
            warning = f"对应电商平台为[{head.get('ebpCode')}]订单号为[{head.get('orderNo')}]支付信息不存在"
            docket.remark(paper, {"warning": f"; {warning}"})
        self._match(paper, docket, payments)

    def _payments(self, inventory: Paper) -> list[Paper]:
        """Return the payments of an inventory's order: the one that the order names comes first."""
        order = self._shelf.get("CEB311", inventory.trade)
        named = self._shelf.get("CEB411", payment_mark(order.head)) if order else None
        own = [one for one in self._shelf.of_trade(inventory.trade, "CEB411") if one is not named]
        return [named, *own] if named else own

    def _beside(self, paper: Paper, docket: Docket) -> list[Paper]:
        """Return what shares the payment of an order or the waybill of an inventory, if that is let pass."""
        others = [] if docket.asked.alone else self._shelf.sharing(paper.shares, paper.spec)
        return [one for one in others if one is not paper and one.last not in FAILED]

    def _match(self, inventory: Paper, docket: Docket, known: Sequence[Paper] | None = None) -> None:
        """Say how an inventory that waits goes on, if its three documents are there."""
        if not inventory.waits or docket.is_silent(inventory):
            return
        shelf = self._shelf
        order = shelf.get("CEB311", inventory.trade)
        waybill = shelf.get("CEB511", waybill_mark(inventory.head, inventory.head.get("logisticsNo", "")))
        told = self._payments(inventory) if known is None else known
        payments = [one for one in told if one.last != "100"]
        if order is None or waybill is None or not payments:
            return
        chosen = [one for one in payments if one.head.get("payTransactionId") == order.head.get("payTransactionId")]
        payment = (chosen or payments)[0]
        self._matched += 1
        orders, inventories = self._beside(order, docket), self._beside(inventory, docket)
        wrong = compare.of_import([inventory, *inventories], [order, *orders], payment, waybill)
        if docket.asked.mismatch:
            wrong = [(docket.asked.mismatch, "")]
        # The last, for what goes on uses the year and what is returned does not.
        wrong = wrong or self._over_the_year(inventory, docket.at)
        shelf.changed(inventory)
        if wrong:
            docket.say(inventory, "100", after=docket.latest(order, payment, waybill), returnInfo=compare.said(wrong))
            return
        accepted = docket.latest(order, payment, waybill, inventory)
        for paper in (order, payment, waybill):
            if paper.waits:
                docket.say(paper, "120", after=accepted)
                shelf.changed(paper)
        docket.say(inventory, "120", after=accepted)
        self._go_on(inventory, docket)

    def _go_on(self, inventory: Paper, docket: Docket) -> None:
        asked = docket.asked
        for status in (*asked.reviews(self._matched), "399", *asked.inspections(self._matched)):
            docket.say(inventory, status)
        if asked.held:
            docket.say(inventory, asked.held)
            return
        docket.say(inventory, "800")
        if not asked.no_tax:
            self._tax(inventory, docket)
        if asked.closes:
            docket.say(inventory, "899")

    def _tax(self, inventory: Paper, docket: Docket) -> None:
        lines = duty.reckon(inventory.head, inventory.lines)
        sums = {
            "customsTax": sum((line.duty for line in lines), Decimal(0)),
            "valueAddedTax": sum((line.vat for line in lines), Decimal(0)) + docket.asked.wrong_tax,
            "consumptionTax": sum((line.consumption for line in lines), Decimal(0)),
        }
        number = f"{inventory.invt}_1"
        names = (*_BILLED, *(("orderNo", "logisticsNo") if docket.asked.long_bill else ()))
        head = {name: inventory.head.get(name, "") for name in names}
        bill = {"invtNo": inventory.invt, "taxNo": number, **{name: str(value) for name, value in sums.items()}}
        listed = [
            {"gnum": line.gnum, "gcode": line.gcode, "taxPrice": str(line.value), "customsTax": str(line.duty),
             "valueAddedTax": str(line.vat), "consumptionTax": str(line.consumption)}
            for line in lines
        ]  # fmt: skip
        billed_at = docket.say(inventory, "1", code="CEB816", head=bill | head, lines=listed)
        if billed_at:
            inventory.more |= {"tax": bill, "billed_at": billed_at}
        self._bill_status(inventory, "3" if docket.asked.void_tax else "2", docket)

    def _bill_status(self, inventory: Paper, status: str, docket: Docket, after: int = 0) -> None:
        bill = inventory.more.get("tax")
        if bill is None or docket.is_silent(inventory):
            return
        office = inventory.invt[:4]
        duty_number = f"{office}{inventory.invt[9:]}-A01" if status == "2" else ""
        docket.say(inventory, status, after=after, code="CEB818", head={
            "invtNo": inventory.invt, "taxNo": bill["taxNo"], "entDutyNo": duty_number,
            "assureCode": inventory.head.get("assureCode", ""),
        })  # fmt: skip
        bill["status"] = status

    def _cancel(self, paper: Paper, docket: Docket) -> None:
        inventory = self._shelf.of_inventory(paper.head["invtNo"], "CEB621")
        self._shelf.changed(paper)
        if inventory is None:
            self._answer(paper, _GONE, docket)
            return
        status = inventory.status(docket.at)
        why = _stranger(paper, inventory)
        if status not in _CANCELLABLE or inventory.more.get("refunds"):
            why = "清单状态不允许撤销"
        elif _days(inventory, docket) > docket.asked.window:
            why = "已超过撤销期限"
        self._answer(paper, why, docket)
        if not why:
            billed = 0 < inventory.more.get("billed_at", 0) <= docket.at
            docket.withdraw(inventory)
            if billed:
                self._bill_status(inventory, "3", docket, docket.latest(paper))
            else:
                inventory.more.pop("tax", None)
            inventory.said.append([docket.at, "void"])
            self._use(inventory, docket.at, -duty.taxable(inventory.head, inventory.lines))
            self._shelf.changed(inventory)

    def _refund(self, paper: Paper, docket: Docket) -> None:
        inventory = self._shelf.of_inventory(paper.head["invtNo"], "CEB621")
        self._shelf.changed(paper)
        if inventory is None:
            self._answer(paper, _GONE, docket)
            return
        why = _stranger(paper, inventory)
        if inventory.status(docket.at) not in _REFUNDABLE:
            why = "清单状态不允许退货"
        elif _days(inventory, docket) > docket.asked.window:
            why = "已超过退货期限"
        back = returned(inventory)
        why = why or too_much(paper, inventory, back)
        self._answer(paper, why, docket)
        if why:
            return
        lines = {line["gnum"]: line["qty"] for line in paper.lines}
        inventory.more.setdefault("refunds", []).append({"copNo": paper.head.get("copNo", ""), "lines": lines})
        self._use(inventory, docket.at, -_value(inventory, lines))
        self._shelf.changed(inventory)
        if all(returned(inventory).get(line["gnum"]) == duty.number(line.get("qty")) for line in inventory.lines):
            self._bill_status(inventory, "3", docket, docket.latest(paper))

    def _answer(self, paper: Paper, why: str, docket: Docket) -> None:
        if why:
            docket.say(paper, "100", returnInfo=f"[Code:1300;Desc:人工退单],{why}")
        else:
            docket.say(paper, "120")
            docket.say(paper, "399")

    def _over_the_year(self, inventory: Paper, at: int) -> list[compare.Difference]:
        value = duty.taxable(inventory.head, inventory.lines)
        if Decimal(self._use(inventory, at, value)) / 100 <= duty.YEARLY_LIMIT:
            return []
        self._use(inventory, at, -value)
        return [("1313", ",[limitPrice:26000]")]

    def _use(self, inventory: Paper, at: int, value: Decimal) -> int:
        # What cannot be true is not more than the book can hold.
        fen = max(-_MOST_FEN, min(_MOST_FEN, int(value * 100)))
        return self._shelf.use(_person(inventory), _year(at), fen)


def returned(inventory: Paper) -> dict[str, Decimal]:
    """Return how much of each line has come back already."""
    back: dict[str, Decimal] = {}
    for refund in inventory.more.get("refunds", ()):
        for gnum, qty in refund["lines"].items():
            back[gnum] = back.get(gnum, Decimal(0)) + duty.number(qty)
    return back


def too_much(paper: Paper, inventory: Paper, back: Mapping[str, Decimal]) -> str:
    """Return why the goods of a return are not those of its inventory, "" when they are."""
    original = {line["gnum"]: line for line in inventory.lines}
    for line in paper.lines:
        known = original.get(line.get("gnum", ""))
        if known is None or known.get("gcode") != line.get("gcode"):
            return f"原清单没有此商品序号与商品编码的表体：{line.get('gnum')}"
        if duty.number(line.get("qty")) + back.get(line["gnum"], Decimal(0)) > duty.number(known.get("qty")):
            return f"退货数量超过原清单数量：{line['gnum']}"
    return ""


def _stranger(paper: Paper, inventory: Paper) -> str:
    same = all(paper.head.get(name) == inventory.head.get(name) for name in ("agentCode", "ebcCode"))
    return "" if same else "申报企业与原清单不符"


def _value(inventory: Paper, lines: Mapping[str, str]) -> Decimal:
    total = Decimal(0)
    for line, tax in zip(inventory.lines, duty.reckon(inventory.head, inventory.lines), strict=True):
        qty = duty.number(line.get("qty"))
        if line["gnum"] in lines and qty:
            total += tax.value * duty.number(lines[line["gnum"]]) / qty
    return total


def _days(inventory: Paper, docket: Docket) -> int:
    released = inventory.moment("800")
    if not released or released > docket.at:
        return 0
    passed = (
        datetime.fromtimestamp(docket.at / 1000, CHINA).date() - datetime.fromtimestamp(released / 1000, CHINA).date()
    )
    # A window of no days at all is closed at once.
    return passed // timedelta(days=1) if docket.asked.window else 1


def _person(inventory: Paper) -> str:
    return hashlib.sha256(inventory.head.get("buyerIdNumber", "").encode()).hexdigest()[:32]


def _year(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, CHINA):%Y}"
