"""Jobs and answers between the hall and its workers, as length-prefixed msgpack."""

from collections.abc import Iterable
from typing import BinaryIO

import msgspec

from spool.interchange import Batch


class Job(msgspec.Struct, frozen=True, array_like=True):
    """One thing for a worker to do.

    With a batch of claims: take_in, take_again (as far as a worker that died
    or failed did not), go_on (a piece of a long table) or hold (its one claim, whole).  With a batch that is
    only bounds, (`first`, `low_water`): let_go_again, or let_go_late, where
    nothing appears twice while the trouble lasts.  Without: resume, look (at due trades), reload.
    """

    id: int
    kind: str
    batch: Batch | None = None


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What came of a job: acknowledgements by number, partners with news, how many, or the trouble.

    `untold` is what is in the ledger and could not be let go; it is tried again.
    `more` are the long tables of the batch that are not whole yet and have to go on, with the worker in `slot`.
    """

    job: int = 0
    answers: dict[int, bytes] = {}
    news: tuple[str, ...] = ()
    count: int = 0
    trouble: str = ""
    disk: bool = False
    untold: tuple[str, ...] = ()
    more: tuple[int, ...] = ()
    slot: int = -1


def joined(parts: Iterable[Answer]) -> Answer:
    """Return the answer to a job that was done in parts; one part's trouble is the trouble of the whole.

    >>> told = joined([Answer(answers={1: b"a"}, news=("shop",)), Answer(trouble="no space", disk=True)])
    >>> told.answers, told.news, told.trouble, told.disk
    ({1: b'a'}, ('shop',), 'no space', True)
    """
    told = list(parts)
    troubled = next((part for part in told if part.trouble), Answer())
    return Answer(
        answers={number: body for part in told for number, body in part.answers.items()},
        news=tuple({name: None for part in told for name in part.news}),
        trouble=troubled.trouble,
        disk=troubled.disk,
        untold=tuple(one for part in told for one in part.untold),
    )


def write_frame(sink: BinaryIO, body: bytes) -> None:
    """The frame has been handed to the pipe whole."""
    rest = memoryview(len(body).to_bytes(4, "big") + body)
    while rest:
        written = sink.write(rest)
        rest = rest[written:]


def read_frame(source: BinaryIO) -> bytes | None:
    """Return the next frame, or None at the end, also when the end cuts one."""
    head = source.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    body = source.read(size)
    return body if len(body) == size else None
