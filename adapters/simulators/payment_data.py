"""Customs' caller in a box: `python -m adapters.simulators.payment_data --config FILE [--behaviour NAME[=arg] ...]`.

POST /ask with `orderNo` (and `platform`, the first of the file unless told) makes it call platDataOpen of that
platform and answers with what was said there.  POST /ceb2grab/grab/realTimeDataUpload is where it takes uploads: each
is verified strictly by its own code and booked before it is answered.  When it is open it prints one line
`{"event": "ready", "http": …}`.  `--book [--json]` prints the book of a running or stopped one instead.

The file (paths relative to it; `state` must be there)::

    state = "payment_data"              # its book stands here
    listen = "127.0.0.1:8093"           # port 0 takes a free one
    behaviours = []                     # like --behaviour

    [[platforms]]
    code = "3301961A2B"                 # the platform's customs code (ebpCode)
    url = "http://127.0.0.1:8080/platDataOpen/shop"
    token = ""                          # shown as a bearer token
    certificates = ["../keys/shop/cert.pem"]

**Known limits.** HTTP without TLS; it asks when it is told to, and not at random.
"""

import html
import json
import os
import ssl
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from treq.client import HTTPClient
from twisted.internet import defer, endpoints, reactor
from twisted.web import resource, server
from twisted.web.client import Agent

from adapters.simulators.arguments import parser_for
from adapters.simulators.payment_data_behaviours import NAMES, Behaviour, UnknownBehaviour, behaviours
from adapters.simulators.payment_data_verify import believe
from adapters.simulators.verify import NotBelieved

UPLOAD: Final = "/ceb2grab/grab/realTimeDataUpload"
_LATE: Final = 60.0
_REACTOR: Any = reactor
_site: Any = server.Site
_endpoint: Any = endpoints.TCP4ServerEndpoint


class NotUnderstood(Exception):  # noqa: N818  it tells what happened to the file
    """The file cannot be understood; the text says where and why"""


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform that may be asked."""

    code: str
    url: str
    token: str = ""
    certificates: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    file: Path
    state: Path
    platforms: tuple[Platform, ...]
    listen: str = "127.0.0.1:8093"
    behaviours: tuple[str, ...] = ()


def load(file: Path) -> Settings:
    """Return the settings of `file`; `NotUnderstood` names what is wrong."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
        known = {one.name for one in fields(Settings)} - {"file"}
        if wrong := [*(set(table) - known), *({"state", "platforms"} - set(table))]:
            raise NotUnderstood(f"{file}: unknown or missing key {wrong[0]}")
        table["state"] = file.absolute().parent / table["state"]
        table["platforms"] = tuple(
            Platform(**row | {"certificates": tuple(_der(file.parent / one) for one in row.get("certificates", ()))})
            for row in table["platforms"]
        )
        return Settings(file, **table)
    except (OSError, ValueError, TypeError) as error:
        raise NotUnderstood(f"{file}: {error}") from error


def _der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text("ascii").strip())


class Book:
    """What was asked and what came: JSON Lines, synced before anything is answered."""

    def __init__(self, state: Path) -> None:
        self._path = state / "book.jsonl"

    def write(self, **told: object) -> None:
        """It is in the book."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": at, **told}, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield all of it, the oldest first."""
        if self._path.exists():
            yield from map(json.loads, self._path.read_text("utf-8").splitlines())


class Caller:
    """Asks platforms."""

    def __init__(self, settings: Settings, asked: Behaviour, book: Book) -> None:
        self._settings, self._asked, self._book = settings, asked, book
        self._client: Any = HTTPClient(Agent(_REACTOR, connectTimeout=10))  # type: ignore[no-untyped-call]

    async def ask(self, order: str, code: str) -> list[dict[str, Any]]:
        """Return what the platform said to each question."""
        platform = next((one for one in self._settings.platforms if code in ("", one.code)), None)
        if platform is None:
            return []
        session = str(uuid4())
        orders = ["NOBODY-HAS-THIS" if "unknown" in self._asked.asking else order]
        orders += orders if "repeat" in self._asked.asking else []
        orders += [f"{order}-OTHER"] if "conflict" in self._asked.asking else []
        return [await self._call(platform, session, one) for one in orders]

    async def _call(self, platform: Platform, session: str, order: str) -> dict[str, Any]:
        moment = int((datetime.now(UTC).timestamp() + self._asked.skew) * 1000)
        text = json.dumps({"orderNo": order, "sessionID": session, "serviceTime": moment}, ensure_ascii=False)
        if "html" in self._asked.asking:
            text = html.escape(text)
        if "backslash" in self._asked.asking:
            text = text.replace('"', '\\"')
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers |= {"Authorization": f"Bearer {platform.token}"} if platform.token else {}
        body = urlencode({"openReq": text}).encode()
        response = await self._client.post(platform.url, data=body, headers=headers, timeout=30)
        said = (await response.content()).decode("utf-8", "replace")
        told = {"session": session, "order": order, "status": int(response.code), "said": said}
        self._book.write(event="asked", **told)
        return told


class Door(resource.Resource):
    """Both addresses."""

    isLeaf = True

    def __init__(self, settings: Settings, asked: Behaviour, book: Book) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._asked, self._book = asked, book
        self._caller = Caller(settings, asked, book)
        self._certificates = {one.code: one.certificates for one in settings.platforms}
        self._count = 0

    def render_POST(self, request: Any) -> int | bytes:
        """Ask when told to ask; judge, book and answer what is uploaded."""
        request.setHeader(b"Content-Type", b"application/json; charset=utf-8")
        if request.path == b"/ask":
            return self._ask(request)
        if request.path != UPLOAD.encode():
            request.setResponseCode(404)
            return b"{}"
        return self._upload(request)

    def _ask(self, request: Any) -> int:
        order, code = ((request.args.get(name) or [b""])[0].decode() for name in (b"orderNo", b"platform"))

        def told(found: Any) -> None:
            request.write(json.dumps(found, ensure_ascii=False).encode())
            request.finish()

        def failed(failure: Any) -> None:
            request.setResponseCode(502)
            request.write(json.dumps({"error": failure.getErrorMessage()}).encode())
            request.finish()

        defer.Deferred.fromCoroutine(self._caller.ask(order, code)).addCallbacks(told, failed)
        return server.NOT_DONE_YET

    def _upload(self, request: Any) -> int | bytes:
        self._count += 1
        body = request.content.read()
        does = self._asked.at(self._count)
        facts: dict[str, Any] = {"sha256": sha256(body).hexdigest(), "behaviour": does}
        kind = (request.getHeader("content-type") or "").partition(";")[0]
        try:
            told = believe(body, kind, self._certificates, datetime.now(UTC))
            facts |= {
                "session": told["sessionID"], "guid": told["payExchangeInfoHead"]["guid"],
                "transaction": told["payExchangeInfoHead"]["payTransactionId"],
                "total": str(told["payExchangeInfoHead"]["totalAmount"]), "cert": told["certNo"],
                "orders": [one["orderNo"] for one in told["payExchangeInfoLists"]],
            }  # fmt: skip
            code, message = "10000", "上传成功"
        except (NotBelieved, ValueError, KeyError) as error:
            code, message = "20000", str(error)
        if does in ("20000", "20001"):
            code, message = does, "按要求出错"
        self._book.write(event="uploaded", code=code, message=message, **facts)
        return self._said(request, does, code, message)

    @staticmethod
    def _said(request: Any, does: str, code: str, message: str) -> int | bytes:
        moment = int(datetime.now(UTC).timestamp() * 1000)
        told = {"code": code, "message": message, "total": 0, "serviceTime": moment}
        reply = json.dumps(told, ensure_ascii=False).encode()
        if does == "500":
            request.setResponseCode(500)
        elif does == "garbage":
            return reply[:9]
        elif does == "cut":
            request.transport.abortConnection()
            return server.NOT_DONE_YET
        elif does == "timeout":
            gone: list[object] = []
            request.notifyFinish().addErrback(gone.append)
            _REACTOR.callLater(_LATE, lambda: gone or (request.write(reply), request.finish()))
            return server.NOT_DONE_YET
        return reply


async def _open(settings: Settings, asked: Behaviour, book: Book) -> None:
    host, _, port = settings.listen.rpartition(":")
    site = _site(Door(settings, asked, book))
    address = (await _endpoint(_REACTOR, int(port), interface=host).listen(site)).getHost()
    print(json.dumps({"event": "ready", "http": f"http://{address.host}:{address.port}{UPLOAD}"}), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the caller until told to stop, or print the book; return the exit code."""
    asked = parser_for("payment_data", "Customs' caller in a box.", NAMES).parse_args(arguments)
    try:
        settings = load(Path(asked.config))
        wanted = behaviours([*settings.behaviours, *asked.behaviour])
    except (NotUnderstood, UnknownBehaviour) as error:
        print(error, file=sys.stderr)
        return 2
    book = Book(settings.state)
    if asked.book or asked.json:
        for line in book.lines():
            print(json.dumps(line, ensure_ascii=False) if asked.json else "  ".join(map(str, line.values())))
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
