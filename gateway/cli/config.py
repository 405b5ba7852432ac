"""`kouan config`: is the configuration right, and what is in force."""

from pathlib import Path
from typing import Any

import click

from gateway.cli.options import home_option, json_option
from gateway.cli.talk import FAILED, give, present, say

SECRETS = ("token_sha256",)


@click.group()
def config() -> None:
    """Check and show the configuration."""


@config.command()
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@json_option
@home_option
def check(strict: bool, as_json: bool, home: Path) -> int:
    """Say everything that is wrong with the configuration, with file, line and cure."""
    from gateway.config import inspect_house

    house, problems = inspect_house(home)
    wrong = house is None or (strict and bool(problems))
    if as_json:
        told = [
            {"file": one.file, "line": one.line, "severity": one.severity, "what": one.what, "cure": one.cure}
            for one in problems
        ]
        give({"home": str(home), "valid": not wrong, "problems": told})
    else:
        for one in problems:
            click.echo(f"{one.severity}: {one}")
        say(f"{home}: {'wrong' if wrong else 'right'}, {len(problems)} problems.")
    return FAILED if wrong else 0


@config.command()
@click.option("--origin", is_flag=True, help="Show where each value comes from.")
@json_option
@home_option
def show(origin: bool, as_json: bool, home: Path) -> None:
    """Show every value that is in force; hashes of tokens are shortened."""
    from gateway.config import load_house

    house = load_house(home)
    rows = [
        {"key": key, "value": value, "origin": house.origins.get(key, "default")}
        for key, value in _values(house).items()
    ]
    if as_json and not origin:
        give({row["key"]: row["value"] for row in rows})
    elif origin:
        present(as_json, ("key", "value", "origin"), rows)
    else:
        for row in rows:
            click.echo(f"{row['key']} = {row['value']}")


def _values(house: Any) -> dict[str, Any]:
    import msgspec

    values: dict[str, Any] = {}
    kouan = msgspec.structs.replace(house.kouan, home=None)
    _flat(msgspec.to_builtins(kouan), "", values)
    values.pop("home")
    for folder, members in (("partners", house.partners), ("authorities", house.authorities)):
        for name, member in members.items():
            _flat(msgspec.to_builtins(member), f"{folder}.{name}.", values)
    return values


def _flat(value: dict[str, Any], before: str, values: dict[str, Any]) -> None:
    for key, inner in value.items():
        if isinstance(inner, dict):
            _flat(inner, f"{before}{key}.", values)
        elif key in SECRETS:
            values[before + key] = [f"{one[:8]}…" for one in ([inner] if isinstance(inner, str) else inner) if one]
        else:
            values[before + key] = inner
