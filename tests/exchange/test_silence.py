"""An office that says nothing is told of: to the partners in their out/, to the operator by doctor and files."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.cli import ended, fx_symptoms
from gateway.config import load_house
from tests.exchange.house import House
from tests.exchange.office import BASIC, report, reporting
from tests.homes import demo_home

DATA = "BOPA33010000010126112201.XML"


def notices(house: House) -> list[str]:
    house.clerk.look()
    house.clerk.tell()
    files = (house.home / "spool/partners/bank/out").glob("*.F166.*.notice.json")
    return sorted(json.loads(file.read_bytes())["findings"][0]["zh"] for file in files)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(reporting(demo_home(tmp_path)))
    house.drop("BOPA-1.csv", *(BASIC | {"申报号码": report(n)} for n in (1, 2)))
    return house


def test_a_file_without_feedback_is_told_once_a_period_until_it_comes(house: House) -> None:
    house.carry()
    house.moment += timedelta(days=1, hours=23)
    assert notices(house) == []
    house.moment += timedelta(hours=2)
    first = f"数据文件 {DATA}（2026-11-22 报送）已满 2 天没有反馈"
    assert notices(house) == notices(house) == [first]
    house.moment += timedelta(days=2)
    assert notices(house) == [first, first.replace("2 天", "4 天")]
    house.meets()
    assert house.states() == [(report(1), "closed"), (report(2), "closed")]
    house.moment += timedelta(days=9)
    assert len(notices(house)) == 2


def test_silence_counts_from_when_the_file_left_and_not_from_when_it_was_named(house: House) -> None:
    house.register.gather(house.due())
    house.moment += timedelta(days=3)
    assert notices(house) == []
    house.carry()
    house.moment += timedelta(days=1)
    assert notices(house) == []
    house.moment += timedelta(days=2)
    assert len(notices(house)) == 1


def test_the_operator_is_told_by_doctor_and_by_the_list_of_files(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.carry()
    file = house.home / "authorities/safe.toml"
    file.write_text(file.read_text("utf-8").replace("silent_days = 2.0", "silent_days = 366.0"), "utf-8")

    def seen(later: timedelta) -> list[tuple[str, str]]:
        found = fx_symptoms.feedback(load_house(house.home), house.moment + later)
        return [(one.status, one.seen.partition(",")[0]) for one in found]

    assert seen(timedelta(days=365)) == [("ok", "nothing is missing from safe")]
    assert seen(timedelta(days=367)) == [("warning", DATA)]
    capsys.readouterr()
    assert ended(["fx", "files", "--open", "--json", "--home", str(house.home)]) == 0
    assert [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()] == [DATA]


@pytest.mark.parametrize("left", ["token", "token and half a file"])
def test_what_a_dead_peer_left_behind_is_never_read_and_is_told(house: House, left: str) -> None:
    house.carry()
    batch = house.home / "spool/authorities/safe/receive" / "BOPT33010000010126112201"
    batch.mkdir(parents=True)
    (batch / "Token.lock").touch()
    if left != "token":
        (batch / DATA).write_bytes(b'<?xml version="1.0" encoding="gb18030"?>\n<MSG><APPTYPE>BOP')
    reason = f"{batch.name}.XML is not whole yet"
    assert house.door.look().waits == {batch.name: reason}
    told = list(fx_symptoms.feedback(load_house(house.home), house.moment))
    assert [(one.status, one.seen) for one in told] == [("warning", f"batch {batch.name} is not read: {reason}")]
    assert house.states() == [(report(1), "sent"), (report(2), "sent")]
    # The peer is there again and puts the whole batch in its place.
    for file in batch.iterdir():
        file.unlink()
    batch.rmdir()
    house.meets()
    assert house.states() == [(report(1), "closed"), (report(2), "closed")]


def test_a_token_in_the_root_keeps_nothing_from_us(house: House) -> None:
    for folder in ("send", "receive"):
        place = house.home / "spool/authorities/safe" / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / "Token.lock").touch()
    house.carry()
    house.meets()
    assert house.states() == [(report(1), "closed"), (report(2), "closed")]
