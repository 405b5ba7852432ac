"""What a door hands to the clerk: claims, in batches.

A claim says who dropped what, by which door, and where it lies now.  A batch
is what shares one sync and one transaction.
"""

from typing import Final

import msgspec

BATCH: Final = "batch"
"""The door of whole folders of files, whose bytes alone do not tell what they are about."""


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """One transmission on its way in.

    Its bytes lie at `path` (a partner's in/), in `body` (HTTP), or already in
    the store at `place` (found again after a crash, or replayed).
    """

    number: int
    sender: str
    door: str
    file: str
    path: str = ""
    body: bytes | None = None
    place: str = ""
    once: str | None = None
    replay_of: int | None = None


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Claims with numbers in `first`..`last`; every number below `low_water` is settled in the ledger."""

    first: int
    last: int
    low_water: int
    claims: tuple[Claim, ...]
