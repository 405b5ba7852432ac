"""What a person has used of a year's quota of foreign exchange: by record, by version, and by what was said of it.

The value is JSON.  Under each record stand its versions in their order, each as `[NUMBER.ORDINAL, DOLLARS]`; a
deletion, and a change that uses nothing of this person's year, uses "0".  What counts follows from where the versions
stand: a refused one never did; of the newest that was taken and all that came after it, any may be what holds in the
end, so the largest counts.  So nothing has to be given back: it counts no more when a version is refused or taken.
"""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

StateOf = Callable[[str], str]
"""Where the version of this name stands; "" for one that is not known yet."""
_Versions = list[list[str]]
_NOTHING: Final = Decimal(0)
_TAKEN: Final = "closed"
_REFUSED: Final = "refused"
_FINAL: Final = 3
"""So many texts has a version that was taken: nothing is asked about it any more."""


def _read(value: str | None) -> dict[str, _Versions]:
    return dict(json.loads(value)) if value else {}


def _counting(versions: Sequence[list[str]], state_of: StateOf) -> _Versions:
    """The versions that may still be what holds: the newest that was taken, marked so, and those after it."""
    kept: _Versions = []
    for one in versions:
        state = _TAKEN if len(one) == _FINAL else state_of(one[0])
        if state == _TAKEN:
            kept = [[*one[:2], _TAKEN]]
        elif state != _REFUSED:
            kept.append(one)
    return kept


def _largest(versions: _Versions) -> Decimal:
    return max((Decimal(one[1]) for one in versions), default=_NOTHING)


def used(value: str | None, state_of: StateOf, *, but: str = "") -> Decimal:
    """What the person has used by this value, but for one record.

    >>> value = '{"A": [["7.1", "9000"], ["8.1", "0"]], "B": [["9.1", "50"]]}'
    >>> used(value, lambda _: "sent"), used(value, {"7.1": "closed", "8.1": "closed", "9.1": "sent"}.__getitem__)
    (Decimal('9050'), Decimal('50'))
    >>> used(value, {"7.1": "closed", "8.1": "refused", "9.1": "refused"}.__getitem__), used(value, str, but="A")
    (Decimal('9000'), Decimal('50'))
    """
    of = {record: _largest(_counting(versions, state_of)) for record, versions in _read(value).items() if record != but}
    return sum(of.values(), _NOTHING)


def asked(value: str | None) -> tuple[str, ...]:
    """The versions about which it must be known where they stand.

    >>> asked('{"A": [["7.1", "9000", "closed"], ["8.1", "0"]]}')
    ('8.1',)
    """
    return tuple(one[0] for versions in _read(value).values() for one in versions if len(one) != _FINAL)


def holds(value: str | None, record: str) -> bool:
    """Whether a version of this record is written down here.

    >>> holds('{"A": [["7.1", "9000"]]}', "A"), holds(None, "A")
    (True, False)
    """
    return record in _read(value)


def noted(value: str | None, record: str, version: str, dollars: Decimal, state_of: StateOf) -> str:
    """The value with this version of the record as its last, and without what cannot count any more.

    >>> noted('{"A": [["7.1", "9000"]]}', "A", "8.1", Decimal("0"), {"7.1": "closed"}.__getitem__)
    '{"A": [["7.1", "9000", "closed"], ["8.1", "0"]]}'
    >>> noted('{"A": [["7.1", "9000"]]}', "B", "8.1", Decimal("50"), {"7.1": "refused"}.__getitem__)
    '{"B": [["8.1", "50"]]}'
    """
    entries = _read(value)
    entries[record] = [one for one in entries.get(record, ()) if one[0] != version]
    kept = {name: _counting(versions, state_of) for name, versions in entries.items()}
    kept[record].append([version, f"{dollars:f}"])
    return json.dumps({name: ones for name, ones in kept.items() if _is_more_than_nothing(ones)}, sort_keys=True)


def _is_more_than_nothing(versions: _Versions) -> bool:
    return any(len(one) != _FINAL or Decimal(one[1]) != 0 for one in versions)
