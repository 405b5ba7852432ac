"""The addresses of the HTTP door and what each asks the hall; `openapi.json` beside it says the same to callers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.python.failure import Failure

from adapters.doors.hall import DiskNearlyFull, Full, OnceConflict, Suspended
from adapters.doors.http_names import (
    DOCUMENT_NUMBER,
    NUMBER,
    as_table,
    disposed_name,
    file_name,
    is_xml,
    once_key,
    path_key,
    table_ending,
    whole_number,
)
from adapters.doors.http_payment import PaymentRoutes
from adapters.doors.http_polls import Polls
from adapters.doors.http_refusals import (
    BUSY,
    DISK_FULL,
    MAY_NOT,
    NO_LENGTH,
    NO_SUCH,
    NOT_UNDERSTOOD,
    OTHER_BYTES,
    TOO_BIG,
    TOO_MANY,
    WRONG_KIND,
    Refusal,
)
from adapters.doors.http_request import JSON, DoorRequest

if TYPE_CHECKING:
    from adapters.doors.http import HttpDoor

OPENAPI: Final = Path(__file__).with_name("openapi.json")
_NAMELESS: Final = "message.xml"
_NAMELESS_TABLE: Final = "table"
_FIGURES: Final = "text/plain; version=0.0.4; charset=utf-8"
_REFUSED_BY_HALL: Final[Mapping[type[Exception], Refusal]] = {
    Full: BUSY,
    DiskNearlyFull: DISK_FULL,
    Suspended: MAY_NOT,
    OnceConflict: OTHER_BYTES,
}
_CURSOR_MOST: Final = 10**18 - 1


@dataclass(frozen=True, slots=True)
class Route:
    """One address and method: how it is judged by its head, and how it is served."""

    method: bytes
    template: str
    operation: str
    serve: Callable[[DoorRequest], None]
    judge: Callable[[DoorRequest, int | None], Refusal | None]
    needs_token: bool = True


class Api:
    """Every address of the door."""

    def __init__(self, door: "HttpDoor") -> None:
        """Know the addresses of this door."""
        self._door = door
        self._hall = door.hall
        self.polls = Polls(door)
        payments = PaymentRoutes(door)
        self._openapi = OPENAPI.read_bytes()
        no_body = self._judge_no_body
        self.routes: tuple[Route, ...] = (
            Route(b"POST", "/v1/interchanges", "handIn", self._hand_in, self._judge_hand_in),
            Route(b"GET", "/v1/interchanges/{number}", "interchange", self._interchange, no_body),
            Route(b"GET", "/v1/documents", "documents", self._documents, no_body),
            Route(b"GET", "/v1/documents/{number}", "document", self._document, no_body),
            Route(b"GET", "/v1/dossiers/{key}", "dossiers", self._dossiers, no_body),
            Route(b"GET", "/v1/receipts", "receipts", self._receipts, no_body),
            Route(b"POST", "/v1/payment-data", "filePaymentData", payments.file, payments.judge_filing),
            Route(b"POST", "/platDataOpen", "platDataOpen", payments.ask, payments.judge_call, needs_token=False),
            Route(
                b"POST",
                "/platDataOpen/{platform}",
                "platDataOpenOf",
                payments.ask,
                payments.judge_call,
                needs_token=False,
            ),
            Route(b"GET", "/livez", "live", self._live, no_body, needs_token=False),
            Route(b"GET", "/readyz", "ready", self._ready, no_body, needs_token=False),
            Route(b"GET", "/metrics", "metrics", self._metrics, no_body, needs_token=False),
            Route(b"GET", "/openapi.json", "description", self._description, no_body, needs_token=False),
        )
        self._exact: dict[bytes, dict[bytes, Route]] = {}
        self._stems: dict[bytes, dict[bytes, Route]] = {}
        for route in self.routes:
            stem, brace, _ = route.template.partition("{")
            (self._stems if brace else self._exact).setdefault(stem.encode(), {})[route.method] = route

    def find(self, path: bytes) -> tuple[Mapping[bytes, Route] | None, str]:
        """Return the routes of this path by method, and what stands in the place of {number} or {key}."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact, ""
        stem, slash, tail = path.rpartition(b"/")
        return self._stems.get(stem + slash), tail.decode("latin-1")

    @staticmethod
    def allowed(by_method: Mapping[bytes, Route]) -> str:
        """Return the value of Allow for these routes."""
        methods = sorted(method.decode() for method in by_method)
        return ", ".join([*methods, "HEAD"] if "GET" in methods else methods)

    @staticmethod
    def _judge_no_body(_: DoorRequest, length: int | None) -> Refusal | None:
        return NOT_UNDERSTOOD.naming("body") if length != 0 else None

    def _judge_hand_in(self, request: DoorRequest, length: int | None) -> Refusal | None:
        header = request.requestHeaders.getRawHeaders
        if length == 0:
            return NOT_UNDERSTOOD.naming("body") if header(b"Content-Length") else NO_LENGTH
        if (length or 0) > self._door.limits.body_bytes:
            return TOO_BIG
        kinds = header(b"Content-Type") or []
        endings = [table_ending(kind) for kind in kinds]
        if header(b"Content-Encoding") or (not all(map(is_xml, kinds)) and not (len(kinds) == 1 and endings[0])):
            return WRONG_KIND
        keys = header(b"Idempotency-Key")
        if keys:
            request.once = once_key(keys[0]) if len(keys) == 1 else None
            if request.once is None:
                return NOT_UNDERSTOOD.naming("Idempotency-Key")
        ending = "".join(endings)
        name = self._name_given(request, _NAMELESS_TABLE if ending else _NAMELESS)
        if name is None:
            return NOT_UNDERSTOOD.naming("name")
        request.file = as_table(name, ending) if ending else name
        return None if self._door.has_room(length or 0) and not self._door.closing else BUSY

    @staticmethod
    def _name_given(request: DoorRequest, otherwise: str) -> str | None:
        if "name" in request.query:
            return file_name(request.query["name"])
        dispositions = request.requestHeaders.getRawHeaders(b"Content-Disposition")
        return disposed_name(dispositions[0]) if dispositions else otherwise

    def _hand_in(self, request: DoorRequest) -> None:
        taken = maybeDeferred(self._hall.take_in, request.sender, request.file, request.hand_in(), request.once)
        taken.addCallbacks(self._taken, self._failed, callbackArgs=(request,), errbackArgs=(request,))

    @staticmethod
    def _taken(acknowledgement: bytes, request: DoorRequest) -> None:
        request.answer(202, "Accepted", acknowledgement)

    def _failed(self, failure: Failure, request: DoorRequest) -> None:
        kind = failure.check(*_REFUSED_BY_HALL)  # type: ignore[no-untyped-call]
        if kind is not None:
            request.refuse(_REFUSED_BY_HALL[kind])
        elif request.channel is None and isinstance(failure.value, CancelledError):
            request.forget_body()  # the caller went away while he waited
        else:
            request.refuse(self._door.mistaken(failure))

    def _tell(self, request: DoorRequest, found: Deferred[Any]) -> None:
        found.addCallback(self._found, request)
        found.addErrback(self._failed, request)

    @staticmethod
    def _found(value: object, request: DoorRequest) -> None:
        if value is None:
            request.refuse(NO_SUCH)
        else:
            request.answer(200, "OK", msgspec.json.encode(value))

    def _interchange(self, request: DoorRequest) -> None:
        after = whole_number(request.query.get("after", "0"), 0)
        if after is None or after > _CURSOR_MOST:
            request.refuse(NOT_UNDERSTOOD.naming("after"))
        elif NUMBER.fullmatch(request.tail):
            self._tell(request, maybeDeferred(self._hall.interchange, request.sender, request.tail, after))
        else:
            request.refuse(NO_SUCH)

    def _document(self, request: DoorRequest) -> None:
        if DOCUMENT_NUMBER.fullmatch(request.tail):
            self._tell(request, maybeDeferred(self._hall.document, request.sender, request.tail))
        else:
            request.refuse(NO_SUCH)

    def _documents(self, request: DoorRequest) -> None:
        key = request.query.get("key")
        if not key:
            request.refuse(NOT_UNDERSTOOD.naming("key"))
            return
        found = maybeDeferred(self._hall.documents, request.sender, key)
        self._tell(request, found.addCallback(lambda documents: {"documents": documents}))

    def _dossiers(self, request: DoorRequest) -> None:
        key = path_key(request.tail)
        if key is None:
            request.refuse(NOT_UNDERSTOOD.naming("key"))
            return
        found = maybeDeferred(self._hall.dossiers, request.sender, key)
        self._tell(request, found.addCallback(lambda dossiers: {"dossiers": dossiers} if dossiers else None))

    def _receipts(self, request: DoorRequest) -> None:
        limits = self._door.limits
        bounds = {
            "after": (0, 0, _CURSOR_MOST),
            "limit": (100, 1, limits.receipts),
            "wait": (0, 0, limits.wait_seconds),
        }
        chosen: dict[str, int] = {}
        for name, (usual, least, most) in bounds.items():
            number = whole_number(request.query.get(name, str(usual)), least)
            if number is None:
                request.refuse(NOT_UNDERSTOOD.naming(name))
                return
            chosen[name] = min(number, most)
        if chosen["wait"] and not self.polls.has_room(request.sender):
            request.refuse(TOO_MANY)
            return
        found = self.polls.ask(request, **chosen)
        self._tell(request, found.addCallback(lambda page: {"receipts": page[0], "cursor": page[1]}))

    @staticmethod
    def _live(request: DoorRequest) -> None:
        request.answer(200, "OK", b'{"live":true}')

    def _ready(self, request: DoorRequest) -> None:
        ready, facts = self._hall.ready()
        ready = ready and not self._door.closing
        body = msgspec.json.encode({"ready": ready} | facts)
        request.answer(200 if ready else 503, "OK" if ready else BUSY.reason, body)

    def _metrics(self, request: DoorRequest) -> None:
        own = [
            "# TYPE kouan_http_connections gauge",
            f"kouan_http_connections {len(self._door.connections)}",
            "# TYPE kouan_http_held_bytes gauge",
            f"kouan_http_held_bytes {self._door.held_bytes}",
            "# TYPE kouan_http_answers_total counter",
            *(f'kouan_http_answers_total{{status="{s}"}} {n}' for s, n in sorted(self._door.answers.items())),
        ]
        request.answer(200, "OK", "\n".join([*own, ""]).encode() + self._hall.metrics(), _FIGURES)

    def _description(self, request: DoorRequest) -> None:
        request.answer(200, "OK", self._openapi, JSON)
