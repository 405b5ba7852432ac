"""Intake: the bytes of a batch come into the store.

A file is claimed by one rename out of in/, so that neither its owner nor
another process can take or replace it any more; a request's body is written.
"""

import hashlib
import io
import os
from typing import Final

from adapters.doors.folder import is_written
from gateway.case import Arrival
from spool.interchange import Batch, Claim
from spool.store import Store

WRITTEN = "+"
"""Before the sender in a name of the store: we wrote it from a connection; without a row it was promised to nobody."""
SENT = "^"
"""The sender of what leaves: without a row it was never sent."""


_HEAD: Final = 4096


def _rewound(file: io.FileIO) -> io.FileIO:
    file.seek(0)
    return file


class Intake:
    """Takes what batches claim."""

    def __init__(self, store: Store, most_bytes: int) -> None:
        """What is longer than `most_bytes` is kept as evidence and never read into memory whole."""
        self._store = store
        self._most = most_bytes

    def take(self, batch: Batch) -> list[Arrival]:
        """Return the arrivals of a batch in order; files that are gone meanwhile are left out."""
        arrivals = []
        for claim in batch.claims:
            if (place := self._place(claim)) is not None:
                arrivals.append(self._arrival(claim, place))
        return arrivals

    def _arrival(self, claim: Claim, place: str) -> Arrival:
        if claim.body is not None:
            return Arrival(claim, place, claim.body, hashlib.sha256(claim.body).digest(), len(claim.body))
        with open(self._store.path(place), "rb", buffering=0) as file:
            facts = os.fstat(file.fileno())
            size = facts.st_size
            if size <= self._most:
                data = file.read()
                if facts.st_nlink > 1 or is_written(file.fileno()):
                    self._store.rewrite(place, data)
                return Arrival(claim, place, data, hashlib.sha256(data).digest(), len(data))
            return Arrival(claim, place, file.read(_HEAD), hashlib.file_digest(_rewound(file), "sha256").digest(), size)

    def _place(self, claim: Claim) -> str | None:
        if claim.place:
            return claim.place
        if claim.body is not None:
            place = self._store.place(claim.number, WRITTEN + claim.sender, claim.file)
            self._store.write(place, claim.body)
            return place
        place = self._store.place(claim.number, claim.sender, claim.file)
        return place if self._store.claim(claim.path, place) else None
