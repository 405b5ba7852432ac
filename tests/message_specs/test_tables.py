"""The field tables are read as they were published: in order, with every facet, in both revisions."""

import csv

import pytest

from message_specs.catalog import REVISIONS, catalog
from message_specs.tables import FOLDER, Node, NoTable, family, revisions_of, table


def nodes(node: Node) -> list[Node]:
    return [node, *node.attributes, *(found for child in node.children for found in nodes(child))]


def test_every_row_is_one_node() -> None:
    for file in sorted(FOLDER.glob("*/fields.csv")):
        with file.open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        for message, revision in sorted({(row["message"], row["revision"]) for row in rows}):
            paths = [row["path"] for row in rows if (row["message"], row["revision"]) == (message, revision)]
            assert sorted(node.path for node in nodes(table(message, revision)) if node.path) == sorted(paths)
            assert family(message, revision) == file.parent.name


def test_a_leaf_carries_its_facets() -> None:
    [order] = [child for child in table("CEB311Message", "202205").children if child.name == "Order"]
    head = {leaf.name: leaf for leaf in order.children[0].children}
    assert head["currency"] == Node(
        "currency", "Order/OrderHead/currency", 1, 1, "xs:string", length=3, fixed="142", zh="币制"
    )
    assert head["goodsValue"] == Node(
        "goodsValue",
        "Order/OrderHead/goodsValue",
        1,
        1,
        "xs:decimal",
        total_digits=19,
        fraction_digits=5,
        zh="商品价格",
    )


def test_elements_stand_in_the_order_of_the_schema() -> None:
    names = [child.name for child in table("CEB311Message", "2018").children]
    assert names == ["Order", "BaseTransfer", "BaseSubscribe", "ExtendMessage", "ds:Signature"]


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_spec_has_a_table_with_its_document_and_its_keys(revision: str) -> None:
    for spec in catalog().specs.values():
        if revision not in revisions_of(spec.root):
            continue
        paths = {node.path for node in nodes(table(spec.root, revision))}
        asked = {f"{spec.document}/{path}" for path in (*spec.key, *spec.reply_key, *spec.echo)}
        assert asked | {spec.document} <= paths


def test_an_unknown_message_has_no_table() -> None:
    with pytest.raises(NoTable, match="CEB999Message 2018"):
        table("CEB999Message", "2018")
