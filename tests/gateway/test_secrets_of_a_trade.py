"""Whatever happens to a trade whose documents disagree, no byte for one partner holds a person of another's document.

Everything that leaves for a partner is read: his out/ and refused/ with acknowledgements, notices, reasons and
receipts, and all that the HTTP door tells him of any number, key and trade in the ledger.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from gateway import dossiers, reading
from gateway.config import load_house
from gateway.replaying import Ruling
from gateway.selecting import Selection
from gateway.submitting import Counter
from gateway.telling import tell
from gateway.verbs import Verbs
from spool.number import CHINA
from tests.crash.world import World
from tests.gateway.test_dossier_rights import PERSONS, SENDERS, body
from tests.homes import with_trades
from tests.samples import AGENT, SHOP, message, trade

INVT = "29102026I000000001"


def home_where(home: Path, **settings: str) -> Path:
    """A home with trades and these settings of kouan.toml."""
    with_trades(home)
    text = (home / "kouan.toml").read_text("utf-8")
    for key, value in settings.items():
        text = re.sub(rf"(?m)^{key} = .*", f'{key} = "{value}"', text)
    (home / "kouan.toml").write_text(text, "utf-8")
    return home


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(home_where(home, on_other_payer="pass"))
    yield one
    tell(one.home, one.ledger)
    told = {partner: list(everything(one, partner)) for partner in SENDERS.values()}
    for mine, partner in SENDERS.items():
        others = {text for spec, said in PERSONS.items() if spec != mine for text in said if text}
        assert len(told[partner]) > 5
        for place, data in told[partner]:
            assert [text for text in others if text in data] == [], (partner, place)
        if partner != "agent":
            # What customs levies and how it calls the inventory is its declarant's.
            assert [place for place, data in told[partner] if INVT in data] == []
    one.close()


def everything(world: World, partner: str) -> Iterator[tuple[str, str]]:
    """Yield all that this partner can read, by where."""
    mailbox = world.home / "spool/partners" / partner
    for folder in ("out", "refused"):
        for file in sorted((mailbox / folder).rglob("*")):
            # His own documents lie beside the reason for which they were refused.
            if file.is_file():
                yield f"{folder}/{file.name}", file.read_bytes().decode("utf-8", "replace")
    house = load_house(world.home)
    documents = world.rows("SELECT number, ordinal, key FROM document")
    for number, ordinal, key in documents:
        asked: dict[str, Any] = {
            "interchange": reading.interchange(world.ledger, number, partner),
            "document": reading.document(world.ledger, number, ordinal, partner),
        }
        for name in {key or "", (key or "").rpartition("|")[2], f"{number}.{ordinal}", str(number), INVT}:
            asked[f"documents {name}"] = reading.documents(world.ledger, name, partner)
            asked[f"dossiers {name}"] = dossiers.found(world.ledger, name, partner, house=house)
        for question, told in asked.items():
            yield f"HTTP {question}", json.dumps(told, ensure_ascii=False)
    yield "HTTP receipts", json.dumps(reading.receipts(world.ledger, partner, 0, 1000), ensure_ascii=False)


def come(world: World, spec: str, text: bytes | None = None, *, name: str = "a") -> Any:
    world.drop(SENDERS[spec], f"{spec}-{name}.xml", text or body(spec))
    (told,) = world.take_in().values()
    return told


def codes(told: Any) -> set[str]:
    return {one["code"] for one in told["findings"]}


@pytest.mark.parametrize("arrivals", list(permutations(SENDERS)), ids="-".join)
def test_documents_that_disagree_in_everything(world: World, arrivals: tuple[str, ...]) -> None:
    told = [come(world, spec) for spec in arrivals]
    assert codes(told[-1]) & {"T101", "T104", "T105", "T110", "T111", "T112"}


def test_an_inventory_that_waits_too_long_and_is_then_mended(world: World) -> None:
    come(world, "CEB311")
    come(world, "CEB621")
    world.moment += timedelta(days=9)
    world.go_on()
    world.clerk.look()
    come(world, "CEB411")
    come(world, "CEB511")
    world.go_on()
    assert "T101" in codes(
        come(world, "CEB411", body("CEB411").replace(b"<ceb:appType>1", b"<ceb:appType>2"), name="b")
    )
    world.go_on()


def test_an_inventory_that_is_refused(world: World) -> None:
    for spec in ("CEB311", "CEB411", "CEB511"):
        come(world, spec)
    told = come(world, "CEB621", body("CEB621").replace(b"<ceb:gnum>3<", b"<ceb:gnum>4<"))
    assert told["documents"][0]["state"] == "refused"


@pytest.mark.parametrize("action", ["refuse", "hold"])
def test_a_buyer_who_does_not_pay(world: World, action: str) -> None:
    home_where(world.home, on_other_payer=action)
    stricter = World(world.home, moment=world.moment)
    person = PERSONS["CEB411"]
    for spec in ("CEB311", "CEB511", "CEB621", "CEB411"):
        text = message(spec, 1)
        if spec == "CEB411":
            text = text.replace(trade(1)["buyer"].encode(), person[0].encode())
            text = text.replace(trade(1)["id"].encode(), person[1].encode())
        come(stricter, spec, text)
    stricter.go_on()
    states = dict(stricter.rows("SELECT spec, state FROM document"))
    assert states["CEB621"] == {"refuse": "refused", "hold": "held"}[action]
    stricter.close()


def test_an_operator_who_tells_why_he_refuses(world: World) -> None:
    for spec in SENDERS:
        come(world, spec)
    with Counter(world.home, world.now) as counter:
        list(Verbs(counter, Ruling("does not agree", "li")).carry_out("refuse", Selection(partner="agent")))


def test_what_customs_says_of_it_and_levies(world: World) -> None:
    for spec in SENDERS:
        text = body("CEB621") if spec == "CEB621" else message(spec, 1)
        come(world, spec, text)
    world.carry()
    when = f"{world.moment.astimezone(CHINA):%Y%m%d%H%M%S}000"
    numbers = {"copNo": trade(1)["copNo"], "preNo": "B20261121000000001", "invtNo": INVT}
    codes_of = {"customsCode": "2910", "ebpCode": SHOP.code, "ebcCode": SHOP.code, "agentCode": AGENT.code}
    said = {"returnStatus": "800", "returnTime": when, "returnInfo": f"[Code:2600;Desc:{PERSONS['CEB621'][0]}]"}
    world.answer("i.xml", "CEB622", "InventoryReturn", {"guid": "0" * 36, **codes_of, **numbers, **said})
    line = {"gnum": "1", "gcode": "3304990039", "taxPrice": "1", "customsTax": "0", "valueAddedTax": "7",
            "consumptionTax": "0"}  # fmt: skip
    head = {"guid": "0" * 36, "returnTime": when, "invtNo": INVT, "taxNo": f"{INVT}_1", "customsTax": "0",
            "valueAddedTax": "7", "consumptionTax": "0", "status": "1"}  # fmt: skip
    world.answer("t.xml", "CEB816", "Tax", {"TaxHeadRd": head, "TaxListRd": line})
    world.take_in()
    assert "T310" in json.dumps(reading.documents(world.ledger, INVT, "agent"))
