"""A verification service in a box: `python -m adapters.simulators.identity --config FILE [--behaviour NAME[=arg] ...]`.

It is as strict as a vendor: a wrong token, a field too much or too little or a
digest that does not fit is refused, and each asking stands in its book before
it is answered.  When it is open it prints one line `{"event": "ready", "http": …}`.
`--book [--json]` prints the book of a running or stopped one instead.

The file (paths relative to it; `state` and `token` must be there)::

    state = "identity"                  # its book stands here
    token = "…"                         # what the Authorization header must bear
    listen = "127.0.0.1:8092"           # POST /verify; port 0 takes a free one
    dialect = "generic"                 # or aliyun, tencent, huawei
    behaviours = []                     # like --behaviour

    [verdicts]                          # by number; every other by its 16th and 17th digit, see ENDINGS
    "330199195102020018" = "NO_RECORD"

**Known limits.** HTTP without TLS; the book tells a pair by a plain SHA-256, which is good enough for invented people.
"""

import json
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from twisted.internet import defer, endpoints, reactor
from twisted.web import resource, server

from adapters.simulators.arguments import parser_for
from adapters.simulators.identity_behaviours import NAMES, Behaviour, UnknownBehaviour, behaviours
from message_specs.identity import is_citizen_number
from message_specs.verdict import Verdict

ENDINGS = {
    "91": Verdict.MISMATCH,
    "92": Verdict.NO_RECORD,
    "93": Verdict.BAD_INPUT,
    "94": Verdict.SERVICE_ERROR,
    "95": Verdict.LIMIT,
}
_REACTOR: Any = reactor
_site: Any = server.Site
_endpoint: Any = endpoints.TCP4ServerEndpoint
_ASKED = {
    "generic": ("name", "number", {"sha256"}),
    "aliyun": ("UserName", "IdentifyNum", {"ParamType"}),
    "tencent": ("Name", "IdCard", set[str]()),
    "huawei": ("name", "id", set[str]()),
}
_ALIYUN = {Verdict.MATCH: "1", Verdict.MISMATCH: "2", Verdict.NO_RECORD: "3"}
_TENCENT = {
    Verdict.MATCH: "0", Verdict.MISMATCH: "-1", Verdict.BAD_INPUT: "-2", Verdict.SERVICE_ERROR: "-4",
    Verdict.NO_RECORD: "-5", Verdict.LIMIT: "-7",
}  # fmt: skip
_HUAWEI = {Verdict.MATCH: "valid", Verdict.MISMATCH: "invalid", Verdict.NO_RECORD: "nonexistent"}


class NotUnderstood(Exception):  # noqa: N818  it tells what happened to the file
    """The file cannot be understood; the text says where and why"""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    file: Path
    state: Path
    token: str
    listen: str = "127.0.0.1:8092"
    dialect: str = "generic"
    behaviours: tuple[str, ...] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)


def load(file: Path) -> Settings:
    """Return the settings of `file`; `NotUnderstood` names what is wrong."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotUnderstood(f"{file}: {error}") from error
    known = {one.name for one in fields(Settings)} - {"file"}
    if wrong := [*(set(table) - known), *({"state", "token"} - set(table))]:
        raise NotUnderstood(f"{file}: unknown or missing key {wrong[0]}")
    if table.get("dialect", "generic") not in _ASKED:
        raise NotUnderstood(f"{file}: dialect is one of {', '.join(_ASKED)}")
    table["state"] = file.absolute().parent / table["state"]
    return Settings(file, **table)


class Book:
    """Who was asked about when, and what was said: JSON Lines, synced before anything is answered."""

    def __init__(self, state: Path) -> None:
        self._path = state / "book.jsonl"

    def write(self, pair: str, verdict: str, behaviour: str) -> None:
        """The asking is in the book."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"pair": pair, "at": at, "verdict": verdict, "behaviour": behaviour}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> Iterator[dict[str, str]]:
        """Yield every asking, the oldest first."""
        if self._path.exists():
            yield from map(json.loads, self._path.read_text("utf-8").splitlines())


def pair_of(name: str, number: str) -> str:
    """Return how the book names a pair."""
    return sha256(f"{name}{number}".encode()).hexdigest()


class Verify(resource.Resource):
    """POST /verify."""

    isLeaf = True

    def __init__(self, settings: Settings, asked: Behaviour, book: Book) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._settings, self._asked, self._book = settings, asked, book
        self._count = 0

    def render_POST(self, request: Any) -> int | bytes:
        """Judge the pair, book it, and answer, or do what was asked for instead."""
        request.setHeader(b"Content-Type", b"application/json; charset=utf-8")
        try:
            name, number = self._pair(request)
        except ValueError as error:
            request.setResponseCode(401 if str(error) == "token" else 400)
            return json.dumps({"error": str(error)}).encode()
        self._count += 1
        verdict = self._verdict(name, number)
        does = self._asked.at(self._count)
        if does == "limit":
            verdict = Verdict.LIMIT
        self._book.write(pair_of(name, number), verdict, does)
        match does:
            case "500" | "504":
                request.setResponseCode(int(does))
                return b"trouble of ours"
            case "twice":
                return b'{"result": "MISMATCH", "result": "MATCH"}'
            case "cut":
                request.transport.abortConnection()
                return server.NOT_DONE_YET
            case "garbage":
                return b'{"result": "MATCH'
            case "wrong":
                request.setHeader(b"Content-Type", b"text/html")
                return b'{"result": ["MATCH"], "Response": {"Result": null}}'
            case "slow":
                return self._later(request, verdict)
            case _:
                return self._said(verdict)

    def _later(self, request: Any, verdict: Verdict) -> int:
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        def answer() -> None:
            if not gone:
                request.write(self._said(verdict))
                request.finish()

        _REACTOR.callLater(self._asked.slow, answer)
        return server.NOT_DONE_YET

    def _pair(self, request: Any) -> tuple[str, str]:
        """Return the pair asked about; ValueError says what is wrong with the request."""
        if request.path != b"/verify":
            raise ValueError("path")
        if request.getHeader("authorization") != f"Bearer {self._settings.token}":
            raise ValueError("token")
        if (request.getHeader("content-type") or "").partition(";")[0] != "application/json":
            raise ValueError("content type")
        told = json.loads(request.content.read())
        one, other, more = _ASKED[self._settings.dialect]
        if not isinstance(told, dict) or set(told) != {one, other, *more}:
            raise ValueError("fields")
        if not all(isinstance(value, str) and value for value in told.values()):
            raise ValueError("values")
        name, number = told[one], told[other]
        if told.get("sha256", pair_of(name, number)) != pair_of(name, number):
            raise ValueError("digest")
        return name, number

    def _verdict(self, name: str, number: str) -> Verdict:
        if number in self._settings.verdicts:
            return Verdict(self._settings.verdicts[number])
        if not is_citizen_number(number) or name != name.strip():
            return Verdict.BAD_INPUT
        return ENDINGS.get(number[15:17], Verdict.MATCH)

    def _said(self, verdict: Verdict) -> bytes:
        """Return the answer in the vendor's words; what he has no code for is an answer without one."""
        answers: dict[str, object] = {
            "generic": {"result": str(verdict)},
            "aliyun": {"Code": "200", "ResultObject": {"BizCode": _ALIYUN[verdict]}}
            if verdict in _ALIYUN
            else {"Code": "500"},
            "tencent": {"Response": {"Result": _TENCENT[verdict]}},
            "huawei": {"result": {"verification_result": _HUAWEI.get(verdict)}},
        }
        return json.dumps(answers[self._settings.dialect]).encode()


async def _open(settings: Settings, asked: Behaviour, book: Book) -> None:
    host, _, port = settings.listen.rpartition(":")
    site = _site(Verify(settings, asked, book))
    address = (await _endpoint(_REACTOR, int(port), interface=host).listen(site)).getHost()
    print(json.dumps({"event": "ready", "http": f"http://{address.host}:{address.port}/verify"}), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the service until told to stop, or print the book; return the exit code."""
    asked = parser_for("identity", "A verification service in a box.", NAMES).parse_args(arguments)
    try:
        settings = load(Path(asked.config))
        wanted = behaviours([*settings.behaviours, *asked.behaviour])
    except (NotUnderstood, UnknownBehaviour) as error:
        print(error, file=sys.stderr)
        return 2
    book = Book(settings.state)
    if asked.book or asked.json:
        for line in book.lines():
            print(json.dumps(line) if asked.json else "  ".join(line.values()))
        return 0
    settings.state.mkdir(parents=True, exist_ok=True)
    failed: list[object] = []

    def broken(failure: Any) -> None:
        failed.append(failure)
        print(failure.getErrorMessage(), file=sys.stderr)
        _REACTOR.stop()

    def start() -> None:
        defer.Deferred.fromCoroutine(_open(settings, wanted, book)).addErrback(broken)

    _REACTOR.callWhenRunning(start)
    _REACTOR.run()
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
