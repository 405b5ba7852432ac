"""The addresses of notice 179: who may ask is judged by the head, the answer is the notice's, a refusal is plain."""

from typing import Any

from twisted.internet.defer import inlineCallbacks

from adapters.doors.hall import DiskNearlyFull, Suspended
from tests.adapters.doors.http_caller import DoorCase, request

FORM = {"Content_Type": "application/x-www-form-urlencoded; charset=UTF-8"}
CALL = b"openReq=%7B%7D"
RECEIVED = {"code": "10000", "message": "", "serviceTime": 1}


def call(
    path: str = "/platDataOpen/shop", body: bytes = CALL, token: str | None = "customs-token", **more: str
) -> bytes:
    return request("POST", path, body, token, **{**FORM, **more})


class TestPlatDataOpen(DoorCase):
    @inlineCallbacks
    def test_whoever_is_admitted_is_answered_with_a_code_of_the_notice(self) -> Any:
        answer = yield self.told(call())
        assert (answer.status, answer.told) == (200, RECEIVED)
        answer = yield self.told(call("/platDataOpen?token=customs-token", token=None))
        assert (answer.status, answer.told) == (200, RECEIVED)
        assert self.hall.taken == [("shop", "platDataOpen", CALL, None), ("", "platDataOpen", CALL, None)]

    @inlineCallbacks
    def test_the_hall_hears_from_where_and_through_whom_a_call_came(self) -> Any:
        yield self.told(call(X_Forwarded_For="198.51.100.1, 203.0.113.9", X_Verified="SUCCESS"))
        one = self.hall.callers[0]
        assert (one.platform, one.peer, one.forwarded) == ("shop", "127.0.0.1", "203.0.113.9")
        assert (one.header("X-Verified"), one.header("X-Other")) == ("SUCCESS", "")

    @inlineCallbacks
    def test_whoever_is_not_admitted_hears_why_and_nothing_is_taken(self) -> Any:
        self.hall.admission |= {"wrong-place": "caller", "unproven": "header", "closed": "closed"}
        for token, status in (("nobody", 401), ("wrong-place", 403), ("unproven", 403), ("closed", 404)):
            yield self.refused(status, call(token=token))
        assert self.hall.taken == []

    @inlineCallbacks
    def test_what_is_no_call_is_refused_by_its_head(self) -> Any:
        yield self.refused(400, call(body=b""))
        yield self.refused(413, call(body=b"x" * 70_000))
        yield self.refused(415, call(Content_Type="application/json"))
        yield self.refused(415, call(Content_Encoding="gzip"))
        yield self.refused(404, call("/platDataOpen/Some%2Fbody"))
        yield self.refused(405, request("GET", "/platDataOpen/shop"))
        assert self.hall.taken == []

    @inlineCallbacks
    def test_a_call_in_chunks_is_bounded_too(self) -> Any:
        piece = b"%x\r\n" % 70_000 + b"x" * 70_000 + b"\r\n0\r\n\r\n"
        yield self.refused(413, call(body=b"", Transfer_Encoding="chunked") + piece)
        assert self.hall.taken == []

    @inlineCallbacks
    def test_a_full_disk_is_told(self) -> Any:
        self.hall.trouble = DiskNearlyFull()
        yield self.refused(507, call())


class TestFiling(DoorCase):
    @inlineCallbacks
    def test_a_partner_files_json_and_hears_what_became_of_it(self) -> Any:
        answer = yield self.told(
            request("POST", "/v1/payment-data", b"[]", "pay-token", Content_Type="application/json")
        )
        assert (answer.status, answer.told) == (202, {"kept_until": "2029", "payments": []})
        assert self.hall.taken == [("pay", "payment-data", b"[]", None)]

    @inlineCallbacks
    def test_what_is_no_filing_is_refused(self) -> Any:
        path = "/v1/payment-data"
        yield self.refused(401, request("POST", path, b"[]", "nobody", Content_Type="application/json"))
        yield self.refused(415, request("POST", path, b"[]", "pay-token", Content_Type="text/plain"))
        yield self.refused(400, request("POST", path, b"no", "pay-token", Content_Type="application/json"))
        self.hall.trouble = Suspended()
        yield self.refused(403, request("POST", path, b"[]", "pay-token", Content_Type="application/json"))
