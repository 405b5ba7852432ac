"""Feedback of an exchange office: what it says about a data file becomes a receipt for each record in that file.

The office names the records that it refused and counts the others, so the others are those of our file that it did
not name.  Counts that disagree, a file that is not ours or bytes in another encoding are told to the operator, and
nothing is settled by them; a record that is not in the file is held with its reason.
"""

import re
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from adapters import fx
from gateway.case import Arrival, Case, Judged
from gateway.fx_records import hold_all
from gateway.said import said
from message_specs import writing
from message_specs.catalog import catalog
from message_specs.document import Document
from message_specs.findings import Finding, finding
from message_specs.limits import Limits
from message_specs.opening import Opened, parse
from message_specs.spec import Spec
from spool.ledger import Ledger
from spool.number import CHINA

TAKEN: Final = "0"
REFUSED: Final = "1"
_TAKEN_WORDS: Final = "外汇局已采用 taken by the exchange office"
_INFO: Final = 4000
_SHOWN: Final = 20
_REVISION: Final = "202205"
_NOT_DIGITS: Final = re.compile(r"\D")


def opened(arrival: Arrival, authority: str, limits: Limits) -> Judged:
    """Return an office's file as far as it can be read without the ledger; `complete` does the rest."""
    judged = Judged(arrival, None, answer_to=authority)
    file = arrival.claim.file
    name = fx.name_of(file)
    if name is None:
        judged.add(finding("F165", file=file, what=file))
        return judged
    try:
        if name.type == fx.CONTROL:
            control = fx.read_control(arrival.data)
            listed = str(len(control.files))
            judged.add(finding("F160", file=file, found=str(control.total), expected=listed))
            return judged
        feedback = fx.read_feedback(arrival.data, limits)
    except fx.WrongEncoding as wrong:
        judged.add(finding("F162", what=str(wrong)))
        return judged
    except fx.NotOfTheOffice as wrong:
        judged.add(finding("F165", file=file, what=str(wrong)))
        return judged
    if feedback.current != f"{name.app}{name.type}":
        judged.add(finding("F165", file=file, what=f"CURRENTFILE {feedback.current}"))
    elif feedback.trouble and not feedback.format_errors:
        judged.add(finding("F161", file=file, what=feedback.trouble))
    else:
        judged.feedback = feedback
    return judged


def complete(judged: Iterable[Judged], ledger: Ledger) -> None:
    """Every feedback among these has a case for each record of its file."""
    for one in judged:
        if one.feedback is not None:
            _complete(one, one.feedback, ledger)


def _complete(judged: Judged, feedback: fx.Feedback, ledger: Ledger) -> None:
    file = judged.arrival.claim.file
    row = ledger.one("fx_file", file)
    is_ours = row is not None and row["authority"] == judged.answer_to
    if row is not None and is_ours and row["answer"] and _is_same(judged, ledger.one("interchange", row["answer"])):
        judged.duplicate_of = row["answer"]
        return
    ours = ledger.all("fx_records", file) if is_ours else []
    spec = catalog().specs.get(f"{feedback.current}R")
    if not ours or spec is None:
        _give_up(judged, finding("F163", file=file))
        return
    if feedback.format_errors:
        # None of its records was read: they are held with the answer (fx_records).
        judged.add(finding("F164", file=file, what="; ".join(feedback.formats)[:_INFO] or str(feedback.format_errors)))
        return
    refused = {one.report: one for one in feedback.refused}
    keys = [str(one["key"]) for one in ours]
    unknown = refused.keys() - set(keys)
    if feedback.total != len(keys) + len(unknown):
        _give_up(judged, finding("F161", file=file, what=f"TOTALRECORDS {feedback.total}, {len(keys)}"))
        return
    if changed := _otherwise(ledger, row, keys, refused):
        _give_up(judged, finding("F149", file=file, what=", ".join(changed[:_SHOWN])))
        return
    # Two answers of one second are two: the last digits of a number tell them apart.
    number = judged.arrival.claim.number
    at = f"{judged.arrival.came_at(datetime.now(CHINA)):%Y%m%d%H%M%S}{number % 1000:03d}"
    told = [
        _unit(report, REFUSED, at, _reasons(refused[report]))
        for report in (*sorted(unknown), *keys)
        if report in refused
    ]
    told += [_unit(key, TAKEN, at, _TAKEN_WORDS) for key in keys if key not in refused]
    places = {str(one["key"]): (int(one["number"]), int(one["ordinal"])) for one in ours}
    _settle_by(judged, spec, told, places)


def _otherwise(ledger: Ledger, row: sqlite3.Row | None, keys: Iterable[str], refused: Collection[str]) -> Sequence[str]:
    """Return the records of which an earlier feedback on the file has said the contrary."""
    if row is None or not row["answer"]:
        return ()
    before = {one["key"]: one["status"] == REFUSED for one in ledger.all("receipts_at_once", row["answer"])}
    return [key for key in keys if before.get(key, key in refused) != (key in refused)]


def _is_same(judged: Judged, earlier: sqlite3.Row | None) -> bool:
    arrival = judged.arrival
    return earlier is not None and earlier["number"] != arrival.claim.number and earlier["sha256"] == arrival.sha256


def _give_up(judged: Judged, why: Finding) -> None:
    judged.feedback = None
    judged.add(why)


def _reasons(one: fx.Refused) -> str:
    return "; ".join(one.reasons)[:_INFO] or "-"


def _unit(report: str, status: str, at: str, info: str) -> Mapping[str, str]:
    return {"RPTNO": report, "returnStatus": status, "returnTime": at, "returnInfo": info}


def _settle_by(
    judged: Judged, spec: Spec, told: Sequence[Mapping[str, str]], places: Mapping[str, tuple[int, int]]
) -> None:  # fmt: skip
    number = judged.arrival.claim.number
    data = written(spec, number, told)
    root = parse(data, Limits(message_bytes=len(data) + 1, text_bytes=len(data) + 1, tags=len(data)))
    documents = tuple(Document(spec, ordinal, unit) for ordinal, unit in enumerate(root, 1))
    judged.opened = Opened(spec, _REVISION, root, "", spec.root, documents=documents)
    judged.cases = tuple(
        Case(
            number, one.ordinal, judged.answer_to, one, _key(one.reply_key, places, judged), told=said(one),
            means=places.get(one.reply_key),
        )
        for one in documents
    )  # fmt: skip


def _key(report: str, places: Mapping[str, tuple[int, int]], judged: Judged) -> str:
    """A record that is not in the file is no other file's either."""
    return report if report in places else f"{report} {judged.arrival.claim.file}"


def note(ledger: Ledger, judged: Judged, at: str) -> None:
    """That a data file was answered is in the open transaction; so is what became of one that was refused whole."""
    feedback, claim = judged.feedback, judged.arrival.claim
    if feedback is None:
        return
    row = ledger.one("fx_file", claim.file)
    bad = row["records"] if feedback.format_errors and row is not None else feedback.bad
    ledger.run("fx_answered", claim.number, bad, claim.file)
    if feedback.format_errors:
        hold_all(ledger, claim.file, judged.answer_to, judged.findings[-1], at)


def written(spec: Spec, number: int, told: Iterable[Mapping[str, str]]) -> bytes:
    """Return receipts about records as their partner reads them."""
    guid = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))).upper()
    return writing.receipt(spec.root, guid, [(spec.document, one) for one in told])


def of_rows(spec: Spec, number: int, rows: Iterable[sqlite3.Row]) -> bytes:
    """Return the same as `written`, from the receipts in the ledger."""
    told = [_unit(row["key"], row["status"], _NOT_DIGITS.sub("", row["said_at"][:23]), row["info"]) for row in rows]
    return written(spec, number, told)
