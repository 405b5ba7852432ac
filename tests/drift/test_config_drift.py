"""The sample configuration and the code that reads it know the same keys, and every key has its comment."""

import re
import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config import Authority, Kouan, Partner, inspect_house, settings
from gateway.config_checks import ROLES
from gateway.config_shapes import struct_of
from gateway.home import make_home
from message_specs.catalog import catalog

CONF = Path(__file__).parents[2] / "conf"
FILES = [
    ("kouan.toml", Kouan),
    ("authorities/customs.toml", Authority),
    *((f"partners/{name}.toml", Partner) for name in ("agent", "pay", "ship", "shop")),
]


def written(file: str) -> tuple[dict[tuple[str, ...], Any], set[tuple[str, ...]]]:
    """Return the keys of a sample file with their values, and those that stand in it as comments only."""
    text = (CONF / file).read_text("utf-8")
    values = dict(flat(tomllib.loads(text)))
    # A key that is shown but not set stands as a comment: `# key = value`, below a commented [[table]] too.
    bare = re.sub(r"^# (?=(?:\w+ = |\[\[?[\w.]+\]\]?$))", "", text, flags=re.MULTILINE)
    shown = dict(flat(tomllib.loads(bare)))
    return values, set(shown) - set(values)


def flat(table: dict[str, Any], before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for key, value in table.items():
        rows = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
        for row in rows:
            # The values of a drawing arrangement are named by its map.
            below = isinstance(row, dict) and key != "values"
            found += flat(row, (*before, key)) if below else [((*before, key), row)]
    return found


@pytest.mark.parametrize(("file", "shape"), FILES)
def test_every_key_that_is_read_stands_in_the_sample_and_no_other(file: str, shape: type[msgspec.Struct]) -> None:
    values, shown = written(file)
    known = {path for path in settings(shape) if path != ("severity",)}
    assert {path for path in set(values) | shown if path[0] != "severity"} == known


@pytest.mark.parametrize(("file", "shape"), FILES[:2])
def test_the_sample_shows_the_defaults(file: str, shape: type[msgspec.Struct]) -> None:
    values, _ = written(file)
    defaults = dict(flat(msgspec.to_builtins(shape(**dict.fromkeys(required(shape), "")))))  # type: ignore[arg-type]
    defaults = {path: list(value) if isinstance(value, tuple) else value for path, value in defaults.items()}
    differing = {path for path, value in values.items() if defaults[path] != value}
    assert differing <= {(name,) for name in required(shape)} | {("carrier", "folder"), ("answers", "folder")}


def required(shape: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(shape) if field.required] + ["home"] * (shape is Kouan)


@pytest.mark.parametrize("file", [file for file, _ in FILES])
def test_every_key_has_a_comment_above_it(file: str) -> None:
    above = ""
    for line in (CONF / file).read_text("utf-8").splitlines():
        if re.match(r"#? ?\w+ = ", line):
            assert above.startswith("#") or re.match(r"\w+ = |\[", above), line
        above = line


def test_the_sample_is_a_working_home(tmp_path: Path) -> None:
    home = Path(shutil.copytree(CONF, tmp_path / "home"))
    assert inspect_house(home, {})[1] == ()


def test_a_fresh_home_and_the_sample_say_the_same(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", datetime(2026, 11, 21, tzinfo=UTC))
    offices = [f"authorities/{file.name}" for file in sorted((CONF / "authorities").iterdir())]
    assert offices == [f"authorities/{file.name}" for file in sorted((home / "authorities").iterdir())]
    for file in ("kouan.toml", "journeys.csv", "routes.csv", *offices):
        assert (home / file).read_bytes() == (CONF / file).read_bytes()


def test_every_role_that_a_spec_names_is_a_role_a_partner_can_have() -> None:
    assert {role for spec in catalog().specs.values() for role in spec.senders} <= set(ROLES)


def test_every_struct_refuses_what_it_does_not_know() -> None:
    for _, shape in FILES:
        for field in msgspec.structs.fields(shape):
            below = struct_of(field.type)
            assert below is None or below.__struct_config__.forbid_unknown_fields
