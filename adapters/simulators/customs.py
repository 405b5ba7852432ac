"""A customs in a box: `python -m adapters.simulators.customs --config FILE [--behaviour NAME[=arg] ...]`.

It opens what it is told, verifies, checks, books, and answers as customs does;
when it says OK, or a file leaves its inbox, the message is in its book.  When
it is open it prints one line `{"event": "ready", "http": …, "inbox": …}` on
stdout.  `--book [--json]` prints the book of a running or stopped one instead,
`--book --trades [--json]` one line a trade.

The file (paths relative to it, everything but `state` may be left out)::

    state = "customs"                   # its book stands here
    revision = "202205"                 # or "2018"
    dxp_id = "DXPEDCCEB0000002"         # who it is on an envelope
    signatures_required = true          # also where the structure leaves them optional
    wrap_answers = true                 # false: receipts without a DxpMsg around
    seed = "1"                          # guids follow from it; left out: another one each book
    message_bytes = 41943040            # more is refused
    threads = 2                         # for opening and verifying
    tied = false                        # true: started with a pipe as stdin, it ends when who started it ends
    behaviours = []                     # like --behaviour

    [folder]
    inbox = "out"                       # DxpMsg files ending in .xml, renamed in
    answers = "in"                      # its answers, written aside, synced, renamed
    scan_seconds = 0.15

    [http]
    listen = "127.0.0.1:8091"           # POST /dxp, answers 200 `OK`; port 0 takes a free one
    answer_url = "http://127.0.0.1:8080/v1/interchanges"
    answer_token = "…"
    timeout_seconds = 30.0

    [delays]                            # seconds before each stage
    2 = 0.2                             # 816, 818 and 792 are stages too
    120 = 0.2

    [[enterprises]]                     # read again whenever the file changes
    code = "3301961A2B"
    dxp_id = "DXPENT0000030001"
    certificates = ["keys/shop/cert.pem"]

A message that came by HTTP is answered by HTTP if `answer_url` is there, else
by folder, and the other way round.

It answers as customs does: order, payment and waybill stand at 2 until their
inventory comes and agrees with them, then all go on, to release and tax bill;
exports likewise.  With the behaviour `prompt` every document is answered to its
end by itself.

**Known limits.** One of these a state folder (a lock keeps the second one
waiting); a trade whose documents came under `prompt` is not matched later.
"""

import fcntl
import json
import os
import select
import stat
import sys
import threading
import time
import traceback
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet import defer, endpoints, reactor, task, threads
from twisted.web import server

from adapters.simulators import reading, trade_reading
from adapters.simulators.arguments import parser_for
from adapters.simulators.behaviours import NAMES, Behaviours, UnknownBehaviour, behaviours
from adapters.simulators.book import Book
from adapters.simulators.channels import Dxp, FolderChannel, Poster
from adapters.simulators.counter import Counter
from adapters.simulators.judging import warm_up
from adapters.simulators.rounds import Answering, Intake, note
from adapters.simulators.settings import NotUnderstood, Register, Settings, load

_REACTOR: Any = reactor
_site: Any = server.Site
_endpoint: Any = endpoints.TCP4ServerEndpoint
_LOCK_SECONDS = 10.0
_PARENT = os.getppid()


class Customs:
    """The whole of it, put together; `open` in the reactor, `close` after it."""

    def __init__(self, settings: Settings, asked: Behaviours) -> None:
        self._settings = settings
        warm_up(settings.revision)
        self._book = Book(settings.state)
        seeded = replace(settings, seed=self._book.fact("seed", settings.seed or str(time.time_ns())))
        self._workers = ThreadPoolExecutor(settings.threads, "judge")
        places = (settings.at(path) if path else None for path in (settings.folder.inbox, settings.folder.answers))
        folder = FolderChannel(*places)
        poster = Poster(settings.http) if settings.http.answer_url else None
        counter = Counter(self._book, seeded, asked, self._workers)
        self._intake = Intake(counter, folder, Register(settings), asked, seeded)
        self._answering = Answering(self._book, (folder, poster), asked, seeded, wake=self._intake.answers_due)
        self._site = _site(Dxp(self._intake.submit, asked))
        self._stdin = select.poll()
        self._stdin.register(0, select.POLLHUP)

    async def open(self) -> None:
        """Listen, go round, and say so on stdout."""
        listening = None
        if self._settings.http.listen:
            host, _, port = self._settings.http.listen.rpartition(":")
            endpoint = _endpoint(_REACTOR, int(port), interface=host)
            address = (await endpoint.listen(self._site)).getHost()
            listening = f"http://{address.host}:{address.port}/dxp"
        self._intake.start()
        self._answering.start()
        if self._settings.tied and stat.S_ISFIFO(os.fstat(0).st_mode):
            task.LoopingCall(self._end_with_parent).start(0.25)
        inbox = self._settings.folder.inbox
        ready = {"event": "ready", "http": listening, "inbox": str(self._settings.at(inbox)) if inbox else None}
        print(json.dumps(ready), flush=True)

    def close(self) -> None:
        """End both rounds at their next step and close the book."""
        self._intake.stop()
        self._answering.stop()
        for thread in (self._intake, self._answering):
            if thread.is_alive():
                thread.join(5)
        self._workers.shutdown(wait=False)
        self._book.close()

    def _end_with_parent(self) -> None:
        """A pipe alone may have been closed for other reasons, and a shell may have put us into the background."""
        if self._stdin.poll(0) and (os.getppid() != _PARENT or _PARENT == 1):
            _stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Be customs until told to stop, or print the book; return the exit code."""
    asked = _arguments().parse_args(arguments)
    try:
        settings = load(Path(asked.config))
        if asked.trades:
            return 0 if trade_reading.show(settings.state, as_json=asked.json) else _nothing_yet(settings)
        if asked.book or asked.json:
            return 0 if reading.show(settings.state, as_json=asked.json) else _nothing_yet(settings)
        wanted = behaviours([*settings.behaviours, *asked.behaviour])
    except (NotUnderstood, UnknownBehaviour) as error:
        print(error, file=sys.stderr)
        return 2
    settings.state.mkdir(parents=True, exist_ok=True)
    with (settings.state / "lock").open("w") as lock:
        if not _alone(lock.fileno()):
            print(f"another customs is open on {settings.state}", file=sys.stderr)
            return 5
        return _run(settings, wanted)


def _run(settings: Settings, wanted: Behaviours) -> int:
    customs = Customs(settings, wanted)
    failed: list[object] = []

    def broken(failure: Any) -> None:
        failed.append(failure)
        note("cannot.open", reason=failure.getErrorMessage())
        _stop()

    def start() -> None:
        defer.Deferred.fromCoroutine(customs.open()).addErrback(broken)

    def died(what: threading.ExceptHookArgs) -> None:
        # A round that ended would leave a customs that listens and never answers.
        failed.append(what)
        traceback.print_exception(what.exc_type, what.exc_value, what.exc_traceback)
        _REACTOR.callFromThread(_stop)

    threading.excepthook = died
    _REACTOR.callWhenRunning(start)
    # The reactor goes on while the rounds end: an answer may be under way.
    _REACTOR.addSystemEventTrigger("before", "shutdown", threads.deferToThread, customs.close)
    _REACTOR.run()
    return 1 if failed else 0


def _stop() -> None:
    if _REACTOR.running:
        _REACTOR.stop()


def _nothing_yet(settings: Settings) -> int:
    print(f"no book in {settings.state} yet", file=sys.stderr)
    return 4


def _alone(lock: int) -> bool:
    """Wait a little for the lock: a predecessor that was tied to a dead parent is about to end."""
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        else:
            return True


def _arguments() -> ArgumentParser:
    parser = parser_for("customs", "A customs in a box.", NAMES)
    parser.add_argument("--trades", action="store_true", help="print what the book says of trades, and end")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
