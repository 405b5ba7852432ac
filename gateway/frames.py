"""Jobs and answers between the hall and its workers, as length-prefixed msgpack."""

from typing import BinaryIO

import msgspec

from spool.interchange import Batch


class Job(msgspec.Struct, frozen=True, array_like=True):
    """One thing for a worker to do: take_in (with a batch), resume, let_go_again or reload."""

    id: int
    kind: str
    batch: Batch | None = None


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What came of a job: acknowledgements by number, partners with news, how many, or the trouble."""

    job: int = 0
    answers: dict[int, bytes] = {}
    news: tuple[str, ...] = ()
    count: int = 0
    trouble: str = ""
    disk: bool = False


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
