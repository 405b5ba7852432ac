"""What a person has used of a year: a record of purchases by name, so that counting twice changes nothing.

The record is JSON, `{"used": {"NAME": "1300.00"}}`; the desk `tax` names a purchase by the mark of its order. What
a refund gave back stands under `NAME/REFUND` with a minus and goes with its purchase. A record without a purchase
is None.
"""

import json
from collections.abc import Mapping
from decimal import Decimal

_NOTHING = Decimal(0)


def _entries(value: str | None) -> dict[str, str]:
    return dict(json.loads(value)["used"]) if value else {}


def _written(entries: dict[str, str]) -> str | None:
    return json.dumps({"used": entries}, sort_keys=True) if entries else None


def used(value: str | None) -> Decimal:
    """What the person has used by this record.

    >>> used('{"used": {"7.1": "1300.00", "7.1/9.1": "-300.00"}}'), used(None)
    (Decimal('1000.00'), Decimal('0'))
    """
    return sum((Decimal(amount) for amount in _entries(value).values()), _NOTHING)


def counts(value: str | None, document: str) -> bool:
    """Whether the record counts this document.

    >>> counts('{"used": {"7.1": "1300.00"}}', "7.1"), counts('{"used": {"17.1": "1300.00"}}', "7.1")
    (True, False)
    """
    return document in _entries(value)


def counted(value: str | None, document: str, amount: Decimal) -> str | None:
    """The record with this document counted at this amount, whatever it counted before.

    >>> counted(None, "7.1", Decimal("1300.00"))
    '{"used": {"7.1": "1300.00"}}'
    """
    return _written(_entries(value) | {document: f"{amount:f}"})


def given_back(value: str | None, document: str) -> str | None:
    """The record without this document and all that was refunded of it: it was refused, cancelled or returned whole.

    >>> given_back('{"used": {"7.1": "1300.00", "7.1/9.1": "-300.00", "8.1": "50"}}', "7.1")
    '{"used": {"8.1": "50"}}'
    >>> given_back('{"used": {"8.1": "50"}}', "8.1") is None
    True
    """
    entries = _entries(value)
    kept = {name: amount for name, amount in entries.items() if name.partition("/")[0] != document}
    return _written(kept)


def returned(value: str | None, document: str, returns: Mapping[str, Decimal]) -> str | None:
    """The record with these returns of parts of a document and no others; never more is given back than it counted.

    >>> once = returned('{"used": {"7.1": "100"}}', "7.1", {"9.1": Decimal("30")})
    >>> once, returned(once, "7.1", {"9.1": Decimal("30")}) == once
    ('{"used": {"7.1": "100", "7.1/9.1": "-30"}}', True)
    >>> used(returned(once, "7.1", {"9.1": Decimal("30"), "9.2": Decimal("90")})), used(returned(once, "7.1", {}))
    (Decimal('0'), Decimal('100'))
    """
    entries = _entries(value)
    if document not in entries:
        return _written(entries)
    left = max(Decimal(entries[document]), _NOTHING)
    kept = {name: amount for name, amount in entries.items() if not name.startswith(f"{document}/")}
    for name, amount in returns.items():
        back = min(amount, left)
        left -= back
        kept[f"{document}/{name}"] = f"{-back:f}"
    return _written(kept)
