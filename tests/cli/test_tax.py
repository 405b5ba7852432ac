"""`kouan tax`: tables are loaded whole or not at all; declarations, guarantees and statements are told."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import ended
from gateway.cli.symptoms import OK
from gateway.cli.tax_symptoms import guarantees
from gateway.config import load_house
from gateway.tax_files import install
from spool.number import CHINA
from tests.gateway.border import Border
from tests.gateway.test_bills import INVT, bill, inventory_is
from tests.gateway.test_guarantees import looks, with_customs
from tests.taxpayers import BAG, TAXPAYER, invoice, invoices, with_tax

FIRM = ("--partner", "shop", "--taxpayer", TAXPAYER)


@pytest.fixture
def told(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("KOUAN_HOME", str(home))

    def run(*arguments: object, ends: int = 0) -> list[Any]:
        capsys.readouterr()
        assert ended(["tax", *map(str, arguments), "--json"]) == ends
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    """Two trades of flag A that customs has closed, and a filed taxpayer."""
    one = Border(with_tax(home), tmp_path / "customs")
    one.closes(1, 2, CEB603={"statisticsFlag": "A", "ieDate": "20260901"})
    yield one
    one.close()


def test_a_table_is_loaded_whole_or_not_at_all(told: Any, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("hs,valid_from,rate\n0401100000,2026-01-01,9\n04011,soon,200\n", "utf-8")
    found = told("load", "rebates", file, ends=1)
    assert [(one["code"], one["row"], one["path"]) for one in found] == [
        ("X403", 3, "hs"), ("X403", 3, "valid_from"), ("X403", 3, "rate"),
    ]  # fmt: skip
    file.write_text("hs,valid_from,rates\n", "utf-8")
    assert [one["path"] for one in told("load", "rebates", file, ends=1)] == ["rate", "rates"]
    file.write_bytes("hs,valid_from,rate,source\n0401100000,2026-01-01,9,公告\n".encode("gb18030"))
    assert [one["code"] for one in told("load", "rebates", file, ends=1)] == ["X401"]
    before = len(told("tables", "rebates"))
    file.write_text("hs,valid_from,rate\n0401100000,2026-01-01,11\n", "utf-8")
    told("load", "rebates", file)
    rows = told("tables", "rebates")
    assert (len(rows), rows[0]["rate"]) == (before + 1, "11")
    assert {one["name"]: one["own"] for one in told("tables")}["rebates"] == 1
    told("load", "nothing", file, ends=4)
    told("tables", "nothing", ends=4)


def test_a_table_that_somebody_broke_by_hand_is_told_by_the_configuration_check(home: Path, told: Any) -> None:
    (home / "tax").mkdir()
    (home / "tax/due.csv").write_text("first\nx\n", "utf-8")
    assert ended(["config", "check"]) == 1
    told("guarantee", "due", ends=1)


def test_a_refund_is_declared_by_commands_alone(border: Border, told: Any, tmp_path: Path) -> None:
    # Whatever day it is, the exports of the samples are in time.
    windows = tmp_path / "windows.csv"
    windows.write_text("name,since,until,months,day\nfiling,2099-01-01,,4,30\n", "utf-8")
    assert told("load", "windows", windows) == []
    table = invoices(
        tmp_path / "invoices.csv", invoice(1, qty="120", base="6000", tax="780"),
        invoice(2, BAG, "帆布手提包", "40", "2000", "260"),
    )  # fmt: skip
    assert told("refund", "load", "purchases", table, *FIRM) == []
    until = ("--month", "202610", "--until", "2026-09-30")
    [dry] = told("refund", "declare", *FIRM, *until, "--dry-run", "-o", tmp_path / "forms")
    assert (dry["number"], dry["refundTotal"], len(dry["files"])) == (None, "960.00", 3)
    assert told("refund", "list") == []
    [made] = told("refund", "declare", *FIRM, *until)
    assert (made["states"], made["sbpc"], made["exportCount"]) == (["ready"], "001", "4")
    assert made["costTotal"] == "80.00"
    assert told("refund", "check", "--taxpayer", TAXPAYER, "--on", "2026-10-01") == []
    told("refund", "check", "--taxpayer", "91330200MA2C5E6F70", "--on", "2026-10-01", ends=1)
    [listed] = told("refund", "list")
    assert (listed["key"], listed["state"]) == (f"refund|{TAXPAYER}|202610|001", "ready")
    assert [one["code"] for one in told("refund", "declare", *FIRM, *until, ends=1)] == ["X123"]
    told("refund", "declare", *FIRM, "--month", "2027", ends=2)
    told("refund", "declare", "--partner", "nobody", "--taxpayer", TAXPAYER, "--month", "202701", ends=4)
    assert told("refund", "send") == []
    assert told("exempt", "list") == []
    told("exempt", "report", "--taxpayer", TAXPAYER, "--since", "2026-11-01", "--until", "2026-11-30", ends=1)
    told("exempt", "report", "--taxpayer", TAXPAYER, "--since", "2026-11-30", "--until", "2026-11-01", ends=2)


def test_a_wrong_invoice_is_told_by_its_cell_and_nothing_is_written(border: Border, told: Any, tmp_path: Path) -> None:
    table = invoices(tmp_path / "invoices.csv", invoice(1), invoice(2, tax="651"), invoice(3).replace("件", "担子"))
    found = told("refund", "load", "purchases", table, *FIRM, ends=1)
    assert [(one["code"], one["cell"]) for one in found] == [("M033", "H4"), ("X113", "L3")]
    assert border.world.rows("SELECT count(*) FROM purchase_line") == [(0,)]


def test_guarantees_and_statements_are_told(home: Path, told: Any, tmp_path: Path) -> None:
    world = with_customs(home)
    inventory_is(world, "800")
    bill(world)
    looks(world)
    ((account, released),) = world.rows("SELECT DISTINCT account, released_on FROM guarantee_entry")
    file = tmp_path / "table.csv"
    file.write_text(f"account,amount,since\n{account},100,2026-01-01\n", "utf-8")
    told("load", "guarantees", file)
    [one] = told("guarantee", "show")
    assert (one["account"], one["limit"], one["occupied"], one["findings"]) == (account, "100", "42.89", [])
    [entry] = told("guarantee", "entries", account)
    assert (entry["what"], entry["reason"], entry["amount"]) == ("occupy", "billed", "42.89")
    assert told("guarantee", "due", "--on", released) == []
    [due] = told("guarantee", "due", "--on", "2099-01-01", ends=1)
    assert (due["invt_no"], [said["code"] for said in due["findings"]]) == (INVT, ["X305"])
    [stated] = told("statement", account, "--month", released[:7], "-o", tmp_path / "statement.csv")
    assert (stated["totals"]["billed"], stated["lines"][0]["invt_no"]) == ("42.89", INVT)
    assert INVT in (tmp_path / "statement.csv").read_text("utf-8-sig")
    told("statement", account, "--month", "soon", ends=2)
    world.close()
    assert ended(["tax", "guarantee", "paid", "291020261000000017"]) == 0
    assert ended(["tax", "statement", account, "--month", released[:7]]) == 0
    assert ended(["tax", "guarantee", "show"]) == 0


@pytest.mark.parametrize("amount", ["1e400", "Infinity", "9" * 60, "NaN"])
def test_an_amount_that_is_none_is_told_and_nothing_is_written(
    border: Border, told: Any, tmp_path: Path, amount: str
) -> None:
    table = invoices(tmp_path / "invoices.csv", invoice(1, base=amount))
    codes = [one["code"] for one in told("refund", "load", "purchases", table, *FIRM, ends=1)]
    assert {code[0] for code in codes} <= {"M", "S"}
    assert codes


def test_a_pay_in_document_that_nobody_knows_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = with_customs(home)
    world.close()
    assert ended(["tax", "guarantee", "paid", "291020261000000018", "--home", str(home)]) == 0
    assert "X307" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("limit", "days", "told"),
    [
        (100, 0, ["ok 1 filed; none is nearly used up, no tax is due"]),
        (50, 0, ["warning X301"]),
        (40, 40, ["error X302", "warning X304"]),
        (100, 46, ["warning X305"]),
        (None, 46, []),
    ],
)
def test_the_doctor_tells_of_a_guarantee_that_is_used_up_and_of_tax_that_is_due(
    home: Path, limit: int | None, days: int, told: list[str]
) -> None:
    world = with_customs(home)
    inventory_is(world, "800")
    looks(world)
    ((account,),) = world.rows("SELECT DISTINCT account FROM guarantee_entry")
    world.close()
    if limit is not None:
        install(home, "guarantees", f"account,amount,since\n{account},{limit},2026-01-01\n".encode())
    found = list(guarantees(load_house(home), world.moment + timedelta(days=days)))
    assert [f"{one.status} {one.seen if one.status == OK else one.seen[:4]}" for one in found] == told
    until = world.moment.astimezone(CHINA).date() + timedelta(45)
    due = f"inventories: 1, yuan: 42.89; the first tax is due until {until}"
    assert all(one.seen[5:] == due for one in found if one.seen[:4] in ("X304", "X305"))
