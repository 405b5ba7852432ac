"""Gathering a payment: from the order that customs asks for to its payment and to every order that was paid with it.

Only what the ledger holds is told.  A payment may serve several orders, and all of them are given (notice 2018-179).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from gateway.fetching import as_json, paper_of
from message_specs.amounts import amount, number
from message_specs.findings import Finding, finding
from message_specs.trade.choosing import live
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper, marks_of_paper
from spool.ledger import Ledger

_ORDER, _PAYMENT = "CEB311", "CEB411"


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment and every order that was paid with it, by their numbers."""

    payment: Paper
    orders: tuple[Paper, ...]

    @property
    def name(self) -> str:
        """The payment's business key."""
        return f"{self.payment.head.get('payCode', '')}|{self.payment.head.get('payTransactionId', '')}"

    def differs(self) -> Finding | None:
        """Return what is to be told where the orders do not add up to what was paid."""
        total = sum((amount(one.head.get("acturalPaid")) for one in self.orders), Decimal(0))
        paid = self.payment.head.get("amountPaid")
        return None if total == amount(paid) else finding("D104", found=number(total), expected=paid or "")


def is_known(ledger: Ledger, platform: str, order_no: str) -> bool:
    """Tell whether an order of a platform (its customs code) is in the ledger."""
    return any(one.spec == _ORDER for one in _papers(ledger, platform, [mark_of("order", platform, order_no)]))


def paid_with(ledger: Ledger, platform: str, order_no: str) -> Paid | Finding:
    """Return the payment of an order with all its orders, or what is lacking."""
    asked = mark_of("order", platform, order_no)
    near = _papers(ledger, platform, [asked])
    order = next((one for one in near if one.spec == _ORDER), None)
    if order is None:
        return finding("D101", order=order_no, platform=platform)
    named = _marks(order, "payment")
    wanted = {mark for one in near for mark in _marks(one, "payment")} | set(named)
    family = _papers(ledger, platform, [asked, *wanted])
    payments = [one for one in family if one.spec == _PAYMENT]
    # What the order itself names goes before a payment that only names the order; of several the last.
    own = [one for one in payments if set(named) & set(_marks(one, "payment"))]
    telling = [one for one in payments if asked in _marks(one, "order")]
    payment = next(iter(sorted(own or telling, key=_came, reverse=True)), None)
    if payment is None:
        return finding("D102", order=order_no)
    mine, told = set(_marks(payment, "payment")), set(_marks(payment, "order"))
    rest = _papers(ledger, platform, [asked, *mine, *told])
    orders = [one for one in rest if one.spec == _ORDER and _is_of(one, mine, told)]
    if order not in orders:
        orders.append(order)
    return Paid(payment, tuple(sorted(orders, key=_came)))


def _is_of(order: Paper, payment: set[int], told: set[int]) -> bool:
    """Tell whether an order was paid with a payment: it names it, or names none and the payment names it."""
    named = set(_marks(order, "payment"))
    return bool(named & payment) if named else bool(told & set(_marks(order, "order")))


def _papers(ledger: Ledger, platform: str, marks: Iterable[int]) -> list[Paper]:
    """Return the live papers with these marks; those of another platform are nobody's business here."""
    rows = ledger.all("papers_by_marks", as_json(dict.fromkeys(marks)))
    papers = live({(row["number"], row["ordinal"]): paper_of(row) for row in rows}.values())
    return [one for one in papers if one.head.get("ebpCode", "").strip() == platform]


def _marks(paper: Paper, kind: str) -> tuple[int, ...]:
    return marks_of_paper(paper).get(kind, ())


def _came(paper: Paper) -> tuple[int, int]:
    return paper.number, paper.ordinal
