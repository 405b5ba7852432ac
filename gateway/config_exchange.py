"""What the file of an exchange office must say: who reports, and how its batches are gathered."""

import re
from collections.abc import Iterator
from typing import Final

from gateway.config_authorities import Authority
from gateway.config_files import Problem, Source

_LEAST_DAYS: Final = 0.00001
_MOST_DAYS: Final = 366.0


def of_exchange(source: Source, authority: Authority) -> Iterator[Problem]:
    """Yield what is wrong with an authority that speaks the dialect `fx`."""
    if authority.dialect != "fx":
        return
    exchange = authority.exchange
    if not re.fullmatch(r"[0-9A-Z]{12}", exchange.institution):
        cure = "Write the twelve characters that the exchange office gave whoever reports."
        yield source.problem(("exchange", "institution"), f'"{exchange.institution}" is no institution', cure)
    if not 0 <= exchange.gather_seconds <= 86400 or not 1 <= exchange.records <= 1_000_000:
        cure = "gather_seconds 0 to 86400, records 1 to 1000000."
        yield source.problem(("exchange",), "gather_seconds or records is out of range", cure)
    if not _LEAST_DAYS <= exchange.silent_days <= _MOST_DAYS:
        cure = f"silent_days {_LEAST_DAYS} to {_MOST_DAYS}."
        yield source.problem(("exchange", "silent_days"), "silent_days is out of range", cure)
    if authority.carrier.kind != "folder" or not authority.answers.folder:
        cure = 'Write kind = "folder" below [carrier], and a folder below [answers].'
        yield source.problem(("carrier",), "the dialect fx goes by folders alone", cure)
