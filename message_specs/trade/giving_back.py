"""Correcting, cancelling and returning what was declared: when it is allowed, until when, and how much.

A life says in which state an inventory is (life.csv), the windows are dated (windows.csv), and of each line no more
comes back than was declared, all returns together.  Sources: import rules 1 (-625209), 7 and 8, import receipts 6,
export rules 3, export process 4.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from message_specs.amounts import amount, number
from message_specs.findings import Finding, finding
from message_specs.trade.choosing import key_of, live
from message_specs.trade.life import Life, state_of
from message_specs.trade.packed import Texts
from message_specs.trade.papers import Paper
from message_specs.trade.paths import path_of
from message_specs.trade.windows import window

_ACCEPTED = frozenset({"399", "800"})
_DELETED = "3"
_ON_ITS_WAY = frozenset({"ready", "sent"})


@dataclass(frozen=True, slots=True)
class RefundWindow:
    """Until when a return may be applied for (None: no limit is known), and when the goods must be back."""

    apply_until: date | None
    back_until: date | None
    is_open: bool


def refund_window(released_on: date, today: date, side: str = "import") -> RefundWindow:
    """The windows for returning what was released on that day, by the law of that day.

    >>> refund_window(date(2026, 11, 1), date(2026, 12, 1))
    RefundWindow(apply_until=datetime.date(2026, 12, 1), back_until=datetime.date(2026, 12, 16), is_open=True)
    >>> refund_window(date(2026, 11, 1), date(2026, 12, 2)).is_open
    False
    """
    apply, back = (window(name, side, released_on) for name in ("refund_apply", "refund_back"))
    apply_until = apply.until(released_on) if apply else None
    back_until = back.until(released_on) if back else None
    last = apply_until or back_until
    return RefundWindow(apply_until, back_until, last is None or today <= last)


def correct_allowed(life: Life) -> tuple[Finding, ...]:
    """Nothing where the inventory may be corrected and declared again."""
    return () if life.may_correct else (finding("T501", state=life.zh, state_en=life.en),)


def cancel_allowed(life: Life) -> tuple[Finding, ...]:
    """Nothing where a cancel may be applied for."""
    if life.cancelled:
        return (finding("T516", invtNo=life.invt_no),)
    if life.cancelling:
        return (finding("T512"),)
    return () if life.may_cancel else (finding("T502", state=life.zh, state_en=life.en),)


def return_allowed(life: Life, today: date) -> tuple[Finding, ...]:
    """Nothing, or a warning with the day by which the goods must be back, where a return may be applied for."""
    if life.cancelled:
        return (finding("T516", invtNo=life.invt_no),)
    if not life.may_refund:
        return (finding("T503", state=life.zh, state_en=life.en),)
    released = life.released_on
    if released is None:
        return ()
    windows = refund_window(released, today, life.side)
    last = windows.apply_until or windows.back_until
    if not windows.is_open and last:
        return (finding("T504", released=released.isoformat(), until=last.isoformat()),)
    back = windows.back_until
    return (finding("T505", until=back.isoformat()),) if back else ()


def change_allowed(inventory: Paper, life: Life) -> tuple[Finding, ...]:
    """Nothing where the order, payment or waybill that this inventory uses may still be changed or deleted.

    What has left uses them, though customs has not said a word of it yet.
    """
    if not life.said and inventory.state in _ON_ITS_WAY:
        return (finding("T515", names=inventory.name, state="已发送，尚无回执", state_en="sent, and no receipt yet"),)
    if not life.uses_fellows:
        return ()
    return (finding("T515", names=inventory.name, state=life.zh, state_en=life.en),)


def no_longer_used(inventory: Paper | None) -> tuple[Finding, ...]:
    """A warning for an order, payment or waybill that comes when the inventory of its trade is released or closed."""
    state = state_of(inventory.status if inventory else "")
    if inventory is None or state.phase not in ("released", "closed"):
        return ()
    return (finding("T517", names=inventory.name, state=state.zh, state_en=state.en),)


def known_as(papers: Iterable[Paper], number: str) -> Paper | None:
    """The live inventory that customs knows by this number; who only claims it in his own document comes after it.

    `papers` are those under the mark of the number: customs gave it to an inventory of which a version does not name
    it, for a first declaration cannot.
    """
    ones = [one for one in papers if one.kind == "inventory"]
    told = {key_of(one) for one in ones if one.head.get("invtNo", "").strip() != number}
    alive = live(ones)
    return next((one for one in alive if key_of(one) in told), None) or next(iter(alive), None)


def other_number(original: Paper, this: Paper, given: str) -> tuple[Finding, ...]:
    """The finding for a cancel or return that names its inventory by another number than customs gave it.

    Such as the preNo, which has as many characters.  Nothing where customs gave none yet.
    """
    told = this.head.get("invtNo", "").strip()
    if not given or told == given:
        return ()
    path = path_of(this.spec, "invtNo", key_of(this)[-1])
    return (
        finding("T518", document=this.ordinal, path=path, value=told, names=original.name, found=told, expected=given),
    )


def stranger(original: Paper, this: Paper, codes: AbstractSet[str]) -> Finding | None:
    """The finding for a cancel or return from one who neither declared nor sold what the original declares.

    `codes` are those under which the sender is registered with us: what he writes into his document proves nothing,
    though it must name one of the two as well.
    """
    if this.partner == original.partner:
        return None
    parties, named = _parties(original), _parties(this)
    if codes & parties and named & parties:
        return None
    return finding("T510", invtNo=this.head.get("invtNo", ""), document=this.ordinal)


def _parties(paper: Paper) -> set[str]:
    return {paper.head.get(name, "").strip() for name in ("agentCode", "ebcCode")} - {""}


def refund_allowed(original: Paper, earlier: Iterable[Paper], this: Paper) -> tuple[Finding, ...]:
    """Everything wrong with the lines of a return: no such line, another code, or more than is left.

    `earlier` are the other returns of the same inventory; what was refused among them and the former versions of
    this one do not count.
    """
    declared = {_gnum(line): line for line in original.lines}
    given = _given_back(one for one in live(earlier) if key_of(one) != key_of(this))
    found: list[Finding] = []
    for row, line in enumerate(this.lines, 1):
        gnum = _gnum(line)
        if gnum not in declared:
            found.append(_told("T506", this, row, "gnum", gnum=gnum))
            continue
        found += _line_allowed(this, row, declared[gnum], given.get(gnum, Decimal(0)))
        given[gnum] = given.get(gnum, Decimal(0)) + amount(line.get("qty"))
    return tuple(found)


def _line_allowed(this: Paper, row: int, declared: Texts, earlier: Decimal) -> Iterable[Finding]:
    line = this.lines[row - 1]
    gnum, code, expected = _gnum(line), line.get("gcode", "").strip(), declared.get("gcode", "").strip()
    if code != expected:
        yield _told("T507", this, row, "gcode", gnum=gnum, found=code, expected=expected)
    unit, theirs = line.get("unit", "").strip(), declared.get("unit", "").strip()
    if unit and theirs and unit != theirs:
        yield _told("T514", this, row, "unit", gnum=gnum, found=unit, expected=theirs)
    qty, original = amount(line.get("qty")), amount(declared.get("qty"))
    if qty <= 0:
        yield _told("T511", this, row, "qty", gnum=gnum, found=number(qty))
    elif qty + earlier > original:
        left = number(max(original - earlier, Decimal(0)))
        yield _told("T508", this, row, "qty", gnum=gnum, found=number(qty), left=left, of=original, earlier=earlier)


def _given_back(refunds: Iterable[Paper]) -> dict[str, Decimal]:
    given: dict[str, Decimal] = {}
    for refund in refunds:
        for line in refund.lines:
            gnum = _gnum(line)
            given[gnum] = given.get(gnum, Decimal(0)) + amount(line.get("qty"))
    return given


def left_of(original: Paper, refunds: Iterable[Paper]) -> dict[str, Decimal]:
    """How much of each line may still be returned, by gnum; never below 0."""
    given = _given_back(live(refunds))
    return {
        gnum: max(amount(line.get("qty")) - given.get(gnum, Decimal(0)), Decimal(0))
        for gnum, line in ((_gnum(line), line) for line in original.lines)
    }


def accepted_returns(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    """The returns that customs accepted, of each the last version it accepted, by number."""
    accepted = [one for one in papers if one.kind == "refund" and one.status.strip() in _ACCEPTED]
    last = {key_of(one): one for one in sorted(accepted, key=lambda one: (one.version, one.number, one.ordinal))}
    return tuple(sorted((one for one in last.values() if one.app_type != _DELETED), key=lambda one: one.name))


def _gnum(line: Texts) -> str:
    text = line.get("gnum", "").strip()
    return text.lstrip("0") or text


def _told(
    code: str,
    this: Paper,
    row: int,
    name: str,
    *,
    gnum: str,
    found: str = "",
    expected: str = "",
    left: str = "",
    of: Decimal | None = None,
    earlier: Decimal | None = None,
) -> Finding:
    return finding(
        code,
        document=this.ordinal,
        path=path_of(this.spec, name, key_of(this)[-1], row),
        value=this.lines[row - 1].get(name),
        gnum=gnum,
        found=found,
        expected=expected,
        left=left,
        original=number(of or Decimal(0)),
        earlier=number(earlier or Decimal(0)),
    )
