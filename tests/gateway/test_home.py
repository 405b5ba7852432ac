"""A home that was made can be used at once, keeps its secrets to its owner, and is never written over."""

import hashlib
import subprocess
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.simulators import fx as fx_box
from adapters.simulators import settings as simulator
from adapters.simulators import tax as tax_box
from gateway.config import inspect_house, load_house
from gateway.home import HomeExists, NotAName, PartnerExists, add_partner, change_partner, filled, free_ports, make_home
from gateway.signing.keys import load_signer

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def test_a_plain_home_is_right_and_empty(tmp_path: Path) -> None:
    house, wrong = inspect_house(make_home(tmp_path / "home", NOW), {})
    assert wrong == ()
    assert house is not None
    assert house.partners == {}
    assert not house.authority("customs").simulate


def test_the_offices_in_a_box_of_a_plain_home_stand_at_its_folders(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", NOW)
    house = load_house(home)
    boxes = {"tax": tax_box.load(home / "simulators/tax.toml"), "safe": fx_box.load(home / "simulators/safe.toml")}
    for name, box in boxes.items():
        office = house.authority(name)
        assert box.inbox.resolve() == home / office.carrier.folder
        assert box.answers.resolve() == home / office.answers.folder
        assert (box.tied, office.simulate) == (True, False)
    for spec, name in (("TAX101", "tax"), ("TAX201", "tax"), ("BOPA", "safe"), ("JSHF", "safe"), ("CEB311", "customs")):
        route = house.route(spec, "2910")
        assert route is not None
        assert route.name == name


def test_what_is_a_home_already_is_left_as_it_is(home: Path) -> None:
    before = (home / "kouan.toml").read_bytes()
    with pytest.raises(HomeExists):
        make_home(home, NOW, demo=True)
    assert (home / "kouan.toml").read_bytes() == before


def test_an_attempt_that_broke_off_can_be_repeated(home: Path) -> None:
    (home / "kouan.toml").unlink()
    (home / "keys/shop/key.toml").unlink()
    make_home(home, NOW, demo=True)
    assert inspect_house(home, {})[1] == ()
    assert load_signer(home / "keys", "shop", NOW).suite == "rsa-sha256"


def test_folders_are_closed_to_others_and_secrets_to_all_but_the_owner(home: Path) -> None:
    for path in home.rglob("*"):
        mode = path.stat().st_mode & 0o777
        if path.is_dir() and "keys" not in path.relative_to(home).parts:
            assert mode == 0o750, path
        if path.name in {"key.pem", "ssh_key", "token"}:
            assert mode == 0o600, path
    assert (home / "keys").stat().st_mode & 0o777 == 0o700


def test_only_the_hash_of_a_token_stands_in_the_configuration(home: Path) -> None:
    token = (home / "keys/partners/ship/token").read_bytes()
    partner = tomllib.loads((home / "partners/ship.toml").read_text("utf-8"))
    assert partner["token_sha256"] == [hashlib.sha256(token).hexdigest()]
    assert token.decode() not in (home / "partners/ship.toml").read_text("utf-8")


def test_openssh_reads_the_key_pair(home: Path) -> None:
    folder = home / "keys/partners/pay"
    derived = subprocess.run(["ssh-keygen", "-y", "-f", folder / "ssh_key"], capture_output=True, text=True, check=True)
    assert derived.stdout.split()[:2] == (folder / "ssh_key.pub").read_text().split()[:2]
    assert load_house(home).partner("pay").ssh_keys == ((folder / "ssh_key.pub").read_text().strip(),)


def test_every_partner_of_the_demo_can_sign_in_its_suite(home: Path) -> None:
    suites = {name: load_signer(home / "keys", name, NOW).suite for name in load_house(home).partners}
    assert suites == {"shop": "rsa-sha256", "pay": "rsa-sha256", "ship": "sm2-sm3", "agent": "sm2-sm3"}


def test_the_customs_in_a_box_trusts_what_the_partners_sign_with(home: Path) -> None:
    box = simulator.load(home / "simulators/customs.toml")
    house = load_house(home)
    for name, partner in house.partners.items():
        assert box.enterprises[partner.dxp_id].code == partner.code
        assert box.enterprises[partner.dxp_id].certificates == (load_signer(home / "keys", name, NOW).certificate_der,)
    customs = house.authority("customs")
    assert box.at(box.folder.inbox).resolve() == home / customs.carrier.folder
    assert box.at(box.folder.answers).resolve() == home / customs.answers.folder


def test_the_ports_of_two_doors_differ() -> None:
    ports = free_ports()
    assert len(set(ports.values())) == 2


def test_a_new_partner_has_a_file_and_a_mailbox(home: Path) -> None:
    add_partner(home, "acme", {"title": "甲公司", "code": "3301960A1B", "dxp_id": "DXPENT0000030009"})
    acme = load_house(home).partner("acme")
    assert (acme.title, acme.code, acme.keys) == ("甲公司", "3301960A1B", ())
    assert sorted(path.name for path in (home / "spool/partners/acme").iterdir()) == ["in", "out", "refused"]
    with pytest.raises(PartnerExists):
        add_partner(home, "acme", {})
    with pytest.raises(NotAName):
        add_partner(home, "../acme", {})


def test_a_change_keeps_every_other_line(home: Path) -> None:
    file = home / "partners/shop.toml"
    before = file.read_text("utf-8")
    change_partner(home, "shop", {"suspended": True})
    assert file.read_text("utf-8") == before.replace("suspended = false", "suspended = true")


def test_a_list_over_several_lines_is_replaced_whole() -> None:
    text = 'a = [\n  "x",\n]\nb = 1\n[t]\na = 2\n'
    assert filled(text, {"a": ["y"], "c": 3}) == 'c = 3\na = ["y"]\nb = 1\n[t]\na = 2\n'
