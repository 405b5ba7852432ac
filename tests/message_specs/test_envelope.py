"""The envelope gives back the message that was put into it, in every form that is met."""

import base64

import pytest

from message_specs.dxp.envelope import Envelope, open_reply, unwrap
from message_specs.limits import Limits
from tests.message_specs.hostile import good, written

DXP = "http://www.chinaport.gov.cn/dxp"
INNER = "<a>单证</a>".encode()


def envelope(prefix: str, data: bytes) -> bytes:
    body = (
        "<DxpMsg ver='1.0'><TransInfo><CopMsgId>M1</CopMsgId><SenderId>S</SenderId><ReceiverIds><ReceiverId>R1"
        "</ReceiverId><ReceiverId>R2</ReceiverId></ReceiverIds><CreatTime>2026-11-21T10:00:00</CreatTime>"
        f"<MsgType>CEB312Message</MsgType></TransInfo><Data>{base64.encodebytes(data).decode()}</Data></DxpMsg>"
    )
    if prefix:
        body = body.replace("</", "</dxp:").replace("<", "<dxp:").replace("<dxp:/dxp:", "</dxp:")
    return body.replace("DxpMsg ver", f"DxpMsg xmlns{prefix}='{DXP}' ver", 1).encode()


WHOLE = Envelope("M1", "S", ("R1", "R2"), "CEB312Message", INNER)


@pytest.mark.parametrize("prefix", ["", ":dxp"])
def test_both_ways_of_writing_the_namespace_are_read(prefix: str) -> None:
    assert unwrap(envelope(prefix, INNER)) == WHOLE


def test_an_envelope_within_the_transport_envelope_is_read() -> None:
    outer = f"<DxpMsgSv xmlns='{DXP}' ver='1.0'><SvNo/>".encode() + envelope("", INNER) + b"</DxpMsgSv>"
    assert unwrap(outer) == WHOLE


@pytest.mark.parametrize(
    "data", [b"", b"<CEB312Message/>", b"<DxpMsg", b"<!DOCTYPE DxpMsg><DxpMsg/>", b"<x>DxpMsg</x>"]
)
def test_what_is_no_envelope_is_none(data: bytes) -> None:
    assert unwrap(data) is None


def test_an_envelope_with_nothing_in_it_is_still_an_envelope() -> None:
    assert unwrap(b"<DxpMsg><Data>***</Data></DxpMsg>") == Envelope("", "", (), "", b"")


def test_a_message_longer_than_a_text_of_libxml2_fits_in() -> None:
    large = b"x" * 11_000_000
    found = unwrap(envelope("", large), Limits())
    assert found is not None
    assert found.data == large


def test_the_reply_of_the_node_is_read() -> None:
    data = written(good("DxpRep", "202205"))
    opened = open_reply(data)
    assert opened is not None
    (unit,) = opened.documents
    assert (unit.reply_key, unit.text("ResponseCode"), unit.text("ResponseInfo")) == ("y", "y", "yyy")
    assert open_reply(b"<x>DxpRep</x>") is open_reply(b"<DxpRep/>") is None
