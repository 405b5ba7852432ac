"""Receipts are read as customs may send them, and written only as the specification prescribes."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from message_specs import writing
from message_specs.catalog import catalog
from message_specs.opening import Opened, open_message, open_receipt
from message_specs.schema import NAMESPACES
from message_specs.spec import Spec
from message_specs.tables import revisions_of
from tests.message_specs.hostile import good, written
from tests.message_specs.test_samples import SAMPLES

RECEIPTS = [spec for spec in catalog().specs.values() if spec.echo]
PUBLISHED = [(spec, revision) for spec in RECEIPTS for revision in revisions_of(spec.root)]
NOW = datetime(2026, 11, 21, 4, 5, 6, 789000, UTC)


def name(one: object) -> str:
    return getattr(one, "code", str(one))


def told(opened: Opened) -> tuple[list[str], list[tuple[str, str | None]]]:
    codes = [finding.code for finding in opened.findings]
    return codes, [(unit.reply_key, unit.text(unit.spec.status)) for unit in opened.documents]


def leaf(root: etree._Element, spec: Spec, path: str) -> etree._Element:
    found = root.find("/".join("{*}" + step for step in f"{spec.document}/{path}".split("/")))
    assert found is not None
    return found


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
def test_any_prefix_and_none_and_no_namespace_mean_the_same(spec: Spec, revision: str) -> None:
    prefixed = written(good(spec.root, revision))
    assert told(open_receipt(prefixed))[0] == []
    bare = prefixed.replace(b"<p:", b"<").replace(b"</p:", b"</")
    default = bare.replace(b"xmlns:p=", b"xmlns=")
    nowhere = bare.replace(f' xmlns:p="{NAMESPACES["ceb"]}"'.encode(), b"")
    ceb = prefixed.replace(b"<p:", b"<ceb:").replace(b"</p:", b"</ceb:").replace(b"xmlns:p=", b"xmlns:ceb=")
    for data in (ceb, default, nowhere):
        assert told(open_receipt(data)) == told(open_receipt(prefixed))


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
def test_what_settling_does_not_need_may_be_missing_empty_strange_or_too_long(spec: Spec, revision: str) -> None:
    root = good(spec.root, revision)
    expected = told(open_receipt(written(root)))[1]
    needed = {path.rpartition("/")[2] for path in (*spec.echo, spec.status)}
    [unit] = [child for child in root if etree.QName(child).localname == spec.document]
    for place, one in enumerate([child for child in unit.iter("*") if not len(child)]):
        parent = one.getparent()
        assert parent is not None
        if etree.QName(one).localname in needed:
            continue
        one.text = ("", "长" * 9000, "20261121120506")[place % 3]
        if place % 4 == 3:
            parent.remove(one)
    etree.SubElement(unit, "strange").text = "1"
    assert told(open_receipt(written(root))) == ([], expected)


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
def test_without_its_status_or_the_thread_to_its_document_a_receipt_is_told_so(spec: Spec, revision: str) -> None:
    for path in (spec.status, spec.echo[0]):
        root = good(spec.root, revision)
        lost = leaf(root, spec, path)
        parent = lost.getparent()
        assert parent is not None
        parent.remove(lost)
        opened = open_receipt(written(root))
        assert [(found.code, found.path) for found in opened.findings] == [
            ("S014", f"/{spec.root}/{spec.document}[1]/{path}")
        ]


@pytest.mark.parametrize("sample", ["CEB816_as_sent", "CEB816_as_described"])
def test_a_tax_bill_may_name_order_and_waybill_in_either_spelling(sample: str) -> None:
    opened = open_receipt((SAMPLES / "bad" / f"{sample}.xml").read_bytes())
    assert opened.findings == ()
    head = opened.documents[0].head
    assert (head["orderNo"], head["logisticsNo"]) == ("YX2026000000008801", "SD00000008801")
    assert "logisticNo" not in head
    assert [line["gnum"] for line in opened.documents[0].lines] == ["1", "2", "3"]


def test_tax_bills_are_without_end() -> None:
    root = good("CEB816Message", "202205")
    for _ in range(120):
        root.append(etree.fromstring(etree.tostring(root[0])))
    assert told(open_receipt(written(root)))[0] == []
    assert open_message(written(root)).findings == ()


def test_an_envelope_and_a_declaration_are_no_receipts() -> None:
    for message in ("DxpMsg", "DxpRep", "CEB311Message"):
        opened = open_receipt(written(good(message, "202205")))
        assert ([found.code for found in opened.findings], opened.fatal) == (["S006"], True)


def backwards(fields: writing.Fields) -> writing.Fields:
    return {
        field: given if isinstance(given, str | list) else backwards(given)
        for field, given in reversed(list(fields.items()))
    }


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
def test_a_receipt_of_ours_is_in_order_whatever_order_it_is_given_in(spec: Spec, revision: str) -> None:
    units = open_message(written(good(spec.root, revision, units=2)), revision=revision).documents
    given = [(spec.document, backwards(writing.fields_of(unit.element))) for unit in units]
    opened = open_message(writing.made(spec.root, "g" * 36, given, revision=revision), revision=revision)
    assert opened.findings == ()
    assert [unit.canonical() for unit in opened.documents] == [unit.canonical() for unit in units]


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=name)
def test_a_receipt_that_the_schema_would_refuse_is_never_written(spec: Spec, revision: str) -> None:
    fields = writing.fields_of(good(spec.root, revision)[0])
    for wrong in ({**fields, "strange": "1"}, dict(list(fields.items())[1:])):
        with pytest.raises(ValueError, match=spec.root):
            writing.made(spec.root, "g" * 36, [(spec.document, wrong)], revision=revision)


def test_a_refusal_of_anything_is_a_good_ceb900() -> None:
    for body in (b"", b"\x00\xff<a>&]]>", "<a>单</a>".encode() * 9000):
        data = writing.refusal("g" * 36, info="长" * 6000, now=NOW, original="n" * 300, root="R" * 40, body=body)
        assert open_message(data).findings == ()
        assert open_receipt(data).documents[0].head["returnTime"] == "20261121120506789"
