"""A tax bill is held against what was expected on the day of declaration, in whatever order it and its status come."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from gateway.bills import bill_key
from gateway.rates import install
from message_specs.trade.bills import Bill, read_bill
from message_specs.trade.taxing import Taxes
from spool.number import CHINA
from tests import samples
from tests.crash.world import World
from tests.homes import with_trades
from tests.message_specs.test_samples import SAMPLES

SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship", "CEB621": "agent"}
TRADE = 8801
INVT = "29102026I000008801"
TAX = f"{INVT}001"
CODES = ("2101110000", "1901101090", "3304990039")
UNITS = ("142", "122", "140")
VALUES = ("137.33", "171.40", "162.57")
VAT = ("12.50", "15.60", "14.79")


def rates(vat: str) -> bytes:
    """A rate table of this home's own: one code of the sample inventories is in no other."""
    return f"hs,valid_from,valid_to,duty,vat,ct_type\n1901101090,2020-01-01,,0,{vat},none\n".encode()


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """A trade that is with customs."""
    with_trades(home)
    install(home, rates("13"))
    one = World(home)
    for spec, sender in SENDERS.items():
        one.drop(sender, f"{spec}.xml", samples.message(spec, 1, start=TRADE))
    one.take_in()
    one.carry()
    yield one
    one.close()


def said(world: World, spec: str, unit: str, fields: dict[str, Any]) -> None:
    """Customs has said this."""
    world.moment += timedelta(seconds=1)
    world.answer(f"{spec}-{world.moment:%H%M%S%f}.xml", spec, unit, fields)
    world.take_in()


def when(world: World) -> str:
    return f"{world.moment.astimezone(CHINA):%Y%m%d%H%M%S}000"


def inventory_is(world: World, status: str, **given: str) -> None:
    numbers = {"copNo": samples.trade(TRADE)["copNo"], "preNo": "B20261121000000001", "invtNo": INVT}
    fields = {
        "guid": samples.guid("R", 1), "customsCode": "2910", "ebpCode": samples.SHOP.code,
        "ebcCode": samples.SHOP.code, "agentCode": samples.AGENT.code, **numbers, **given,
        "returnStatus": status, "returnTime": when(world), "returnInfo": "-",
    }  # fmt: skip
    said(world, "CEB622", "InventoryReturn", fields)


def afterwards(world: World, spec: str, unit: str, status: str) -> None:
    """What customs says of the cancel or the return."""
    cop = {"CEB624": "KC", "CEB626": "KT"}[spec] + "2600000000008801"
    codes = {"agentCode": samples.AGENT.code, "ebpCode": samples.SHOP.code, "ebcCode": samples.SHOP.code}
    fields = {
        "guid": samples.guid("S", 1), "customsCode": "2910", **codes, "copNo": cop, "preNo": "T20261121000000001",
        "invtNo": INVT, "returnStatus": status, "returnTime": when(world), "returnInfo": "-",
    }  # fmt: skip
    said(world, spec, unit, fields)


def bill(world: World, status: str = "1", lines: tuple[int, ...] = (1, 2, 3), tax_no: str = TAX, **line1: str) -> None:
    """The bill as it was expected, of these lines; what is told of line 1 may differ."""
    listed = [
        {"gnum": str(gnum), "gcode": CODES[gnum - 1], "taxPrice": VALUES[gnum - 1], "customsTax": "0",
         "valueAddedTax": VAT[gnum - 1], "consumptionTax": "0"}
        for gnum in lines
    ]  # fmt: skip
    if line1:
        listed[0] |= line1
    total = f"{sum(float(one['valueAddedTax']) for one in listed):.2f}"
    head = {
        "guid": samples.guid("T", 1), "returnTime": when(world), "invtNo": INVT, "taxNo": tax_no, "customsTax": "0",
        "valueAddedTax": total, "consumptionTax": "0", "status": status, "note": "",
    }  # fmt: skip
    said(world, "CEB816", "Tax", {"TaxHeadRd": head, "TaxListRd": listed})


def status(world: World, told: str) -> None:
    head = {"guid": samples.guid("U", 1), "returnTime": when(world), "invtNo": INVT, "taxNo": TAX, "status": told}
    said(world, "CEB818", "Tax", {"TaxHeadStatus": head})


def shown(world: World) -> list[tuple[str, str, Any]]:
    """What was stamped on the inventory about bills: reason, codes, and by whom it is to be mended."""
    rows = world.rows("SELECT reason, findings, from_state, to_state FROM stamp WHERE reason LIKE '税单 bill%'")
    assert all(before == after for _, _, before, after in rows)
    return [(reason, one["code"], one["path"]) for reason, found, _, _ in rows for one in json.loads(found)]


def notices(world: World, partner: str) -> list[Any]:
    out = world.home / "spool/partners" / partner / "out"
    return [json.loads(file.read_bytes()) for file in sorted(out.glob("*.notice.json"))]


def known(world: World) -> Bill:
    ((value,),) = world.rows("SELECT value FROM record WHERE key = ?", bill_key("customs", INVT, TAX))
    return read_bill(value)


def used(world: World) -> list[str]:
    ((value,),) = world.rows("SELECT value FROM record WHERE key LIKE 'quota|%'")
    return sorted(json.loads(value)["used"].values()) if value else []


def test_a_bill_as_expected_says_nothing(world: World) -> None:
    inventory_is(world, "800")
    bill(world)
    assert (shown(world), notices(world, "agent")) == ([], [])
    assert (known(world).status, known(world).owed) == ("1", Taxes(vat=known(world).taxes.vat))  # type: ignore[union-attr]


def test_what_differs_is_stamped_on_the_inventory_and_told_to_who_declared_it(world: World) -> None:
    inventory_is(world, "800")
    bill(world, valueAddedTax="12.60")
    lines = [
        (f"税单 bill {TAX}", "T310", "TaxListRd[1]/valueAddedTax"),
        (f"税单 bill {TAX}", "T311", "TaxHeadRd/valueAddedTax"),
    ]
    assert shown(world) == lines
    (notice,) = notices(world, "agent")
    assert (notice["spec"], [one["code"] for one in notice["findings"]]) == ("CEB621", ["T310", "T311"])
    assert [notices(world, other) for other in ("shop", "pay", "ship")] == [[], [], []]
    # Said again, collected, and void: what differs is told once, the end once.
    bill(world, valueAddedTax="12.60")
    bill(world, status="2", valueAddedTax="12.60")
    assert shown(world) == lines
    status(world, "3")
    status(world, "3")
    assert shown(world) == [*lines, (f"税单 bill {TAX}", "T315", "TaxHeadRd/status")]
    assert (known(world).status, known(world).owed) == ("3", Taxes())
    assert notices(world, "agent") == [notice]


def test_a_line_that_the_inventory_has_not_and_an_amount_that_is_none_are_told(world: World) -> None:
    inventory_is(world, "800")
    bill(world, gnum="9")
    bill(world, tax_no=f"{TAX}9", consumptionTax="some")
    assert {"T313", "T316"} <= {code for _, code, _ in shown(world)}


def test_the_house_may_keep_the_differences_to_itself(world: World) -> None:
    config = world.home / "kouan.toml"
    config.write_text(config.read_text("utf-8").replace("tell_partner = true", "tell_partner = false"), "utf-8")
    moment = world.moment
    world.close()
    with_reading = World(world.home, moment=moment)
    inventory_is(with_reading, "800")
    bill(with_reading, valueAddedTax="12.60")
    assert [code for _, code, _ in shown(with_reading)] == ["T310", "T311"]
    assert notices(with_reading, "agent") == []
    with_reading.close()


def test_rates_that_are_loaded_later_do_not_shift_what_was_expected(world: World) -> None:
    install(world.home, rates("9"))
    moment = world.moment
    world.close()
    later = World(world.home, moment=moment)
    inventory_is(later, "800")
    bill(later)
    assert shown(later) == []
    later.close()


@pytest.mark.parametrize("order", list(permutations(("inventory", "bill", "status"))), ids="-".join)
def test_bill_status_and_number_come_in_any_order(world: World, order: tuple[str, ...]) -> None:
    for one in order:
        match one:
            case "inventory":
                inventory_is(world, "800")
            case "bill":
                bill(world, gcode="2101120000")
            case _:
                status(world, "2")
    assert shown(world) == [(f"税单 bill {TAX}", "T314", "TaxListRd[1]/gcode")]
    assert (known(world).status, known(world).owed, known(world).is_news) == ("2", known(world).taxes, False)


@pytest.mark.parametrize("order", list(permutations(("inventory", "bill", "void"))), ids="-".join)
def test_a_void_bill_owes_nothing_whenever_that_is_said(world: World, order: tuple[str, ...]) -> None:
    for one in order:
        match one:
            case "inventory":
                inventory_is(world, "800")
            case "bill":
                bill(world)
            case _:
                status(world, "3")
    assert [code for _, code, _ in shown(world)] == ["T315"]
    assert known(world).owed == Taxes()


def drop(world: World, spec: str, *, lines: dict[int, int] | None = None, cop: str = "", number: str = INVT) -> Any:
    """The agent cancels or returns, of these lines so many, the inventory with that number."""
    body = (SAMPLES / f"good/{spec}.xml").read_text("utf-8").replace(f"invtNo>{INVT}<", f"invtNo>{number}<")
    if number != INVT:
        body = re.sub(r"(<ceb:copNo>)\w*", rf"\g<1>K{number}", body)
    if lines is not None:
        listed = "".join(
            f"<ceb:InvtRefundList><ceb:gnum>{gnum}</ceb:gnum><ceb:gcode>{CODES[gnum - 1]}</ceb:gcode>"
            f"<ceb:gname>g</ceb:gname><ceb:qty>{qty}</ceb:qty><ceb:unit>{UNITS[gnum - 1]}</ceb:unit>"
            "</ceb:InvtRefundList>"
            for gnum, qty in lines.items()
        )
        body = re.sub(r"\s*<ceb:InvtRefundList>.*</ceb:InvtRefundList>", listed, body, flags=re.DOTALL)
    world.drop("agent", f"{spec}{cop}.xml", body.encode())
    (told,) = world.take_in().values()
    return told


def test_what_is_accepted_back_frees_its_share_of_the_year_and_is_not_expected_to_be_taxed(world: World) -> None:
    inventory_is(world, "800")
    (before,) = used(world)
    told = drop(world, "CEB625", lines={3: 1})
    assert told["documents"][0]["state"] == "ready", told
    world.carry()
    world.clerk.look()
    assert used(world) == [before]
    afterwards(world, "CEB626", "InvtRefundReturn", "399")
    world.clerk.look()
    # Half of the masks: of goods, freight and insurance alike.
    assert used(world) == ["-81.29", before]
    bill(world, lines=(1, 2))
    assert [code for _, code, _ in shown(world)] == ["T312", "T311"]


def test_when_all_came_back_nothing_of_the_year_stays_used(world: World) -> None:
    inventory_is(world, "800")
    drop(world, "CEB625", lines={1: 3, 2: 1, 3: 2})
    world.carry()
    afterwards(world, "CEB626", "InvtRefundReturn", "399")
    world.clerk.look()
    (minus, plus) = used(world)
    assert minus == f"-{plus}"


def test_a_cancel_gives_the_year_back_and_the_void_bill_owes_nothing(world: World) -> None:
    inventory_is(world, "120")
    bill(world)
    drop(world, "CEB623")
    world.carry()
    afterwards(world, "CEB624", "InvtCancelReturn", "399")
    status(world, "3")
    world.clerk.look()
    assert (used(world), known(world).owed) == ([], Taxes())
