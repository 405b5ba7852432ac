"""Remarking: the marks that papers had until step 0014 of the ledger, each with what it is since.

Until then every mark was a digest; since then those by which documents meet lie beside their neighbours (marking).
An order's mark also names its dossier, and what has used it up in foreign exchange.
"""

from collections.abc import Iterator, Sequence

from message_specs.trade.marking import MEETING, digest_of, mark_of
from message_specs.trade.packed import Texts
from message_specs.trade.papers import kinds_of_marks, named, unpack
from message_specs.trade.settled import order_named


def remarked(spec: str, data: bytes) -> Iterator[tuple[str, int, int]]:
    """The marks of a packed paper that step 0014 changes, and those of orders that its lines settle.

    Each is told as its kind, what it was and what it is.
    """
    head, lines = unpack(data)
    for kind in kinds_of_marks(spec):
        if kind in MEETING:
            for values in named(kind, spec, head, lines):
                yield _moved(kind, values)
        elif kind == "settled":
            for line in lines:
                yield _settled(line)


def _settled(line: Texts) -> tuple[str, int, int]:
    return _moved("order", order_named(line))


def _moved(kind: str, values: Sequence[str]) -> tuple[str, int, int]:
    return kind, digest_of("|".join([kind, *[value.strip() for value in values]])), mark_of(kind, *values)
