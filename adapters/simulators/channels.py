"""The two ways to and from the customs in a box: a pair of folders, and HTTP.

An answer stands in the folder whole or not at all, under a name that no other
answer has; by HTTP it has arrived when the receiver said 2xx.

**Known limits.** The folder is scanned, not watched; HTTP without TLS.
"""

import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import treq
from twisted.internet import defer, reactor, threads
from twisted.web import resource, server

from adapters.simulators.behaviours import Behaviours
from adapters.simulators.counter import Arrival
from adapters.simulators.receipts import Answer
from adapters.simulators.settings import Http

ABREAST = 8
_REACTOR: Any = reactor  # a module to the type checker


class FolderChannel:
    """Messages found in one folder, answers put into another."""

    def __init__(self, inbox: Path | None, answers: Path | None) -> None:
        self.inbox, self.answers = inbox, answers
        self._waiting: list[Path] = []
        for folder in (inbox, answers):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)

    def arrivals(self, most: int) -> list[tuple[Path, Arrival]]:
        """Return up to `most` messages that wait, by name; they stay where they are."""
        if self.inbox is None:
            return []
        if not self._waiting:
            names = [entry.name for entry in os.scandir(self.inbox) if _is_message(entry.name) and entry.is_file()]
            self._waiting = [self.inbox / name for name in sorted(names, reverse=True)]
        found: list[tuple[Path, Arrival]] = []
        while self._waiting and len(found) < most:
            path = self._waiting.pop()
            try:
                with path.open("rb") as file:
                    facts = os.fstat(file.fileno())
                    source = f"{path.name} {facts.st_ino} {facts.st_mtime_ns}"
                    found.append((path, Arrival(file.read(), "folder", source)))
            except FileNotFoundError:
                continue
        return found

    def put(self, answers: Sequence[Answer], *, half: bool = False) -> None:
        """Put answers into the folder, synced; `half` only writes the first half of each under its aside name."""
        assert self.answers is not None
        for answer in answers:
            with (self.answers / f".{answer.name}.writing").open("wb") as file:
                file.write(answer.body[: len(answer.body) // 2] if half else answer.body)
                file.flush()
                os.fsync(file.fileno())
        if half:
            return
        for answer in answers:
            os.rename(self.answers / f".{answer.name}.writing", self.answers / answer.name)
        folder = os.open(self.answers, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _is_message(name: str) -> bool:
    return name.endswith(".xml") and not name.startswith(".")


class Dxp(resource.Resource):
    """POST /dxp: says OK when what was posted stands in the book."""

    isLeaf = True

    def __init__(self, submit: Callable[[Arrival, Callable[[], None]], None], asked: Behaviours) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._submit, self._asked, self._requests = submit, asked, 0

    def render_POST(self, request: Any) -> int | bytes:
        """Submit the body and answer later."""
        if request.path != b"/dxp":
            request.setResponseCode(404)
            return b"POST /dxp\n"
        fate = self._fate()
        if fate == "before":
            request.transport.abortConnection()
            return server.NOT_DONE_YET
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        arrival = Arrival(request.content.read(), "http", f"http {uuid.uuid4()}")

        def booked() -> None:
            if fate == "after" and not gone:
                request.transport.abortConnection()
            elif not gone:
                request.setHeader(b"Content-Type", b"text/plain")
                request.write(b"OK")
                request.finish()

        self._submit(arrival, lambda: _REACTOR.callFromThread(booked))
        return server.NOT_DONE_YET

    def _fate(self) -> str:
        """Every third request is lost, in turn before and after it is booked."""
        self._requests += 1
        fates = self._asked.disconnects
        if not fates or self._requests % 3 != 1:
            return ""
        return fates[self._requests // 3 % len(fates)]


class Poster:
    """Posts answers to the gateway; called from a thread, works in the reactor."""

    def __init__(self, http: Http) -> None:
        self._url, self._timeout = http.answer_url, http.timeout_seconds
        self._headers: dict[bytes | str, bytes | str] = {
            "Authorization": f"Bearer {http.answer_token}",
            "Content-Type": "application/xml",
        }

    def post(self, answers: Sequence[Answer]) -> list[bool]:
        """Return of each answer whether it was taken with 2xx; a few are under way abreast."""
        taken: list[bool] = threads.blockingCallFromThread(_REACTOR, self._post_all, answers)
        return taken

    def _post_all(self, answers: Sequence[Answer]) -> "defer.Deferred[list[bool]]":
        gate = defer.DeferredSemaphore(ABREAST)
        return defer.gatherResults([gate.run(self._post, answer) for answer in answers])

    async def _status(self, answer: Answer) -> int:
        sending: Any = treq.post(self._url, data=answer.body, headers=self._headers, timeout=self._timeout)
        response = await sending
        await treq.content(response)
        return int(response.code)

    def _post(self, answer: Answer) -> "defer.Deferred[bool]":
        asking = defer.Deferred.fromCoroutine(self._status(answer))
        return asking.addCallbacks(lambda code: 200 <= code < 300, lambda _: False)
