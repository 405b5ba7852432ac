"""Every behaviour does to the answers of a trade what its name says, and a crash takes nothing from them."""

import json
import sqlite3
import subprocess
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import samples
from tests.adapters.simulators.box import HOME, Box, soon
from tests.adapters.simulators.port import Port

DRAWN = ("CEB311", "CEB411", "CEB511", "CEB621")
ALL = ["312 120", "312 2", "412 120", "412 2", "512 120", "512 2", "622 120", "622 2", "622 399", "622 800", "816 1",
       "818 2"]  # fmt: skip


def trade(number: int = 1) -> list[bytes]:
    return [samples.message(spec, 1, number) for spec in DRAWN]


def inventory(port: Port) -> list[str]:
    return [said for said in port.tell(*trade()).statuses() if said[:2] not in ("31", "41", "51")]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("review",), ["622 2", "622 120", "622 300", "622 399", "622 800", "816 1", "818 2"]),
        (("inspect",), ["622 2", "622 120", "622 399", "622 500", "622 800", "816 1", "818 2"]),
        (("review=2", "inspect=2"), ["622 2", "622 120", "622 399", "622 800", "816 1", "818 2"]),
        (("inspect", "held=700"), ["622 2", "622 120", "622 399", "622 500", "622 700"]),
        (("mismatch=1327",), ["622 2", "622 100"]),
        (("silent-after=2",), ["622 2"]),
        (("silent-after",), ["622 2", "622 120"]),
        (("silent-after=816",), ["622 2", "622 120", "622 399", "622 800", "816 1"]),
        (("no-tax",), ["622 2", "622 120", "622 399", "622 800"]),
        (("void-tax",), ["622 2", "622 120", "622 399", "622 800", "816 1", "818 3"]),
        (("closes",), ["622 2", "622 120", "622 399", "622 800", "816 1", "818 2", "622 899"]),
        (("unknown-code=610",), ["622 2", "622 610", "622 120", "622 399", "622 800", "816 1", "818 2"]),
        (("out-of-order",), ["818 2", "816 1", "622 800", "622 399", "622 120", "622 2"]),
        (("reject-some=4",), ["622 2", "622 100"]),
        (("duplicate", "no-tax"), ["622 2", "622 2", "622 120", "622 120", "622 399", "622 399", "622 800", "622 800"]),
    ],
)
def test_an_inventory_hears_what_was_asked_for(tmp_path: Path, asked: tuple[str, ...], said: list[str]) -> None:
    assert inventory(Port(tmp_path, *asked)) == said


def test_reversed_says_the_last_of_a_whole_trade_first(tmp_path: Path) -> None:
    heard = Port(tmp_path, "reversed").tell(*trade()).statuses()
    assert (heard[:4], sorted(heard[4:8]), sorted(heard[8:])) == (
        ["818 2", "816 1", "622 800", "622 399"], ["312 120", "412 120", "512 120", "622 120"],
        ["312 2", "412 2", "512 2", "622 2"],
    )  # fmt: skip


def test_a_wrong_tax_bill_asks_for_so_much_more(tmp_path: Path) -> None:
    right, wrong = Port(tmp_path / "a"), Port(tmp_path / "b", "wrong-tax=0.50")
    due = []
    for port in (right, wrong):
        port.tell(*trade()).heard()
        due.append(Decimal(port.trades()[0]["tax"]["valueAddedTax"]))
    assert due[1] - due[0] == Decimal("0.50")


def test_a_long_bill_names_order_and_waybill_beyond_the_schema(tmp_path: Path) -> None:
    port = Port(tmp_path, "long-bill", published=False).tell(*trade())
    [bill] = [part for code, *_, part in port.units() if code == "CEB816Message"]
    values = samples.trade(1)
    told = [bill.findtext(f"{{*}}TaxHeadRd/{{*}}{name}") for name in ("orderNo", "logisticsNo")]
    assert told == [values["orderNo"], values["logisticsNo"]]


def test_every_second_trade_is_inspected(tmp_path: Path) -> None:
    port = Port(tmp_path, "inspect=2")
    heard = [port.tell(*trade(number)).statuses() for number in range(1, 5)]
    assert ["622 500" in one for one in heard] == [False, True, False, True]


def test_a_customs_that_is_killed_between_the_documents_of_a_trade_forgets_nothing(box: Box) -> None:
    box.start(trades=True)
    for spec in DRAWN[:3]:
        box.tell(spec, 3)
        soon(lambda: not list(box.inbox.glob("*.xml")))
        box.kill()
        box.start(trades=True)
    box.tell(DRAWN[3], 3)
    soon(lambda: any(path.name.startswith("CEB816") for path in box.files()))
    box.kill()
    box.start(trades=True)
    soon(lambda: any(path.name.startswith("CEB818") for path in box.files()))
    heard = [line["statuses"] for line in box.book()]
    assert heard == [["2", "120"]] * 9 + [["2", "120", "399", "800"]] * 3


def test_a_trade_goes_its_way_in_the_real_process_and_the_book_tells_it(box: Box) -> None:
    box.start(trades=True)
    for spec in DRAWN:
        box.tell(spec)
    soon(lambda: any(path.name.startswith("CEB818") for path in box.files()))
    box.end()
    told = subprocess.run(
        box.command("--book", "--trades", "--json"), cwd=HOME, capture_output=True, text=True, check=True
    )
    [line] = map(json.loads, told.stdout.splitlines())
    number = f"{samples.SHOP.code}|{samples.trade(1)['orderNo']}"
    assert (line["order"], line["inventory"], line["state"], line["refunds"]) == (number, number, "800", [])
    assert line["tax"] == {"taxNo": f"{line['invtNo']}_1", "customsTax": "0.00", "valueAddedTax": "42.89",
                           "consumptionTax": "0.00", "status": "2"}  # fmt: skip
    shown = subprocess.run(
        box.command("--book", "--trades"), cwd=HOME, capture_output=True, text=True, check=True
    ).stdout
    assert shown.split() == ["800", line["invtNo"], "42.89", "0", number]


def test_one_group_of_many_trades_gives_each_of_them_everything(tmp_path: Path) -> None:
    port = Port(tmp_path).tell(*[samples.message(spec, 100) for spec in DRAWN])
    heard = port.heard()
    assert len(heard) == 12 * 100
    assert sorted({f"{one[3:6]} {one.rsplit(' ', 1)[1]}" for one in heard}) == ALL


def test_a_book_from_before_trades_goes_on(tmp_path: Path) -> None:
    port = Port(tmp_path)
    port.book.close()
    book = sqlite3.connect(tmp_path / "book.sqlite3")
    book.execute("DROP INDEX answer_waiting")
    for column in ("chain", "code", "about"):
        book.execute(f"ALTER TABLE answer DROP COLUMN {column}")
    book.execute("CREATE TABLE living (spec TEXT, key TEXT)")
    book.execute("INSERT INTO living VALUES ('CEB311', ?)", (f"{samples.SHOP.code}|{samples.trade(1)['orderNo']}",))
    book.commit()
    book.close()
    assert Port(tmp_path).tell(*trade()[:1]).statuses() == ["312 -301010"]


@settings(max_examples=25, deadline=None)
@given(
    order=st.permutations([(spec, number) for spec in DRAWN for number in (1, 2, 3)]),
    sizes=st.lists(st.integers(1, 5), min_size=12),
    again=st.integers(0, 11),
)
def test_arrivals_shuffled_grouped_and_repeated_end_alike(
    order: list[tuple[str, int]], sizes: list[int], again: int
) -> None:
    bodies = [samples.message(spec, 1, number) for spec, number in order]
    with tempfile.TemporaryDirectory() as place:
        port, heard = Port(Path(place)), []
        told = list(bodies)
        for size in sizes:
            heard += port.tell(*told[:size]).statuses()
            del told[:size]
        heard += port.tell(bodies[again]).statuses()
        # What was told again has its acceptance said again, and nothing else.
        repeated = f"{order[again][0][3:5]}2 2"
        assert sorted(heard) == sorted([*(3 * ALL), repeated])
        assert [one["state"] for one in port.trades()] == ["800"] * 3
