"""Parting: from what was judged, or from the ledger after a crash, to what must be let go."""

import sqlite3
from collections.abc import Iterable, Mapping
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.case import Judged
from gateway.letting_go import (
    FILED,
    Acknowledgement,
    Parting,
    acknowledge,
    decoded,
    document_entry,
    mailbox_of,
    put_out,
    refuse,
)
from gateway.long_telling import LongTable, entry, is_long, is_whole, repeated
from gateway.receipts import brought, fails_format, formed, head_of, named, refusal, split
from gateway.settling import Settled, file_name
from spool.ledger import Ledger
from spool.mailbox import acknowledgement_name, fitting
from spool.store import Store

GIVEN_BACK = 256 * 1024 * 1024
"""What is longer is told in refused/ and not copied there: it lies in the store."""
_XML: Mapping[str, str] = MappingProxyType({})


def part(
    home: Path,
    ledger: Ledger,
    store: Store,
    judged: Iterable[Judged],
    settled: Mapping[int, list[Settled]],
    received_at: str,
    forms: Mapping[str, str] = _XML,
) -> Parting:
    """Return what the batch lets go, from what is still in hand; `forms` tells who wants his receipts as a table."""
    parting = Parting()
    for one in judged:
        claim = one.arrival.claim
        if one.answer_to:
            for partner, name, body in split(one, settled.get(claim.number, ())):
                put_out(parting, home, partner, *formed(name, body, forms.get(partner)))
            _bring(parting, home, ledger, store, claim.number, forms)
            parting.answers[claim.number] = _bare(one, received_at).as_json()
            continue
        if one.conflict:
            parting.answers[claim.number] = b""
            continue
        told = _told(ledger, one, received_at)
        _send_off(parting, home, told, claim.door, store.path(one.arrival.place), one.arrival.data, forms)
    return parting


def part_again(
    home: Path, ledger: Ledger, store: Store, first: int, last: int, forms: Mapping[str, str] = _XML
) -> Parting:
    """Return what the interchanges of a range let go, from the ledger and the evidence."""
    parting = Parting()
    for row in ledger.all("interchanges_between", first, last):
        _bring(parting, home, ledger, store, row["number"], forms)
        receipts = ledger.all("receipts_at_once", row["number"])
        if receipts and receipts[0]["number"] != row["number"]:
            for partner, name, body in named(store.read(row["evidence"]), row["number"], receipts):
                put_out(parting, home, partner, *formed(name, body, forms.get(partner)))
            continue
        if not (home / "spool" / "partners" / row["sender"]).is_dir():
            continue
        if is_long(row):
            _part_long(parting, home, ledger, store, row)
            continue
        told = acknowledgement_of(ledger, row)
        _send_off(parting, home, told, row["door"], store.path(row["evidence"]), None, forms)
    return parting


def _bring(parting: Parting, home: Path, ledger: Ledger, store: Store, number: int, forms: Mapping[str, str]) -> None:
    """What waited for a number that this answer brought is on its way, each receipt in a file of its own."""
    rows = {(row["partner"], row["file"]): row for row in ledger.all("receipts_brought", number)}
    for (partner, file), row in rows.items():
        body = brought(store.read(row["evidence"]), row)
        put_out(parting, home, partner, *formed(file, body, forms.get(partner)))


def acknowledgement_of(ledger: Ledger, row: sqlite3.Row, after: int = 0) -> Acknowledgement:
    """Return the acknowledgement of an interchange as its ledger rows tell it; a duplicate's is that of the first.

    Of a long table it is a page, the one after an ordinal.
    """
    if is_long(row):
        return LongTable(ledger, row).brief(after)
    findings = decoded(row["findings"])
    entries = [(document["ordinal"], entry(document)) for document in ledger.all("documents_of", row["number"])]
    entries += repeated(ledger, findings)
    documents = [one for _, one in sorted(entries, key=itemgetter(0))]
    length: dict[str, Any] = {}
    if not documents and row["duplicate_of"] and (first := ledger.one("interchange", row["duplicate_of"])):
        earlier = acknowledgement_of(ledger, first, after)
        documents, findings, length = earlier.documents, findings or earlier.findings, earlier.length
    return Acknowledgement(
        row["number"], row["file"], row["sender"], row["sha256"], row["received_at"], row["duplicate_of"],
        documents, findings, length,
    )  # fmt: skip


def _part_long(parting: Parting, home: Path, ledger: Ledger, store: Store, row: sqlite3.Row) -> None:
    """What a long table lets go once it is whole; until then its batch stays open."""
    table = LongTable(ledger, row)
    parting.answers[row["number"]] = table.brief().as_json()
    if not is_whole(ledger, row["number"]):
        parting.more = True
        return
    if row["door"] not in FILED:
        return
    box, file = mailbox_of(home, row["sender"]), row["file"]
    name = acknowledgement_name(file, row["number"])
    parting.files.append((str(box.out), name, table.acknowledgement()))
    documents, refused, is_lost = table.facts()
    if not refused and not is_lost:
        return
    evidence = store.path(row["evidence"])
    if refused == documents and evidence.stat().st_size <= GIVEN_BACK:
        parting.files.append((str(box.refused), file, evidence))
    parting.files.append((str(box.refused), f"{fitting(file, 246)}.why.txt", table.why(documents, refused)))


def _send_off(
    parting: Parting,
    home: Path,
    told: Acknowledgement,
    door: str,
    evidence: Path,
    data: bytes | None,
    forms: Mapping[str, str],
) -> None:
    acknowledge(parting, home, door, told)
    refused = [one for one in told.documents if one["state"] == "refused"]
    stopped = not told.documents and any(found["severity"] == "error" for found in told.findings)
    is_lost = any(found["severity"] == "error" and found["document"] is None for found in told.findings)
    if told.duplicate_of is not None or not (refused or stopped or is_lost):
        return
    whole = stopped or (bool(refused) and len(refused) == len(told.documents))
    refuse(parting, home, told, door, evidence if whole and evidence.stat().st_size <= GIVEN_BACK else None)
    if whole and fails_format(told.findings):
        receipt = refusal(told, head_of(evidence) if data is None else data)
        if receipt is not None:
            put_out(
                parting, home, told.partner, *formed(file_name(told.number, "CEB900"), receipt, forms.get(told.partner))
            )


def _bare(one: Judged, received_at: str) -> Acknowledgement:
    claim = one.arrival.claim
    return Acknowledgement(
        claim.number, claim.file, claim.sender, one.arrival.sha256, received_at, one.duplicate_of, [], []
    )


def _told(ledger: Ledger, one: Judged, received_at: str) -> Acknowledgement:
    if one.duplicate_of is not None or any(case.first is not None for case in one.cases):
        row = ledger.one("interchange", one.arrival.claim.number)
        assert row is not None
        return acknowledgement_of(ledger, row)
    told = _bare(one, received_at)
    told.documents = [document_entry(case.name, case.document.spec.code, case.key, case.state) for case in one.cases]
    told.findings = [found.as_dict() for found in one.findings]
    return told
