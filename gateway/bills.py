"""Bills: what customs levies on an inventory is held against what was expected when it was declared.

What is known of a bill stands in the record `bill|AUTHORITY|INVTNO|TAXNO`, written in the transaction of the receipt
that said it, so a status (CEB818) before its bill (CEB816) is joined, and a bill before its inventory's number is held
against it when the number comes.  Differences are stamped on the inventory; whoever declared it is told of them, where
`tax.tell_partner` says so.  Amounts are compared once, and again when customs has changed them.

Known limits: what customs has taken back by the time a bill is settled is not expected of it, by the share of the
quantities.  An inventory that no desk `tax` has seen expects nothing, so its bills are only kept.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

import msgspec

from gateway.case import Case
from gateway.config_shapes import Tax
from gateway.desks.tax import expected_key
from gateway.fetching import paper_of
from gateway.letting_go import encoded
from gateway.notices import of_document
from message_specs.findings import Finding, finding
from message_specs.trade.bills import VOID, Bill, after, compare, read_bill
from message_specs.trade.expected import Expected, read_expected, remaining, shares_back
from message_specs.trade.giving_back import accepted_returns
from spool.ledger import Ledger

_LEVIES: Final = frozenset({"CEB816", "CEB818"})


def bill_key(authority: str, invt_no: str, tax_no: str) -> str:
    """Return the key of the record of a bill."""
    return f"bill|{authority}|{invt_no.strip()}|{tax_no.strip()}"


def key_in(case: Case) -> str | None:
    """Return the key of the bill that a receipt tells of; None for a receipt of another kind."""
    if case.document.spec.code not in _LEVIES:
        return None
    head = case.document.head
    return bill_key(case.partner, head.get("invtNo") or "", head.get("taxNo") or "")


def keep(ledger: Ledger, case: Case) -> None:
    """What a receipt says of a bill is known, inside the caller's transaction; another receipt changes nothing."""
    key = key_in(case)
    if key is None:
        return
    known = _bill(ledger, key)
    head = {name: text.strip() for name, text in case.document.head.items() if text}
    bill = after(known, head, case.document.lines)
    if bill != known:
        ledger.run("put_record", key, bill.written())


def hold_against(ledger: Ledger, key: str, row: sqlite3.Row, at: str, tax: Tax) -> None:
    """The bill is held against what was expected of this inventory, inside the caller's transaction.

    What differs is stamped on the inventory, and whoever declared it has a notice.
    """
    bill = _bill(ledger, key)
    if bill is None:
        return
    number, ordinal = row["number"], row["ordinal"]
    # What it says of the guarantee is booked when its trade is looked at.
    ledger.run("wake_dossier_of", at, number, ordinal)
    if not bill.is_news:
        return
    found = [replace(one, document=ordinal) for one in _differences(ledger, bill, row, tax)]
    ledger.run("put_record", key, bill.told().written())
    if not found:
        return
    state = _document(ledger, number, ordinal)["state"]
    told = encoded(one.as_dict() for one in found)
    ledger.run("add_next_stamp", number, ordinal, at, "tax", state, state, "kouan", f"税单 bill {bill.tax_no}", told)
    # That it is void, the receipt itself tells him.
    if tax.tell_partner and bill.status != VOID:
        notice = of_document(row["partner"], f"{number}.{ordinal}", row["spec"], row["key"] or "", found)
        ledger.run("add_notice", notice.partner, notice.name, notice.body)


def _differences(ledger: Ledger, bill: Bill, row: sqlite3.Row, tax: Tax) -> Sequence[Finding]:
    if bill.status == VOID:
        return [finding("T315", path="TaxHeadRd/status", value=VOID, tax=bill.tax_no)]
    ours = expected_of(ledger, row["number"], row["ordinal"], tax)
    return compare(ours, bill.totals, bill.lines, tax.tolerance) if ours is not None else ()


def expected_of(ledger: Ledger, number: int, ordinal: int, tax: Tax) -> Expected | None:
    """Return what is expected of an inventory after what was returned of it; None where nothing was predicted."""
    record = ledger.one("record", expected_key(number, ordinal))
    whole = read_expected(record["value"]) if record is not None else None
    return remaining(whole, returned_of(ledger, number, ordinal), tax.of_amounts()) if whole is not None else None


def returned_of(ledger: Ledger, number: int, ordinal: int) -> dict[int, Decimal]:
    """Return which share of each line of an inventory customs took back, by gnum."""
    row = ledger.one("paper", number, ordinal)
    if row is None or row["dossier"] is None:
        return {}
    papers = [paper_of(one) for one in ledger.all("papers_by_marks", msgspec.json.encode([row["dossier"]]).decode())]
    back = [one.lines for one in accepted_returns(papers)]
    return shares_back(paper_of(row).lines, back) if back else {}


def _bill(ledger: Ledger, key: str) -> Bill | None:
    record = ledger.one("record", key)
    return read_bill(record["value"]) if record is not None and record["value"] else None


def _document(ledger: Ledger, number: int, ordinal: int) -> sqlite3.Row:
    row = ledger.one("document", number, ordinal)
    assert row is not None
    return row
