"""Refunds: a declaration of export refund is drawn up from the ledger, booked, and handed into the hall.

What it uses is booked with it in one transaction, each export once and of each purchase no more than there is (the
ledger itself refuses it twice).  Then it is taken in like any message of the partner and goes the way of all: checked,
kept, carried, answered.  What the office refuses for good is free again for the next batch.

| a crash after | leaves | and `kouan tax refund send`, or the next declaration |
|---|---|---|
| drawn | nothing | draws it up again |
| booked | a declaration that nobody sent | hands in the very bytes |
| handed in, not noted | a document in the hall | hands in the same bytes, which are a duplicate |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.config import Partner
from gateway.declared_elsewhere import Elsewhere, elsewhere
from gateway.proceeds import timely
from gateway.purchases import texts_of
from gateway.settling import iso
from gateway.submitting import Counter
from gateway.tax_exports import exports
from gateway.tax_files import own, table
from gateway.tax_forms import body_of
from gateway.taxpayers import Taxpayer, taxpayer_of
from message_specs import writing
from message_specs.amounts import amount
from message_specs.findings import Finding, finding
from message_specs.tax.forms import VAT, Forms, Purchase
from message_specs.tax.linking import link
from message_specs.tax.rebating import Law
from spool.interchange import Claim
from spool.ledger import Ledger
from spool.number import CHINA

UNITS: Final = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration: its key, its forms, and the bytes that are handed in."""

    key: str
    forms: Forms
    body: bytes
    head: Mapping[str, str]


def draw(
    ledger: Ledger, home: Path, partner: Partner, taxpayer: str, month: str, now: datetime, until: date
) -> Declared:
    """Return the declaration of a month with its next batch; nothing is booked."""
    firm = taxpayer_of(own(home, "enterprises"), taxpayer, "refund", until)
    theirs = elsewhere(ledger, "refund", taxpayer)
    batch = next_batch(ledger, taxpayer, month, "refund", theirs)
    law = Law(table(home, "rebates"), table(home, "excluded"), month, batch)
    known = exports(ledger, taxpayer, firm.codes, until, table(home, "dollars"), firm.is_filed)
    used = used_things(ledger, [export_thing(one.number) for one in known.items])
    fresh = [one for one in known.items if export_thing(one.number) not in used and one.number not in theirs.exports]
    mine = [one for one in fresh if firm.is_filed(one.exported_on)]
    today = now.astimezone(CHINA).date()
    timed, untimely = timely(ledger, mine, table(home, "receipts"), table(home, "windows"), today)
    forms = link(timed, list(purchases(ledger, taxpayer, theirs.purchases)), law)
    forms = Forms(forms.exports, forms.purchases, (*known.findings, *untimely, *forms.findings))
    head = _head(firm, law, forms, now)
    key = f"refund|{taxpayer}|{month}|{law.batch}"
    return Declared(key, forms, body_of(key, head, forms, partner), head)


def next_batch(ledger: Ledger, taxpayer: str, month: str, kind: str, theirs: Elsewhere) -> str:
    """Return the batch that follows the last of the month, three digits, whoever wrote that."""
    row = ledger.one("last_batch", f"{kind}|{taxpayer}|{month}")
    last = int(row["key"].rpartition("|")[2]) if row and row["key"] else 0
    known = (int(batch) for of, batch in theirs.batches if of == month and batch.isascii() and batch.isdigit())
    return f"{max((last, *known)) + 1:03d}"


def export_thing(number: str) -> str:
    """Return the name under which an export is used."""
    return f"export|{number}"


def used_things(ledger: Ledger, things: Sequence[str]) -> frozenset[str]:
    """Return which of these a declaration uses that was not refused."""
    return frozenset(row["thing"] for row in ledger.all("tax_used", msgspec.json.encode(list(things)).decode()))


def purchases(ledger: Ledger, holder: str, elsewhere_used: Mapping[tuple[str, int], Decimal]) -> Sequence[Purchase]:
    """Return every purchase line of a taxpayer with how much of it is used, here and elsewhere."""
    return [_purchase(row, elsewhere_used) for row in ledger.all("purchases_of", holder)]


def _purchase(row: Any, elsewhere_used: Mapping[tuple[str, int], Decimal]) -> Purchase:
    texts = texts_of(row["body"])
    whole, base, rate = (amount(texts.get(name)) for name in ("sl", "jsje", "zsl"))
    return Purchase(
        row["invoice"],
        row["line"],
        texts.get("pzzl", ""),
        date.fromisoformat(row["issued_on"]),
        texts.get("ghfsbh", ""),
        row["hs"],
        texts.get("spmc", "").strip(),
        texts.get("jldw", "").strip(),
        whole,
        base,
        rate,
        Decimal(row["used"]) / UNITS + elsewhere_used.get((row["invoice"], row["line"]), Decimal(0)),
        texts.get("sz") or VAT,
    )


def _head(firm: Taxpayer, law: Law, forms: Forms, now: datetime) -> dict[str, str]:
    return {
        "taxpayerNo": firm.number,
        "taxpayerName": firm.name,
        "sbny": law.month,
        "sbpc": law.batch,
        "appTime": writing.return_time(now)[:14],
        "exportCount": str(len(forms.exports)),
        "purchaseCount": str(len(forms.purchases)),
        "baseTotal": f"{forms.base:.2f}",
        "refundTotal": f"{forms.refund:.2f}",
    }


def book(ledger: Ledger, declared: Declared, partner: str, kind: str, uses: Mapping[str, tuple[int, int]]) -> None:
    """The declaration and all it uses are in the ledger, or an IntegrityError says that something is used already."""
    with ledger.writing():
        drawn_at = declared.head["appTime"]
        ledger.run("add_drawn", declared.key, partner, kind, drawn_at, declared.body)
        ledger.run_many("add_use", [(thing, declared.key, *amounts) for thing, amounts in uses.items()])


def uses_of(forms: Forms) -> dict[str, tuple[int, int]]:
    """Return what a refund uses: each export whole, of each purchase so much of so much."""
    uses = {export_thing(row.export.number): (1, 1) for row in forms.exports}
    for row in forms.purchases:
        thing, whole = f"purchase|{row.purchase.voucher}|{row.purchase.line}", int(row.purchase.whole * UNITS)
        uses[thing] = (uses.get(thing, (0, 0))[0] + int(row.amount * UNITS), whole)
    return uses


def free_refused(ledger: Ledger, at: str) -> list[str]:
    """What the office refused for good is free again; return the keys of its declarations."""
    keys = [row["key"] for row in ledger.all("refused_drawn")]
    if keys:
        with ledger.writing():
            for key in keys:
                ledger.run("free_uses", at, key)
                ledger.run("undo_drawn", at, key)
    return keys


def send_open(counter: Counter, now: datetime) -> list[dict[str, Any]]:
    """Every declaration that was booked and not handed in is in the hall; return the acknowledgements."""
    told = []
    for row in counter.ledger.all("drawn_open"):
        name = row["key"].replace("|", "-")
        claim = Claim(0, row["partner"], "tax", f"{name}.xml", body=bytes(row["body"]))
        [answer] = counter.hand_in([claim])
        with counter.ledger.writing() as ledger:
            if answer["documents"] or answer["duplicate_of"]:
                ledger.run("drawn_handed_in", int(answer["duplicate_of"] or answer["number"]), row["key"])
            else:
                # It was no message at all: nothing was declared.
                ledger.run("free_uses", iso(now), row["key"])
                ledger.run("undo_drawn", iso(now), row["key"])
        told.append({"key": row["key"], **answer})
    free_refused(counter.ledger, iso(now))
    return told


def nothing_found(taxpayer: str) -> Finding:
    """Return what is said where nothing can be declared."""
    return finding("X123", value=taxpayer, names=taxpayer)
