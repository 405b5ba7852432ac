"""A house whose ledger has closed export trades of 750 US dollars each, and records that settle or buy for them."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.cli import ended
from message_specs import writing
from tests.exchange.house import House
from tests.exchange.office import reporting
from tests.gateway.border import Border
from tests.homes import demo_home
from tests.samples import SHOP

PERSON, OTHER = "360426199101010071", "330199195102020018"
FIRM = "600037341"
TRANSFER = {
    "copCode": "91330100MA00000015", "copName": "示例商业银行杭州分行", "dxpMode": "DXP",
    "dxpId": "DXPENT0000030009",
}  # fmt: skip
TABLES = {
    "fx-rates.csv": "currency,usd,since,until,note\nCNY,0.14,2026-01-01,,\n",
    "fx-directory.csv": f"code,grade,since,until,note\n{FIRM},A,2026-01-01,,示例\n",
}
ABROAD = {"ebpCode": "无", "ebpName": "无"}
Trade = tuple[int, str]
"""The number of a trade, and what is settled of it."""


def closed_trades(place: Path, home: Path, *numbers: int, nobody: Sequence[int] = ()) -> Path:
    """The home reports foreign exchange, and these trades are closed; those of `nobody` have no platform."""
    reporting(home)
    for name, text in TABLES.items():
        (home / name).write_text(text, "utf-8")
    border = Border(home, place / "customs")
    for number in numbers:
        border.trade(number, **({"CEB303": ABROAD, "CEB603": ABROAD} if number in nobody else {}))
    border.meets()
    for spec in ("CEB607", "CEB507", "CEB509"):
        border.comes(spec)
        border.meets()
    border.close()
    return home


def second(home: Path) -> Path:
    """Another bank, under another name and number."""
    text = (home / "partners/bank.toml").read_text("utf-8").replace("91330100MA00000015", "91330100MA00000023")
    text = text.replace("DXPENT0000030009", "DXPENT0000030019").replace("示例商业银行", "听泉商业银行")
    lines = [line for line in text.splitlines() if not line.startswith("token_sha256")]
    (home / "partners/other.toml").write_text("\n".join(lines).replace('name = "bank"', 'name = "other"'), "utf-8")
    shutil.copytree(home / "spool/partners/bank", home / "spool/partners/other")
    return home


def line(trade: Trade, *, platform: str = SHOP.code, merchant: str = "") -> str:
    """A trade that a record settles."""
    named = f"<fx:ebpCode>{platform}</fx:ebpCode>" + (f"<fx:ebcCode>{merchant}</fx:ebcCode>" if merchant else "")
    number, amount = trade
    order = f"<fx:orderNo>CK2026{7000 + number:012d}</fx:orderNo>"
    return f"<fx:TradeList>{named}{order}<fx:amount>{amount}</fx:amount></fx:TradeList>"


def exchange(
    serial: int, amount: str, *lines: str, spec: str = "JSHD", action: str = "A", person: str = "", kind: str = "D"
) -> bytes:
    """A message of one settlement or purchase of dollars, of a firm or a person."""
    who = f"<fx:CUSTYPE>{kind}</fx:CUSTYPE><fx:IDCODE>{person}</fx:IDCODE>" if person else (
        f"<fx:CUSTYPE>C</fx:CUSTYPE><fx:CUSTCOD>{FIRM}</fx:CUSTCOD>")  # fmt: skip
    why = "" if action == "A" else "<fx:ACTIONDESC>更正</fx:ACTIONDESC>"
    unit = (
        f"<fx:{spec}><fx:REC><fx:ACTIONTYPE>{action}</fx:ACTIONTYPE>{why}<fx:RPTNO>{number(serial)}</fx:RPTNO>{who}"
        f"<fx:CUSTNM>甲</fx:CUSTNM><fx:FCYACC>1</fx:FCYACC><fx:LCYACC>2</fx:LCYACC><fx:FCYAMT>{amount}</fx:FCYAMT>"
        f"<fx:FCYCCY>USD</fx:FCYCCY><fx:EXRATE>7.1</fx:EXRATE><fx:BUSCODE>B{serial}</fx:BUSCODE></fx:REC>"
        f"{''.join(lines)}</fx:{spec}>"
    )
    return message(spec, unit)


def income(serial: int, amount: int, yuan: int, *lines: str, spec: str = "BOPA", letter: str = "N") -> bytes:
    """A message of one receipt from abroad, or remittance, of which so much is sold, or bought."""
    part = f"<fx:EXRATE>7.1</fx:EXRATE><fx:LCYAMT>{yuan}</fx:LCYAMT><fx:LCYACC>1</fx:LCYACC>" if yuan else ""
    rest = f"<fx:FCYAMT>{amount - yuan}</fx:FCYAMT><fx:FCYACC>2</fx:FCYACC>" if amount > yuan else ""
    unit = (
        f"<fx:{spec}><fx:REC><fx:ACTIONTYPE>A</fx:ACTIONTYPE><fx:RPTNO>330100000101261122{letter}{serial:03d}</fx:RPTNO>"
        f"<fx:CUSTYPE>C</fx:CUSTYPE><fx:CUSTCOD>{FIRM}</fx:CUSTCOD><fx:CUSTNM>甲</fx:CUSTNM>"
        f"<fx:OPPUSER>(JW)ACME</fx:OPPUSER><fx:TXCCY>USD</fx:TXCCY><fx:TXAMT>{amount}</fx:TXAMT>{part}{rest}"
        f"<fx:METHOD>T</fx:METHOD><fx:BUSCODE>B{serial}</fx:BUSCODE></fx:REC>{''.join(lines)}</fx:{spec}>"
    )
    return message(spec, unit)


def message(spec: str, unit: str) -> bytes:
    """The whole message of one record."""
    guid = f"00000000-0000-0000-0000-{abs(hash(unit)) % 10**12:012d}"
    return writing.message(f"{spec}Message", guid, [unit.encode()], TRANSFER, family="fx")


def number(serial: int) -> str:
    """The number of a settlement."""
    return f"330100000101261122{serial:04d}"


def told(answer: dict[str, Any]) -> tuple[str, list[str]]:
    """The state of the only document of an acknowledgement, and the codes of what was found."""
    return answer["documents"][0]["state"], [one["code"] for one in answer["findings"]]


class Bank:
    """A bank that hands records in, and the house that has them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._files = 0

    def hands(self, body: bytes, sender: str = "bank") -> tuple[str, list[str]]:
        """This message has come; return the state of its record and what was found."""
        self._files += 1
        return told(self.house.take(sender, f"{self._files}-{house_time(self.house)}.xml", body=body))

    def hears(self, *behaviours: str) -> None:
        """All that waits has left, and the office has answered it so."""
        from adapters.simulators.fx_answers import asked_for

        self.house.office._asked = asked_for(behaviours)
        self.house.carry()
        self.house.meets()

    def used(self, capsys: Any, person: str = PERSON, *flags: str) -> str:
        """What the command says that a person has used of 2026."""
        import json

        capsys.readouterr()
        home = str(self.house.home)
        assert ended(["fx", "quota", person, "--year", "2026", *flags, "--json", "--home", home]) == 0
        return str(json.loads(capsys.readouterr().out)["used"])


def house_time(house: House) -> str:
    """A text that no other moment of this house has."""
    return f"{house.now():%H%M%S%f}"


def house_with(tmp_path: Path, *numbers: int, nobody: Sequence[int] = ()) -> House:
    """A house with these closed trades."""
    house = House(closed_trades(tmp_path, demo_home(tmp_path), *numbers, nobody=nobody))
    house.moment = house.moment.replace(day=24)
    return house
