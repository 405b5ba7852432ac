"""Files of the office: names, counts, encoding, what stands in them; and what is done about bad ones that come back."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.simulators.fx_answers import Answers, File, put
from tests.exchange.house import House
from tests.exchange.office import BASIC, DECLARED, report, reporting, told
from tests.homes import demo_home

CONTROL = "BOPT33010000010126112201"
DATA = "BOPA33010000010126112201.XML"


def rows(*serials: int) -> list[dict[str, str]]:
    return [BASIC | {"申报号码": report(n), "银行业务编号": f"BANK{n:04d}"} for n in serials]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return reporting(demo_home(tmp_path))


def test_a_batch_is_a_folder_with_its_control_file_its_data_files_and_the_token(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *rows(1, 2))
    house.carry()
    (batch,) = house.sending.iterdir()
    assert (batch.name, sorted(one.name for one in batch.iterdir())) == (
        CONTROL,
        [DATA, f"{CONTROL}.XML", "Token.lock"],
    )
    control = (batch / f"{CONTROL}.XML").read_bytes()
    assert control == (
        '<?xml version="1.0" encoding="gb18030"?>\n<MSG>\n<APPTYPE>BOP</APPTYPE>\n<CURRENTFILE>BOPT</CURRENTFILE>\n'
        f"<INOUT>IN</INOUT>\n<TOTALFILES>1</TOTALFILES>\n<FILES>\n<FILENAME>{DATA}</FILENAME>\n</FILES>\n</MSG>\n"
    ).encode("gb18030")
    data = (batch / DATA).read_bytes().decode("gb18030").splitlines()
    assert data[:7] == [
        '<?xml version="1.0" encoding="gb18030"?>', "<MSG>", "<APPTYPE>BOP</APPTYPE>",
        "<CURRENTFILE>BOPA</CURRENTFILE>", "<INOUT>IN</INOUT>", "<TOTALRECORDS>2</TOTALRECORDS>", "<RECORDS>",
    ]  # fmt: skip
    assert data[7].startswith(f"<REC><ACTIONTYPE>A</ACTIONTYPE><RPTNO>{report(1)}</RPTNO><CUSTYPE>C</CUSTYPE>")
    assert data[9:] == ["</RECORDS>", "</MSG>"]
    assert (batch / "Token.lock").read_bytes() == b""


def test_basic_information_and_declarations_leave_in_one_batch_and_are_answered_apart(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *rows(1))
    house.drop("BOPG-1.csv", DECLARED | {"申报号码": report(1), "申报日期": "2026-11-22"})
    house.carry()
    house.meets()
    assert house.states("BOPA") == house.states("BOPG") == [(report(1), "closed")]
    assert [(one["kind"], one["good"]) for one in told(home)] == [("BOPA", True), ("BOPG", True)]
    out = sorted(file.name.partition(".")[2] for file in (home / "spool/partners/bank/out").glob("*R.xml"))
    assert out == ["BOPAR.xml", "BOPGR.xml"]
    assert [one.name for one in (home / "spool/authorities/safe/read").iterdir()] == [CONTROL]


def test_a_change_a_deletion_and_a_new_try_follow_what_was_answered(home: Path) -> None:
    house = House(home, "reject-some=2")
    house.drop("BOPA-1.csv", *rows(1, 2))
    house.carry()
    house.meets()
    assert house.states() == [(report(1), "closed"), (report(2), "refused")]
    action = {"操作类型": "修改", "修改或删除原因": "更正", "收付款金额": "12000"}
    house.drop("BOPA-2.csv", *(one | action for one in rows(1)))
    house.carry()
    house.meets()
    house.drop("BOPA-3.csv", *(one | {"操作类型": "重报"} for one in rows(2)))
    house.carry()
    house.office._asked = House(home).office._asked
    house.meets()
    house.drop("BOPA-4.csv", *(one | {"操作类型": "删除", "修改或删除原因": "重复"} for one in rows(1)))
    house.carry()
    house.meets()
    assert [(one["action"], one["report"], one["good"]) for one in told(home)] == [
        ("A", report(1), True), ("A", report(2), False), ("C", report(1), True), ("R", report(2), True),
        ("D", report(1), True),
    ]  # fmt: skip
    assert [state for _, state in house.states()] == ["closed", "refused", "closed", "closed", "closed"]


def test_batches_gather_what_comes_and_long_ones_are_divided(tmp_path: Path) -> None:
    house = House(reporting(demo_home(tmp_path), gather=900, records=100))
    house.drop("BOPA-1.csv", *rows(*range(1, 251)))
    assert all(one.ok for one in house.carry())
    house.drop("BOPA-2.csv", *rows(300))
    (later,) = house.carry()
    assert (later.ok, later.retry_after) == (False, 900)
    assert later.trouble.startswith("gathered until 2026-11-22T04:15:0")
    house.moment += timedelta(minutes=16)
    assert [one.ok for one in house.carry()] == [True]
    assert house.rows("SELECT batch, name, records FROM fx_file ORDER BY name") == [
        (CONTROL, DATA, 100), (CONTROL, DATA.replace("01.XML", "02.XML"), 100),
        (CONTROL, DATA.replace("01.XML", "03.XML"), 50),
        (CONTROL[:-1] + "2", DATA.replace("01.XML", "04.XML"), 1),
    ]  # fmt: skip


def test_a_day_has_no_more_names_than_two_digits_and_the_next_day_has_new_ones(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *rows(1))
    house.carry()
    with house.ledger.writing() as ledger:
        ledger.run("add_fx_batch", CONTROL[:-2] + "99", "safe", "BOP", house.stamped())
    house.drop("BOPA-2.csv", *rows(2))
    (later,) = house.carry()
    assert (later.ok, later.trouble) == (False, "the names of this day are used up")
    house.moment += timedelta(days=1)
    assert [one.ok for one in house.carry()] == [True]
    assert "BOPT33010000010126112301" in [one.name for one in house.sending.iterdir()]


def test_half_a_batch_of_feedback_waits(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *rows(1))
    house.carry()
    house.office.round()
    batch = home / "spool/authorities/safe/receive" / CONTROL
    whole = (batch / DATA).read_bytes()
    (batch / DATA).write_bytes(whole[: len(whole) // 2])
    assert house.meets().waits == {CONTROL: f"{DATA} is not whole yet"}
    (batch / DATA).write_bytes(whole)
    (batch / "Token.lock").rename(batch / "token")
    assert house.meets().waits == {CONTROL: "Token.lock is not there yet"}
    (batch / "token").rename(batch / "Token.lock")
    assert house.states() == [(report(1), "sent")]
    assert house.meets().waits == {}
    assert house.states() == [(report(1), "closed")]


@pytest.mark.parametrize(("behaviour", "code"), [
    ("wrong-encoding", "F162"), ("wrong-totals", "F161"), ("wrong-counts", "F160"),
])  # fmt: skip
def test_what_is_wrong_with_feedback_is_told_and_settles_nothing(home: Path, behaviour: str, code: str) -> None:
    from message_specs.findings import wordings

    house = House(home, "reject-some=2", behaviour)
    house.drop("BOPA-1.csv", *rows(1, 2))
    house.carry()
    house.meets()
    (why,) = house.held()
    assert why.startswith("K104 ")
    assert wordings()[code].en.partition("{")[0] in why
    assert house.states() == [(report(1), "sent"), (report(2), "sent")]


def test_an_unknown_record_is_held_and_the_others_are_settled(home: Path) -> None:
    house = House(home, "unknown-record")
    house.drop("BOPA-1.csv", *rows(1, 2))
    house.carry()
    house.meets()
    assert house.states() == [(report(1), "closed"), (report(2), "closed")]
    assert house.held() == [f"K103 BOPAR 999999999999261122Z999 {DATA}"]


def test_feedback_on_a_file_that_was_never_sent_is_held(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *rows(1))
    house.carry()
    house.office.round()
    body = (home / "spool/authorities/safe/receive" / CONTROL / DATA).read_bytes()
    house.take("safe", DATA.replace("01.XML", "77.XML"), body=body)
    assert house.held() == ["K104 the feedback BOPA33010000010126112277.XML answers a data file that we did not send"]


def test_the_same_feedback_again_changes_nothing(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *rows(1))
    house.carry()
    house.office.round()
    body = (home / "spool/authorities/safe/receive" / CONTROL / DATA).read_bytes()
    house.meets()
    before = house.rows("SELECT count(*) FROM receipt")
    house.take("safe", DATA, body=body)
    assert house.rows("SELECT count(*) FROM receipt") == before
    assert house.held() == []


def test_feedback_that_says_the_contrary_of_the_one_before_settles_nothing_and_is_held(home: Path) -> None:
    house = House(home, "reject-some=2")
    house.drop("BOPA-1.csv", *rows(1, 2))
    house.carry()
    house.office.round()
    body = (home / "spool/authorities/safe/receive" / CONTROL / DATA).read_bytes()
    house.meets()
    before = house.states(), house.rows("SELECT key, status FROM receipt ORDER BY id")
    assert sorted(before[0]) == [(report(1), "closed"), (report(2), "refused")]
    house.take("safe", DATA, body=body.replace(report(2).encode(), report(1).encode()))
    (why,) = house.held()
    assert why == f"K104 the feedback {DATA} says the contrary of the one before: {report(1)}, {report(2)}"
    assert (house.states(), house.rows("SELECT key, status FROM receipt ORDER BY id")) == before


@pytest.mark.parametrize(("total", "code"), [("3", "F161"), ("9" * 5000, "F165")])
def test_a_record_refused_twice_is_one_and_a_count_beyond_all_numbers_is_none(
    home: Path, total: str, code: str
) -> None:
    from message_specs.findings import wordings

    house = House(home, "reject-some=2")
    house.drop("BOPA-1.csv", *rows(1, 2, 3))
    house.carry()
    house.office.round()
    text = (home / "spool/authorities/safe/receive" / CONTROL / DATA).read_bytes().decode("gb18030")
    text = re.sub("(<REC>.*?</REC>)", r"\1\1", text, flags=re.DOTALL)
    for name, count in (("TOTALRECORDS", total), ("SUCRECORDS", "1"), ("FALRECORDS", "2")):
        text = re.sub(f"<{name}>.*?</{name}>", f"<{name}>{count}</{name}>", text)
    house.take("safe", DATA, body=text.encode("gb18030"))
    (why,) = house.held()
    assert why.startswith("K104 ")
    assert wordings()[code].en.partition("{")[0] in why
    assert house.states() == [(report(n), "sent") for n in (1, 2, 3)]


def test_a_record_in_a_file_that_waits_to_be_written_is_not_refused_behind_its_back(home: Path) -> None:
    from gateway.replaying import Ruling
    from gateway.selecting import Selection
    from gateway.submitting import Counter
    from gateway.verbs import Verbs

    house = House(home)
    house.drop("BOPA-1.csv", *rows(1, 2))
    house.register.gather(house.due())
    with Counter(home, clock=house.now) as counter:
        number = house.rows("SELECT number FROM document WHERE key = ?", report(1))[0][0]
        verbs = Verbs(counter, Ruling("重复", "li"))
        (one,) = verbs.carry_out("refuse", Selection((f"{number}.1",)))
    assert (one.done, DATA in one.note) == (False, True)
    house.carry()
    house.meets()
    assert house.states() == [(report(1), "closed"), (report(2), "closed")]
    assert [one["report"] for one in told(home)] == [report(1), report(2)]


@pytest.mark.parametrize("behaviour", ["wrong-encoding", "wrong-totals", "wrong-counts"])
def test_the_right_feedback_after_a_wrong_one_settles_everything(home: Path, behaviour: str) -> None:
    house = House(home, behaviour, "reject-some=2")
    house.drop("BOPA-1.csv", *rows(1, 2))
    house.carry()
    house.meets()
    assert house.states() == [(report(1), "sent"), (report(2), "sent")]
    right = Answers()
    told_again = File(DATA, "BOPA", 2, (), ())
    put(home / "spool/authorities/safe/receive", CONTROL, [told_again], right)
    house.meets()
    assert house.states() == [(report(1), "closed"), (report(2), "closed")]
