"""A selection is exactly what was named, read in slices that never part an interchange."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import selecting
from gateway.selecting import Selection
from spool.ledger import Ledger
from spool.states import State
from tests import homes, samples


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    home = homes.demo_home(tmp_path)
    homes.take_in(home, "shop", "orders.xml", samples.message("CEB311", 3))
    homes.take_in(home, "shop", "orders.xml", samples.message("CEB311", 3))
    homes.take_in(home, "pay", "payments.xml", samples.message("CEB411", 2))
    homes.take_in(home, "pay", "nonsense.xml", b"not XML at all")
    book = homes.book(home)
    yield book
    book.close()


def named(ledger: Ledger, selection: Selection) -> list[str]:
    return [f"{row['spec']}.{row['ordinal']}" for row in selecting.documents(ledger, selection)]


ORDERS, PAYMENTS = ["CEB311.1", "CEB311.2", "CEB311.3"], ["CEB411.1", "CEB411.2"]


def test_filters_select_together(ledger: Ledger) -> None:
    assert named(ledger, Selection(partner="shop")) == ORDERS
    assert named(ledger, Selection(spec="CEB411")) == PAYMENTS
    assert named(ledger, Selection(states=(State.READY, State.HELD))) == [*ORDERS, *PAYMENTS]
    assert named(ledger, Selection(partner="shop", spec="CEB411")) == []
    assert named(ledger, Selection(states=(State.CLOSED,))) == []


def test_times_select_by_the_moment_of_receipt(ledger: Ledger) -> None:
    now = homes.now()
    assert named(ledger, Selection(since=now - timedelta(hours=1))) == [*ORDERS, *PAYMENTS]
    assert named(ledger, Selection(until=now - timedelta(hours=1))) == []
    assert named(ledger, Selection(since=now + timedelta(hours=1))) == []


def test_a_key_selects_by_the_whole_or_by_its_last_part(ledger: Ledger) -> None:
    assert named(ledger, Selection(key="3301961A2B|YX2026000000000002")) == ["CEB311.2"]
    assert named(ledger, Selection(key="YX2026000000000002")) == ["CEB311.2"]
    assert named(ledger, Selection(key="YX2026000000000002", partner="pay")) == []
    assert named(ledger, Selection(key="nothing")) == []


def test_numbers_name_documents_interchanges_and_messages(ledger: Ledger) -> None:
    (number,) = {row["number"] for row in selecting.documents(ledger, Selection(partner="shop"))}
    (message,) = {row["message"] for row in selecting.documents(ledger, Selection(partner="shop"))}
    assert named(ledger, Selection((str(number),))) == ORDERS
    assert named(ledger, Selection((f"{number}.2", f"{number}.1"))) == ["CEB311.1", "CEB311.2"]
    assert named(ledger, Selection((f"{number}.2", str(number)))) == ORDERS
    assert named(ledger, Selection((str(message),))) == ORDERS
    assert named(ledger, Selection((str(number),), partner="pay")) == []
    assert named(ledger, Selection((str(number),), key="YX2026000000000003")) == ["CEB311.3"]
    assert selecting.unknown(ledger, Selection((f"{number}.4", str(number), str(message)))) == [f"{number}.4"]


def test_what_is_selected_is_contained(ledger: Ledger) -> None:
    number = next(selecting.documents(ledger, Selection(partner="shop")))["number"]
    assert selecting.contains(ledger, Selection(partner="shop"), number, 2)
    assert selecting.contains(ledger, Selection((f"{number}.2",)), number, 2)
    assert not selecting.contains(ledger, Selection((f"{number}.2",)), number, 3)
    assert not selecting.contains(ledger, Selection(partner="pay"), number, 2)


def test_an_interchange_is_never_parted(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selecting, "SLICE", 2)
    parts = list(selecting.slices(selecting.documents(ledger, Selection(spec="CEB311"))))
    assert [len(part) for part in parts] == [3]
    everything = list(selecting.slices(selecting.documents(ledger, Selection(states=(State.READY,)))))
    assert [len(part) for part in everything] == [3, 2]


def test_duplicates_are_replayed_only_by_their_number(ledger: Ledger) -> None:
    rows = list(selecting.interchanges(ledger, Selection(partner="shop")))
    assert [row["duplicate_of"] for row in rows] == [None]
    second = ledger.conn.execute("SELECT number FROM interchange WHERE duplicate_of IS NOT NULL").fetchone()[0]
    assert [row["number"] for row in selecting.interchanges(ledger, Selection((str(second),)))] == [second]


def test_what_was_refused_whole_counts_as_refused(ledger: Ledger) -> None:
    rows = selecting.interchanges(ledger, Selection(states=(State.REFUSED,)))
    assert [row["file"] for row in rows] == ["nonsense.xml"]


@pytest.mark.parametrize("text", ["", "yesterday", "2h ago", "2026-13-01", "h"])
def test_what_nobody_can_tell_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        selecting.moment(text, homes.now())
