"""The HTTP door takes in whole bodies of known senders, answers each with one plain sentence, and leaks nothing."""

from typing import Any

from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue

from adapters.doors.hall import DiskNearlyFull, Full, Suspended
from adapters.doors.http_api import OPENAPI
from tests.adapters.doors.http_caller import KIB, DoorCase, request, send_and_leave
from tests.programs import needs

BODY = "<ceb:CEB311Message>订单</ceb:CEB311Message>".encode()


class AWholeBodyIsTakenIn(DoorCase):
    @inlineCallbacks
    def test_and_answered_with_the_acknowledgement(self) -> Any:
        answer = yield self.told(request("POST", "/v1/interchanges?name=a.xml", BODY, Idempotency_Key="k1"))
        assert (answer.status, answer.told["file"], answer.told["partner"]) == (202, "a.xml", "shop")
        assert self.hall.taken == [("shop", "a.xml", BODY, "k1")]
        assert self.door.held_bytes == 0

    @inlineCallbacks
    def test_many_times_on_one_connection(self) -> Any:
        sent = [request("POST", "/v1/interchanges", b"<a>%d</a>" % n) for n in range(50)]
        answers = yield self.talk(*sent)
        assert [a.status for a in answers] == [202] * 50
        assert [body for _, _, body, _ in self.hall.taken] == [b"<a>%d</a>" % n for n in range(50)]

    @inlineCallbacks
    def test_when_requests_come_in_one_piece(self) -> Any:
        sent = b"".join(request("POST", "/v1/interchanges", b"<a>%d</a>" % n) for n in range(5))
        yield self.talk(sent + request("GET", "/livez", Connection="close"), wait_for_end=False)
        assert len(self.hall.taken) == 5

    @inlineCallbacks
    def test_in_chunks_of_one_byte(self) -> Any:
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"
        answer = yield self.told(request("POST", "/v1/interchanges", chunks, Transfer_Encoding="chunked"))
        assert (answer.status, self.hall.taken[0][2]) == (202, BODY)

    @inlineCallbacks
    def test_up_to_the_limit_and_not_one_byte_more(self) -> Any:
        most = b"x" * self.limits.body_bytes
        answer = yield self.told(request("POST", "/v1/interchanges", most))
        assert answer.status == 202
        yield self.refused(413, request("POST", "/v1/interchanges", most + b"x"))
        assert [body for _, _, body, _ in self.hall.taken] == [most]

    @inlineCallbacks
    def test_by_curl_with_a_chinese_name_and_by_expect(self) -> Any:
        path = self.file_of(200 * KIB)
        url = f"http://127.0.0.1:{self.port}/v1/interchanges"
        out, err, code = yield getProcessOutputAndValue(
            needs("curl"),
            [
                *("-sS", "--data-binary", f"@{path}", "-w", "\n%{http_code}", url),
                *("-H", "Authorization: Bearer shop-token", "-H", "Expect: 100-continue"),
                *("-H", 'Content-Disposition: attachment; filename="订单.xml"'),
            ],
        )
        assert (err, code) == (b"", 0)
        assert out.splitlines()[-1] == b"202"
        assert self.hall.taken == [("shop", "订单.xml", bytes(200 * KIB), None)]

    @inlineCallbacks
    def test_only_when_the_hall_says_it_is_safe(self) -> Any:
        self.hall.holding = True
        answering = self.told(request("POST", "/v1/interchanges", BODY))
        while not self.hall.held:
            yield self.told(request("GET", "/livez"))
        assert not answering.called
        assert self.door.held_bytes == len(BODY)
        self.hall.held[0].callback(None)
        answer = yield answering
        assert (answer.status, self.door.held_bytes) == (202, 0)

    @inlineCallbacks
    def test_even_when_the_caller_does_not_wait_for_the_answer(self) -> Any:
        self.hall.holding = True
        yield deferToThread(send_and_leave, self.port, request("POST", "/v1/interchanges", BODY))
        while not self.hall.held or len(self.door.connections) > 1:
            yield self.told(request("GET", "/livez"))
        assert self.door.held_bytes == len(BODY)
        self.hall.held[0].callback(None)
        assert self.door.held_bytes == 0


class ACallerIsRefused(DoorCase):
    @inlineCallbacks
    def test_without_a_known_token(self) -> Any:
        for token in (None, "", "nobody", "shop-token x"):
            answer = yield self.refused(401, request("POST", "/v1/interchanges", BODY, token=token))
            assert answer.headers["www-authenticate"] == 'Bearer realm="kouan"'
        yield self.refused(401, request("GET", "/v1/receipts", token=None))
        assert self.hall.taken == []

    @inlineCallbacks
    def test_and_keeps_his_connection_when_the_body_was_small(self) -> Any:
        post = request("POST", "/v1/interchanges", BODY, token="nobody")
        answers = yield self.talk(post, request("POST", "/v1/interchanges", BODY))
        assert [a.status for a in answers] == [401, 202]

    @inlineCallbacks
    def test_by_what_the_hall_says(self) -> Any:
        for trouble, status, again in (
            (Full(), 503, "1"),
            (DiskNearlyFull(), 507, "60"),
            (Suspended("shop"), 403, None),
        ):
            self.hall.trouble = trouble
            answer = yield self.refused(status, request("POST", "/v1/interchanges", BODY))
            assert answer.headers.get("retry-after") == again

    @inlineCallbacks
    def test_with_a_plain_sentence_when_we_are_wrong(self) -> Any:
        self.hall.trouble = KeyError("secret inner thing")
        answer = yield self.refused(500, request("POST", "/v1/interchanges", BODY))
        assert "secret" not in answer.body.decode()
        assert [type(f.value) for f in self.flushLoggedErrors(KeyError)] == [KeyError]

    @inlineCallbacks
    def test_for_the_same_key_with_other_bytes(self) -> Any:
        yield self.told(request("POST", "/v1/interchanges", BODY, Idempotency_Key="k"))
        yield self.refused(409, request("POST", "/v1/interchanges", BODY + b" ", Idempotency_Key="k"))

    @inlineCallbacks
    def test_for_a_head_that_cannot_be_meant(self) -> Any:
        post = "/v1/interchanges"
        yield self.refused(411, request("POST", post))
        yield self.refused(400, request("POST", post, Content_Length="0"))
        yield self.refused(400, request("POST", post, BODY, Idempotency_Key="a b"))
        yield self.refused(400, request("POST", post + "?name=..%2Fa.xml", BODY))
        yield self.refused(400, request("POST", post + "?name=%ff", BODY))
        yield self.refused(400, request("POST", post + "?name=", BODY))
        yield self.refused(400, request("POST", post, BODY, Content_Disposition='attachment; filename=".ssh"'))
        yield self.refused(415, request("POST", post, BODY, Content_Encoding="gzip"))
        yield self.refused(415, request("POST", post, BODY, Content_Type="text/html"))
        yield self.refused(400, request("GET", "/livez", BODY))
        assert self.hall.taken == []

    @inlineCallbacks
    def test_for_an_address_or_a_method_that_is_not(self) -> Any:
        yield self.refused(404, request("GET", "/v2/anything"))
        yield self.refused(404, request("GET", "/v1/interchanges/"))
        yield self.refused(404, request("GET", "/v1/documents/1.1.1"))
        answer = yield self.refused(405, request("DELETE", "/v1/interchanges/1"))
        assert answer.headers["allow"] == "GET, HEAD"
        answer = yield self.refused(405, request("GET", "/v1/interchanges"))
        assert answer.headers["allow"] == "POST"

    @inlineCallbacks
    def test_for_what_is_not_http(self) -> Any:
        yield self.refused(400, b"\x00\x01 nonsense\r\n\r\n")
        yield self.refused(400, request("POST", "/v1/interchanges", BODY, Content_Length="7"))
        yield self.refused(400, b"GET /livez HTTP/1.1\r\nno colon\r\n\r\n")
        yield self.refused(400, request("POST", "/v1/interchanges", b"zz\r\n", Transfer_Encoding="chunked"))
        yield self.refused(431, request("GET", "/livez", A="x" * 9000))
        yield self.refused(431, request("GET", "/livez", **{f"A{n}": "x" for n in range(120)}))
        yield self.refused(431, request("GET", "/" + "x" * 9000))


class ATableComesIn(DoorCase):
    @inlineCallbacks
    def test_by_its_kind_or_by_its_name(self) -> Any:
        post, rows = "/v1/interchanges", b"a,b\n1,2\n"
        book = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        for kind, query in (
            ("text/csv; charset=gb18030", ""),
            ("text/csv", "?name=ORDERS"),
            ("text/tab-separated-values", "?name=O.tsv"),
            (book, "?name=%E8%AE%A2.XLSX"),
            ("application/octet-stream", "?name=o.ods"),
        ):
            answer = yield self.told(request("POST", post + query, rows, Content_Type=kind))
            assert answer.status == 202
        assert [file for _, file, _, _ in self.hall.taken] == ["table.csv", "ORDERS.csv", "O.tsv", "订.XLSX", "o.ods"]
        yield self.refused(415, request("POST", post, rows, Content_Type="text/csv", Content_Encoding="gzip"))
        yield self.refused(400, request("GET", "/v1/interchanges/1?after=x"))


class EverybodySeesHisOwn(DoorCase):
    @inlineCallbacks
    def test_interchanges_and_documents(self) -> Any:
        yield self.told(request("POST", "/v1/interchanges", BODY, Idempotency_Key="key|1"))
        number = "0" * 17 + "1"
        mine = yield self.told(request("GET", f"/v1/interchanges/{number}"))
        assert (mine.status, mine.told) == (200, {"number": number, "file": "message.xml"})
        mine = yield self.told(request("GET", f"/v1/documents/{number}.1"))
        assert mine.status == 200
        mine = yield self.told(request("GET", "/v1/documents?key=key%7C1"))
        assert mine.told == {"documents": [{"key": "key|1", "file": "message.xml"}]}
        yield self.refused(404, request("GET", f"/v1/interchanges/{number}", token="pay-token"))
        yield self.refused(404, request("GET", f"/v1/documents/{number}.1", token="pay-token"))
        other = yield self.told(request("GET", "/v1/documents?key=key%7C1", token="pay-token"))
        assert other.told == {"documents": []}
        yield self.refused(400, request("GET", "/v1/documents"))

    @inlineCallbacks
    def test_trades_by_a_key_that_is_percent_encoded(self) -> Any:
        yield self.told(request("POST", "/v1/interchanges", BODY, Idempotency_Key="key|1"))
        mine = yield self.told(request("GET", "/v1/dossiers/key%7C1"))
        assert (mine.status, mine.told) == (200, {"dossiers": [{"order": "key|1"}]})
        yield self.refused(404, request("GET", "/v1/dossiers/key%7C1", token="pay-token"))
        yield self.refused(404, request("GET", "/v1/dossiers/key%7C2"))
        yield self.refused(400, request("GET", "/v1/dossiers/"))
        yield self.refused(400, request("GET", "/v1/dossiers/%ff"))

    @inlineCallbacks
    def test_health_and_figures_without_a_token(self) -> Any:
        answers = yield self.talk(*(request("GET", f"/{name}", token=None) for name in ("livez", "readyz", "metrics")))
        assert [a.status for a in answers] == [200, 200, 200]
        assert answers[1].told == {"ready": True, "ledger": "open"}
        assert b'kouan_http_answers_total{status="200"} 2\n' in answers[2].body
        assert b"kouan_taken_total 0\n" in answers[2].body
        self.hall.is_ready = False
        answer = yield self.told(request("GET", "/readyz", token=None))
        assert (answer.status, answer.told["ready"]) == (503, False)

    @inlineCallbacks
    def test_the_description_and_by_head_only_its_length(self) -> Any:
        answer = yield self.told(request("GET", "/openapi.json", token=None))
        assert answer.body == OPENAPI.read_bytes()
        out, _, code = yield getProcessOutputAndValue(
            needs("curl"), ["-sS", "--head", f"http://127.0.0.1:{self.port}/openapi.json"]
        )
        assert code == 0
        assert b"Content-Length: %d\r\n" % len(answer.body) in out
