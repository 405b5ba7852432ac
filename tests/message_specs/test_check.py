"""Checking tells the structure of every document and the rules of the good ones, each at its place."""

import re
from datetime import date
from pathlib import Path

import pytest

import message_specs
from message_specs.check import check
from message_specs.findings import Finding, Severity, finding, wordings
from message_specs.opening import open_message
from tests import samples

TODAY = date(2026, 11, 21)
SAMPLES = Path(message_specs.__file__).parent / "ceb/samples/good"


def told(findings: tuple[Finding, ...]) -> list[tuple[str, int | None, str, int | None]]:
    return [(said.code, said.document, said.path, said.line) for said in findings]


def orders(count: int) -> bytes:
    return samples.message("CEB311", count)


def test_a_good_message_has_no_findings() -> None:
    assert [said for said in check(open_message(orders(3)), today=TODAY) if said.severity is Severity.ERROR] == []


def broken_total(data: bytes) -> bytes:
    start = data.index(b"<ceb:acturalPaid>") + len(b"<ceb:acturalPaid>")
    return data[:start] + b"9" + data[start:]


def test_a_broken_rule_is_told_with_the_business_key_line_and_column() -> None:
    data = broken_total(orders(2)).replace(b"<ceb:acturalPaid>", b"\n <ceb:acturalPaid>", 1)
    opened = open_message(data)
    number = opened.documents[0].text("OrderHead/orderNo")
    [said] = [said for said in check(opened, today=TODAY) if said.code == "C210"]
    assert (said.document, said.path) == (1, f"/CEB311Message/Order[orderNo='{number}']/OrderHead/acturalPaid")
    assert (said.line, said.column) == (data[: data.index(b"<ceb:acturalPaid>")].count(b"\n") + 1, 2)


def test_rules_are_not_asked_about_a_document_whose_structure_is_wrong() -> None:
    data = broken_total(orders(2)).replace(b"<ceb:appType>1</ceb:appType>", b"", 1)
    assert [(code, document) for code, document, _, _ in told(check(open_message(data), today=TODAY))] == [("S020", 1)]


def test_structure_and_rules_of_different_documents_are_told_together() -> None:
    data = broken_total(orders(2))
    last = data.rindex(b"<ceb:appType>1</ceb:appType>")
    data = data[:last] + data[last + len(b"<ceb:appType>1</ceb:appType>") :]
    assert [(code, document) for code, document, _, _ in told(check(open_message(data), today=TODAY))] == [
        ("C210", 1),
        ("S020", 2),
    ]


def test_the_configuration_may_turn_a_rule_into_a_warning() -> None:
    opened = open_message(broken_total(orders(1)))
    [said] = [said for said in check(opened, severities={"C210": Severity.WARNING}, today=TODAY) if said.code == "C210"]
    assert said.severity is Severity.WARNING


def test_a_message_that_cannot_go_on_keeps_its_structural_findings_only() -> None:
    opened = open_message(b"<html/>")
    assert check(opened, today=TODAY) == opened.findings


def test_every_wording_is_bilingual_and_has_a_mender() -> None:
    for wording in wordings().values():
        assert wording.mender in {"partner", "operator"}
        assert wording.en
        assert any("一" <= character <= "鿿" for character in wording.zh)
        assert any("一" <= character <= "鿿" for character in wording.hint)
        assert any("a" <= character <= "z" for character in wording.hint)


def test_a_finding_has_exactly_the_promised_keys() -> None:
    assert finding("S008").as_dict() == {
        "code": "S008",
        "severity": "error",
        "document": None,
        "path": "",
        "line": None,
        "column": None,
        "row": None,
        "cell": None,
        "value": None,
        "zh": "文件为空",
        "en": "the file is empty",
        "hint": "请检查上传是否完成后重新发送。 Check that the upload was finished and send again.",
    }


@pytest.mark.parametrize("spec", ["CEB603", "CEB621"])
def test_what_is_asked_of_bonded_goods_is_asked_of_their_twin_1239_too(spec: str) -> None:
    body = (SAMPLES / f"{spec}_1210.xml").read_bytes()
    bare = re.sub(rb"<ceb:(emsNo|itemRecordNo)>[^<]*</ceb:\1>", b"", body)
    twins = [bare, bare.replace(b"<ceb:tradeMode>1210", b"<ceb:tradeMode>1239")]
    first, second = ([(one.code, one.path) for one in check(open_message(each), today=TODAY)] for each in twins)
    assert first == second
    assert "emsNo" in first[0][1]
    assert check(open_message(body.replace(b">1210<", b">1239<")), today=TODAY) == ()
