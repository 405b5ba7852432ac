"""The options that many commands share, each written once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
HOME = "kouan-home"


def _home(context: click.Context, _option: click.Parameter, given: Path | None) -> Path:
    chosen = given or context.find_root().params.get("home") or Path(HOME)
    return Path(chosen).absolute()


def home_option(command: Command) -> Command:
    """The command takes `home`, an absolute path: --home, else KOUAN_HOME, else ./kouan-home."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="KOUAN_HOME",
        callback=_home,
        help="The home folder; else KOUAN_HOME, else ./kouan-home.",
    )(command)


def json_option(command: Command) -> Command:
    """The command takes `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Give JSON on stdout, one object a line.")(command)


def read_input(file: str) -> bytes:
    """Return the bytes of a file, or of stdin for `-`."""
    with click.open_file(file, "rb") as source:
        data: bytes = source.read()
    return data


def input_argument(name: str, *, many: bool = False) -> Callable[[Command], Command]:
    """The command takes the names of files that can be read; `-` is stdin."""
    kind = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True)
    return click.argument(name, type=kind, nargs=-1 if many else 1, required=True)
