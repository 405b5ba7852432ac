"""The configuration is read whole or not at all, and every mistake is told with its file, line and cure."""

import hashlib
import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.config import (
    House,
    KeyUse,
    NoHome,
    NoRoute,
    Problem,
    Tax,
    WrongConfiguration,
    fingerprint,
    home_from,
    inspect_house,
    load_house,
)
from gateway.dispatch import answers_of
from spool.errors import UnknownAuthority, UnknownPartner


def change(file: Path, old: str, new: str) -> int:
    """The text of the file is changed; return the line at which that was."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def problems(home: Path, environ: dict[str, str] | None = None) -> list[str]:
    return [str(problem) for problem in inspect_house(home, environ or {})[1]]


def test_a_demo_home_is_right(home: Path) -> None:
    house, wrong = inspect_house(home, {})
    assert wrong == ()
    assert house is not None
    assert sorted(house.partners) == ["agent", "pay", "ship", "shop"]
    assert house.kouan.home == home
    assert house.authority("customs").simulate


def test_a_folder_without_kouan_toml_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(NoHome, match="kouan init DIR"):
        load_house(tmp_path)


def test_an_unknown_key_is_refused_with_the_likeliest_one_meant(home: Path) -> None:
    line = change(home / "kouan.toml", "scan_seconds", "scan_second")
    assert problems(home) == [
        f'kouan.toml:{line}: unknown key "folder.scan_second". Did you mean "scan_seconds"?',
    ]


def test_home_is_no_key_of_the_file(home: Path) -> None:
    change(home / "kouan.toml", "revision =", 'home = "/"\nrevision =')
    assert problems(home)[0].startswith('kouan.toml:9: unknown key "home".')


def test_all_mistakes_of_all_files_are_told_at_once(home: Path) -> None:
    lines = [
        change(home / "kouan.toml", "count = 3", 'count = "two"'),
        change(home / "kouan.toml", "watch = true", "watch = 1"),
        change(home / "partners/pay.toml", '"CEB411"', '"CEB41"'),
        change(home / "partners/ship.toml", 'dxp_id = "DXPLGS0000030003"\n', ""),
        change(home / "authorities/customs.toml", "pack = 100", "pack = 101"),
    ]
    change(home / "routes.csv", ",customs,", ",custom,")
    with pytest.raises(WrongConfiguration) as raised:
        load_house(home)
    told = [(problem.file, problem.line, problem.what) for problem in raised.value.problems]
    assert sorted(told, key=str) == sorted(
        [
            ("kouan.toml", lines[0], '"workers.count": expected int, got str'),
            ("kouan.toml", lines[1], '"folder.watch": expected bool, got int'),
            ("partners/pay.toml", lines[2], 'unknown spec "CEB41"'),
            ("partners/ship.toml", None, 'the key "dxp_id" is missing'),
            ("authorities/customs.toml", lines[4], "101 is out of range"),
            ("routes.csv", 2, 'no file in authorities/ names "custom"'),
        ],
        key=str,
    )


def test_a_file_that_is_no_toml_is_told_with_its_line(home: Path) -> None:
    line = change(home / "partners/shop.toml", 'code = "', 'code "')
    assert problems(home)[0].startswith(f"partners/shop.toml:{line}: no TOML: ")


BEGINS, ENDS = "begins = 2026-11-28T22:00:00", "ends = 2026-11-29T06:00:00"


def shut(row: str) -> str:
    return f"maintenance = [{{ {row} }}]"


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("kouan.toml", '"127.0.0.1:', '"somewhere:', "is no address to listen on"),
        ("kouan.toml", "depth = 32", "depth = 0", "0 is out of range"),
        ("kouan.toml", "# C210", "C999", 'no finding has the code "C999"'),
        ("kouan.toml", 'revision = "dated"', 'revision = "2017"', '"revision": invalid enum value'),
        ("partners/shop.toml", 'receipts = "xml"', 'receipts = "pdf"', 'receipts = "pdf" is not offered'),
        ("partners/shop.toml", '"merchant"', '"trader"', 'unknown role "trader"'),
        ("partners/shop.toml", 'name = "shop"', 'name = "Shop"', '"Shop" is no name'),
        ("partners/shop.toml", 'name = "shop"', 'name = "store"', "the file is named shop"),
        ("partners/shop.toml", "3301961A2B", "", '"" is no code'),
        ("partners/shop.toml", '["ssh-ed25519 ', '["ssh-rsa ', "this is no public key of OpenSSH"),
        ("partners/shop.toml", 'token_sha256 = ["', 'token_sha256 = ["x', "this is no SHA-256 of a token"),
        ("partners/shop.toml", '[[keys]]\nname = "shop"', '[[keys]]\nname = "shop"\nauthority = "police"', '"police"'),
        ("partners/shop.toml", '[[keys]]\nname = "shop"', "[[keys]]\nsince = 2026-01-01", 'the key "keys.0.name"'),
        (
            "partners/shop.toml",
            '[[keys]]\nname = "shop"',
            '[[keys]]\nname = "shop"\nsince = 2026-02-01\nuntil = 2026-01-01',
            "until is before since",
        ),
        ("authorities/customs.toml", 'form = "DxpMsg"', 'form = "DxpMessage"', "invalid enum value"),
        ("authorities/customs.toml", 'kind = "folder"', 'kind = "http"', "the carrier has no url"),
        ("authorities/customs.toml", "factor = 2.0", "factor = 0.5", "cannot be followed"),
        ("authorities/customs.toml", "messages_a_minute = 0", "messages_a_minute = -1", "is out of range"),
        ("authorities/customs.toml", "at_once = 8", "at_once = 65", "is out of range"),
        ("authorities/customs.toml", 'order = "none"', 'order = "random"', "invalid enum value"),
        ("authorities/customs.toml", "first_seconds = 10.0", "first_seconds = 301.0", "breaker cannot be followed"),
        ("authorities/customs.toml", "pack = 100", shut('daily = "2-4"'), "is no span of hours"),
        ("authorities/customs.toml", "pack = 100", shut('note = "x"'), "nobody can tell when it is shut"),
        ("authorities/customs.toml", "pack = 100", shut(f"{BEGINS}, ends = 2026-11-27T06:00:00"), "ends before it be"),
        ("authorities/customs.toml", "pack = 100", shut(f'{BEGINS}, daily = "02:00-04:00"'), "daily or one span"),
        ("authorities/customs.toml", "pack = 100", shut(f"{BEGINS}, {ENDS}, since = 2026-01-01"), "belong to daily"),
        (
            "authorities/customs.toml",
            "pack = 100",
            shut('daily = "02:00-04:00", since = 2026-02-01, until = 2026-01-01'),
            "it ends before it begins",
        ),
        ("journeys.csv", ",check,", ",chekc,", 'there is no desk "chekc"'),
        ("journeys.csv", ",check,", ",match,", "the journey does not begin with check"),
        ("journeys.csv", ",check,", ",check match check,", "a desk stands twice in the journey"),
        ("journeys.csv", "mode,kind", "kind,mode", "does not name the columns"),
        ("routes.csv", "*,*,customs", "CEB999,*,customs", 'unknown spec "CEB999"'),
        ("routes.csv", "*,*,customs", "*,,customs", "a cell is missing"),
    ],
)
def test_what_cannot_work_is_an_error(home: Path, file: str, old: str, new: str, what: str) -> None:
    if file == "partners/shop.toml" and old.startswith("[[keys]]"):
        text = (home / file).read_text("utf-8")
        (home / file).write_text(text[: text.rindex("[[keys]]")] + new + "\n", "utf-8")
    else:
        change(home / file, old, new)
    house, wrong = inspect_house(home, {})
    assert house is None
    assert [problem.file for problem in wrong] == [file]
    assert what in str(wrong[0])


def test_a_house_that_asks_needs_to_know_whom_how_and_with_which_token(home: Path) -> None:
    (home / "keys/identity.token").unlink()
    dialect = change(home / "kouan.toml", 'dialect = "generic"', 'dialect = "tencen"')
    days = change(home / "kouan.toml", "match_days = 365", "match_days = 0")
    not_asking = [
        f"kouan.toml:{days}: 0 is out of range. Write a number from 1 to 36500.",
        f'kouan.toml:{dialect}: no service speaks "tencen". Did you mean "tencent"?',
    ]
    assert problems(home) == not_asking
    change(home / "kouan.toml", 'ask = "never"', 'ask = "differs"')
    assert problems(home)[:2] == not_asking
    cure = "Put the token of the verification service into it, readable by its owner alone."
    assert [one.partition(": ")[2] for one in problems(home)[2:]] == [
        "the service has no url. Add: url = https://…",
        f"there is no file keys/identity.token. {cure}",
    ]


def test_a_partner_may_not_have_the_name_of_an_authority(home: Path) -> None:
    text = (home / "partners/shop.toml").read_text("utf-8")
    (home / "partners/customs.toml").write_text(text.replace('name = "shop"', 'name = "customs"', 1), "utf-8")
    told = "\n".join(problems(home))
    assert '"customs" is also the name of an authority' in told
    assert "its token is also that of partners/customs.toml" in told


def test_a_missing_key_or_certificate_is_a_warning_and_the_house_opens(home: Path) -> None:
    (home / "keys/pay/key.pem").unlink()
    (home / "keys/pay/cert.pem").unlink()
    house, wrong = inspect_house(home, {})
    assert house is not None
    assert house.warnings == wrong
    assert {(problem.file, problem.severity) for problem in wrong} == {("partners/pay.toml", "warning")}
    assert [problem.what for problem in wrong] == ["there is no key pay in keys/", "there is no file keys/pay/cert.pem"]


def test_a_suspended_partner_may_lack_code_and_dxp_id(home: Path) -> None:
    change(home / "partners/pay.toml", "3301960P7K", "")
    change(home / "partners/pay.toml", "DXPENT0000030002", "")
    change(home / "partners/pay.toml", "suspended = false", "suspended = true")
    assert problems(home) == []


def test_a_severity_that_cannot_be_changed_is_told(home: Path) -> None:
    environ = {f"KOUAN_SEVERITY__{code}": "warning" for code in ("C210", "M024", "S020")}
    house, wrong = inspect_house(home, environ)
    assert house is not None
    assert [(one.what, one.severity) for one in wrong] == [('"S020" keeps its severity', "warning")]


def test_the_environment_lies_over_the_file_and_the_origin_tells(home: Path) -> None:
    environ = {
        "KOUAN_SFTP__LISTEN": "127.0.0.1:0",
        "KOUAN_WORKERS__COUNT": "4",
        "KOUAN_REVISION": "2018",
        "KOUAN_SEVERITY__C210": "warning",
        "KOUAN_HOME": "/elsewhere",
    }
    house, wrong = inspect_house(home, environ)
    assert wrong == ()
    assert house is not None
    assert house.kouan.sftp.listen == "127.0.0.1:0"
    assert house.kouan.workers.count == 4
    assert house.kouan.revision == "2018"
    assert house.kouan.severity == {"C210": "warning"}
    assert house.origins["workers.count"] == "environment KOUAN_WORKERS__COUNT"
    assert house.origins["workers.group_files"].startswith("kouan.toml:")
    assert house.origins["partners.shop.code"].startswith("partners/shop.toml:")
    assert house.origins["authorities.customs.revision.code"] == "default"


@pytest.mark.parametrize("name", ["KOUAN_SFTP__LISSTEN", "KOUAN_STFP__LISTEN", "KOUAN_HOME__X"])
def test_a_variable_that_means_no_key_is_refused(home: Path, name: str) -> None:
    assert problems(home, {name: "1"})[0].startswith(f"environment: {name} names no key of kouan.toml.")


def test_a_wrong_value_in_the_environment_is_refused(home: Path) -> None:
    assert '"workers.count": expected int, got str' in problems(home, {"KOUAN_WORKERS__COUNT": "many"})[0]


def test_the_house_finds_who_and_where(home: Path) -> None:
    house = load_house(home)
    token = (home / "keys/partners/shop/token").read_text()
    shop = house.partner("shop")
    assert house.partner_by_token(hashlib.sha256(token.encode()).hexdigest()) == shop
    assert house.partner_by_token("0" * 64) is None
    assert house.partner_by_token("") is None
    assert house.authority_by_token("") is None
    assert house.route("CEB311", "2991") == house.authority("customs")
    assert house.journey("CEB311", "1210") == ("check",)
    assert [house.revision("CEB311", date(2022, 5, day)) for day in (1, 2)] == ["202205", "202205"]
    assert house.revision("CEB311", date(2022, 4, 30)) == "2018"
    assert shop.key_for("customs", date(2026, 11, 21)) == KeyUse("shop")
    with pytest.raises(UnknownPartner):
        house.partner("acme")
    with pytest.raises(UnknownAuthority):
        house.authority("police")


def test_a_spec_that_no_route_takes_is_told(home: Path) -> None:
    (home / "routes.csv").write_text("spec,area,authority,note\nCEB311,*,customs,\n", "utf-8")
    house = load_house(home)
    assert house.route("CEB311").name == "customs"
    with pytest.raises(NoRoute, match="CEB411"):
        house.route("CEB411")


def test_the_fingerprint_changes_with_every_change_and_with_nothing_else(home: Path) -> None:
    before = fingerprint(home)
    (home / "spool/partners/shop/in/a.xml").write_text("x")
    assert fingerprint(home) == before
    (home / "partners/new.toml").write_text("")
    assert fingerprint(home) != before
    (home / "partners/new.toml").unlink()
    assert fingerprint(home) == before
    os.utime(home / "routes.csv", ns=(1, 1))
    assert fingerprint(home) != before


def test_the_home_is_the_one_given_else_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOUAN_HOME", "/a/home")
    assert home_from(None) == Path("/a/home")
    assert home_from("/b") == Path("/b")
    monkeypatch.delenv("KOUAN_HOME")
    assert home_from(None) == Path.cwd() / "kouan-home"


def test_a_house_compares_by_what_it_says(home: Path) -> None:
    first, second = load_house(home), load_house(home)
    assert isinstance(first, House)
    assert first == second
    assert str(Problem("a", None, "b", "C.")) == "a: b. C."


def test_the_tolerance_of_tax_bills_is_yuan_and_the_environment_may_lay_over_it(home: Path) -> None:
    house, _ = inspect_house(home, {"KOUAN_TAX__TOLERANCE": "0.1", "KOUAN_TAX__ROUND_AT": "line"})
    assert house is not None
    assert house.kouan.tax == Tax(tolerance=Decimal("0.1"), round_at="line")
    line = change(home / "kouan.toml", 'tolerance = "0.05"', 'tolerance = "NaN"')
    assert problems(home) == [f"kouan.toml:{line}: NaN is out of range. Write yuan from 0 to 1000."]


DATED = '[{ code = "2018" }, { code = "202205", since = 2026-12-01 }]'


def test_an_authority_may_read_by_dated_revisions(home: Path) -> None:
    change(home / "authorities/customs.toml", 'form = "DxpMsg"', f'revision = {DATED}\nform = "DxpMsg"')
    house, wrong = inspect_house(home, {"KOUAN_REVISION": "202205"})
    assert wrong == ()
    assert house is not None
    days = [date(2022, 5, 2), date(2026, 11, 30), date(2026, 12, 1)]
    assert [house.revision("CEB311", day) for day in days] == ["2018", "2018", "202205"]
    later = DATED.replace('"2018"', '"2018", since = 2026-11-01')
    change(home / "authorities/customs.toml", DATED, later)
    house, _ = inspect_house(home, {"KOUAN_REVISION": "202205"})
    assert house is not None
    assert [house.revision("CEB311", day) for day in days] == ["202205", "2018", "202205"]


@pytest.mark.parametrize("lines", ["[]", DATED.replace("2018", '2018", since = 2027-01-01 }, { code = "2018')])
def test_revisions_that_do_not_follow_each_other_are_refused(home: Path, lines: str) -> None:
    change(home / "authorities/customs.toml", 'form = "DxpMsg"', f'revision = {lines}\nform = "DxpMsg"')
    (told,) = problems(home)
    assert "the revisions do not follow each other by their days" in told


def test_a_client_needs_its_folder_and_answers_in_its_inbox(home: Path) -> None:
    file = home / "authorities/customs.toml"
    change(file, 'kind = "folder"', 'kind = "client"')
    change(file, 'folder = "spool/authorities/customs/in"', "")
    house, wrong = inspect_house(home, {})
    assert wrong == ()
    assert house is not None
    assert answers_of(home, house.authority("customs")) == home / "spool/authorities/customs/out/InBox"
    change(file, "look_seconds = 2.0", "look_seconds = 0")
    change(file, 'folder = "spool/authorities/customs/out"', "")
    told = " ".join(problems(home, {}))
    assert "the carrier has no folder" in told
    assert "the client cannot be watched like this" in told
