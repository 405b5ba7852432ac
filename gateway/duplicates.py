"""Duplicates: what a document is to the versions already in the ledger under its key."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.case import Earlier
from spool.states import State

_CHANGES = ("2", "3")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A version to be declared, or the finding that says why not; `first` is the one that stands."""

    version: int = 0
    finding: str = ""
    first: Earlier | None = None


def judge(versions: Sequence[Earlier], partner: str, digest: bytes, app_type: str) -> Verdict:
    """Return what becomes of a document under a key, by every version of it that was accepted.

    >>> judge((), "shop", b"a", "1")
    Verdict(version=1, finding='', first=None)
    >>> first = Earlier(7, 1, 1, "shop", State.SENT, b"a")
    >>> judge([first], "shop", b"a", "1").finding, judge([first], "shop", b"b", "1").finding
    ('P301', 'P302')
    >>> judge([first], "shop", b"b", "2").version, judge([first], "other", b"b", "2").finding
    (2, 'P303')

    A refused version says nothing about those before it, and an older change never goes over a newer one.

    >>> change = Earlier(8, 1, 2, "shop", State.REFUSED, b"b")
    >>> judge([first, change], "shop", b"a", "1").first == first, judge([first, change], "shop", b"b", "2").version
    (True, 3)
    >>> newer = Earlier(9, 1, 3, "shop", State.SENT, b"c")
    >>> judge([first, change, newer], "shop", b"b", "2").first == newer
    True

    A deletion frees the key once the authority has closed it.

    >>> judge([first, Earlier(7, 1, 2, "shop", State.CLOSED, b"d", deleted=True)], "shop", b"a", "1").version
    3
    """
    following = max((one.version for one in versions), default=0) + 1
    standing = max((one for one in versions if one.state is not State.REFUSED), key=_version, default=None)
    if standing is None:
        return Verdict(following)
    if standing.partner != partner:
        return Verdict(finding="P303")
    deletion = max((one.version for one in versions if one.deleted), default=0)
    alive = (one for one in versions if one.state is not State.REFUSED and one.version >= deletion)
    if same := next((one for one in alive if one.digest == digest), None):
        return Verdict(finding="P301", first=same)
    if standing.deleted:
        return Verdict(following)
    older = any(one.digest == digest and one.version < standing.version for one in versions)
    if app_type not in _CHANGES or older:
        return Verdict(finding="P302", first=standing)
    return Verdict(following)


def _version(one: Earlier) -> int:
    return one.version
