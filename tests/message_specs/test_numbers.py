"""A finding carries the official number that fits, and a receipt of ours tells it where enterprises look for it."""

import re

import pytest

from message_specs.catalog import catalog
from message_specs.codes import official_error
from message_specs.findings import wordings
from message_specs.numbers import as_returned, official_number, rows
from message_specs.tables import Node, revisions_of, table

SPECS = catalog().specs


def names(node: Node) -> set[str]:
    return {node.name}.union(*(names(child) for child in node.children))


@pytest.mark.parametrize(("row", "number"), rows().items(), ids=str)
def test_every_row_speaks_of_findings_specs_elements_and_numbers_that_exist(
    row: tuple[str, str, str], number: str
) -> None:
    finding, spec, name = row
    assert [code for code in wordings() if code.startswith(finding)]
    assert spec == "*" or SPECS[spec].receipt
    assert not name or name in names(table(SPECS[spec].root, revisions_of(SPECS[spec].root)[-1]))
    error = official_error(number)
    assert error is not None
    assert error.scope in {"*", "DXP", SPECS[spec].receipt if spec != "*" else "DXP"}


def test_every_structural_finding_has_some_number_in_every_spec() -> None:
    for code in wordings():
        if code[0] in "SG":
            assert [spec for spec in ("*", *SPECS) if not official_number(code, spec)] == []


def test_the_nearest_row_wins() -> None:
    told = [official_number("S020", "CEB625", name) for name in ("InvtRefund", "InvtRefundList", "invtNo")]
    assert told == ["-625003", "-625006", "-625001"]
    assert [official_number("S001", spec) for spec in ("CEB511", "CEB311", "CEB603", "*")] == [
        "-504000", "0001", "0001", "0001",
    ]  # fmt: skip


def test_the_text_has_the_shape_that_readers_of_customs_texts_look_for() -> None:
    path = "/CEB311Message/Order[orderNo='A/1]']/OrderList"
    said = as_returned("S020", "缺少 OrderList[2]（表体）", spec="CEB311", path=path)
    match = re.fullmatch(r"\[Code:(-?\d{4,6});Desc:([^\]]*)\](.*)", said)
    assert match is not None
    assert match.groups() == ("-301001", "S020 缺少 OrderList［2］（表体）", "")
