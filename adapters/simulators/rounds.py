"""The two rounds that run as long as customs is open: taking in what waits, sending what is due.

Each is a plain loop in its own thread.  A round that finds nothing sleeps until
something arrives or the scan time is over, so an idle customs costs next to nothing.
"""

import json
import queue
import sys
import threading
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from adapters.simulators.behaviours import Behaviours
from adapters.simulators.book import Book
from adapters.simulators.channels import FolderChannel, Poster
from adapters.simulators.counter import Arrival, Counter
from adapters.simulators.judging import TAKEN
from adapters.simulators.receipts import Answer, Due, make, nonsense
from adapters.simulators.settings import Register, Settings

GROUP = 32
BATCH = 100
FIRST_RETRY, MOST_RETRY = 0.25, 5.0


def note(event: str, **facts: object) -> None:
    """Write one line of JSON to stderr: something that happened."""
    print(json.dumps({"event": event} | facts, ensure_ascii=False), file=sys.stderr, flush=True)


class Intake(threading.Thread):
    """Takes in what stands in the inbox and what is posted, in groups."""

    def __init__(
        self, counter: Counter, folder: FolderChannel, register: Register, asked: Behaviours, settings: Settings
    ) -> None:
        super().__init__(name="intake", daemon=True)
        self._counter, self._folder, self._register = counter, folder, register
        self._asked, self._scan = asked, settings.folder.scan_seconds
        self._posted: queue.SimpleQueue[tuple[Arrival, Callable[[], None]] | None] = queue.SimpleQueue()
        self._open = True
        self.answers_due = threading.Event()

    def submit(self, arrival: Arrival, booked: Callable[[], None]) -> None:
        """Hand in what was posted; `booked` is called when it stands in the book."""
        self._posted.put((arrival, booked))

    def stop(self) -> None:
        """Let the round end after the group it is at."""
        self._open = False
        self._posted.put(None)

    def run(self) -> None:
        """Go round until stopped."""
        while self._open:
            broken = self._register.refresh()
            if broken:
                note("settings.broken", reason=broken)
            most = 1 if self._asked.slow else GROUP
            posted = self._from_queue(most)
            found = self._folder.arrivals(most - len(posted)) if len(posted) < most else []
            if not posted and not found:
                posted = self._from_queue(1, self._scan)
            if posted or found:
                self._take(posted, found)

    def _from_queue(self, most: int, wait: float = 0) -> list[tuple[Arrival, Callable[[], None]]]:
        taken: list[tuple[Arrival, Callable[[], None]]] = []
        while len(taken) < most:
            try:
                one = self._posted.get(block=wait > 0, timeout=wait or None)
            except queue.Empty:
                break
            if one is None:
                break
            taken.append(one)
        return taken

    def _take(self, posted: list[tuple[Arrival, Callable[[], None]]], found: list[tuple[Path, Arrival]]) -> None:
        if self._asked.slow:
            time.sleep(self._asked.slow)
        arrivals = [arrival for arrival, _ in posted] + [arrival for _, arrival in found]
        for told in self._counter.take_in(arrivals, self._register.enterprises):
            if told.standing != TAKEN:
                note(f"message.{told.standing}", guid=told.guid, spec=told.spec, reason=told.reason)
        for _, booked in posted:
            booked()
        for path, _ in found:
            path.unlink(missing_ok=True)
        self.answers_due.set()


class Answering(threading.Thread):
    """Sends what is due, of one message one stage after the other."""

    def __init__(
        self, book: Book, ways: tuple[FolderChannel, Poster | None], asked: Behaviours, settings: Settings, *,
        wake: threading.Event,
    ) -> None:  # fmt: skip
        super().__init__(name="answering", daemon=True)
        self._book, (self._folder, self._poster) = book, ways
        self._asked, self._settings, self._wake = asked, settings, wake
        self._nonsense = cycle(asked.nonsense or ("text",))
        self._open = True

    def stop(self) -> None:
        """Let the round end after the batch it is at."""
        self._open = False
        self._wake.set()

    def run(self) -> None:
        """Go round until stopped; a silent customs does not even start."""
        while self._open and not self._asked.silent:
            due = self._book.due(int(time.time() * 1000), BATCH)
            if due:
                self._send(due)
            else:
                self._wake.wait(0.1)
                self._wake.clear()

    def _send(self, due: list[Due]) -> None:
        by_folder: list[tuple[Due, Answer]] = []
        by_http: list[tuple[Due, Answer]] = []
        for one in due:
            booked = self._book.booked(one.message)
            use_http = self._poster is not None and (booked.channel == "http" or self._folder.answers is None)
            pile = by_http if use_http else by_folder
            if self._asked.nonsense:
                self._deliver_nonsense(one, use_http=use_http)
            pile.append((one, make(one, booked, self._settings)))
        sent = self._put(by_folder) + self._post(by_http)
        if sent:
            self._book.sent(sent, int(time.time() * 1000))
        self._try_later([one for one in due if one not in sent])

    def _put(self, pile: list[tuple[Due, Answer]]) -> list[Due]:
        if not pile or self._folder.answers is None:
            return []
        half = [answer for one, answer in pile if self._asked.disconnects and one.tries == 0]
        whole = [(one, answer) for one, answer in pile if not (self._asked.disconnects and one.tries == 0)]
        try:
            if half:
                self._folder.put(half, half=True)
            self._folder.put([answer for _, answer in whole])
        except OSError as error:
            note("answers.stuck", reason=str(error))
            return []
        return [one for one, _ in whole]

    def _post(self, pile: list[tuple[Due, Answer]]) -> list[Due]:
        if not pile or self._poster is None:
            return []
        taken = self._poster.post([answer for _, answer in pile])
        return [one for (one, _), good in zip(pile, taken, strict=True) if good]

    def _deliver_nonsense(self, due: Due, *, use_http: bool) -> None:
        answer = nonsense(next(self._nonsense), due)
        if use_http and self._poster is not None:
            self._poster.post([answer])
        elif self._folder.answers is not None:
            self._folder.put([answer])

    def _try_later(self, failed: list[Due]) -> None:
        for tries in {one.tries for one in failed}:
            wait = min(MOST_RETRY, FIRST_RETRY * 2 ** min(tries, 10))
            some = [one for one in failed if one.tries == tries]
            self._book.failed(some, int((time.time() + wait) * 1000))
