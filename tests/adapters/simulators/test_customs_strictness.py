"""Customs takes nothing that the real one would not, and says what is wrong in the receipt that is meant for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.customs import wrap
from adapters.simulators import judging, verify
from adapters.simulators import settings as told
from gateway.signing import keys
from gateway.signing.seal import DECLARATION, seal
from tests import samples
from tests.adapters.simulators.box import CUSTOMS, Box, unwrapped

SHOP = samples.SHOP
STRANGER = replace(SHOP, dxp_id="DXPENT0000099999")
IMPOSTOR = replace(SHOP, code="3301969Z9Z")
AGAIN = {"CEB311": "-301010", "CEB411": "-401007", "CEB511": "-504015", "CEB621": "-621004"}
NOTHING = {"CEB311": "-301009", "CEB411": "-401006", "CEB511": "-504014", "CEB621": "-621011"}
UNBELIEVED = {"CEB311": "-301020", "CEB411": "-401009", "CEB511": "-504011", "CEB621": "-621029"}


def format_errors(box: Box) -> dict[str, object]:
    """Start, wait for one CEB900, and give its fields."""
    box.start()
    receipt = unwrapped(box.first_files(1)[0].read_bytes())
    assert receipt.tag == "{http://www.chinaport.gov.cn/ceb}CEB900Message"
    return {child.tag.rpartition("}")[2]: child.text for child in receipt[0]}


def test_a_message_of_wrong_structure_gets_a_900_with_the_whole_of_it(box: Box) -> None:
    wrong = box.sealed("CEB311").replace(b"orderNo>", b"orderNumber>")
    box.drop(box.enveloped(wrong, "CEB311", message_id="M-77"))
    fields = format_errors(box)
    assert (fields["oriCopMsgId"], fields["oriMessageType"]) == ("M-77", "CEB311Message")
    assert fields["oriBizMessage"] == wrong.decode()
    assert (fields["returnStatus"], "orderNumber" in str(fields["returnInfo"])) == ("-999999", True)
    line = box.book()[0]
    assert (line["key"], line["statuses"], line["spec"]) == (None, ["-999999"], "CEB311")
    assert line["refused"] == fields["returnInfo"]


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("sender differs", "dxpId"),
        ("unknown enterprise", "未备案"),
        ("wrong code", "未备案"),
        ("wrong type", "MsgType"),
        ("not signed 621", "Signature"),
        ("doctype", "DOCTYPE"),
        ("receipt told", "不是可申报的报文"),
    ],
)
def test_what_is_wrong_with_a_message_is_told_in_a_900(box: Box, name: str, because: str) -> None:
    good = box.sealed("CEB311")
    envelopes = {
        "sender differs": lambda: box.enveloped(good, "CEB311", sender=STRANGER),
        "unknown enterprise": lambda: box.enveloped(box.sealed("CEB311", sender=STRANGER), "CEB311", sender=STRANGER),
        "wrong code": lambda: box.enveloped(box.sealed("CEB311", sender=IMPOSTOR), "CEB311"),
        "wrong type": lambda: box.enveloped(good, "CEB411", sender=SHOP),
        "not signed 621": lambda: box.enveloped(samples.message("CEB621", 1), "CEB621"),
        "doctype": lambda: box.enveloped(good.replace(b"<ceb:", b"<!DOCTYPE a [<!ENTITY b 'c'>]><ceb:", 1), "CEB311"),
        "receipt told": lambda: box.enveloped(b'<CEB312Message xmlns="http://www.chinaport.gov.cn/ceb"/>', "CEB311"),
    }
    box.drop(envelopes[name]())
    assert because in str(format_errors(box)["returnInfo"])


def test_what_is_no_envelope_is_answered_too_and_kept_in_the_book(box: Box) -> None:
    box.configure(top="wrap_answers = true")
    box.drop(b"\xff\x00 not even text")
    box.start()
    path = box.first_files(1)[0]
    assert b"<CEB900Message" in path.read_bytes()
    assert "不是完好的 XML" in str(box.book()[0]["refused"])


def test_an_envelope_for_someone_else_is_refused(box: Box) -> None:
    box.drop(box.enveloped(box.sealed("CEB311"), "CEB311").replace(CUSTOMS.encode(), b"DXPEDCINVT000002"))
    assert "接收方不是" in str(format_errors(box)["returnInfo"])


@pytest.mark.parametrize("spec", AGAIN)
def test_the_same_key_declared_anew_is_refused_with_the_code_of_its_kind(box: Box, spec: str) -> None:
    box.start()
    box.tell(spec, 1)
    first = box.answered(2 if spec != "CEB621" else 4)
    box.tell(spec, 2)  # another message: the same first document, and a new one
    codes = [status for _, _, status in box.answered(2 * len(first) + 1)[len(first) :]]
    assert sorted(codes) == sorted([AGAIN[spec], *(status for _, _, status in first)])
    assert [(line["key"], line["verdict"], line["times"]) for line in box.book()][:2] == [
        (box.book()[0]["key"], "", 1),
        (box.book()[0]["key"], AGAIN[spec], 1),
    ]


@pytest.mark.parametrize("spec", NOTHING)
def test_a_change_of_what_was_never_declared_is_refused(box: Box, spec: str) -> None:
    box.start()
    box.tell(spec, app_type="2")
    assert [status for _, _, status in box.answered(1)] == [NOTHING[spec]]


def test_what_was_declared_can_be_changed_deleted_and_declared_again(box: Box) -> None:
    box.start()
    for times, (app_type, count) in enumerate((("1", 1), ("2", 1), ("3", 1), ("1", 2)), 1):
        box.tell("CEB311", count, app_type=app_type)
        box.answered(2 * (times + count - 1))
    assert {status for _, _, status in box.receipts()} == {"2", "120"}
    assert [line["app_type"] for line in box.book()] == ["1", "2", "3", "1", "1"]


def test_a_returned_document_may_be_declared_again(box: Box) -> None:
    box.start("reject-some=1")
    box.tell("CEB311")
    assert [status for _, _, status in box.answered(2)] == ["2", "100"]
    box.tell("CEB311", 2)
    assert [status for _, _, status in box.answered(6)][2:] == ["2", "2", "100", "100"]


def test_the_same_bytes_told_again_are_counted_and_get_the_first_receipt_again(box: Box) -> None:
    box.start()
    sealed = box.tell("CEB311")
    box.answered(2)
    box.drop(box.enveloped(sealed, "CEB311", message_id="another envelope"))
    statuses = [status for _, _, status in box.answered(3)]
    assert statuses == ["2", "120", "2"]
    first, _, again = box.files()
    assert first.read_bytes() == again.read_bytes()
    assert [(line["times"], line["statuses"]) for line in box.book()] == [(2, ["2", "120"])]


def test_unsigned_is_refused_where_the_structure_would_leave_it_optional(box: Box) -> None:
    box.start()
    for spec in ("CEB311", "CEB411", "CEB511"):
        box.drop(box.enveloped(samples.message(spec, 1), spec))
    found = sorted(status for _, _, status in box.answered(3))
    assert found == sorted(UNBELIEVED[spec] for spec in ("CEB311", "CEB411", "CEB511"))


def test_unsigned_is_taken_when_customs_is_told_not_to_mind(box: Box) -> None:
    box.configure(top="signatures_required = false")
    box.start()
    box.drop(box.enveloped(samples.message("CEB311", 1), "CEB311"))
    assert [status for _, _, status in box.answered(2)] == ["2", "120"]


@pytest.mark.parametrize("spec", UNBELIEVED)
def test_one_changed_character_is_noticed(box: Box, spec: str) -> None:
    box.start()
    sealed = box.sealed(spec)
    changed = sealed.replace(b"<ceb:appTime>2026", b"<ceb:appTime>2025", 1)
    assert changed != sealed
    box.drop(box.enveloped(changed, spec))
    assert [status for _, _, status in box.answered(1)] == [UNBELIEVED[spec]]
    assert "摘要" in str(box.book()[0]["reason"])


def test_a_message_refused_for_its_signature_is_taken_when_the_certificate_has_come(box: Box) -> None:
    keys.new_key(box.place / "keys", "other", "rsa", "CN=other", 30, now=datetime.now(UTC))
    plain = samples.message("CEB311", 1)
    sealed = seal(plain[len(DECLARATION) :], keys.load_signer(box.place / "keys", "other"))
    box.start()
    box.drop(box.enveloped(sealed, "CEB311"))
    assert [status for _, _, status in box.answered(1)] == ["-301020"]
    text = (box.place / "customs.toml").read_text("utf-8").replace("keys/all/", "keys/other/")
    (box.place / "customs.toml").write_text(text, "utf-8")
    box.drop(box.enveloped(sealed, "CEB311"))
    assert [status for _, _, status in box.answered(3)][1:] == ["2", "120"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[told.Settings, bytes]:
    """Settings that trust the shop, and a good message in its envelope."""
    place = tmp_path_factory.mktemp("made")
    box = Box(place)
    box.configure()
    return told.load(place / "customs.toml"), box.enveloped(box.sealed("CEB311"), "CEB311", message_id="M")


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 7999), octets=st.binary(max_size=6))
def test_no_bytes_make_customs_stumble(made: tuple[told.Settings, bytes], place: int, octets: bytes) -> None:
    known, good = made
    damaged = good[: place % len(good)] + octets + good[place % len(good) + len(octets) :]
    opinion = judging.judge(damaged, known, known.enterprises, datetime.now(UTC))
    assert opinion.standing in (judging.TAKEN, judging.UNBELIEVED, judging.REFUSED)
    assert damaged == good or opinion.standing != judging.TAKEN or judging_envelope_only(damaged, good)


def judging_envelope_only(damaged: bytes, good: bytes) -> bool:
    """Whether the damage lies in what nobody signs: the envelope's own words."""
    cut = b"<dxp:Data>"
    return damaged.partition(cut)[2].split() == good.partition(cut)[2].split()


def test_a_certificate_that_has_ended_is_not_believed(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.configure()
    known = told.load(tmp_path / "customs.toml")
    later = datetime.now(UTC) + timedelta(days=31)
    data = wrap(box.sealed("CEB311"), form="DxpMsg", message_id="M", sender=SHOP.dxp_id, receiver=CUSTOMS,
                message_type="CEB311Message", created=later)  # fmt: skip
    opinion = judging.judge(data, known, known.enterprises, later)
    assert (opinion.standing, opinion.reason) == (judging.UNBELIEVED, "证书不在有效期内")


def test_the_simulator_knows_no_more_algorithms_than_are_published() -> None:
    assert {name.rpartition("#")[2] for name in verify.RSA} | {"sm2-sm3"} == {"rsa-sha1", "rsa-sha256", "sm2-sm3"}
