"""Reading a trade (卷宗): its documents, what waits for what, what broke and who mends it, as far as one may see it.

Everything here only reads, and what disagrees is compared when somebody looks, not told from old stamps.  An operator
sees the whole; a partner sees his own documents whole, of the others only what kind they are and where they stand,
and what broke in the words that are meant for him.  What customs asks for an inventory, what may still be returned
and until when is told to whoever declared it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from msgspec.structs import replace

from gateway import levies, reading
from gateway.aggregates import gathered_into
from gateway.config import House
from gateway.fetching import number_of
from gateway.gathering import CHINA, Trade, gathered
from gateway.naming import named
from gateway.silence import applications, heard
from gateway.undrawn import ToBeDrawn, Undrawn
from message_specs.document import Document
from message_specs.findings import Finding
from message_specs.trade.aggregation import gather_by, is_gathered_later
from message_specs.trade.choosing import live
from message_specs.trade.comparing import Disagreement, Said, compare, view_for
from message_specs.trade.giving_back import left_of, refund_window
from message_specs.trade.life import Life
from message_specs.trade.papers import Paper
from message_specs.trade.waiting import due, missing, why_waiting
from spool.ledger import Ledger
from spool.number import came_at
from spool.states import State

Facts = dict[str, Any]


def found(
    ledger: Ledger, text: str, partner: str | None = None, *, house: House | None = None, on: date | None = None
) -> list[Facts]:
    """Return every trade that a text names (`gateway.naming`), by the law of a day, today in China unless told.

    With a partner only those in which he has a document, and seen through his rights.  Without a house nothing is
    told of the tax and of numbers that customs gave, for these ask for the configuration and the evidence.
    """
    today = on or datetime.now(UTC).astimezone(CHINA).date()
    trades = (gathered(ledger, mark) for mark in named(ledger, text))
    # What an enterprise has filed, and what it has not, is its own affair and the operator's.
    drawn = ToBeDrawn(house.partners, house.goods) if house and partner is None else None
    return [
        _told(trade, partner, house, today, drawn)
        for trade in trades
        if trade is not None and (partner is None or any(one.partner == partner for one in trade.papers))
    ]


def _told(trade: Trade, partner: str | None, house: House | None, today: date, drawn: ToBeDrawn | None) -> Facts:
    row, inventory = trade.row, trade.chosen.inventory
    # What customs returned is told of until another is declared; what a desk refused after it is another's affair.
    spoken_of = {one.of for one in trade.life.said}
    last = inventory or next((one for one in reversed(trade.inventories) if one.name in spoken_of), None)
    declares = inventory is not None and partner in (None, inventory.partner)
    units = levies.units(trade.ledger, house, inventory) if inventory and house and declares else []
    silences = list(_silences(trade, partner, today))
    aggregation = _aggregation(trade, inventory, partner) if inventory and declares else None
    return {
        "platform": row["platform"],
        "order": row["order_no"],
        "mode": trade.mode,
        "phase": row["phase"],
        "opened_at": row["opened_at"],
        "due_at": row["due_at"],
        "why": row["why"] if partner is None else None,
        "customs": _customs(trade, last, units, today, whole=partner in (None, last.partner)) if last else None,
        "documents": [_document(trade.ledger, one, partner) for one in trade.papers],
        "lacking": lacking(trade, today, drawn.of(trade, today) if drawn else None),
        "silence": silences[0] if silences else None,
        "silences": silences,
        "findings": list(_findings(trade, partner, today)),
        "tax": levies.levied(trade.ledger, house, inventory, units) if inventory and house and declares else None,
        "returns": _returns(trade, inventory) if inventory and declares else None,
        "aggregation": aggregation,
        "windows": list(_windows(trade, aggregation, today)) if declares else [],
    }


def _customs(trade: Trade, last: Paper, units: list[Document], today: date, *, whole: bool) -> Facts:
    is_heard = last.state not in (State.READY, State.SENT) or any(one.of == last.name for one in trade.life.said)
    # What was said of one that was returned or cancelled is no word about the one after it.
    life = trade.life if is_heard else Life(trade.side)
    names = [unit.head.get("invtNo", "").strip() for unit in units]
    is_silent = not is_heard and last.state == State.SENT
    return {
        "status": life.state.status or None,
        "zh": "已发送，尚无回执" if is_silent else life.zh,
        "en": "sent, and no receipt at all" if is_silent else life.en,
        "invt_no": next(filter(None, reversed(names)), None),
        "released_on": life.released_on.isoformat() if whole and life.released_on else None,
        "closed_on": life.closed_on.isoformat() if whole and life.closed_on else None,
        "may_correct": life.may_correct if whole else None,
        "may_cancel": life.may_cancel and not _is_cancelling(trade, last) if whole else None,
        "may_refund": life.may_refund and _is_in_time(trade, today) if whole else None,
    }


def _is_in_time(trade: Trade, today: date) -> bool:
    """Tell whether a return may still be applied for on that day."""
    released = trade.life.released_on
    return released is None or refund_window(released, today, trade.side).is_open


def _is_cancelling(trade: Trade, inventory: Paper) -> bool:
    """Tell whether a cancel of the inventory has gone on, whether or not customs has said a word of it."""
    number = number_of(trade.ledger, inventory)
    return any(one.kind == "cancel" and one.head.get("invtNo", "").strip() == number for one in live(trade.papers))


def _document(ledger: Ledger, paper: Paper, partner: str | None) -> Facts:
    whole = partner is None or paper.partner == partner
    life = reading.document(ledger, paper.number, paper.ordinal, partner if whole else paper.partner)
    assert life is not None
    names = ["kind", "spec", "state", "status", "status_zh", "status_en"]
    if whole:
        names += ["number", "key", "version", "partner", "why", "due_at", "received_at", "stamps", "receipts"]
    told = {name: paper.kind if name == "kind" else life[name] for name in names}
    return told | {"app_type": paper.app_type} if whole else told


def lacking(trade: Trade, today: date, undrawn: Undrawn | None = None) -> list[Facts]:
    """Return what an open trade waits for: each kind, since and until when, and who is to send it.

    For an inventory that is drawn up, `undrawn`, in whose name, and what has to be filed or mended first.
    """
    if trade.row["phase"] != "open":
        return []
    chosen, mode = (trade.sure, undrawn.mode) if undrawn else (trade.chosen, trade.mode)
    kinds = missing(chosen, mode, today, inventory=True)
    return [
        one
        for kind, why in zip(kinds, why_waiting(chosen, mode, today, inventory=True), strict=True)
        for one in _waited(trade, mode, kind, undrawn.findings if undrawn and kind == "inventory" else (why,), today)
    ]


def _waited(trade: Trade, mode: str, kind: str, whys: Sequence[Finding], today: date) -> Iterator[Facts]:
    inventory = trade.chosen.inventory
    since = came_at(inventory.number) if inventory and kind != "inventory" else trade.opened
    until = due((kind,), since.date(), trade.side, mode, today)
    for why in whys:
        yield {
            "kind": kind,
            "code": why.code,
            "since": since.date().isoformat(),
            "until": until.isoformat() if until else None,
            "zh": why.zh,
            "en": why.en,
            "hint": why.hint,
        }


def _silences(trade: Trade, partner: str | None, today: date) -> Iterator[Facts]:
    """Yield each document of his of which customs is silent: the inventory, and cancels and returns after it."""
    # Of an inventory that was cancelled nothing is waited for.
    waited = (trade.chosen.inventory,) if trade.row["phase"] == "declared" else ()
    for one in (*waited, *applications(trade.papers, trade.row)):
        if one is None or partner not in (None, one.partner):
            continue
        if (found := heard(trade.ledger, one, today)) is not None:
            told = found.told.as_dict()
            yield {
                "kind": one.kind,
                "number": one.name,
                "since": found.since.isoformat(),
                "status": found.status or None,
                **{name: told[name] for name in ("code", "zh", "en", "hint")},
            }


def _findings(trade: Trade, partner: str | None, today: date) -> Iterator[Facts]:
    inventory = trade.chosen.inventory
    if partner is None or (inventory is not None and partner == inventory.partner):
        for one in trade.chosen.findings:
            yield one.as_dict() | {"left": None, "right": None, "mends": []}
    for broken in disagreements(trade, today):
        if partner is None:
            sides = {"left": _side(broken.left), "right": _side(broken.right)}
            mends = [_mender(said.paper, whole=True) for said in broken.menders]
            yield broken.finding.as_dict() | sides | {"mends": mends}
        elif partner in _hearers(trade, broken):
            mends = [_mender(said.paper, whole=said.paper.partner == partner) for said in broken.menders]
            yield view_for(broken, partner).as_dict() | {"left": None, "right": None, "mends": mends}


def disagreements(trade: Trade, today: date) -> Iterator[Disagreement]:
    """Yield all that disagrees in a trade by the law of that day, its live cancels and returns too."""
    chosen, mode = trade.chosen, trade.mode
    yield from compare(chosen, mode, today)
    if chosen.inventory is None:
        return
    for one in live(trade.papers):
        if one.kind == "cancel":
            yield from compare(replace(chosen, cancel=one), mode, today, about="cancel")
        elif one.kind == "refund":
            yield from compare(replace(chosen, refund=one), mode, today, about="refund")


def _hearers(trade: Trade, broken: Disagreement) -> set[str]:
    """Return who hears of it: both whose documents disagree, and who waits with the inventory."""
    papers = (broken.left.paper, broken.right.paper, trade.chosen.inventory)
    return {one.partner for one in papers if one is not None}


def _side(said: Said) -> Facts:
    return {"number": said.paper.name, "kind": said.paper.kind, "partner": said.paper.partner, "path": said.path}


def _mender(paper: Paper, *, whole: bool) -> Facts:
    return {
        "kind": paper.kind,
        "number": paper.name if whole else None,
        "partner": paper.partner if whole else None,
    }


def _returns(trade: Trade, inventory: Paper) -> Facts | None:
    returns = [one for one in trade.papers if one.kind == "refund"]
    if not returns and not trade.life.may_refund:
        return None
    return {
        "documents": [one.name for one in live(returns)],
        "left": {gnum: f"{quantity:f}" for gnum, quantity in left_of(inventory, returns).items()},
    }


def _aggregation(trade: Trade, inventory: Paper, partner: str | None) -> Facts | None:
    number = number_of(trade.ledger, inventory)
    return gathered_into(trade.ledger, inventory, number, whole=partner is None) if number else None


def _windows(trade: Trade, aggregation: Facts | None, today: date) -> Iterator[Facts]:
    life, inventory = trade.life, trade.chosen.inventory
    if life.cancelled:
        return
    if life.released_on:
        windows = refund_window(life.released_on, today, trade.side)
        for name, until in (("refund_apply", windows.apply_until), ("refund_back", windows.back_until)):
            if until:
                yield _window(name, life.released_on, until, today)
    # An application has its number from customs when it is accepted, and its lists then wait for no day.
    accepted = aggregation is not None and aggregation["sum_no"]
    if life.closed_on and inventory is not None and not accepted and is_gathered_later(inventory, life.closed_on):
        yield _window("gather_by", life.closed_on, gather_by(life.closed_on), today)


def _window(name: str, since: date, until: date, today: date) -> Facts:
    return {"name": name, "since": since.isoformat(), "until": until.isoformat(), "open": today <= until}
