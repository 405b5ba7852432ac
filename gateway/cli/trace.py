"""`kouan trace`: one life, stamp by stamp, from the partner's file to the last receipt."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.book import brief, open_book, shown, utc_option
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import NOT_FOUND, USAGE, Stop, give, say

if TYPE_CHECKING:
    from spool.ledger import Ledger


@click.command()
@click.argument("what", metavar="NUMBER|KEY")
@click.option("--evidence", is_flag=True, help="Give the stored bytes as they came in, and nothing else, on stdout.")
@click.option("--sent", is_flag=True, help="Give the envelope as it was sealed and sent, and nothing else, on stdout.")
@utc_option
@json_option
@home_option
def trace(*, what: str, evidence: bool, sent: bool, utc: bool, as_json: bool, home: Path) -> None:
    """Show the life of a document, by its number, its interchange's or message's number, or its business key.

    Of a key its last part (the orderNo) is enough. Several lives are one JSON object each. An interchange that was
    refused whole is shown with its findings. Of an inventory that was drawn up it tells where each value came from
    (docs/drawing.md). Ends with 4 when there is nothing.
    """
    from gateway import reading

    book = open_book(home)
    if evidence or sent:
        if evidence and sent:
            raise Stop("--evidence and --sent exclude each other; give one.", USAGE)
        _give_bytes(home, what, reading.evidence_of(book, what, sent=sent))
        return
    count = 0
    for count, life in enumerate(reading.found(book, what), 1):
        if "stamps" in life:
            life["sources"] = _sources(home, book, life)
        if as_json:
            give(life)
            continue
        lines = _life(life, utc=utc) if "stamps" in life else _interchange(life, utc=utc)
        click.echo("\n" * (count > 1) + "\n".join(lines))
    if count == 0:
        _nothing(what)


def _sources(home: Path, book: "Ledger", life: dict[str, Any]) -> list[dict[str, str]]:
    """Return where each value of an inventory that was drawn up came from; nothing for what a partner sent."""
    from gateway.sources import is_drawn, sources_of

    if not is_drawn(life["file"], life["door"]):
        return []
    from gateway.config import load_house
    from spool.errors import ForOperator

    try:
        return [one.as_facts() for one in sources_of(load_house(home), book, life["number"])]
    except (ForOperator, OSError) as trouble:
        say(f"{life['number']}: its sources cannot be shown: {trouble}")
        return []


def _nothing(what: str) -> None:
    raise Stop(f'No interchange, document, message or key here is "{what}".', NOT_FOUND)


def _give_bytes(home: Path, what: str, places: list[str]) -> None:
    if not places:
        _nothing(what)
    if len(places) > 1:
        raise Stop(f'"{what}" names {len(places)} transmissions; name one document: {", ".join(places[:5])}', USAGE)
    try:
        data = (home / "spool/store" / places[0]).read_bytes()
    except FileNotFoundError:
        raise Stop(f"The evidence is gone from the store: {places[0]}. Restore it from a backup.") from None
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _life(life: dict[str, Any], *, utc: bool) -> Iterator[str]:
    status = f" {life['status']} {life['status_zh']}" if life["status"] else ""
    yield f"{life['number']}  {life['spec']}  {life['key'] or ''}  {life['partner']}  {life['state']}{status}"
    if life["why"]:
        yield f"  why       {life['why']}"
    yield f"  file      {life['file']} by {life['door']}, {shown(life['received_at'], utc=utc)}"
    if life["replay_of"]:
        yield f"  replay of {life['replay_of']}"
    yield f"  evidence  {life['evidence']}"
    if life["message"]:
        yield from _message(life["message"], utc=utc)
    for stamp in life["stamps"]:
        yield from _stamp(stamp, utc=utc)
    for receipt in life["receipts"]:
        yield from _receipt(receipt, utc=utc)
    for one in life["sources"]:
        yield f"  来源 source   {one['path']} = {one['value']}  ← {one['of']} {one['what']}".rstrip()


def _message(message: dict[str, Any], *, utc: bool) -> Iterator[str]:
    key = f" by key {message['key']}" if message["key"] else ""
    when = shown(message["sealed_at"], utc=utc)
    yield f"  message   {message['number']} {message['guid']}, {message['suite']}{key}, {when}"
    yield f"  sealed    {message['evidence']}"
    for out in message["outbox"]:
        when = shown(out["not_before"] if out["state"] == "waiting" else out["tried_at"], utc=utc)
        told = f", next try {when}" if out["state"] == "waiting" else f", {when}" if when else ""
        trouble = f"; {brief(out['trouble'])}" if out["trouble"] else ""
        yield f"  outbox    {out['destination']}: {out['state']}, attempts {out['attempts']}{told}{trouble}"


def _stamp(stamp: dict[str, Any], *, utc: bool) -> Iterator[str]:
    moved = stamp["to"] if stamp["from"] in ("", stamp["to"]) else f"{stamp['from']} → {stamp['to']}"
    by = "" if stamp["by"] == "kouan" else f" by {stamp['by']}"
    reason = f"  {stamp['reason']}" if stamp["reason"] else ""
    yield f"  {shown(stamp['at'], utc=utc)}  {stamp['desk']}: {moved}{by}{reason}"
    yield from _findings(stamp["findings"])


def _findings(findings: list[dict[str, Any]]) -> Iterator[str]:
    for found in findings:
        line = f" 第 {found['line']} 行" if found["line"] else ""
        yield f"    [{found['code']}]{line} {found['zh']} {found['en']}"
        if found["path"]:
            yield f"      {found['path']}"


def _receipt(receipt: dict[str, Any], *, utc: bool) -> Iterator[str]:
    said = f"{receipt['spec']} {receipt['status']} {receipt['zh']} ({receipt['outcome']})"
    yield f"  回执 receipt  {shown(receipt['said_at'], utc=utc)}  {said}  {receipt['info']}  {receipt['file']}".rstrip()


def _interchange(told: dict[str, Any], *, utc: bool) -> Iterator[str]:
    stands = f", the same as {told['duplicate_of']}" if told["duplicate_of"] else ""
    what = "answer" if told["receipts"] else "interchange"
    yield f"{told['number']}  {told['spec'] or 'unknown spec'}  {told['partner']}  {what}{stands}"
    yield f"  file      {told['file']} by {told['door']}, {told['size']} bytes, {shown(told['received_at'], utc=utc)}"
    if told["replay_of"]:
        yield f"  replay of {told['replay_of']}"
    yield f"  evidence  {told['evidence']}"
    for document in told["documents"]:
        yield f"  document  {document['number']} {document['spec']} {document['key'] or ''} {document['state']}"
    yield from _findings(told["findings"])
    for receipt in told["receipts"]:
        yield from (line + f"  → {receipt['number']}" for line in _receipt(receipt, utc=utc))
