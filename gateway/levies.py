"""Levies of one trade: what customs is expected to levy on its inventory, and the bills that have come.

The prediction is made anew by the table of the day on which the inventory came; a bill is read from the evidence of
the answer that brought it, whether that answer was settled or is held.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from gateway.config import House
from gateway.receipts import message_of
from message_specs.codes import receipt_status
from message_specs.document import Document
from message_specs.opening import open_receipt
from message_specs.trade.bills import Bill, after, compare
from message_specs.trade.limits import NoLimits, limits_on
from message_specs.trade.papers import Paper
from message_specs.trade.rates import Rates
from message_specs.trade.taxing import Prediction, Taxes, Terms, predict
from spool.ledger import Ledger
from spool.number import came_at

Facts = dict[str, Any]
_IMPORT = "CEB621"


def units(ledger: Ledger, house: House, inventory: Paper) -> list[Document]:
    """Return every unit of customs' answers about an inventory whose evidence can be read, in the order of its coming.

    The bills under a number of customs that these answers tell come last.
    """
    rows = ledger.all("answers_of", inventory.number, inventory.ordinal)
    told = list(_read(house, rows))
    seen = {(row["answer"], row["unit"]) for row in rows}
    for name in dict.fromkeys(unit.head.get("invtNo", "").strip() for unit in told):
        more = ledger.all("answers_under", name) if name else []
        told += _read(house, [row for row in more if (row["answer"], row["unit"]) not in seen])
    return told


def _read(house: House, rows: Sequence[Any]) -> Iterator[Document]:
    for row in rows:
        try:
            data = (house.home / "spool/store" / row["evidence"]).read_bytes()
        except OSError:
            # Evidence that was archived away: the rest of the trade is told all the same.
            continue
        opened = open_receipt(message_of(data))
        yield from (unit for unit in opened.documents if unit.ordinal == row["unit"])


def levied(house: House, inventory: Paper, told: Sequence[Document]) -> Facts | None:
    """Return the predicted tax and the bills held against it; None for what no retail import tax is levied on."""
    if inventory.spec != _IMPORT:
        return None
    predicted = _predicted(house, inventory, came_at(inventory.number).date())
    if predicted is None:
        return None
    return {
        "on": predicted.on.isoformat(),
        "value": f"{predicted.purchase.value:f}",
        "standing": str(predicted.purchase.standing),
        "predicted": _taxes(predicted.payable),
        "untold": [one.as_dict() for one in predicted.findings],
        "bills": list(_bills(house, predicted, told)),
    }


def _predicted(house: House, inventory: Paper, on: date) -> Prediction | None:
    try:
        limits = limits_on(on)
    except NoLimits:
        return None
    terms = Terms(on, Rates(house.rates), limits, house.kouan.tax.of_amounts())
    return predict(inventory.head, inventory.lines, terms)


def _bills(house: House, predicted: Prediction, told: Sequence[Document]) -> Iterator[Facts]:
    bills: dict[str, Bill] = {}
    differences: dict[str, list[Facts]] = {}
    for unit in told:
        head: Mapping[str, str] = {name: text for name, text in unit.head.items() if text}
        name = head.get("taxNo", "").strip()
        if unit.spec.code not in ("CEB816", "CEB818") or not name:
            continue
        bills[name] = after(bills.get(name), head)
        if unit.spec.code == "CEB816":
            found = compare(predicted, head, unit.lines, house.kouan.tax.tolerance)
            differences[name] = [one.as_dict() for one in found]
    for name, bill in bills.items():
        meaning = receipt_status("CEB816", bill.status)
        yield {
            "tax_no": name,
            "status": bill.status,
            "status_zh": meaning.zh,
            "status_en": meaning.en,
            "taxes": _taxes(bill.taxes),
            "differences": differences.get(name, []),
        }


def _taxes(taxes: Taxes | None) -> dict[str, str] | None:
    if taxes is None:
        return None
    names = ("duty", "consumption", "vat", "total")
    return {name: f"{getattr(taxes, name):f}" for name in names}
