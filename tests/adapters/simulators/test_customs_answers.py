"""Customs answers every document in its own form, stage by stage, and its book says what it was told."""

import re

import pytest
from lxml import etree

from message_specs.opening import open_message
from message_specs.schema import compiled
from tests import samples
from tests.adapters.simulators.box import Box, unwrapped

STAGES = {"CEB311": ["2", "120"], "CEB411": ["2", "120"], "CEB511": ["2", "120"],
          "CEB621": ["2", "120", "399", "800"]}  # fmt: skip
RECEIPTS = {"CEB311": "CEB312", "CEB411": "CEB412", "CEB511": "CEB512", "CEB621": "CEB622"}


@pytest.mark.parametrize("form", ["DxpMsg", "DxpMsgSv"])
def test_each_kind_is_answered_stage_by_stage_and_booked_under_the_key_of_its_spec(box: Box, form: str) -> None:
    box.start()
    told = {}
    for spec in STAGES:
        told[spec] = box.sealed(spec, 3)
        box.drop(box.enveloped(told[spec], spec, form=form))
    box.answered(sum(3 * len(stages) for stages in STAGES.values()))
    expected = []
    for spec, stages in STAGES.items():
        opened = open_message(told[spec])
        expected += [(opened.guid, spec, document.key, 1, stages, None) for document in opened.documents]
    columns = ("guid", "spec", "key", "times", "statuses", "refused")
    assert sorted((tuple(line[name] for name in columns) for line in box.book()), key=str) == sorted(expected, key=str)


def test_receipts_have_the_published_structure_and_the_shape_that_customs_gives_them(box: Box) -> None:
    box.start()
    for spec in STAGES:
        box.tell(spec, 2)
    box.answered(20)
    for path in box.files():
        envelope = etree.fromstring(path.read_bytes())
        assert compiled("DxpMsg", "202205").validate(envelope)
        receipt = unwrapped(path.read_bytes())
        schema = compiled(etree.QName(receipt).localname, "202205")
        assert schema.validate(receipt), schema.error_log
        text = etree.tostring(receipt, encoding="unicode")
        assert re.search(r"^<CEB\d12Message |^<CEB622Message ", text)
        assert receipt.get("guid") == (receipt.get("guid") or "").upper()
        assert not receipt.findall("{*}BaseTransfer")
        assert receipt.getroottree().docinfo.standalone
        assert all(re.fullmatch(r"20\d{15}", time.text or "") for time in receipt.iter("{*}returnTime"))
        assert all((guid.text or "") == (guid.text or "").lower() for guid in receipt.iter("{*}guid"))


def test_a_receipt_says_what_customs_says(box: Box) -> None:
    box.start()
    box.tell("CEB311")
    box.answered(2)
    guid = samples.guid("311", 1)
    told = [unwrapped(path.read_bytes()).findtext(".//{*}returnInfo") for path in box.files()]
    assert told == [f"订单新增申报成功[{guid}]", "[Code:1800;Desc:逻辑校验通过]"]


def test_an_inventory_gets_its_numbers_once_and_keeps_them(box: Box) -> None:
    box.start()
    box.tell("CEB621", 2)
    box.answered(8)
    numbers = [
        [(unit.findtext("{*}preNo"), unit.findtext("{*}invtNo")) for unit in unwrapped(path.read_bytes())]
        for path in box.files()
    ]
    first = [(pre, None) for pre, _ in numbers[1]]
    assert numbers == [first, numbers[1], numbers[1], numbers[1]]
    assert len(set(numbers[1])) == 2
    for pre, invt in numbers[1]:
        assert re.fullmatch(r"B20\d{15}", pre or "")
        assert re.fullmatch(r"29102\d{3}I\d{9}", invt or "")


def test_a_hundred_documents_told_together_are_answered_together(box: Box) -> None:
    box.start()
    box.tell("CEB311", 100)
    numbers = [samples.trade(number)["orderNo"] for number in range(1, 101)]
    assert box.answered(200) == [("CEB312", number, status) for status in ("2", "120") for number in numbers]
    assert len(box.files()) == 2


def test_receipts_leave_without_an_envelope_when_so_configured(box: Box) -> None:
    box.configure(top="wrap_answers = false")
    box.start()
    sealed = box.tell("CEB311")
    box.first_files(2)
    roots = [etree.QName(etree.fromstring(path.read_bytes())).localname for path in box.files()]
    assert roots == ["CEB312Message"] * 2
    assert (
        open_message(box.files()[0].read_bytes()).documents[0].reply_key == open_message(sealed).documents[0].reply_key
    )


def test_the_other_revision_is_understood_too(box: Box) -> None:
    box.configure(top='revision = "2018"')
    box.start()
    box.tell("CEB511")
    assert [status for _, _, status in box.answered(2)] == ["2", "120"]


def test_times_given_grow_from_stage_to_stage_even_without_delay(box: Box) -> None:
    box.start()
    box.tell("CEB621")
    box.answered(4)
    times = [unwrapped(path.read_bytes()).findtext(".//{*}returnTime") or "" for path in box.files()]
    assert times == sorted(set(times))
