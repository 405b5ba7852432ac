"""Every sample is met as the specification says: the good pass whole, the bad are told everything at once."""

from datetime import date
from pathlib import Path

import pytest

import message_specs
from message_specs.catalog import REVISIONS, catalog
from message_specs.check import check
from message_specs.document import Document
from message_specs.findings import Severity, wordings
from message_specs.limits import Limits
from message_specs.opening import open_message, open_receipt
from message_specs.places import Place, places, texts
from message_specs.spec import Rule
from message_specs.tables import Node, revisions_of
from message_specs.values import troubles

SPECS = Path(message_specs.__file__).parent
SAMPLES = SPECS / "ceb" / "samples"
GOOD = sorted(SPECS.glob("*/samples/good/*.xml"))
BAD = sorted(SPECS.glob("*/samples/bad/*.xml"))
TODAY = date(2026, 11, 21)


def told(file: Path, revision: str = "202205") -> list[str]:
    findings = check(open_message(file.read_bytes(), revision=revision), today=TODAY)
    by_place = sorted(findings, key=lambda said: (said.line or 0, said.column or 0, said.path, said.code))
    return [f"{said.code} {said.line or '-'} {said.path or '-'}" for said in by_place]


def revisions(file: Path) -> tuple[str, ...]:
    """The revisions that the sample is good in: what its name ends with, else all that know its message."""
    code, _, rest = file.stem.partition("_")
    named = rest.rpartition("_")[2]
    return (named,) if named in REVISIONS else revisions_of(catalog().specs[code].root)


@pytest.mark.parametrize(
    ("file", "revision"),
    [(file, revision) for file in GOOD for revision in revisions(file)],
    ids=lambda one: getattr(one, "stem", one),
)
def test_a_good_sample_has_nothing_said_about_it(file: Path, revision: str) -> None:
    assert told(file, revision) == []


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_sample_is_told_everything_and_nothing_else(file: Path) -> None:
    assert told(file) == file.with_suffix(".xml.findings").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_finding_quotes_its_place_in_both_languages(file: Path) -> None:
    for said in check(open_message(file.read_bytes()), today=TODAY):
        assert said.zh
        assert said.en
        assert said.hint
        assert "{" not in said.zh + said.en + said.hint


@pytest.mark.parametrize("spec", sorted(catalog().specs))
def test_every_spec_has_a_good_and_a_bad_sample(spec: str) -> None:
    assert [file for file in GOOD if file.stem.partition("_")[0] == spec]
    assert [file for file in BAD if file.stem.partition("_")[0] == spec]


def test_the_four_documents_of_a_trade_agree() -> None:
    for suffix in ("", "_1210"):
        order, payment, waybill, inventory = (
            open_message((SAMPLES / "good" / f"CEB{number}{suffix}.xml").read_bytes()).documents[0].head
            for number in (311, 411, 511, 621)
        )
        assert order["orderNo"] == payment["orderNo"] == waybill["orderNo"] == inventory["orderNo"]
        assert order["acturalPaid"] == payment["amountPaid"]
        assert order["payTransactionId"] == payment["payTransactionId"]
        assert order["buyerIdNumber"] == payment["payerIdNumber"] == inventory["buyerIdNumber"]
        assert order["consigneeAddress"] == waybill["consigneeAddress"] == inventory["consigneeAddress"]
        assert waybill["logisticsNo"] == inventory["logisticsNo"]


@pytest.mark.parametrize("code", [code for code, spec in catalog().specs.items() if spec.answers])
def test_a_receipt_sample_echoes_the_declaration_it_answers(code: str) -> None:
    folder = SPECS / catalog().specs[code].family / "samples" / "good"
    receipt = open_receipt((folder / f"{code}.xml").read_bytes())
    spec = receipt.spec
    assert spec is not None
    assert receipt.findings == ()
    declared = open_message((folder / f"{spec.answers}.xml").read_bytes()).documents[0]
    assert receipt.documents[0].reply_key == declared.reply_key


def test_a_622_may_leave_out_the_agent() -> None:
    receipt = open_receipt((SAMPLES / "good" / "CEB622_without_agent.xml").read_bytes())
    assert receipt.findings == ()
    assert receipt.documents[0].head["copNo"]


def test_a_severity_can_be_changed_by_the_house() -> None:
    opened = open_message((SAMPLES / "bad" / "CEB311_amounts.xml").read_bytes())
    said = check(opened, severities={"C210": Severity.WARNING, "C211": Severity.ERROR}, today=TODAY)
    assert [(finding.code, str(finding.severity)) for finding in said] == [
        ("C212", "warning"),
        ("C210", "warning"),
        ("C211", "error"),
    ]


def test_what_a_single_file_cannot_show_is_found_too() -> None:
    order = (SAMPLES / "good" / "CEB311.xml").read_bytes()
    inventory = (SAMPLES / "good" / "CEB621.xml").read_bytes()
    values = (SAMPLES / "bad" / "CEB311_values.xml").read_bytes()
    receipt = (SAMPLES / "bad" / "CEB312_status.xml").read_bytes()
    three = (SAMPLES / "good" / "CEB311_three_orders.xml").read_bytes()
    assert [said.code for said in open_message(order, limits=Limits(message_bytes=1000)).findings] == ["S004"]
    assert [said.code for said in open_message(order, spec="CEB411").findings] == ["S010"]
    assert [said.code for said in open_message(three, limits=Limits(documents=2)).findings] == ["S011"]
    assert [said.code for said in open_message(inventory, unsigned_allowed=False).findings] == ["S012"]
    assert [said.code for said in open_receipt(receipt).findings] == ["S014"]
    assert open_message(values, limits=Limits(findings=3)).findings[-1].code == "S091"


@pytest.mark.parametrize(
    ("code", "node", "value"),
    [
        ("S031", Node("name", "", 1, 1, "xs:string", min_length=2), "x"),
        ("S039", Node("CreatTime", "", 1, 1, "xs:dateTime"), "Mon Aug 06"),
        ("S040", Node("Data", "", 1, 1, "xs:base64Binary"), "QUJ"),
        ("S042", Node("Id", "", 1, 1, "xs:ID"), "1"),
    ],
)
def test_what_only_an_envelope_can_have_wrong_is_found_too(code: str, node: Node, value: str) -> None:
    assert [found for found, _ in troubles(node, value)] == [code]


@pytest.mark.parametrize("spec", sorted(catalog().specs))
def test_every_rule_of_every_spec_is_broken_by_some_sample_of_that_spec(spec: str) -> None:
    files = [file.with_suffix(".xml.findings") for file in BAD if file.stem.partition("_")[0] == spec]
    said = {line.split()[0] for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    assert {rule.says for rule in catalog().specs[spec].rules} - said == set()


@pytest.mark.parametrize("spec", sorted(catalog().specs))
def test_every_rule_of_every_spec_is_kept_by_some_good_sample_that_it_speaks_of(spec: str) -> None:
    """The condition of the rule holds there, and what it judges stands there, unless it must not."""
    good = [
        document
        for file in GOOD
        if file.stem.partition("_")[0] == spec
        for document in open_message(file.read_bytes(), revision=revisions(file)[-1]).documents
    ]
    for rule in catalog().specs[spec].rules:
        spoken_of = [one for one in good if "when" not in rule.arguments or _holds(rule, one)]
        assert spoken_of, rule
        if rule.use != "absent_when":
            assert all(any(_stands(asked, one) for one in spoken_of) for asked in places(rule.arguments)), rule


def _holds(rule: Rule, document: Document) -> bool:
    [asked] = places(rule.arguments, "when")
    return document.head.get(asked.name) in texts(rule.arguments, "has")


def _stands(asked: Place, document: Document) -> bool:
    return any(one.get(asked.name) for one in (document.lines if asked.in_lines else (document.head,)))


def test_every_finding_of_structure_and_rules_is_provoked_by_a_sample_or_named_by_a_test() -> None:
    codes = {code for code in wordings() if code[0] in "SC"}
    samples = {line.split()[0] for file in BAD for line in file.with_suffix(".xml.findings").read_text().splitlines()}
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert {code for code in codes - samples if code not in tests} == set()
