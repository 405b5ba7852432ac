"""Intake: the bytes of a batch come into the store.

A file is claimed by one rename out of in/, so that neither its owner nor
another process can take or replace it any more; a request's body is written.
"""

import hashlib
from pathlib import Path

from gateway.case import Arrival
from spool.interchange import Batch, Claim
from spool.store import Store

WRITTEN = "+"
"""Before the sender in a name of the store: we wrote this from a connection, so without a row it was promised to nobody."""
SENT = "^"
"""The sender of what leaves: without a row it was never sent."""


class Intake:
    """Takes what batches claim."""

    def __init__(self, home: Path, store: Store) -> None:
        self._home = home
        self._store = store

    def take(self, batch: Batch) -> list[Arrival]:
        """Return the arrivals of a batch in order; files that are gone meanwhile are left out."""
        arrivals = []
        for claim in batch.claims:
            if (place := self._place(claim)) is not None:
                data = self._store.read(place) if claim.body is None else claim.body
                arrivals.append(Arrival(claim, place, data, hashlib.sha256(data).digest()))
        return arrivals

    def _place(self, claim: Claim) -> str | None:
        if claim.place:
            return claim.place
        if claim.body is not None:
            place = self._store.place(claim.number, WRITTEN + claim.sender, claim.file)
            self._store.write(place, claim.body)
            return place
        place = self._store.place(claim.number, claim.sender, claim.file)
        return place if self._store.claim(claim.path, place) else None
