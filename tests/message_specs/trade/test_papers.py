"""Documents of one trade find one another by their marks, and a paper remembers what the law needs and no more."""

from pathlib import Path

import pytest
from lxml import etree

import message_specs
from message_specs.catalog import catalog
from message_specs.document import Document
from message_specs.opening import open_message, open_receipt
from message_specs.tables import Node, revisions_of
from message_specs.tables import table as fields
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import kept, kinds, marks, marks_of, pack, table, unpack
from tests.samples import message

SAMPLES = Path(message_specs.__file__).parent / "ceb" / "samples" / "good"
ORDER, PAYMENT, WAYBILL, INVENTORY = (
    open_message(message(spec, 1, start=7)).documents[0] for spec in ("CEB311", "CEB411", "CEB511", "CEB621")
)


def document(spec: str, text: str) -> Document:
    return Document(catalog().specs[spec], 1, etree.fromstring(text))


def paths(spec: str) -> set[str]:
    found: set[str] = set()

    def walk(node: Node, above: str) -> None:
        for child in node.children:
            path = f"{above}/{child.name}".lstrip("/")
            found.add(path)
            walk(child, path)

    one = catalog().specs[spec]
    for revision in revisions_of(one.root):
        walk(next(child for child in fields(one.root, revision).children if child.name == one.document), "")
    return found | {path.rpartition("/")[2] for path in found}


def every(document: Document) -> tuple[int, ...]:
    """Every mark of a document, each once."""
    return tuple(dict.fromkeys(mark for of_kind in marks(document).values() for mark in of_kind))


def test_every_kind_mark_and_kept_field_names_what_its_spec_has() -> None:
    specs = catalog().specs
    assert set(kinds()) <= set(specs)
    for row in table("marks.csv"):
        assert [path for path in row["paths"].split() if path not in paths(row["spec"])] == [], row
    for row in table("kept.csv"):
        assert [path for path in row["fields"].split() if path not in paths(row["spec"])] == [], row


def test_three_documents_and_their_inventory_share_their_marks() -> None:
    order, payment, waybill, inventory = (set(every(one)) for one in (ORDER, PAYMENT, WAYBILL, INVENTORY))
    of_order = mark_of("order", ORDER.head["ebpCode"], ORDER.head["orderNo"])
    order_no = mark_of("order_no", ORDER.head["orderNo"])
    paid = mark_of("payment", ORDER.head["payCode"], ORDER.head["payTransactionId"])
    carried = mark_of("waybill", WAYBILL.head["logisticsCode"], WAYBILL.head["logisticsNo"])
    assert order == {of_order, order_no, paid}
    assert payment == {of_order, paid}
    assert waybill == {carried, order_no}
    assert inventory & (order | payment | waybill) == {of_order, order_no, carried}


def test_a_blank_value_makes_no_mark() -> None:
    bare = document("CEB311", "<Order><OrderHead><ebpCode>E1</ebpCode><orderNo> </orderNo></OrderHead></Order>")
    assert every(bare) == ()
    half = document("CEB311", "<Order><OrderHead><orderNo>A1</orderNo><payCode/></OrderHead></Order>")
    assert every(half) == (mark_of("order_no", "A1"),)


def test_every_line_of_a_list_is_found_by_its_own_mark_and_once() -> None:
    lines = "".join(f"<SummaryApplyList><invtNo>{number}</invtNo></SummaryApplyList>" for number in ("N1", "N2", "N1"))
    head = "<SummaryApplyHead><sumNo>S1</sumNo></SummaryApplyHead>"
    apply = document("CEB701", f"<SummaryApply>{head}{lines}</SummaryApply>")
    assert every(apply) == (mark_of("sum", "S1"), mark_of("inventory", "N1"), mark_of("inventory", "N2"))
    parcels = "<WayBillList><logisticsNo>W1</logisticsNo></WayBillList><WayBillList><invtNo>N2</invtNo></WayBillList>"
    head = "<WayBillHead><logisticsCode>L</logisticsCode><billNo>B</billNo></WayBillHead>"
    summary = document("CEB607", f"<WayBill>{head}{parcels}</WayBill>")
    bill = (mark_of("bill", "B"), mark_of("carried", "B"))
    assert every(summary) == (*bill, mark_of("waybill", "L", "W1"), mark_of("inventory", "N2"))


def test_an_answer_leads_from_the_number_the_enterprise_gave_to_that_of_customs() -> None:
    receipt = document("CEB622", "<R><agentCode>G</agentCode><copNo>C1</copNo><invtNo>N1</invtNo></R>")
    assert every(receipt) == (mark_of("declared", "G", "C1"), mark_of("inventory", "N1"))
    assert mark_of("declared", INVENTORY.head["agentCode"], INVENTORY.head["copNo"]) in every(INVENTORY)


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("CEB*.xml")), ids=lambda file: file.stem)
def test_every_good_sample_has_the_same_marks_read_whole_and_read_kind_by_kind(file: Path) -> None:
    spec = file.stem[:6]
    opened = open_receipt(file.read_bytes()) if catalog().specs[spec].answers else open_message(file.read_bytes())
    named = {row["mark"] for row in table("marks.csv") if row["spec"] == spec}
    for one in opened.documents:
        head, lines = unpack(pack(one))
        assert set(every(one)) == {mark for kind in named for mark in marks_of(kind, spec, head, lines)}


def test_what_was_packed_is_unpacked_without_the_blank_and_the_forgotten() -> None:
    head, lines = unpack(pack(ORDER))
    names = kept("CEB311")
    assert head == {name: ORDER.head[name] for name in names.head if ORDER.head.get(name)}
    assert lines == tuple({name: line[name] for name in names.lines if line.get(name)} for line in ORDER.lines)
    assert "note" not in head
    assert unpack(pack(document("CEB513", "<L><logisticsNo>W</logisticsNo><note>x</note></L>"))) == (
        {"logisticsNo": "W"},
        (),
    )
