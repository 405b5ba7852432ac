"""The home's own secret is drawn once and never weak: what is no whole secret stops the house instead."""

from pathlib import Path

import pytest

from gateway.secret import SecretUnreadable, secret_of


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
