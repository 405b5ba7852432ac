"""A loaded key can sign; a key that cannot is told to the operator in one sentence, never with its secret."""

import shutil
from datetime import timedelta

import pytest

from gateway.signing import keys, libcrypto
from gateway.signing.signer import (
    KeyAndCertificateDiffer,
    KeyExists,
    KeyExpired,
    KeyMissing,
    KeyNotYetValid,
    KeyUnreadable,
)
from spool.errors import ForOperator
from tests.gateway.signing.conftest import AT, MADE
from tests.programs import run

SUITES = ("rsa-sha1", "rsa-sha256", "sm2-sm3")


def test_a_new_key_is_readable_by_its_owner_only(key_folder):
    modes = {path.name: path.stat().st_mode & 0o777 for path in (key_folder / "sm2-sm3").iterdir()}
    assert modes["key.pem"] == 0o600
    assert (key_folder / "sm2-sm3").stat().st_mode & 0o777 == 0o700


def test_a_new_key_leaves_nothing_but_its_three_files(key_folder):
    assert sorted(path.name for path in (key_folder / "rsa-sha1").iterdir()) == ["cert.pem", "key.pem", "key.toml"]
    assert not list(key_folder.glob(".*"))


@pytest.mark.parametrize("suite", SUITES)
def test_key_name_is_the_serial_number_of_the_certificate(signer_of, key_folder, suite):
    told = run("openssl", "x509", "-in", key_folder / suite / "cert.pem", "-noout", "-serial").stdout
    assert told.strip() == f"serial={signer_of(suite).key_name.upper()}"
    assert len(signer_of(suite).key_name) == 16


def test_openssl_accepts_the_sm2_certificate_under_the_usual_user_id(key_folder):
    pem = key_folder / "sm2-sm3" / "cert.pem"
    answer = run("openssl", "verify", "-vfyopt", f"distid:{libcrypto.USER_ID.decode()}", "-CAfile", pem, pem)
    assert (answer.returncode, answer.stdout) == (0, f"{pem}: OK\n")


def test_the_list_tells_every_key_and_why_one_cannot_sign(key_folder, tmp_path):
    shutil.copytree(key_folder / "sm2-sm3", tmp_path / "good")
    shutil.copytree(key_folder / "rsa-sha1", tmp_path / "torn")
    (tmp_path / "torn" / "cert.pem").write_text("nothing")
    (tmp_path / "partners" / "shop").mkdir(parents=True)
    (tmp_path / "sftp_host_ed25519").write_text("")
    good, torn = keys.list_keys(tmp_path, AT)
    assert (good.name, good.suite, good.days_left, good.trouble) == (
        "good", "sm2-sm3", (MADE + timedelta(days=36500) - AT).days, "",
    )  # fmt: skip
    assert good.subject == "CN=云栖优选 sm2-sm3,O=Invented"
    assert (torn.name, torn.serial) == ("torn", "")
    assert torn.trouble.startswith("The signing key or its certificate cannot be read")


def test_no_folder_means_no_keys(tmp_path):
    assert keys.list_keys(tmp_path / "nowhere") == ()


def _without_certificate(place):
    (place / "cert.pem").unlink()


def _of_another(place):
    shutil.copy(place.parent / "other" / "cert.pem", place / "cert.pem")


def _unknown_suite(place):
    (place / "key.toml").write_text('suite = "dsa"')


def _no_toml(place):
    (place / "key.toml").write_text("suite = ")


def _encrypted(place):
    key, locked = place / "key.pem", place / "locked.pem"
    assert run("openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", locked).returncode == 0
    locked.replace(key)


@pytest.mark.parametrize("suite", ["rsa-sha256", "sm2-sm3"])
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (shutil.rmtree, KeyMissing),
        (_without_certificate, KeyUnreadable),
        (_of_another, KeyAndCertificateDiffer),
        (_unknown_suite, KeyUnreadable),
        (_no_toml, KeyUnreadable),
        (_encrypted, KeyUnreadable),
    ],
)
def test_what_cannot_sign_is_told_to_the_operator(key_folder, tmp_path, suite, harm, told):
    shutil.copytree(key_folder / suite, tmp_path / "key")
    shutil.copytree(key_folder / ("other-rsa" if "rsa" in suite else "other-sm2"), tmp_path / "other")
    secret = (tmp_path / "key" / "key.pem").read_text().splitlines()[1]
    harm(tmp_path / "key")
    with pytest.raises(told) as caught:
        keys.load_signer(tmp_path, "key", AT)
    assert isinstance(caught.value, ForOperator)
    assert secret not in str(caught.value)


def test_a_key_of_the_other_kind_is_unreadable(key_folder, tmp_path):
    shutil.copytree(key_folder / "sm2-sm3", tmp_path / "key")
    shutil.copy(key_folder / "rsa-sha1" / "key.pem", tmp_path / "key" / "key.pem")
    with pytest.raises(KeyUnreadable):
        keys.load_signer(tmp_path, "key", AT)
    shutil.copytree(key_folder / "rsa-sha1", tmp_path / "rsa")
    shutil.copy(key_folder / "sm2-sm3" / "key.pem", tmp_path / "rsa" / "key.pem")
    with pytest.raises(KeyUnreadable):
        keys.load_signer(tmp_path, "rsa", AT)


def test_a_key_outside_its_dates_does_not_load(key_folder):
    with pytest.raises(KeyNotYetValid):
        keys.load_signer(key_folder, "sm2-sm3", MADE - timedelta(seconds=1))
    with pytest.raises(KeyExpired):
        keys.load_signer(key_folder, "sm2-sm3", MADE + timedelta(days=36500, seconds=1))


def test_a_name_is_given_once_and_is_a_plain_folder_name(key_folder):
    with pytest.raises(KeyExists):
        keys.new_key(key_folder, "sm2-sm3", "sm2", "CN=x", 1, now=AT)
    for name in ("", "../x", ".hidden", "a/b"):
        with pytest.raises(KeyUnreadable):
            keys.new_key(key_folder, name, "sm2", "CN=x", 1, now=AT)


def test_a_suite_or_subject_that_cannot_be_is_refused_and_leaves_nothing(tmp_path):
    for suite, subject in (("dsa", "CN=x"), ("rsa", "=,="), ("sm2", "NOPE=x")):
        with pytest.raises(KeyUnreadable):
            keys.new_key(tmp_path, "key", suite, subject, 1, now=AT)
    assert list(tmp_path.iterdir()) == []


def test_a_signer_does_not_show_its_key(signer_of, key_folder):
    for suite in SUITES:
        secret = (key_folder / suite / "key.pem").read_text().splitlines()[1]
        assert secret not in repr(signer_of(suite))


def test_without_libcrypto_the_operator_is_told_what_to_install(monkeypatch):
    libcrypto.library.cache_clear()
    monkeypatch.setattr(libcrypto, "LIBRARY", "libcrypto-that-is-not-there.so.3")
    with pytest.raises(ForOperator, match="apt install libssl3"):
        libcrypto.sm3(b"")
    libcrypto.library.cache_clear()
