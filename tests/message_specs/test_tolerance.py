"""A receipt that settling reads is good for `kouan check` too, with everything passed over told as a warning."""

import pytest
from lxml import etree

from message_specs.catalog import catalog
from message_specs.findings import Severity
from message_specs.limits import Limits
from message_specs.opening import open_message
from message_specs.schema import NAMESPACES
from message_specs.spec import Spec
from message_specs.tables import revisions_of
from message_specs.tolerance import is_receipt, open_tolerantly
from tests.message_specs.hostile import good, written
from tests.message_specs.test_receipts import PUBLISHED, RECEIPTS, leaf, name
from tests.message_specs.test_samples import SAMPLES


def told(data: bytes, revision: str = "202205") -> set[tuple[str, str]]:
    return {(said.code, said.severity) for said in open_tolerantly(data, revision=revision, limits=Limits()).findings}


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
def test_what_is_as_published_says_nothing(spec: Spec, revision: str) -> None:
    data = written(good(spec.root, revision))
    assert is_receipt(data)
    assert told(data, revision) == set()


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
def test_an_element_that_stands_in_no_schema_is_a_warning_and_strictly_an_error(spec: Spec, revision: str) -> None:
    root = good(spec.root, revision)
    for extra in ("orderNo", "logisticsNo", "logisticNo", "strange"):
        etree.SubElement(root[0], f"{{{NAMESPACES['ceb']}}}{extra}").text = "1"
    data = written(root)
    found = told(data, revision)
    assert found
    assert {severity for _, severity in found} == {Severity.WARNING}
    assert {said.severity for said in open_message(data, revision=revision).findings} == {Severity.ERROR}


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
@pytest.mark.parametrize("digits", ["20261121120506", "20261121120506789"])
def test_a_time_of_fourteen_or_seventeen_digits_is_read(spec: Spec, revision: str, digits: str) -> None:
    root = good(spec.root, revision)
    leaf(root, spec, spec.said_at).text = digits
    assert {severity for _, severity in told(written(root), revision)} <= {Severity.WARNING}


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
def test_no_namespace_and_a_part_left_out_are_warnings(spec: Spec, revision: str) -> None:
    root = good(spec.root, revision)
    lost = leaf(root, spec, spec.said_at)
    parent = lost.getparent()
    assert parent is not None
    parent.remove(lost)
    bare = written(root).replace(f' xmlns:p="{NAMESPACES["ceb"]}"'.encode(), b"").replace(b"p:", b"")
    for data in (written(root), bare):
        assert {severity for _, severity in told(data, revision)} == {Severity.WARNING}


@pytest.mark.parametrize("spec", RECEIPTS, ids=name)
def test_without_its_status_it_is_bad_all_the_same(spec: Spec) -> None:
    root = good(spec.root, revisions_of(spec.root)[-1])
    lost = leaf(root, spec, spec.status)
    parent = lost.getparent()
    assert parent is not None
    parent.remove(lost)
    assert ("S014", Severity.ERROR) in told(written(root))


@pytest.mark.parametrize(("sample", "codes"), [("CEB816_as_sent", {"S021"}), ("CEB816_as_described", {"S021", "S033"})])
def test_the_tax_bill_that_customs_sends_is_good(sample: str, codes: set[str]) -> None:
    found = told((SAMPLES / "bad" / f"{sample}.xml").read_bytes())
    assert found == {(code, Severity.WARNING) for code in codes}


def test_a_declaration_is_no_receipt() -> None:
    receipts = {spec.code for spec in catalog().specs.values() if is_receipt(f"<{spec.root}/>".encode())}
    assert receipts == {spec.code for spec in RECEIPTS}
