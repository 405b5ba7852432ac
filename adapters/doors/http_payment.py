"""The addresses of notice 179: customs asks at /platDataOpen, partners file raw data at /v1/payment-data.

Customs shows no bearer token of its own accord: a token may stand in the address that was registered with it, and a
proxy in front may vouch for it.  Its answer is always 200 with a code of the notice once it may ask at all.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from adapters.doors.hall import Caller, DiskNearlyFull, Full, Suspended
from adapters.doors.http_refusals import (
    BUSY,
    DISK_FULL,
    MAY_NOT,
    NO_LENGTH,
    NO_SUCH,
    NOT_ADMITTED,
    NOT_UNDERSTOOD,
    TOO_BIG,
    WHO_ARE_YOU,
    WRONG_KIND,
    Refusal,
)
from adapters.doors.http_request import DoorRequest

if TYPE_CHECKING:
    from adapters.doors.http import HttpDoor

CALL_BYTES: Final = 64 * 1024
"""A call holds three short values."""
_NAME = re.compile(r"[a-z0-9_-]{0,32}")
_FORM: Final = "application/x-www-form-urlencoded"
_ABOUT: Final = {"token": WHO_ARE_YOU, "caller": NOT_ADMITTED, "header": NOT_ADMITTED, "closed": NO_SUCH}
_LATER: Final[Mapping[type[BaseException], Refusal]] = {Full: BUSY, DiskNearlyFull: DISK_FULL, Suspended: MAY_NOT}


class PaymentRoutes:
    """What the door does for customs and for whoever files raw payment data."""

    def __init__(self, door: "HttpDoor") -> None:
        """Belong to this door."""
        self._door = door
        self._hall = door.hall

    def judge_call(self, request: DoorRequest, length: int | None) -> Refusal | None:
        """Return why this caller goes no further: not admitted, no form, too long."""
        if not _NAME.fullmatch(request.tail):
            return NO_SUCH
        refused = self._hall.admits(_caller(request))
        if refused:
            return _ABOUT[refused]
        if length == 0:
            return NOT_UNDERSTOOD.naming("openReq")
        if (length or 0) > CALL_BYTES:
            return TOO_BIG
        if not _is_only(request, _FORM):
            return WRONG_KIND.naming(_FORM)
        return self._room(length)

    def judge_filing(self, request: DoorRequest, length: int | None) -> Refusal | None:
        """Return why this filing goes no further."""
        if length == 0:
            header = request.requestHeaders.getRawHeaders(b"Content-Length")
            return NOT_UNDERSTOOD.naming("body") if header else NO_LENGTH
        if (length or 0) > self._door.limits.body_bytes:
            return TOO_BIG
        if not _is_only(request, "application/json"):
            return WRONG_KIND.naming("application/json")
        return self._room(length)

    def _room(self, length: int | None) -> Refusal | None:
        return None if self._door.has_room(length or 0) and not self._door.closing else BUSY

    def ask(self, request: DoorRequest) -> None:
        """Customs has its answer when its question is safe."""
        body = request.hand_in()
        if len(body) > CALL_BYTES:
            request.refuse(TOO_BIG)
            return
        asked: Deferred[Any] = maybeDeferred(self._hall.ask_payment, _caller(request), body)
        asked.addCallback(lambda reply: request.answer(200, "OK", reply))
        asked.addErrback(self._failed, request)

    def file(self, request: DoorRequest) -> None:
        """The partner knows what became of each payment he filed."""
        filed: Deferred[Any] = maybeDeferred(self._hall.file_payments, request.sender, request.hand_in())
        filed.addCallback(self._filed, request)
        filed.addErrback(self._failed, request)

    @staticmethod
    def _filed(told: object, request: DoorRequest) -> None:
        if told is None:
            request.refuse(NOT_UNDERSTOOD.naming("JSON"))
        else:
            request.answer(202, "Accepted", msgspec.json.encode(told))

    def _failed(self, failure: Failure, request: DoorRequest) -> None:
        known = _LATER.get(type(failure.value) if failure.value else Exception)
        request.refuse(known or self._door.mistaken(failure))


def _caller(request: DoorRequest) -> Caller:
    def header(name: str) -> str:
        values = request.requestHeaders.getRawHeaders(name) or []
        return values[0].strip() if len(values) == 1 else ""

    scheme, _, bearer = header("Authorization").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else request.query.get("token", "")
    forwarded = (request.requestHeaders.getRawHeaders("X-Forwarded-For") or [""])[-1].rpartition(",")[2].strip()
    peer = getattr(request.getClientAddress(), "host", "")  # type: ignore[no-untyped-call]
    return Caller(request.tail, peer, forwarded, token, header)


def _is_only(request: DoorRequest, kind: str) -> bool:
    kinds = request.requestHeaders.getRawHeaders("Content-Type") or []
    encoded = request.requestHeaders.hasHeader("Content-Encoding")
    return not encoded and len(kinds) == 1 and kinds[0].partition(";")[0].strip().lower() == kind
