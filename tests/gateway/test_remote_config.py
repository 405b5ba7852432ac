"""What files say of SFTP servers is checked before anything is visited, and `kouan doctor` looks at our side."""

from pathlib import Path

import pytest

from gateway.cli.symptoms_of_remotes import remotes
from gateway.config import inspect_house, load_house
from gateway.roads import places
from tests.homes import demo_home
from tests.sshd import key_pair

GOOD = {
    "host": '"files.example.cn"', "user": '"kouan"', "host_keys": "[]", "key_file": '"keys/remote"', "folder": '"out"',
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    found = demo_home(tmp_path)
    GOOD["host_keys"] = f'["{key_pair(found / "keys/remote")}"]'
    return found


def problems(home: Path, **changed: str) -> list[tuple[str, str]]:
    """What is said of the partner's server with these lines changed."""
    file = home / "partners/shop.toml"
    lines = "\n".join(f"{key} = {value}" for key, value in {**GOOD, **changed}.items() if value)
    file.write_text(f"{file.read_text('utf-8').partition('[fetch.sftp]')[0]}\n[fetch.sftp]\n{lines}\n", "utf-8")
    return [(one.severity, one.what) for one in inspect_house(home, {})[1]]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"host_keys": "[]"}, [("error", "no host key is pinned")]),
        ({"host_keys": '["ssh-ed25519 AAAA"]'}, [("error", "This is no host key of OpenSSH: ssh-ed25519 AAAA")]),
        ({"host": '""'}, [("error", '"" is no host')]),
        ({"port": "0"}, [("error", "0 is out of range")]),
        ({"every_seconds": "0.1"}, [("error", "0.1 is out of range")]),
        ({"taken": '"out/"'}, [("error", "what was taken would lie where it was taken from")]),
        ({"files": '""'}, [("error", "no name fits an empty pattern")]),
        ({"key_file": '"keys/none"'}, [("warning", "no file keys/none")]),
        ({"key_file": ""}, [("error", "how we prove ourselves there is not clear")]),
        ({"password_file": '"keys/remote"'}, [("error", "how we prove ourselves there is not clear")]),
    ],
)
def test_every_mistake_is_told(home: Path, changed: dict[str, str], said: list[tuple[str, str]]) -> None:
    assert problems(home, **changed) == said


def test_a_carrier_to_a_server_needs_one(home: Path) -> None:
    file = home / "authorities/customs.toml"
    file.write_text(file.read_text("utf-8").replace('kind = "folder"', 'kind = "sftp"'), "utf-8")
    assert [one.what for one in inspect_house(home, {})[1]] == ["the carrier has no server"]


def test_the_doctor_reads_keys_and_sees_who_else_can(home: Path) -> None:
    assert problems(home) == []

    def seen() -> list[tuple[str, str, str]]:
        return [(one.name, one.status, one.seen) for one in remotes(load_house(home))]

    name = "sftp fetch of shop"
    assert seen() == [(name, "ok", "kouan@files.example.cn:22, pinned ssh-ed25519")]
    (home / "keys/remote").chmod(0o644)
    assert seen() == [(name, "error", f"others can read {home / 'keys/remote'}")]
    (home / "keys/remote").write_bytes(b"no key")
    assert [(one, status) for one, status, _ in seen()] == [(name, "error")]
    (home / "keys/remote").unlink()
    assert [(one, status) for one, status, _ in seen()] == [(name, "error")]


def test_who_is_suspended_is_not_visited(home: Path) -> None:
    assert problems(home) == []
    assert [(sender, kind) for sender, kind, _ in places(load_house(home))] == [("safe", "fx"), ("shop", "sftp")]
    file = home / "partners/shop.toml"
    file.write_text(file.read_text("utf-8").replace("suspended = false", "suspended = true"), "utf-8")
    assert [sender for sender, _, _ in places(load_house(home))] == ["safe"]


@pytest.mark.parametrize(
    ("folder", "files", "shared"),
    [("out/", "*", True), ("./out", "*.xml", True), ("out", "SHIP*", False), ("other", "*", False)],
)
def test_a_folder_is_read_for_one_sender_alone(home: Path, folder: str, files: str, *, shared: bool) -> None:
    ship = home / "partners/ship.toml"
    lines = "\n".join(
        f"{key} = {value}" for key, value in {**GOOD, "folder": f'"{folder}"', "files": f'"{files}"'}.items()
    )
    ship.write_text(f"{ship.read_text('utf-8')}\n[fetch.sftp]\n{lines}\n", "utf-8")
    told = [("error", "its folder out is also that of partners/ship.toml")]
    assert problems(home, files='"*.xml"') == (told if shared else [])
