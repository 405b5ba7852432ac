"""The tax office in a box is strict, says nothing that is not in its book, and says the same after a crash."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from adapters.simulators.tax_law import Law
from adapters.simulators.tax_rounds import NAMES, Office, UnknownBehaviour, behaviour
from message_specs.opening import open_receipt

ROOT = Path(__file__).parents[3]
SAMPLE = files("message_specs").joinpath("tax", "samples", "good", "TAX101.xml").read_bytes()
EXEMPT = files("message_specs").joinpath("tax", "samples", "good", "TAX201.xml").read_bytes()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def office(place: Path, *asked: str, law: Law | None = None) -> Office:
    one = Office(place / "state", place / "in", place / "out", law or Law(), behaviour(asked))
    one.open()
    return one


def told(place: Path, body: bytes = SAMPLE, name: str = "a.xml") -> None:
    (place / "in" / name).write_bytes(body)


def said(place: Path) -> list[tuple[str, str]]:
    """The status and the words of each verdict that can be read, by the names of the files."""
    found = []
    for file in sorted((place / "out").glob("[!n]*.xml")):
        opened = open_receipt(file.read_bytes())
        assert opened.findings == ()
        head = opened.documents[0].head
        found.append((head["returnStatus"], head["returnInfo"]))
    return found


def test_a_declaration_that_agrees_is_taken_in_and_approved(place: Path) -> None:
    one = office(place)
    told(place)
    one.look(0)
    assert said(place) == [("1", "税务机关已接收"), ("3", "审核通过")]
    assert ([line["status"] for line in one.told()], list((place / "in").iterdir())) == (["3"], [])
    told(place, EXEMPT, "b.xml")
    one.look(1)
    assert [line["spec"] for line in one.told()] == ["TAX101", "TAX201"]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"<tax:ktse>78000.00<", b"<tax:ktse>78000.01<", "可退税额计算错误"),
        (b"<tax:sl>100<", b"<tax:sl>99<", "数量不等"),
        (b"<tax:tsl>13<", b"<tax:tsl>14<", "退税率高于征税率"),
        (b"<tax:refundTotal>78000.00<", b"<tax:refundTotal>1.00<", "表头合计与明细不符"),
        (b"290120260000012345002<", b"290120260000012345001<", "在本批重复"),
        (b"<tax:cksl>60<", b"<tax:cksl>many<", "cksl"),
        (b"<tax:glh>2026120", b"<tax:glh>2026110", "不属于本批"),
    ],
)
def test_it_is_strict(place: Path, old: bytes, new: bytes, word: str) -> None:
    one = office(place)
    told(place, SAMPLE.replace(old, new))
    one.look(0)
    [_, (status, info)] = said(place)
    assert (status, word in info) == ("4", True), info


def test_it_knows_rates_and_exports_of_its_own(place: Path) -> None:
    one = office(place, law=Law({"0403100000": "9"}, frozenset({"290120260000012345001"})))
    told(place)
    one.look(0)
    info = said(place)[1][1]
    assert ("退税率应为 9" in info, "290120260000012345002 没有海关出口信息" in info) == (True, True)


def test_an_export_is_approved_once_and_a_refused_declaration_may_come_again(place: Path) -> None:
    one = office(place, "reject-some=1")
    told(place)
    one.look(0)
    again = office(place)
    told(place, SAMPLE.replace(b'guid="9F1D', b'guid="9F1E'))
    again.look(0)
    other = SAMPLE.replace(b">001<", b">002<").replace(b"2026120010", b"2026120020")
    told(place, other.replace(b"<tax:glh>202612001", b"<tax:glh>202612002"))
    again.look(1)
    assert [line["status"] for line in again.told()] == ["4", "3", "4"]
    assert "已在" in list(again.told())[-1]["info"]


def test_a_start_after_a_crash_says_the_same_bytes_and_judges_nothing_twice(place: Path) -> None:
    one = office(place, "silent")
    told(place)
    one.look(0)
    assert (said(place), len(list(one.told()))) == ([], 1)
    for _ in range(2):
        office(place).look(0)
        files_said = {file.name: file.read_bytes() for file in (place / "out").iterdir()}
        told(place)
    office(place).look(0)
    assert {file.name: file.read_bytes() for file in (place / "out").iterdir()} == files_said
    assert len(list(office(place).told())) == 1


def test_what_is_nobody_s_declaration_is_put_aside(place: Path) -> None:
    one = office(place)
    told(place, b"<nonsense", "a.xml")
    told(place, SAMPLE.replace(b"TaxRefundMessage", b"CEB311Message"), "b.xml")
    one.look(0)
    assert (sorted(file.name for file in (place / "state/nobody").iterdir()), said(place)) == (["a.xml", "b.xml"], [])


def test_its_misbehaviours(place: Path) -> None:
    told_by: dict[str, Any] = {}
    for name in ("late=1", "doubts", "duplicate", "out-of-order", "half", "nonsense"):
        here = place / name.partition("=")[0]
        here.mkdir()
        one = office(here, name)
        told(here)
        one.look(0)
        first = len(said(here))
        one.look(1)
        one.look(2)
        told_by[name] = (first, len(said(here)), len(list((here / "out").glob("n*"))))
    assert told_by == {
        "late=1": (0, 2, 0), "doubts": (3, 3, 0), "duplicate": (4, 4, 0), "out-of-order": (2, 2, 0),
        "half": (0, 2, 0), "nonsense": (3, 3, 1),
    }  # fmt: skip
    assert set(NAMES) == {name.partition("=")[0] for name in told_by} | {"silent", "reject-some"}
    for wrong in ("nobody", "late=soon", "half=2"):
        with pytest.raises(UnknownBehaviour):
            behaviour([wrong])


@pytest.fixture
def process(place: Path) -> Iterator[subprocess.Popen[str]]:
    (place / "tax.toml").write_text('state = "state"\ninbox = "in"\nanswers = "out"\n', "utf-8")
    command = [sys.executable, "-m", "adapters.simulators.tax", "--config", str(place / "tax.toml")]
    one = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield one
    one.send_signal(signal.SIGTERM)
    one.communicate(timeout=15)


def test_it_is_a_process_of_its_own(place: Path, process: subprocess.Popen[str]) -> None:
    import time

    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "ready"
    told(place)
    until = time.monotonic() + 20
    while not (place / "state/taken/a.xml").exists():
        assert time.monotonic() < until
    assert [status for status, _ in said(place)] == ["1", "3"]
    command = [sys.executable, "-m", "adapters.simulators.tax", "--config", str(place / "tax.toml"), "--json"]
    [line] = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert Decimal(json.loads(line)["refund"]) == Decimal(78000)
