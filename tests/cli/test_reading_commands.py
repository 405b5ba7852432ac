"""Every command that reads gives the same facts to people as a table and to programs as JSON Lines."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from rich.cells import cell_len, set_cell_size

from gateway.cli import ended
from gateway.config_names import ROLES
from gateway.posing import pose
from gateway.secret import secret_of
from message_specs.catalog import catalog
from message_specs.tables import revisions_of
from spool.ledger import Ledger
from tests.homes import demo_home


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object, ends: int = 0) -> list[Any]:
        assert ended([*map(str, arguments), "--json"]) == ends
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_the_specs_are_listed(told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["code"] for row in told("spec", "list")] == sorted(catalog().specs)
    assert ended(["spec", "list"]) == 0
    assert "电子订单" in capsys.readouterr().out


def test_a_spec_is_shown_with_every_field_and_rule(told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (spec,) = told("spec", "show", "ceb311", "--revision", "2018")
    assert spec["key"] == ["OrderHead/ebpCode", "OrderHead/orderNo"]
    assert "Order/OrderHead/acturalPaid" in [field["path"] for field in spec["fields"]]
    assert "C210" in [rule["says"] for rule in spec["rules"]]
    assert ended(["spec", "show", "CEB311"]) == 0
    assert "Order/OrderHead/acturalPaid" in capsys.readouterr().out


@pytest.mark.parametrize("revision", ["2018", "202205"])
def test_an_xsd_is_printed_for_every_spec_that_the_revision_has(
    revision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for code, spec in catalog().specs.items():
        known = revision in revisions_of(spec.root)
        assert ended(["spec", "xsd", code, "--revision", revision]) == (0 if known else 4)
        told = capsys.readouterr()
        if known:
            assert etree.fromstring(told.out.encode()).tag.endswith("}schema")
        else:
            assert told.err.startswith(f"kouan: {code} has no fields in revision {revision}")


def test_a_spec_is_shown_to_people_in_both_languages_in_straight_columns(capsys: pytest.CaptureFixture[str]) -> None:
    for code in catalog().specs:
        assert ended(["spec", "show", code]) == 0
        lines = capsys.readouterr().out.splitlines()
        start = next(place for place, line in enumerate(lines) if line.startswith("field"))
        columns = [cell_len(lines[start][: lines[start].index(word)]) for word in ("名称", "English", "occurs")]
        for line in lines[start + 1 : lines.index("", start)]:
            assert [set_cell_size(line, width)[-2:] for width in columns] == ["  "] * 3, line


def test_what_a_revision_changed_is_shown_field_by_field(told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    changed = {row["path"]: (row["2018"], row["202205"]) for row in told("spec", "diff", "CEB792")}
    assert changed == {
        "SummaryResult/SummaryResultList": ("0..100", "0..*"),
        "SummaryResult/SummaryResultList/invtNo": ("1 text 18", "1 text ..20"),
        "SummaryResult/SummaryResultList/logisticsNo": ("1 text ..80", "1 text ..32"),
        "SummaryResult/SummaryResultList/gseqno": (None, "1 integer 5"),
    }
    assert ended(["spec", "diff", "ceb303message"]) == 0
    assert "default 2" in capsys.readouterr().out
    assert told("spec", "diff", "DxpRep") == []
    assert ended(["spec", "diff", "CEB213"]) == 4
    assert "revision 202205 only" in capsys.readouterr().err


def test_an_unknown_spec_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["spec", "show", "CEB31"]) == 4
    assert "Did you mean" in capsys.readouterr().err


def test_the_partners_are_listed(told: Any, home: Path) -> None:
    rows = told("partner", "list", "--home", home)
    assert [(row["name"], row["doors"], row["suspended"]) for row in rows] == [
        (name, ["folder", "sftp", "http"], False) for name in ("agent", "pay", "ship", "shop")
    ]


def test_a_new_partner_with_code_and_id_can_send_at_once(told: Any, home: Path) -> None:
    public = home / "keys/partners/pay/ssh_key.pub"
    (made,) = told(
        *("partner", "new", "acme", "--title", "甲公司", "--code", "3301960A1B", "--dxp-id", "DXPENT0000030009"),
        *("--role", "payment", "--ssh-key", public, "--home", home),
    )
    assert list(made) == ["name", "file", "mailbox", "token"]
    (acme,) = (row for row in told("partner", "list", "--home", home) if row["name"] == "acme")
    assert (acme["specs"], acme["doors"], acme["suspended"]) == (
        ["CEB403", "CEB411"],
        ["folder", "sftp", "http"],
        False,
    )


EXCHANGE = {"BOPA", "BOPB", "BOPG", "BOPH", "JSHD", "JSHE", "JSHF", "JSHG"}


@pytest.mark.parametrize("role", ROLES)
def test_only_a_bank_reports_foreign_exchange_by_its_role_alone(told: Any, home: Path, role: str) -> None:
    told("partner", "new", "acme", "--role", role, "--home", home)
    (acme,) = (row for row in told("partner", "list", "--home", home) if row["name"] == "acme")
    assert set(acme["specs"]) & EXCHANGE == (EXCHANGE if role == "bank" else set())


def test_a_payment_firm_reports_what_its_registration_names(told: Any, home: Path) -> None:
    told("partner", "new", "acme", "--role", "payment", "--spec", "CEB411", "--spec", "JSHD", "--home", home)
    (acme,) = (row for row in told("partner", "list", "--home", home) if row["name"] == "acme")
    assert acme["specs"] == ["CEB411", "JSHD"]


def test_a_new_partner_without_them_stands_suspended(told: Any, home: Path) -> None:
    told("partner", "new", "acme", "--home", home)
    (acme,) = (row for row in told("partner", "list", "--home", home) if row["name"] == "acme")
    assert acme["suspended"]


def test_a_new_partner_that_would_break_the_house_is_not_made(home: Path) -> None:
    made = ["partner", "new", "acme", "--code", "?", "--dxp-id", "x", "--home", str(home)]
    assert ended(made) == 1
    assert not (home / "partners/acme.toml").exists()
    assert ended(["partner", "new", "shop", "--home", str(home)]) == 1


def test_a_partner_is_suspended_and_resumed(told: Any, home: Path) -> None:
    for arguments, suspended in ((["suspend", "shop"], True), (["suspend", "shop", "--resume"], False)):
        assert ended(["partner", *arguments, "--home", str(home)]) == 0
        assert [row["suspended"] for row in told("partner", "list", "--home", home)][-1] == suspended
    assert ended(["partner", "suspend", "nobody", "--home", str(home)]) == 4


def test_a_key_is_made_entrusted_and_listed(told: Any, home: Path) -> None:
    assert ended(["key", "new", "pay2", "--suite", "sm2", "--partner", "pay", "--home", str(home)]) == 0
    rows = {row["name"]: row for row in told("key", "list", "--home", home)}
    assert (rows["pay2"]["suite"], rows["pay2"]["partners"], rows["pay2"]["trouble"]) == ("sm2-sm3", ["pay"], "")
    assert ended(["key", "new", "pay2", "--suite", "rsa", "--home", str(home)]) == 1
    assert ended(["key", "new", "partners", "--suite", "rsa", "--home", str(home)]) == 1


def test_a_key_that_cannot_sign_ends_the_list_with_one(told: Any, home: Path) -> None:
    (home / "keys/pay/cert.pem").write_text("nonsense")
    rows = {row["name"]: row["trouble"] for row in told("key", "list", "--home", home, ends=1)}
    assert rows["pay"]
    assert not rows["shop"]


def test_the_configuration_is_checked(told: Any, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told("config", "check", "--home", home) == [{"home": str(home), "valid": True, "problems": []}]
    (home / "keys/pay/key.pem").unlink()
    assert ended(["config", "check", "--home", str(home)]) == 0
    assert ended(["config", "check", "--strict", "--home", str(home)]) == 1
    (home / "routes.csv").write_text("spec,area,authority,note\n*,*,police,\n")
    capsys.readouterr()
    (answer,) = told("config", "check", "--home", home, ends=1)
    assert not answer["valid"]
    assert answer["problems"][-1] == {
        "file": "routes.csv",
        "line": 2,
        "severity": "error",
        "what": 'no file in authorities/ names "police"',
        "cure": "Known here: customs, safe, tax.",
    }


def test_the_configuration_is_shown_without_whole_hashes(told: Any, home: Path) -> None:
    (values,) = told("config", "show", "--home", home)
    assert values["workers.count"] == 3
    assert values["partners.shop.code"] == "3301961A2B"
    assert all(len(one) == 9 for one in values["partners.shop.token_sha256"])
    rows = {row["key"]: row["origin"] for row in told("config", "show", "--origin", "--home", home)}
    assert rows["partners.shop.code"].startswith("partners/shop.toml:")


def test_the_doctor_finds_a_healthy_home_and_a_sick_one(told: Any, home: Path) -> None:
    (healthy,) = told("doctor", "--home", home)
    assert {one["name"]: one["status"] for one in healthy["symptoms"]}["lxml and xmlsec"] == "ok"
    (home / "keys/shop/key.pem").chmod(0o644)
    (sick,) = told("doctor", "--home", home, ends=1)
    assert [one["seen"] for one in sick["symptoms"] if one["status"] == "error"] == ["others can read it"]


def test_the_doctor_tells_of_a_secret_that_is_gone(told: Any, home: Path) -> None:
    book = Ledger(home / "ledger.sqlite3")
    with book.writing():
        book.run("keep_record", "quota|00|2026", "100", 0)
    book.close()
    (home / "keys/secret").unlink(missing_ok=True)
    (sick,) = told("doctor", "--home", home, ends=1)
    bad = [(one["name"], one["seen"]) for one in sick["symptoms"] if one["status"] == "error"]
    assert bad == [("keys", f"{home}/keys/secret 不见了 is gone, and the ledger depends on it")]
    assert not (home / "keys/secret").exists()


def test_the_doctor_tells_who_is_asked_about_buyers_and_what_waits(told: Any, home: Path) -> None:
    def seen() -> list[tuple[str, str]]:
        (answer,) = told("doctor", "--home", home)
        return [(one["status"], one["seen"]) for one in answer["symptoms"] if one["name"] == "identity"]

    for file in home.glob("ledger.sqlite3*"):
        file.unlink()
    assert seen() == [("ok", "no verification service is asked")]
    text = (home / "kouan.toml").read_text("utf-8")
    text = text.replace('ask = "never"', 'ask = "always"').replace('url = ""', 'url = "http://127.0.0.1:1/verify"')
    (home / "kouan.toml").write_text(text, "utf-8")
    assert seen() == [("ok", "always asked of http://127.0.0.1:1/verify")]
    secret_of(home)
    book = Ledger(home / "ledger.sqlite3")
    with book.writing():
        pose(book, "identity|00", 17, 1, datetime(2026, 11, 21, tzinfo=UTC))
    told_of = "always asked of http://127.0.0.1:1/verify, 1 open"
    assert seen() == [("ok", told_of)]
    with book.writing():
        book.run("question_postponed", "2026-11-21T16:00:00.000Z", "127.0.0.1 answered 500", "identity|00")
    book.close()
    assert seen() == [("warning", f"{told_of}, next 2026-11-21T16:00:00.000Z: 127.0.0.1 answered 500")]


def test_the_doctor_works_without_a_home(told: Any, tmp_path: Path) -> None:
    (answer,) = told("doctor", "--home", tmp_path / "nowhere")
    assert answer["symptoms"][0]["name"] == "home"


def test_init_says_where_and_which_ports(told: Any, tmp_path: Path) -> None:
    (made,) = told("init", tmp_path / "home")
    assert made == {"home": str(tmp_path / "home"), "demo": False, "sftp": "127.0.0.1:2222", "http": "127.0.0.1:8080"}
    assert ended(["init", str(tmp_path / "home")]) == 1


def test_simulate_needs_a_home_that_has_it(home: Path) -> None:
    (home / "simulators/customs.toml").unlink()
    assert ended(["simulate", "customs", "--home", str(home)]) == 4
    assert ended(["simulate", "identity", "--home", str(home.parent)]) == 4
    assert ended(["simulate", "client", "--home", str(home)]) == 4
    assert ended(["simulate", "bank", "--home", str(home)]) == 2


def test_who_reads_a_ledger_of_an_earlier_kouan_hears_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = demo_home(tmp_path)
    ledger = sqlite3.connect(home / "ledger.sqlite3")
    ledger.execute("DELETE FROM _sqlite_migrations WHERE name = '0014_nearby_marks'")
    ledger.commit()
    ledger.close()
    assert ended(["dossier", "A1", "--home", str(home)]) == 1
    assert "written by an earlier Kouan; the daemon brings it up to date when it starts" in capsys.readouterr().err
    assert ended(["doctor", "--home", str(home)]) == 0
    assert "written by an earlier Kouan" in capsys.readouterr().out
