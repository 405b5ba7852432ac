"""A crash between any two steps of a batch, out or back, loses nothing and gives nothing another name."""

from pathlib import Path

import pytest

from adapters.carriers.batch import write_batch
from tests.crash.world import contents
from tests.exchange.house import House
from tests.exchange.office import BASIC, report, reporting, told
from tests.homes import demo_home

ROWS = [BASIC | {"申报号码": report(n), "银行业务编号": f"BANK{n:04d}"} for n in (1, 2, 3)]
STEPS = ("claimed", "judged", "sealed", "synced", "writing", "written", "let go")


class PowerCut(BaseException):
    """Nothing catches it"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return reporting(demo_home(tmp_path))


def finished(home: Path) -> None:
    """A new start has done what was left, and everything is answered, once."""
    house = House(home)
    house.carry()
    house.meets()
    house.meets()
    assert house.states() == [(report(n), "closed") for n in (1, 2, 3)]
    assert [one["report"] for one in told(home)] == [report(n) for n in (1, 2, 3)]
    assert len(house.rows("SELECT name FROM fx_batch")) == 1
    (receipt,) = (home / "spool/partners/bank/out").glob("*.BOPAR.xml")
    assert receipt.read_text("utf-8").count("<returnStatus>0</returnStatus>") == 3
    house.close()


def test_names_were_given_and_nothing_was_written(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *ROWS)
    house.register.gather(house.due())
    house.close()
    finished(home)


def test_a_batch_was_half_written(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *ROWS)
    (batch,) = house.register.gather(house.due()).batches
    aside = house.sending / f".{batch.control.folder}.writing"
    aside.mkdir()
    (aside / str(batch.files[0].name)).write_bytes(b"<MSG>")
    house.close()
    finished(home)
    assert not aside.exists()


def test_a_batch_was_written_and_the_ledger_was_not_told(home: Path) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *ROWS)
    (batch,) = house.register.gather(house.due()).batches
    write_batch(house.sending, batch)
    before = contents(house.sending)
    write_batch(house.sending, batch)
    assert contents(house.sending) == before
    house.close()
    finished(home)


def test_an_office_that_takes_a_batch_twice_refuses_none_of_ours(home: Path) -> None:
    """The batch was taken away before a crash let us note it: it comes a second time under the same names."""
    house = House(home)
    house.drop("BOPA-1.csv", *ROWS)
    (batch,) = house.register.gather(house.due()).batches
    write_batch(house.sending, batch)
    house.office.round()
    house.close()
    house = House(home)
    house.carry()
    house.meets()
    house.meets()
    assert house.states() == [(report(n), "closed") for n in (1, 2, 3)]
    assert len(house.rows("SELECT name FROM fx_file")) == 1


@pytest.mark.parametrize("step", STEPS)
def test_feedback_was_cut_at_any_step_of_its_intake(home: Path, step: str) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *ROWS)
    house.carry()
    house.close()

    def pulse(reached: str) -> None:
        if reached == step:
            raise PowerCut

    house = House(home, pulse=pulse)
    with pytest.raises(PowerCut):
        house.meets()
    house.close()
    finished(home)


@pytest.mark.parametrize("step", STEPS)
def test_a_file_that_was_refused_whole_was_cut_at_any_step_of_its_intake(home: Path, step: str) -> None:
    house = House(home)
    house.drop("BOPA-1.csv", *ROWS)
    house.carry()
    house.close()

    def pulse(reached: str) -> None:
        if reached == step:
            raise PowerCut

    house = House(home, "format-error", pulse=pulse)
    with pytest.raises(PowerCut):
        house.meets()
    house.close()
    house = House(home)
    house.meets()
    house.clerk.tell()
    assert house.states() == [(report(n), "held") for n in (1, 2, 3)]
    assert house.held() == []
    assert len(list((home / "spool/partners/bank/out").glob("*.F164.*.notice.json"))) == 1
    house.close()
