"""What was settled of a trade is the foreign exchange without which it is not declared for a refund when it is late."""

import json
from datetime import timedelta
from pathlib import Path

from adapters.carriers.carrier import Carried
from gateway.dispatch import Outgoing
from tests.exchange.office import reporting
from tests.exchange.test_settled_trades import LIST, RATES, jshd
from tests.gateway.border import Border
from tests.gateway.test_refunds import LATER, booked, drawn, loads, sent
from tests.homes import demo_home
from tests.taxpayers import invoice, with_tax


def leaves(border: Border) -> int:
    """What is due for the exchange office has left."""
    world = border.world
    outgoing = Outgoing(world.ledger, world.clerk.store, world.clerk.house.authority("safe"))
    leaving = outgoing.due(world.now() + timedelta(seconds=1))
    outgoing.told(leaving, [Carried(one.parcel.number, ok=True, acknowledgement="OK") for one in leaving], world.now())
    return len(leaving)


def test_a_late_export_is_declared_by_the_settlement_of_its_order(tmp_path: Path) -> None:
    home = with_tax(reporting(demo_home(tmp_path)))
    (home / "fx-directory.csv").write_text(LIST, "utf-8")
    (home / "fx-rates.csv").write_text(RATES, "utf-8")
    border = Border(home, tmp_path / "customs")
    border.closes(1, 2, CEB603={"statisticsFlag": "A"})
    border.world.moment = LATER.replace(month=5, day=2)
    loads(border, invoice(1, qty="120", base="6000", tax="780"))
    told = json.loads(border.world.post("bank", jshd(1, order="CK2026000000007001", amount="1.00")) or b"")
    assert told["documents"][0]["state"] == "ready"
    # Ready is not yet with the office.
    assert drawn(border).forms.exports == ()
    assert leaves(border) == 1
    late = booked(border)
    number, other = border.number(1), border.number(2)
    assert [(row.export.number, row.export.note) for row in late.forms.exports] == [
        (f"{number}001", "收汇 2026-11-22 3301000001012611220001"),
    ]  # fmt: skip
    assert sorted((one.code, one.path) for one in late.forms.findings) == [
        ("X103", f"{number}002"), *(("X130", f"{other}00{item}") for item in (1, 2)),
    ]  # fmt: skip
    [answer] = sent(border)
    assert ([one["state"] for one in answer["documents"]], answer["findings"]) == (["ready"], [])
    border.close()
