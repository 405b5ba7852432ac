"""Duplicates: what a document is to the one already in the ledger under its key."""

from dataclasses import dataclass

from gateway.case import Earlier
from spool.states import State


@dataclass(frozen=True, slots=True)
class Verdict:
    """A version to be declared, or the finding that says why not; `first` is the one that stands."""

    version: int = 0
    finding: str = ""
    first: Earlier | None = None


def judge(earlier: Earlier | None, partner: str, digest: bytes, app_type: str) -> Verdict:
    """Return what becomes of a document under a key, by the latest version that was accepted.

    >>> judge(None, "shop", b"a", "1")
    Verdict(version=1, finding='', first=None)
    >>> first = Earlier(7, 1, 1, "shop", State.SENT, b"a")
    >>> judge(first, "shop", b"a", "1").finding, judge(first, "shop", b"b", "1").finding
    ('P301', 'P302')
    >>> deleted = Earlier(7, 1, 2, "shop", State.CLOSED, b"a", deleted=True)
    >>> judge(deleted, "shop", b"b", "1").version
    3
    >>> judge(first, "shop", b"b", "2").version, judge(first, "other", b"b", "2").finding
    (2, 'P303')
    """
    if earlier is None:
        return Verdict(1)
    if earlier.state is State.REFUSED:
        return Verdict(earlier.version + 1)
    if earlier.partner != partner:
        return Verdict(finding="P303")
    if earlier.digest == digest:
        return Verdict(finding="P301", first=earlier)
    if app_type in ("2", "3") or earlier.deleted:
        return Verdict(earlier.version + 1)
    return Verdict(finding="P302", first=earlier)
