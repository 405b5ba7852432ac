"""The talk with an SFTP server: many requests on their way at once, each answered or the connection given up.

A talk is used by one thread.  After any trouble on the line it is spoilt and says so; a request that the server
refuses is an answer like any other.
"""

import contextlib
import stat
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import paramiko

from adapters import remote_wire as wire
from adapters.remote_wire import Answer, Entry, Facts, Status
from spool.errors import Postpone

PIECE: Final = 32 * 1024
_AT_ONCE: Final = 64
"""So many requests are on their way."""
_LONGEST: Final = 1024 * 1024
_MOST_NAMES: Final = 300_000
"""Of a folder, no more names are read than this; what is taken away makes room for the others."""
Tag = TypeVar("Tag")


class RemoteAway(Postpone):
    """The remote server cannot be talked to at the moment"""


class RemoteRefuses(Postpone):
    """The remote server refuses what we must do there"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to read: its path, its size as listed, and the descriptor into which it goes."""

    path: bytes
    size: int
    sink: Any


class Talk:
    """One SFTP session."""

    def __init__(self, channel: paramiko.Channel, timeout_seconds: float) -> None:
        """The greetings are exchanged; RemoteAway where the other side does not greet."""
        self._channel = channel
        self._timeout = timeout_seconds
        self._received = bytearray()
        self._number = 0
        self.is_spoilt = False
        with self._on_the_line():
            channel.sendall(wire.greeting())
            with contextlib.closing(self._packets()) as packets:
                self._extensions = wire.extensions_of(next(packets))

    def can(self, extension: bytes) -> bool:
        """Tell whether the server offers an extension."""
        return extension in self._extensions

    @contextlib.contextmanager
    def hurried(self, seconds: float | None) -> Iterator[None]:
        """Within, an answer is waited for no longer than this, nor ever longer than else."""
        patience = self._timeout
        self._timeout = min(patience, seconds or patience)
        self._channel.settimeout(self._timeout)
        try:
            yield
        finally:
            self._timeout = patience
            self._channel.settimeout(patience)

    def ask(self, requests: Iterable[tuple[Tag, int, bytes]]) -> Iterator[tuple[Tag, Answer]]:
        """Yield what came of each request (a tag, a kind, a body), in the order of the answers.

        Requests are drawn as there is room for them; whoever stops listening before the end has spoilt the talk.
        """
        source, pending = iter(requests), dict[int, Tag]()
        ended = False
        with self._on_the_line():
            while True:
                asked = []
                while not ended and len(pending) < _AT_ONCE:
                    one = next(source, None)
                    if one is None:
                        ended = True
                        break
                    self._number = (self._number + 1) & 0xFFFFFFFF
                    pending[self._number] = one[0]
                    asked.append(wire.framed(one[1], self._number, one[2]))
                if asked:
                    self._channel.sendall(b"".join(asked))
                if not pending:
                    return
                left = 0 if ended else _AT_ONCE // 2
                with contextlib.closing(self._packets()) as packets:
                    while len(pending) > left:
                        number, answer = wire.answer_of(next(packets))
                        if number not in pending:
                            raise wire.NotSftp("it answered what nobody asked")
                        yield pending.pop(number), answer

    def all(self, kind: int, bodies: Sequence[bytes]) -> list[Answer]:
        """Return what came of requests of one kind, in their order."""
        found: list[Answer] = [Status(wire.FAILURE)] * len(bodies)
        for index, answer in self.ask((index, kind, body) for index, body in enumerate(bodies)):
            found[index] = answer
        return found

    def listing(self, folder: bytes) -> list[Entry]:
        """Return the plain files of a folder; RemoteRefuses where it cannot be listed."""
        handle = self.all(wire.OPENDIR, [wire.string(folder)])[0]
        if not isinstance(handle, bytes):
            raise RemoteRefuses(f"listing {folder.decode('utf-8', 'replace')}: {handle}")
        found: list[Entry] = []
        seen, ended = 0, False
        while not ended and seen < _MOST_NAMES:
            for answer in self.all(wire.READDIR, [wire.string(handle)] * 4):
                if isinstance(answer, list) and answer:
                    seen += len(answer)
                    found += [one for one in answer if one.facts.mode is None or stat.S_ISREG(one.facts.mode)]
                elif isinstance(answer, Status) and answer.code != wire.AT_END:
                    raise RemoteRefuses(f"listing {folder.decode('utf-8', 'replace')}: {answer}")
                else:  # no names at all is an end too: a server may say it for ever
                    ended = True
        self.all(wire.CLOSE, [wire.string(handle)])
        return found

    def facts(self, paths: Sequence[bytes]) -> list[Facts | Status]:
        """Return what the server says of each path itself, links not followed."""
        answers = self.all(wire.LSTAT, [wire.string(path) for path in paths])
        return [one if isinstance(one, Facts | Status) else Status(wire.FAILURE) for one in answers]

    def remove(self, paths: Sequence[bytes]) -> list[Status]:
        """Return how the removal of each file ended."""
        return _statuses(self.all(wire.REMOVE, [wire.string(path) for path in paths]))

    def move(self, moves: Sequence[tuple[bytes, bytes]], *, replacing: bool = False) -> list[Status]:
        """Return how each renaming ended; `replacing` replaces what stands there, in one step, where the server can."""
        bodies = [wire.string(before) + wire.string(after) for before, after in moves]
        if replacing and self.can(wire.POSIX_RENAME):
            return _statuses(self.all(wire.EXTENDED, [wire.string(wire.POSIX_RENAME) + body for body in bodies]))
        return _statuses(self.all(wire.RENAME, bodies))

    def fetch(self, files: Sequence[Wanted]) -> list[Facts | Status]:
        """Return of each file what the server says of it after its bytes, as many as listed, went into its sink."""
        handles = self._opened([(one.path, wire.READING) for one in files])
        there = [index for index, handle in enumerate(handles) if isinstance(handle, bytes)]
        found: list[Facts | Status] = [one if isinstance(one, Status) else Status(wire.FAILURE) for one in handles]
        pieces = [(i, at, min(PIECE, files[i].size - at)) for i in there for at in range(0, files[i].size, PIECE)]
        while pieces:
            asked = ((piece, wire.READ, wire.reading(_handle(handles[piece[0]]), *piece[1:])) for piece in pieces)
            pieces = [rest for piece, answer in self.ask(asked) if (rest := _poured(files, piece, answer))]
        facts = self.all(wire.FSTAT, [wire.string(_handle(handles[i])) for i in there])
        self.all(wire.CLOSE, [wire.string(_handle(handles[i])) for i in there])
        for index, one in zip(there, facts, strict=True):
            found[index] = one if isinstance(one, Facts | Status) else Status(wire.FAILURE)
        return found

    def write(self, files: Sequence[tuple[bytes, bytes]]) -> list[Status]:
        """Return of each path whether it holds its bytes, durably where the server can."""
        handles = self._opened([(path, wire.WRITING | wire.CREATING | wire.EMPTYING) for path, _ in files])
        found = [one if isinstance(one, Status) else Status(wire.OK) for one in handles]
        there = [index for index, handle in enumerate(handles) if isinstance(handle, bytes)]

        def note(index: int, answer: Answer) -> None:
            if found[index].code == wire.OK and isinstance(answer, Status):
                found[index] = answer

        asked = (
            (i, wire.WRITE, wire.writing(_handle(handles[i]), at, files[i][1][at : at + PIECE]))
            for i in there
            for at in range(0, len(files[i][1]), PIECE)
        )
        for index, answer in self.ask(asked):
            note(index, answer)
        ends = [(wire.CLOSE, b"")]
        if self.can(wire.FSYNC):
            ends.insert(0, (wire.EXTENDED, wire.string(wire.FSYNC)))
        for kind, before in ends:
            bodies = [before + wire.string(_handle(handles[i])) for i in there]
            for index, answer in zip(there, self.all(kind, bodies), strict=True):
                note(index, answer)
        return found

    def _opened(self, files: Sequence[tuple[bytes, int]]) -> list[Answer]:
        return self.all(wire.OPEN, [wire.opening(path, how) for path, how in files])

    def _packets(self) -> Generator[bytes, None, None]:
        """Yield packets as they come; each must come whole within the timeout."""
        while True:
            yield from wire.packets_of(self._received, _LONGEST)
            until = time.monotonic() + self._timeout
            while not (len(self._received) >= 4 and _is_whole(self._received)):
                data = self._channel.recv(256 * 1024)
                if not data:
                    raise EOFError("the connection ended")
                self._received += data
                if time.monotonic() > until:
                    raise TimeoutError("an answer took too long")

    @contextlib.contextmanager
    def _on_the_line(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, paramiko.SSHException, wire.NotSftp) as trouble:
            self.is_spoilt = True
            said = "no answer in time" if isinstance(trouble, TimeoutError) else str(trouble)
            raise RemoteAway(said or type(trouble).__name__) from trouble
        except BaseException:
            self.is_spoilt = True
            raise


def _is_whole(received: bytearray) -> bool:
    length = int.from_bytes(received[:4], "big")
    return length > _LONGEST or len(received) >= 4 + length


def _handle(answer: Answer) -> bytes:
    assert isinstance(answer, bytes)
    return answer


def _statuses(answers: Sequence[Answer]) -> list[Status]:
    return [one if isinstance(one, Status) else Status(wire.FAILURE) for one in answers]


def _poured(files: Sequence[Wanted], piece: tuple[int, int, int], answer: Answer) -> tuple[int, int, int] | None:
    """The bytes of a piece are in their sink; return what is left of the piece where the server gave less."""
    index, at, length = piece
    if not isinstance(answer, bytes) or not answer:
        return None
    data = answer[:length]
    sink = files[index].sink
    sink.seek(at)
    sink.write(data)
    return (index, at + len(data), length - len(data)) if len(data) < length else None
