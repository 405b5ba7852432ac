"""Whatever bytes come as a question, an answer or a filing: each is understood or refused, and nothing else happens."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.raw_payments import Filed, read
from message_specs.findings import Finding
from message_specs.pay179.asked import FIELD, Asked, NotAsked, asked
from message_specs.pay179.said import said

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["orderNo", "sessionID", "serviceTime", "code", "message", "payCode", "payTransactionId"]),
            inner,
        )
    ),
    max_leaves=12,
)
TEXTS = st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode())


@given(TEXTS)
@example(b'{"orderNo":"\\ud800","sessionID":"S","serviceTime":1}')
@example(b'{"orderNo":"A","sessionID":"\\udfff","serviceTime":1}')
@example(b"9" * 5000)
def test_any_question_is_read_or_refused_and_what_is_read_can_be_written_down(text: bytes) -> None:
    for body in (text, FIELD.encode() + b"=" + text):
        about = ""
        try:
            one = asked(body)
        except NotAsked as why:
            about = str(why)
        else:
            assert isinstance(one, Asked)
            assert (one.order_no + one.session).encode()
            assert one.service_time < 10**16
        assert about in {"", FIELD, "orderNo", "sessionID", "serviceTime"}


@given(TEXTS)
@example(b'{"code":"20000","message":"\\ud800"}')
@example(b'"\\ud800"')
def test_any_answer_is_understood_or_not(text: bytes) -> None:
    told = said(text)
    assert told is None or (told.code + told.message).encode()


@given(TEXTS)
@example(b'{"payCode":"a","payTransactionId":"\\ud800"}')
def test_any_filing_is_payments_or_none(text: bytes) -> None:
    for raw, filed in read(text) or ():
        assert isinstance(filed, Filed | Finding)
        assert isinstance(filed, Finding) or json.dumps(raw, ensure_ascii=False).encode()
