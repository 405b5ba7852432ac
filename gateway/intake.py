"""Intake: the bytes of a batch come into the store.

A file is claimed by one rename out of in/, so that neither its owner nor
another process can take or replace it any more; a request's body is written.
A file that somebody opened for writing since it was looked at goes back, to be
looked at again.  Where another may write to it still, or nobody can tell, the
evidence is a copy of our own of the bytes that were read.

Known limits: what is longer than is ever read stays the file it was, so whoever
holds it open can change that evidence.
"""

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Callable
from typing import Final

from adapters.doors.folder import is_written
from adapters.doors.folder_names import says_done
from gateway.case import Arrival
from gateway.tables import is_table_file
from spool.interchange import Batch, Claim
from spool.store import Store

WRITTEN = "+"
"""Before the sender in a name of the store: it came over a connection; without a row it was promised to nobody."""
SENT = "^"
"""The sender of what leaves: without a row it was never sent."""


_HEAD: Final = 4096


def promised(claim: Claim) -> bool:
    """Tell whether somebody waits to hear that it is in the ledger, and brings it again if he does not."""
    return claim.body is not None or claim.once is not None


def sender_of(claim: Claim) -> str:
    """Return the sender as a name of the store says him."""
    return WRITTEN + claim.sender if promised(claim) else claim.sender


_OTHERS: Final = 0o137
"""What no evidence is: written by our group, or anything to anybody else."""


def _close_to_others(file: io.FileIO, mode: int) -> None:
    # What another user dropped stays his to change, and lies in folders that are closed to others.
    with contextlib.suppress(PermissionError):
        os.fchmod(file.fileno(), stat.S_IMODE(mode) & ~_OTHERS)


def _rewound(file: io.FileIO) -> io.FileIO:
    file.seek(0)
    return file


class Intake:
    """Takes what batches claim."""

    def __init__(self, store: Store, most_bytes: int, written: Callable[[int], bool | None] = is_written) -> None:
        """What is longer than `most_bytes` is kept as evidence and never read whole; `written` tells who writes."""
        self._store = store
        self._written = written
        self._most = most_bytes

    def take(self, batch: Batch) -> list[Arrival]:
        """Return the arrivals of a batch in order; files that are gone or written to meanwhile are left out."""
        arrivals = []
        for claim in batch.claims:
            place = self._place(claim)
            arrival = self._arrival(claim, place) if place is not None else None
            if arrival is not None:
                arrivals.append(arrival)
        return arrivals

    def _arrival(self, claim: Claim, place: str) -> Arrival | None:
        path = self._store.path(place)
        if claim.body is not None:
            head = claim.body[:_HEAD]
            digest, size = hashlib.sha256(claim.body).digest(), len(claim.body)
            if is_table_file(claim.file, head):
                return Arrival(claim, place, head, digest, size, path)
            return Arrival(claim, place, claim.body, digest, size)
        if not stat.S_ISREG(os.lstat(path).st_mode):
            # Somebody put a link, a pipe or a folder in the place of the file after it was looked at.
            self._store.set_aside(place)
            return None
        with open(path, "rb", buffering=0) as file:
            # Asked before reading: who writes and closes in between would change what was read.
            written = self._written(file.fileno())
            if written is True and self._given_back(claim, place):
                return None
            facts = os.fstat(file.fileno())
            size = facts.st_size
            if facts.st_mode & _OTHERS:
                _close_to_others(file, facts.st_mode)
            head = file.read(_HEAD)
            if is_table_file(claim.file, head):
                if facts.st_nlink > 1 or written is not False:
                    return self._copied(claim, place)
                return Arrival(claim, place, head, hashlib.file_digest(_rewound(file), "sha256").digest(), size, path)
            if size <= self._most:
                data = head + file.read()
                if facts.st_nlink > 1 or written is not False:
                    self._store.rewrite(place, data)
                return Arrival(claim, place, data, hashlib.sha256(data).digest(), len(data))
            return Arrival(claim, place, head, hashlib.file_digest(_rewound(file), "sha256").digest(), size)

    def _copied(self, claim: Claim, place: str) -> Arrival:
        """The evidence is a copy of our own, streamed."""
        self._store.copy_own(place)
        path = self._store.path(place)
        with open(path, "rb", buffering=0) as file:
            head, size = file.read(_HEAD), os.fstat(file.fileno()).st_size
            return Arrival(claim, place, head, hashlib.file_digest(_rewound(file), "sha256").digest(), size, path)

    def _given_back(self, claim: Claim, place: str) -> bool:
        """The file lies in in/ again; not where its sender says that it is done, or has put another there."""
        return (
            claim.door == "folder"
            and bool(claim.path)
            and not says_done(claim.path)
            and self._store.give_back(place, claim.path)
        )

    def _place(self, claim: Claim) -> str | None:
        if claim.place:
            return claim.place
        if claim.body is not None:
            place = self._store.place(claim.number, sender_of(claim), claim.file)
            self._store.write(place, claim.body)
            return place
        place = self._store.place(claim.number, sender_of(claim), claim.file)
        return place if self._store.claim(claim.path, place) else None
