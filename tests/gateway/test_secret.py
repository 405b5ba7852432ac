"""The home's own secret is drawn once and never weak: what is no whole secret stops the house instead."""

from pathlib import Path

import pytest

from gateway.clerk import clerk_at
from gateway.desks import hidden_key
from gateway.secret import KeyLost, SecretUnreadable, lost, secret_of, stands
from spool.ledger import Ledger
from tests import samples
from tests.homes import demo_home, take_in


def test_it_is_drawn_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    drawn = secret_of(tmp_path)
    assert (len(drawn), secret_of(tmp_path)) == (32, drawn)
    assert (tmp_path / "keys/secret").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["secret"]


@pytest.mark.parametrize("data", [b"", b"short"])
def test_half_a_secret_is_none(tmp_path: Path, data: bytes) -> None:
    secret_of(tmp_path)
    (tmp_path / "keys/secret").write_bytes(data)
    with pytest.raises(SecretUnreadable, match=f"it holds {len(data)} bytes of 32"):
        secret_of(tmp_path)


def test_what_cannot_be_read_is_for_the_operator(tmp_path: Path) -> None:
    (tmp_path / "keys/secret").mkdir(parents=True)
    with pytest.raises(SecretUnreadable, match="Is a directory"):
        secret_of(tmp_path)


def keep(home: Path, key: str) -> None:
    """The ledger of this home keeps a record under a key."""
    ledger = Ledger(clerk_at(home))
    with ledger.writing():
        ledger.run("keep_record", key, "26000", 0)
    ledger.close()


@pytest.mark.parametrize("kind", ["quota", "identity"])
def test_a_lost_secret_is_not_drawn_again_once_the_ledger_keeps_rows_by_it(tmp_path: Path, kind: str) -> None:
    secret = secret_of(tmp_path)
    keep(tmp_path, hidden_key(secret, kind, "330199195102020018"))
    (tmp_path / "keys/secret").unlink()
    with pytest.raises(KeyLost) as told:
        secret_of(tmp_path)
    assert not (tmp_path / "keys/secret").exists()
    assert str(told.value) == (
        "密钥文件不见了，而台账依赖它，不另生成 A key file is gone that the ledger depends on; no other is drawn: "
        f"{tmp_path}/keys/secret. 请从备份恢复。"
        "没有备份时，执行下面的命令即表示接受：个人年度额度从零计，身份重新核验。 "
        "Bring it back from a copy. Without one this command accepts that every buyer's year begins at zero and "
        f"everybody is asked about anew: (umask 077; head -c 32 /dev/urandom > {tmp_path}/keys/secret)"
    )
    (tmp_path / "keys/secret").write_bytes(secret)
    assert secret_of(tmp_path) == secret


def test_a_secret_that_nothing_was_kept_by_is_drawn_again(tmp_path: Path) -> None:
    first = secret_of(tmp_path)
    keep(tmp_path, "gathered|29102026E000007001")
    (tmp_path / "keys/secret").unlink()
    assert secret_of(tmp_path) != first


def test_a_lost_host_key_stops_the_house_once_a_partner_came_through_the_sftp_door(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    take_in(home, "shop", "1.xml", samples.order(1))
    stands(home, "keys/sftp_host_ed25519")
    take_in(home, "shop", "2.xml", samples.order(2), door="sftp")
    stands(home, None)
    (gone,) = lost(home, "keys/sftp_host_ed25519")
    assert gone.file == home / "keys/sftp_host_ed25519"
    assert gone.cure == (
        "请从备份恢复。没有备份时用下面的命令另造一个，并把新指纹告知每家企业。 "
        "Bring it back from a copy. Without one make another and tell every partner its fingerprint: "
        f'ssh-keygen -t ed25519 -N "" -f {home}/keys/sftp_host_ed25519'
    )
    (home / "keys/sftp_host_ed25519").touch()
    stands(home, "keys/sftp_host_ed25519")
