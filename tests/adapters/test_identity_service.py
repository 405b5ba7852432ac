"""The identity service gives one of six verdicts for whatever comes, and says when the other side may have answered."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from adapters.identity import Answered, IdentityService
from adapters.identity_dialects import answers, dialects, request_of, verdict_of
from message_specs.verdict import Verdict
from tests.adapters.simulators.identity_box import ENDINGS, NAME, TOKEN, IdentityBox, number_for

ANSWERS = answers()
NUMBER = number_for("MATCH")
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
NAMES = st.sampled_from(sorted({step for row in ANSWERS for step in row["path"].split(".")})) | st.text(max_size=5)
JSON = st.recursive(LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=4))


def nested(path: str, code: object) -> object:
    """An answer with this code at this path and nothing else."""
    for step in reversed(path.split(".")):
        code = {step: code}
    return code


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row['dialect']} {row['code']}")
def test_every_row_of_the_table_means_its_verdict_as_text_and_as_number(row: dict[str, str]) -> None:
    codes = [row["code"], *([int(row["code"])] if row["code"].lstrip("-").isdigit() else [])]
    for code in codes:
        assert verdict_of(row["dialect"], nested(row["path"], code)) is Verdict(row["verdict"])


def test_every_dialect_asks_with_name_and_number_and_knows_a_match_and_what_differs() -> None:
    for dialect in dialects():
        told = request_of(dialect, NAME, NUMBER)
        assert {NAME, NUMBER} <= set(told.values())
        known = {row["verdict"] for row in ANSWERS if row["dialect"] == dialect}
        assert {"MATCH", "MISMATCH", "NO_RECORD"} <= known <= set(Verdict)
    assert {row["dialect"] for row in ANSWERS} == set(dialects())
    assert len({(row["dialect"], row["path"], row["code"]) for row in ANSWERS}) == len(ANSWERS)


@given(st.sampled_from(dialects()), JSON)
def test_no_answer_that_is_json_breaks_the_reading_and_only_a_row_gives_a_verdict(dialect: str, answer: object) -> None:
    rows = [row for row in ANSWERS if row["dialect"] == dialect]
    found = verdict_of(dialect, answer)
    assert (found is None) == all(leaf(answer, row["path"]) != row["code"] for row in rows)


def leaf(answer: object, path: str) -> str | None:
    for step in path.split("."):
        if not isinstance(answer, dict):
            return None
        answer = answer.get(step)
    return str(answer) if type(answer) in (int, str) else None


class Asking(TestCase):
    """Each way in which a real service behaves, from another process."""

    def setUp(self) -> None:
        place = TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.box = IdentityBox(Path(place.name))
        self.addCleanup(self.box.end)

    def service(self, **other: Any) -> IdentityService:
        return IdentityService(**{"url": self.box.url, "token": TOKEN, "total_seconds": 5.0, **other})

    @inlineCallbacks
    def test_every_verdict_comes_home(self) -> Any:
        self.box.start()
        service = self.service()
        said = []
        for verdict in ENDINGS:
            said.append((yield service.ask(NAME, number_for(verdict))))
        trouble = {"SERVICE_ERROR": "127.0.0.1 said so", "LIMIT": "127.0.0.1 said so"}
        assert said == [Answered(Verdict(verdict), trouble.get(verdict, "")) for verdict in ENDINGS]

    @inlineCallbacks
    def test_every_vendor_is_understood(self) -> Any:
        for dialect in ("aliyun", "tencent", "huawei"):
            self.box.start(dialect=dialect)
            service = self.service(dialect=dialect)
            for verdict in ("MATCH", "MISMATCH", "NO_RECORD"):
                answered = yield service.ask(NAME, number_for(verdict))
                assert answered == Answered(Verdict(verdict))
            self.box.end()

    @inlineCallbacks
    def told(self, *behaviours: str, **other: Any) -> Any:
        self.box.start(*behaviours)
        answered = yield self.service(**other).ask(NAME, NUMBER)
        assert NUMBER not in repr(answered)
        assert NAME not in repr(answered)
        return answered

    @inlineCallbacks
    def test_http_500_is_an_error_that_was_surely_no_answer(self) -> Any:
        answered = yield self.told("500")
        assert answered == Answered(Verdict.SERVICE_ERROR, "127.0.0.1 answered 500")

    @inlineCallbacks
    def test_a_proxy_that_heard_nothing_in_time_does_not_know_whether_there_was_an_answer(self) -> Any:
        answered = yield self.told("504")
        assert answered == Answered(Verdict.SERVICE_ERROR, "127.0.0.1 answered 504", lost=True)

    @inlineCallbacks
    def test_an_answer_that_says_two_things_says_nothing(self) -> Any:
        answered = yield self.told("twice")
        assert answered == Answered(Verdict.SERVICE_ERROR, "127.0.0.1: the answer is no JSON", lost=True)

    @inlineCallbacks
    def test_a_wrong_token_is_an_error_that_was_surely_no_answer(self) -> Any:
        answered = yield self.told(token="another")
        assert answered == Answered(Verdict.SERVICE_ERROR, "127.0.0.1 answered 401")

    @inlineCallbacks
    def test_a_cut_connection_may_have_been_an_answer(self) -> Any:
        answered = yield self.told("cut")
        trouble = "127.0.0.1: no whole answer (ResponseNeverReceived)"
        assert answered == Answered(Verdict.SERVICE_ERROR, trouble, lost=True)
        assert len(self.box.book()) == 1

    @inlineCallbacks
    def test_an_answer_that_is_too_late_is_lost(self) -> Any:
        answered = yield self.told("slow=30", total_seconds=0.3)
        assert answered == Answered(Verdict.SERVICE_ERROR, "127.0.0.1: no whole answer (TimeoutError)", lost=True)

    @inlineCallbacks
    def test_an_answer_a_little_late_is_an_answer(self) -> Any:
        answered = yield self.told("slow=0.2")
        assert answered == Answered(Verdict.MATCH)

    @inlineCallbacks
    def test_half_a_json_and_json_that_means_nothing_are_lost(self) -> Any:
        garbage = yield self.told("garbage")
        assert garbage == Answered(Verdict.SERVICE_ERROR, "127.0.0.1: the answer is no JSON", lost=True)
        self.box.end()
        wrong = yield self.told("wrong")
        assert (wrong.verdict, wrong.lost) == (Verdict.SERVICE_ERROR, True)

    @inlineCallbacks
    def test_beyond_its_limit_it_says_so(self) -> Any:
        answered = yield self.told("limit=0")
        assert answered == Answered(Verdict.LIMIT, "127.0.0.1 said so")

    @inlineCallbacks
    def test_where_nobody_listens_nobody_was_asked(self) -> Any:
        self.box.start()
        self.box.end()
        answered = yield self.service().ask(NAME, NUMBER)
        trouble = "127.0.0.1: no connection (ConnectionRefusedError)"
        assert answered == Answered(Verdict.SERVICE_ERROR, trouble)


def test_what_a_status_and_a_body_mean() -> None:
    service = IdentityService("http://127.0.0.1/", TOKEN, clock=reactor)
    assert service._judge(200, json.dumps({"result": "MATCH"}).encode()) == Answered(Verdict.MATCH)
    deep = b"[" * 40_000
    assert service._judge(200, deep).lost
    assert service._judge(429, b"") == Answered(Verdict.LIMIT, "127.0.0.1 answered 429")
    assert service._judge(302, b"") == Answered(Verdict.SERVICE_ERROR, "127.0.0.1 answered 302")
