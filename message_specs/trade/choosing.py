"""Which order, payment, waybill and inventory belong together, out of all papers that share a mark.

A mark only says who may belong together: two platforms may give one order number, one transaction may pay several
orders, one order may have been paid twice.  The choice depends on what the papers say and never on which came first,
so any order of arrival ends in the same trade; where it is not clear, a finding tells it.
Sources: import rules 2 and 7, export rules 2 and 3.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec
from msgspec.structs import replace

from message_specs.amounts import amount
from message_specs.catalog import catalog
from message_specs.findings import Finding, finding
from message_specs.trade.agreement import folded, telephone
from message_specs.trade.papers import NOBODY, Paper

_DEAD = "refused"
_DELETED = "3"


class Chosen(msgspec.Struct, frozen=True):
    """The documents of one trade: at most one of each kind, what else shares their marks, and what is not clear."""

    order: Paper | None = None
    payment: Paper | None = None
    waybill: Paper | None = None
    inventory: Paper | None = None
    cancel: Paper | None = None
    refund: Paper | None = None
    paid_together: tuple[Paper, ...] = ()
    """Other orders that name the same transaction."""
    carried_together: tuple[Paper, ...] = ()
    """Other inventories that name the same waybill."""
    findings: tuple[Finding, ...] = ()

    def of(self, kind: str) -> Paper | None:
        """The chosen document of that kind."""
        found: Paper | None = getattr(self, kind, None)
        return found

    def beside(self, mark: str, kind: str) -> tuple[Paper, ...]:
        """The other documents of that kind that share the payment or the waybill."""
        if mark == "payment" and kind == "order":
            return self.paid_together
        return self.carried_together if mark == "waybill" and kind == "inventory" else ()


def key_of(paper: Paper) -> tuple[str, ...]:
    """The business key of the document behind a paper, by which its versions are one."""
    get = paper.head.get
    return (paper.spec, *[get(name, "") for name in _key_names(paper.spec)])


@cache
def _key_names(spec: str) -> tuple[str, ...]:
    return tuple(path.rpartition("/")[2] for path in catalog().specs[spec].key)


def live(papers: Iterable[Paper]) -> list[Paper]:
    """Of each document its last version that was not refused, unless that one deletes it; sorted by key."""
    last: dict[tuple[str, ...], Paper] = {}
    for paper in papers:
        if paper.state == _DEAD:
            continue
        key = key_of(paper)
        other = last.get(key)
        if other is None or _turn(other) < _turn(paper):
            last[key] = paper
    return [last[key] for key in sorted(last) if last[key].app_type != _DELETED]


def newest(papers: Iterable[Paper], kind: str) -> Paper | None:
    """The live document of a kind that came last: where a list was cancelled, another may stand beside it."""
    of_kind = (one for one in live(papers) if one.kind == kind)
    return max(of_kind, key=lambda one: (one.number, one.ordinal), default=None)


def _turn(paper: Paper) -> tuple[int, int, int]:
    return paper.version, paper.number, paper.ordinal


def choose(papers: Iterable[Paper], anchor: Paper | None = None) -> Chosen:
    """The trade to which the anchor belongs, an inventory as a rule; without an anchor the only trade there is.

    The anchor may be any of the four; where it is an order that was changed, the change is chosen.
    """
    alive = _alive(papers)
    told: list[Finding] = []
    given = anchor if anchor is not None and anchor.kind == "inventory" else None
    order = _order(alive.get("order", []), anchor, told)
    inventory = given or _inventory(alive.get("inventory", []), order, told)
    if order is None and inventory is not None and anchor is not inventory:
        order = _order(alive.get("order", []), inventory, told)
    payment = _payment(alive.get("payment", []), order, inventory, told)
    waybill = _waybill(alive, order, inventory, told)
    return Chosen(
        order,
        payment,
        waybill,
        inventory,
        paid_together=_others(alive.get("order", []), order, ("payCode", "payTransactionId")),
        carried_together=_others(alive.get("inventory", []), inventory, ("logisticsCode", "logisticsNo")),
        findings=tuple(told),
    )


def with_waybill_of(chosen: Chosen, papers: Iterable[Paper], refused: Paper | None) -> Chosen:
    """The same trade with the waybill that its refused inventory named: in export only it tells which."""
    if refused is None or chosen.inventory is not None or chosen.waybill is not None:
        return chosen
    return replace(chosen, waybill=choose(papers, refused).waybill)


def _alive(papers: Iterable[Paper]) -> dict[str, list[Paper]]:
    """What `live` returns, by kind; most papers are the only ones of their kind, and need no key."""
    found: dict[str, list[Paper]] = {}
    for paper in papers:
        if paper.kind in found:
            found[paper.kind].append(paper)
        else:
            found[paper.kind] = [paper]
    for kind, of_kind in found.items():
        one = of_kind[0]
        if len(of_kind) > 1 or one.state == _DEAD or one.app_type == _DELETED:
            found[kind] = live(of_kind)
    return found


def _same(one: Paper, other: Paper, *names: str) -> bool:
    mine, others = one.head, other.head
    for name in names:
        text = mine.get(name, "").strip()
        if not text or text != others.get(name, "").strip():
            return False
    return True


def _others(papers: Sequence[Paper], chosen: Paper | None, names: tuple[str, ...]) -> tuple[Paper, ...]:
    if chosen is None or len(papers) < 2:
        return ()
    mine = key_of(chosen)
    return tuple(paper for paper in papers if key_of(paper) != mine and _same(paper, chosen, *names))


def of_one_order(one: Paper, other: Paper) -> bool:
    """Whether both name the same order of the same platform, or, in export, of the same merchant.

    Where there is no platform only the merchant tells whose order it is.
    """
    if one.head.get("ebpCode", "").strip() != NOBODY and _same(one, other, "ebpCode", "orderNo"):
        return True
    return one.spec in _EXPORT and other.spec in _EXPORT and _same(one, other, "ebcCode", "orderNo")


_EXPORT = frozenset({"CEB303", "CEB403", "CEB603"})


def _order(orders: Sequence[Paper], anchor: Paper | None, told: list[Finding]) -> Paper | None:
    if anchor is None:
        fitting = list(orders)
    elif anchor.kind == "waybill":
        fitting = _best_for_waybill([order for order in orders if _same(order, anchor, "orderNo")], anchor)
    elif anchor.kind == "payment":
        fitting = [order for order in orders if of_one_order(order, anchor)]
        fitting = fitting or [order for order in orders if _same(order, anchor, "payCode", "payTransactionId")]
    else:
        fitting = [order for order in orders if of_one_order(order, anchor)]
    if len(fitting) > 1 and anchor is not None:
        fitting = [order for order in fitting if _same(order, anchor, "ebpCode", "ebcCode")] or fitting
    return _only(fitting, "T151", told, clear=anchor is None or anchor.kind == "waybill")


def _only(papers: Sequence[Paper], code: str, told: list[Finding], *, clear: bool = False) -> Paper | None:
    """The one paper; of several the first by key with a finding, or none where a choice could go wrong (`clear`)."""
    if len(papers) > 1:
        told.append(finding(code, names="、".join(paper.name for paper in papers), found=str(len(papers))))
        return None if clear else papers[0]
    return papers[0] if papers else None


def _inventory(inventories: Sequence[Paper], order: Paper | None, told: list[Finding]) -> Paper | None:
    fitting = inventories if order is None else [one for one in inventories if of_one_order(one, order)]
    return _only(fitting, "T154", told, clear=order is None)


def _payment(
    payments: Sequence[Paper], order: Paper | None, inventory: Paper | None, told: list[Finding]
) -> Paper | None:
    known = order or inventory
    if known is None:
        return _only(payments, "T152", told, clear=True)
    named = [one for one in payments if order is not None and _same(one, order, "payCode", "payTransactionId")]
    fitting = named or [one for one in payments if of_one_order(one, known)]
    if len(fitting) > 1 and order is not None:
        due = amount(order.head.get("acturalPaid"))
        fitting = [one for one in fitting if amount(one.head.get("amountPaid")) == due] or fitting
    return _only(fitting, "T152", told)


def _waybill(
    alive: dict[str, list[Paper]], order: Paper | None, inventory: Paper | None, told: list[Finding]
) -> Paper | None:
    waybills = alive.get("waybill", [])
    if inventory is not None:
        for waybill in waybills:
            if _same(waybill, inventory, "logisticsCode", "logisticsNo"):
                return waybill
        for waybill in waybills:
            if _same(waybill, inventory, "orderNo"):
                number, expected = _numbers_of(waybill, inventory)
                told.append(finding("T153", names=waybill.name, found=number, expected=expected))
        return None
    if order is None:
        return _only(waybills, "T155", told, clear=True)
    fitting = [waybill for waybill in waybills if _same(waybill, order, "orderNo") or _names(waybill, order)]
    orders = [one for one in alive.get("order", []) if _same(one, order, "orderNo")]
    if len(orders) > 1:
        mine = key_of(order)
        fitting = [one for one in fitting if mine in map(key_of, _best_for_waybill(orders, one))]
        if any(len(_best_for_waybill(orders, one)) > 1 for one in fitting):
            told.append(finding("T151", names="、".join(one.name for one in orders), found=str(len(orders))))
            return None
    return _only(fitting, "T155", told)


def _numbers_of(waybill: Paper, inventory: Paper) -> tuple[str, str]:
    """The waybill that each names: by its number, and by the enterprise too where these differ."""
    names = ("logisticsNo",) if _same(waybill, inventory, "logisticsCode") else ("logisticsCode", "logisticsNo")
    mine, other = ("|".join(one.head.get(name, "").strip() for name in names) for one in (waybill, inventory))
    return mine, other


def _names(waybill: Paper, order: Paper) -> bool:
    """Whether an export waybill names the merchant and, in its remark, the order: a CEB505 has no field for it."""
    return waybill.head.get("note", "").strip() == order.head.get("orderNo", "").strip() != "" and _same(
        waybill, order, "ebcCode"
    )


def _best_for_waybill(orders: Sequence[Paper], waybill: Paper) -> list[Paper]:
    """Those of the orders whose consignee is most nearly that of the waybill: a CEB511 names no platform."""
    if len(orders) < 2:
        return list(orders)
    scores = [_likeness(order, waybill) for order in orders]
    return [order for order, score in zip(orders, scores, strict=True) if score == max(scores)]


def _likeness(order: Paper, waybill: Paper) -> int:
    return sum(
        read(order.head.get(name, "")) == read(waybill.head.get(name, ""))
        for name, read in (("consignee", folded), ("consigneeTelephone", telephone), ("consigneeAddress", folded))
    )
