"""Giving back: what an inventory used of its buyer's year is free again when customs returned or cancelled it.

A purchase uses its taxable value: goods with their part of freight and insurance.
A return that customs accepted gives back the share of it that came back, and the
returns of everything give back all.  Records are written by document, so doing it
again changes nothing.

Known limits: which year a purchase counts for is told by the number of its inventory, so one that waited over New
Year, or that a wrong clock counted, is looked for in the years beside it; it counts in one of them, the latest.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from message_specs.trade import quotas
from message_specs.trade.expected import shares_back, value_back
from message_specs.trade.giving_back import accepted_returns
from message_specs.trade.life import Life
from message_specs.trade.limits import limits_on
from message_specs.trade.papers import Paper, marks_of
from message_specs.trade.persons import person_mark
from message_specs.trade.taxing import purchase_of, taxable_values
from spool.ledger import Ledger
from spool.number import came_at
from spool.states import State

_ON_RELEASE: Final = frozenset({"released", "closed"})
_DECLARED: Final = _ON_RELEASE | {"declared"}


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it is to stand, and the revision from which that was reckoned."""

    key: str
    value: str
    revision: int


def uses_a_year(inventory: Paper) -> bool:
    """Tell whether an inventory may count in its buyer's year: imports do, lists of an export have no buyer here."""
    return inventory.spec == "CEB621"


def used_of(
    ledger: Ledger, inventory: Paper, refunds: Sequence[Paper], life: Life, when: str, secret: bytes
) -> Iterator[Kept]:
    """Yield the records of the buyer's year as this inventory leaves them; `when` purchases count as configured."""
    person = inventory.head.get("buyerIdNumber", "").strip()
    orders = marks_of("order", inventory.spec, inventory.head)
    if not uses_a_year(inventory) or not person or when == "never" or not orders:
        return
    name = str(orders[0])
    keys = _keys(person_mark(person, secret), came_at(inventory.number).year)
    rows = {row["key"]: row for row in ledger.all("records", msgspec.json.encode(keys).decode())}
    values: dict[str, str | None] = {key: rows[key]["value"] or None for key in keys if key in rows}
    counting = sorted((key for key, value in values.items() if quotas.counts(value, name)), reverse=True)
    if not counting and life.phase in (_ON_RELEASE if when == "released" else _DECLARED):
        # Of a purchase that was given back and goes on all the same nobody wrote down which year it had counted for.
        key = next((key for key in keys if key in values), keys[0])
        if key in values or when == "released":
            values[key] = quotas.counted(values.get(key), name, _value(inventory))
    for key, value in values.items():
        told = quotas.given_back(value, name) if key in counting[1:] else _after(value, name, inventory, refunds, life)
        if (told or "") != (rows[key]["value"] if key in rows else ""):
            yield Kept(key, told or "", rows[key]["revision"] if key in rows else 0)


def of_other_buyers(ledger: Ledger, inventory: Paper, refused: Iterable[Paper], secret: bytes) -> Iterator[Kept]:
    """Yield the records of buyers whom only refused inventories of its order name: it counts in none of theirs."""
    mine = person_mark(inventory.head.get("buyerIdNumber", ""), secret)
    told = {(person_mark(one.head.get("buyerIdNumber", ""), secret), came_at(one.number).year) for one in refused}
    keys = {key for mark, year in told if mark != mine for key in _keys(mark, year)}
    orders = marks_of("order", inventory.spec, inventory.head)
    if not keys or not orders:
        return
    for row in ledger.all("records", msgspec.json.encode(sorted(keys)).decode()):
        if quotas.counts(row["value"] or None, str(orders[0])):
            yield Kept(row["key"], quotas.given_back(row["value"], str(orders[0])) or "", row["revision"])


def _keys(mark: str, year: int) -> list[str]:
    """Return where a purchase may count: in its year; in the next, where it waited; in the last, of a wrong clock."""
    return [f"quota|{mark}|{one}" for one in (year, year + 1, year - 1)]


def _after(value: str | None, name: str, inventory: Paper, refunds: Sequence[Paper], life: Life) -> str | None:
    # An operator's refusal ends what customs has never spoken of; any other inventory of which nothing was said is new.
    if life.phase == "void" or (life.phase == "open" and (life.said or inventory.state == State.REFUSED)):
        return quotas.given_back(value, name)
    return quotas.returned(value, name, _returned(inventory, accepted_returns(refunds)))


def _value(inventory: Paper) -> Decimal:
    return purchase_of(inventory.head, inventory.lines, limits_on(came_at(inventory.number).date())).value


def _returned(inventory: Paper, refunds: Sequence[Paper]) -> dict[str, Decimal]:
    """Return by return what it gives back of the taxable value; together never off the whole by a rounding."""
    values = taxable_values(inventory.head, inventory.lines)
    told, before = {}, Decimal(0)
    for count, refund in enumerate(refunds, 1):
        so_far = value_back(values, shares_back(inventory.lines, [one.lines for one in refunds[:count]]))
        told[refund.name] = so_far - before
        before = so_far
    return told
