"""The customs dialect puts a message into an envelope that the published structure takes, and back comes every byte."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.customs import DoesNotFitEnvelope, Form, wrap
from message_specs.dxp.envelope import Envelope, unwrap
from message_specs.schema import compiled

FORMS: tuple[Form, ...] = ("DxpMsg", "DxpMsgSv")
AT = datetime(2026, 11, 21, 16, 30, 5, tzinfo=UTC)
WORDS = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=16)
    .map(str.strip)
    .filter(bool)
)


def told(data: bytes, form: Form, **other: str) -> bytes:
    words = {"message_id": "M1", "sender": "DXPENT0000030001", "receiver": "DXPEDCCEB0000002",
             "message_type": "CEB311Message"} | other  # fmt: skip
    return wrap(data, form=form, created=AT, **words)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("revision", ["2018", "202205"])
def test_the_published_structure_takes_the_envelope(form: Form, revision: str) -> None:
    root = etree.fromstring(told("<单证/>".encode(), form, node="0000330A"))
    schema = compiled(form, revision)
    assert schema.validate(root), schema.error_log


@pytest.mark.parametrize("form", FORMS)
@given(data=st.binary(max_size=300), message_id=WORDS, sender=WORDS, receiver=WORDS)
def test_what_was_wrapped_comes_out_as_it_went_in(
    form: Form, data: bytes, message_id: str, sender: str, receiver: str
) -> None:
    envelope = told(data, form, message_id=message_id, sender=sender, receiver=receiver)
    assert unwrap(envelope) == Envelope(message_id, sender, (receiver,), "CEB311Message", data)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_message_is_always_wrapped_alike(form: Form) -> None:
    assert told(b"<a/>", form) == told(b"<a/>", form)


def test_two_messages_have_two_transport_numbers() -> None:
    numbers = [etree.fromstring(told(b"<a/>", "DxpMsgSv", message_id=name)).findtext(".//{*}MsgId") for name in "AB"]
    assert numbers[0] != numbers[1]
    assert [(number or "")[:22] for number in numbers] == ["0000000020261122003005"] * 2


def test_times_are_in_china_without_a_zone() -> None:
    root = etree.fromstring(told(b"<a/>", "DxpMsgSv"))
    assert [root.findtext(f".//{{*}}{name}") for name in ("CreatTime", "SendTime")] == ["2026-11-22T00:30:05"] * 2


@pytest.mark.parametrize(
    "words",
    [{"sender": "D" * 17}, {"receiver": ""}, {"message_id": "a\0b"}, {"message_type": "x" * 31}, {"node": "123456789"}],
    ids=lambda words: next(iter(words)),
)
def test_what_does_not_fit_is_told_to_the_operator_and_not_sent(words: dict[str, str]) -> None:
    with pytest.raises(DoesNotFitEnvelope):
        told(b"<a/>", "DxpMsgSv", **words)
