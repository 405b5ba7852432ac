"""A message signed by hand verifies against the home's certificates, and a changed one is explained."""

import json
from pathlib import Path

import pytest

from gateway.cli import ended

SAMPLES = Path(__file__).parents[2] / "message_specs/ceb/samples/good"


@pytest.fixture(params=["shop", "ship"])
def signed(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Path:
    file = tmp_path / "signed.xml"
    order = ["sign", str(SAMPLES / "CEB311.xml"), "--key", request.param, "-o", str(file), "--home", str(home)]
    assert ended(order) == 0
    return file


def test_what_was_signed_verifies(signed: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["verify", str(signed), "--json", "--home", str(home)]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["valid"]
    assert list(verdict) == ["file", "valid", "code", "suite", "key_name", "subject", "not_after", "zh", "en"]


def test_a_stranger_s_certificate_is_not_trusted(signed: Path, home: Path) -> None:
    assert ended(["verify", str(signed), "--cert", str(home / "keys/pay/cert.pem"), "--home", str(home)]) == 1


def test_without_home_and_certificate_nobody_is_trusted(signed: Path, tmp_path: Path) -> None:
    assert ended(["verify", str(signed), "--home", str(tmp_path / "nowhere")]) == 1


def test_a_changed_message_is_explained(signed: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, _, tail = signed.read_text("utf-8").partition('guid="')
    signed.write_text(f'{head}guid="{"0" if tail[0] != "0" else "1"}{tail[1:]}', "utf-8")
    assert ended(["explain-signature", str(signed), "--json", "--home", str(home)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["difference"]["code"].startswith("G")
    assert told["digest_in_file"] != told["digest_computed"]
    assert ended(["explain-signature", str(signed), "--home", str(home)]) == 1


def test_a_good_signature_is_explained_too(signed: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["explain-signature", str(signed), "--full", "--home", str(home)]) == 0
    assert "SignedInfo" in capsys.readouterr().out


def test_a_signed_message_is_not_signed_twice(signed: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["sign", str(signed), "--key", "shop", "--home", str(home)]) == 1
    assert capsys.readouterr().out == ""


def test_a_key_that_is_not_there_is_not_found(home: Path) -> None:
    assert ended(["sign", str(SAMPLES / "CEB311.xml"), "--key", "nobody", "--home", str(home)]) == 4
