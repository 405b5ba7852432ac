"""Mishaps: what Kouan itself gets wrong is held with its traceback; and a power cut for the tests."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from gateway.intake import sender_of
from gateway.letting_go import Acknowledgement, Parting, acknowledge, document_entry
from gateway.parting import acknowledgement_of
from gateway.settling import hold as hold_document
from gateway.settling import iso
from message_specs.findings import finding
from spool.interchange import Batch, Claim
from spool.store import Store

if TYPE_CHECKING:
    from gateway.clerk import Clerk


def claimed(batch: Batch, store: Store) -> Iterator[Claim]:
    """Yield the claims of a batch that failed midway, each as it lies now."""
    for claim in batch.claims:
        place = claim.place or store.place(claim.number, sender_of(claim), claim.file)
        if store.path(place).exists():
            yield msgspec.structs.replace(claim, place=place, body=None)
        elif claim.body is not None or os.path.exists(claim.path):
            yield claim


def hold(clerk: "Clerk", single: Batch, reason: str) -> Parting:
    """The one claim is in the ledger, held whole with the traceback; its sender is told.

    Where its Idempotency-Key came before, nothing is held and he hears what he
    would have heard anyway: the first acknowledgement, or that the bytes differ.
    """
    arrivals = clerk.claim(single)
    if not arrivals:
        return Parting()
    arrival, claim = arrivals[0], arrivals[0].claim
    at, digest = iso(clerk.now()), arrival.sha256
    found = finding("K105")
    told = Acknowledgement(claim.number, claim.file, claim.sender, digest, at, None, [], [found.as_dict()])
    told.documents = [document_entry(f"{claim.number}.1", "?", None, "held")]
    clerk.store.sync()
    with clerk.ledger.writing() as ledger:
        ledger.run("add_batch", single.first, single.last, single.low_water)
        said = said_before(clerk, claim, digest)
        if said is None:
            ledger.run(
                "add_interchange", claim.number, claim.sender, claim.door, claim.file, arrival.size, digest,
                arrival.fingerprint, at, arrival.place, None, None, 1, None, claim.replay_of,
                claim.once, msgspec.json.encode([found.as_dict()]).decode(),
            )  # fmt: skip
            hold_document(ledger, claim.number, 1, "?", None, claim.sender, f"K105 {reason}", at)
    parting = Parting()
    if said is None:
        acknowledge(parting, clerk.house.home, claim.door, told)
    else:
        parting.answers[claim.number] = said
    if not parting.do(clerk.house.home):
        clerk.mark(single.first)
    return parting


def said_before(clerk: "Clerk", claim: Claim, digest: bytes) -> bytes | None:
    """Return what a claim hears whose Idempotency-Key came before: the first answer again, or b"" for other bytes."""
    row = clerk.ledger.one("once_used", claim.sender, claim.once) if claim.once else None
    if row is None:
        return None
    first = clerk.ledger.one("interchange", row["number"])
    assert first is not None
    return acknowledgement_of(clerk.ledger, first).as_json() if row["sha256"] == digest else b""


def stopper(where: str) -> Callable[[str], None]:
    """Return a pulse that kills this process at the n-th time a step comes by: `written`, or `synced:3`.

    Only the crash tests name a step; an empty name never stops anything.
    """
    step, _, count = where.partition(":")
    left = [int(count or 1)]

    def pulse(now_at: str) -> None:
        if now_at == step:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return pulse
