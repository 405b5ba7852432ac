"""`kouan simulate`: an authority in a box takes the place of this process."""

import os
import sys
from pathlib import Path

import click

from gateway.cli.options import home_option, json_option
from gateway.cli.talk import NOT_FOUND, Stop


@click.command()
@click.argument("authority", type=click.Choice(["customs", "identity", "client", "payment_data"]))
@click.option("--behaviour", "behaviours", multiple=True, metavar="NAME[=ARGUMENT]", help="A named misbehaviour.")
@click.option("--book", is_flag=True, help="Show its own book, one line for each thing told to it, and end.")
@click.option("--trades", is_flag=True, help="With --book: one line a trade, with its state, number, tax and refunds.")
@json_option
@home_option
def simulate(authority: str, behaviours: tuple[str, ...], book: bool, trades: bool, as_json: bool, home: Path) -> None:
    """Play AUTHORITY for this home, from simulators/NAME.toml, until interrupted.

    It is customs, the verification service, an official client, or customs' caller of notice 179.
    """
    settings = home / f"simulators/{authority}.toml"
    if not settings.is_file():
        raise Stop(f"{settings} is missing. Make a home that has it:  kouan init DIR --demo", NOT_FOUND)
    command = [sys.executable, "-P", "-m", f"adapters.simulators.{authority}", "--config", str(settings)]
    for behaviour in behaviours:
        command += ["--behaviour", behaviour]
    if book:
        command.append("--book")
    if trades:
        command.append("--trades")
    if as_json:
        command.append("--json")
    os.execv(command[0], command)  # noqa: S606  no shell is wanted
