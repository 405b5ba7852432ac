"""Ten thousand questions that cannot be answered, and filings about other payments, keep nobody's answer back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config import load_house
from gateway.payment_calls import Calls
from gateway.payment_uploads import Uploads
from gateway.raw_payments import file
from gateway.settling import iso
from spool.ledger import Ledger
from tests import samples
from tests.homes import demo_home, now, take_in, with_trades
from tests.payments import asked_home, raws


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return asked_home(
        with_trades(demo_home(tmp_path)), "http://127.0.0.1:1/upload", first_seconds="100.0", most_seconds="100.0"
    )


@pytest.fixture
def book(home: Path) -> Iterator[Ledger]:
    ledger = Ledger(home / "ledger.sqlite3")
    yield ledger
    ledger.close()


def ask(home: Path, book: Ledger, order: str, session: str) -> None:
    house = load_house(home)
    body = f'openReq={{"orderNo":"{order}","sessionID":"{session}","serviceTime":{int(now().timestamp() * 1000)}}}'
    Calls(None, None, book, lambda: house, now).answered(house.partner("shop"), "127.0.0.1", body.encode(), now())


def trade(home: Path, number: int) -> None:
    for sender, spec in (("shop", "CEB311"), ("pay", "CEB411")):
        take_in(home, sender, f"{spec}-{number}.xml", samples.message(spec, 1, start=number))


def test_what_can_leave_waits_for_a_turn_and_not_for_what_cannot(home: Path, book: Ledger) -> None:
    trade(home, 1)
    file(book, load_house(home).partner("pay"), raws(1), now(), 3)
    for n in range(20):
        ask(home, book, f"NO{n}", f"A{n:02d}")
    ask(home, book, samples.trade(1)["orderNo"], "Z")
    uploads = Uploads(book, load_house(home))
    assert [one.session for one in uploads.due(now())] == ["Z"]


def test_a_filing_wakes_whoever_lacks_that_payment_and_costs_nobody_an_attempt(home: Path, book: Ledger) -> None:
    house = load_house(home)
    for number in (1, 2):
        trade(home, number)
        ask(home, book, samples.trade(number)["orderNo"], f"S{number}")
    ask(home, book, "NOWHERE", "S3")
    uploads = Uploads(book, house)
    assert uploads.due(now()) == []
    for _ in range(20):
        file(book, house.partner("pay"), raws(3), now(), 3)
        assert uploads.due(now()) == []
    told = "SELECT session, state, attempts FROM payment_inquiry ORDER BY session"
    assert [tuple(row) for row in book.conn.execute(told)] == [(f"S{n}", "asked", 1) for n in (1, 2, 3)]
    file(book, house.partner("pay"), raws(2), now(), 3)
    due = "SELECT session FROM payment_inquiry WHERE not_before <= ?"
    assert [row[0] for row in book.conn.execute(due, (iso(now() + timedelta(seconds=1)),))] == ["S2"]
    assert [one.session for one in uploads.due(now())] == ["S2"]
