"""A data file that the office refuses whole ends: its records are held with the reason and their partner is told.

Released they leave in a new file; refused they are the partner's again.  None is told to the office twice as new.
"""

import json
from pathlib import Path

import pytest

from adapters.carriers.batch import write_batch
from adapters.simulators.fx_answers import asked_for
from gateway.replaying import Ruling
from gateway.selecting import Selection
from gateway.submitting import Counter
from gateway.verbs import Verbs
from tests.exchange.house import House
from tests.exchange.office import BASIC, report, reporting, told
from tests.homes import demo_home

CONTROL = "BOPT33010000010126112201"
DATA = "BOPA33010000010126112201.XML"
WHY = (
    f"F164 数据文件 {DATA} 因格式被整个退回：报文格式错误"
    f" the data file {DATA} was refused whole for its format: 报文格式错误"
)
ROWS = [BASIC | {"申报号码": report(n), "银行业务编号": f"BANK{n:04d}"} for n in (1, 2)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(reporting(demo_home(tmp_path)), "format-error")


def rule(house: House, verb: str) -> None:
    with Counter(house.home, clock=house.now) as counter:
        list(Verbs(counter, Ruling("查明", "li")).carry_out(verb, Selection(spec="BOPA")))


def notices(house: House) -> list[dict[str, object]]:
    house.clerk.tell()
    files = sorted((house.home / "spool/partners/bank/out").glob("*.notice.json"))
    return [json.loads(file.read_bytes()) for file in files]


def refused(house: House) -> None:
    house.drop("BOPA-1.csv", *ROWS)
    house.carry()
    house.meets()


def test_its_records_are_held_with_the_reason_and_the_partner_is_told_once(house: House) -> None:
    house.drop("BOPA-1.csv", *ROWS)
    house.carry()
    house.office.round()
    body = (house.home / "spool/authorities/safe/receive" / CONTROL / DATA).read_bytes()
    house.meets()
    rows = house.rows("SELECT state, why, message FROM document WHERE spec = 'BOPA'")
    assert rows == [("held", WHY, None)] * 2
    (one,) = notices(house)
    assert {key: one[key] for key in ("number", "spec", "records")} == {
        "number": DATA, "spec": "BOPA", "records": [report(1), report(2)],
    }  # fmt: skip
    assert [said["code"] for said in one["findings"]] == ["F164"]  # type: ignore[attr-defined]
    assert house.rows("SELECT name, refused, answer IS NOT NULL FROM fx_file") == [(DATA, 2, 1)]
    assert house.held() == []
    house.take("safe", DATA, body=body)
    assert house.held() == []
    assert len(notices(house)) == 1


def test_released_they_leave_in_a_new_file_and_are_taken(house: House) -> None:
    refused(house)
    rule(house, "release")
    house.resume()
    house.office._asked = asked_for([])
    house.office._known.records.clear()
    house.carry()
    house.meets()
    assert house.states() == [(report(1), "closed"), (report(2), "closed")]
    names = [name for (name,) in house.rows("SELECT name FROM fx_file ORDER BY name")]
    assert names == [DATA, DATA.replace("01.XML", "02.XML")]
    (receipt,) = (house.home / "spool/partners/bank/out").glob("*.BOPAR.xml")
    assert receipt.read_text("utf-8").count("<returnStatus>0</returnStatus>") == 2


def test_refused_they_are_the_partners_again(house: House) -> None:
    refused(house)
    rule(house, "refuse")
    assert house.states() == [(report(1), "refused"), (report(2), "refused")]
    assert len(list((house.home / "spool/partners/bank/refused").glob("*.why.txt"))) == 2
    told_again = house.drop("BOPA-2.csv", *(row | {"操作类型": "重报"} for row in ROWS))
    assert [one["state"] for one in told_again["documents"]] == ["ready", "ready"]


def test_an_answer_that_is_quicker_than_our_own_note_ends_it_too(house: House) -> None:
    house.drop("BOPA-1.csv", *ROWS)
    (batch,) = house.register.gather(house.due()).batches
    write_batch(house.sending, batch)
    house.meets()
    assert [state for _, state in house.states()] == ["held", "held"]
    assert house.due() == []
    assert house.carry() == []


def test_a_refused_record_named_twice_is_no_count_to_trust(tmp_path: Path) -> None:
    house = House(reporting(demo_home(tmp_path)), "reject-some=2")
    house.drop("BOPA-1.csv", *ROWS)
    house.carry()
    house.office.round()
    file = house.home / "spool/authorities/safe/receive" / CONTROL / DATA
    text = file.read_bytes().decode("gb18030")
    record = text[text.index("<REC>") : text.index("</REC>") + len("</REC>")]
    text = text.replace(record, record * 2).replace("<FALRECORDS>1<", "<FALRECORDS>2<")
    file.write_bytes(text.replace("<SUCRECORDS>1<", "<SUCRECORDS>0<").encode("gb18030"))
    house.meets()
    assert house.states() == [(report(1), "sent"), (report(2), "sent")]
    assert ["FALRECORDS 2, REC 2" in why for why in house.held()] == [True]
    assert len(told(house.home)) == 2
