"""Every text of the big list of naughty strings goes in and comes out whole, or a finding names it; nothing breaks.

As a cell of a CSV and of a workbook, and as a text of an XML order.
"""

import json
from pathlib import Path

import pytest

from mapping.judging import Judged
from message_specs.check import check
from message_specs.document import escaped
from message_specs.findings import Finding, Severity
from message_specs.opening import open_message
from tests import samples
from tests.mapping.tables import TODAY, as_csv, as_xlsx, grid, mapped, row

FOLDER = Path(__file__).with_name("data") / "naughty"
LISTS = [json.loads((FOLDER / name).read_text("utf-8")) for name in ("npm.json", "pypi.json")]
NAUGHTY = tuple(dict.fromkeys(text for one in LISTS for text in one if text.strip()))
CELLS = {"商品名称": "itemName", "收货地址": "consigneeAddress"}


def values(judged: list[Judged]) -> dict[str, str]:
    """The values of the one document that there is."""
    [document] = judged[0].documents
    return document.head | document.lines[0]


def errors(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.severity is Severity.ERROR]


def test_the_list_is_whole() -> None:
    assert len(NAUGHTY) == 482


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("heading", CELLS)
def test_a_naughty_cell_comes_out_whole_or_is_told(kind: str, heading: str) -> None:
    for text in NAUGHTY:
        rows = [row(1, 1, **{heading: text})]
        run, judged = mapped(as_csv(rows) if kind == "csv" else as_xlsx({"订单": grid(rows)}), f"a.{kind}")
        assert run.tally.is_even
        told = errors([*run.findings, *(found for one in judged for found in one.findings)])
        if told:
            assert {found.cell for found in told if found.cell} <= {"Q2", "O2", "订单!Q2", "订单!O2"}
        else:
            assert values(judged)[CELLS[heading]] == text.strip(), text


@pytest.mark.parametrize("heading", ["订单编号", "数量", "单位", "订购人证件号码", "原产国"])
def test_a_naughty_key_number_or_code_ends_in_a_document_or_a_finding(heading: str) -> None:
    for text in NAUGHTY:
        run, judged = mapped(as_csv([row(1, 1, **{heading: text})]))
        assert run.tally.is_even
        assert judged or errors(run.findings), text


def test_a_naughty_text_of_an_order_comes_out_whole_or_is_told() -> None:
    good = samples.message("CEB311", 1)
    place = good.index(b"<ceb:consigneeAddress>") + len(b"<ceb:consigneeAddress>")
    end = good.index(b"</ceb:consigneeAddress>")
    for text in NAUGHTY:
        opened = open_message(good[:place] + escaped(text).encode() + good[end:])
        if not errors(list(check(opened, today=TODAY))):
            [document] = opened.documents
            assert document.head["consigneeAddress"] == text, text
