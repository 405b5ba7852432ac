"""`kouan init`: make a home folder."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.talk import give, say


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--demo", is_flag=True, help="With four partners, their keys, and a customs in a box.")
@click.option("--json", "as_json", is_flag=True, help="Give JSON on stdout.")
def init(folder: Path, demo: bool, as_json: bool) -> None:
    """Make a home folder: commented configuration, folders, with --demo everything to try it.

    A folder that is a home already is left as it is.
    """
    from gateway.config import load_house
    from gateway.home import make_home

    home = make_home(folder, datetime.now(UTC), demo=demo)
    house = load_house(home)
    if as_json:
        give({"home": str(home), "demo": demo, "sftp": house.kouan.sftp.listen, "http": house.kouan.http.listen})
    say(f"A home stands in {home}.")
    if demo:
        say(f"Partners: {', '.join(house.partners)}; their SSH keys and tokens lie in {home}/keys/partners.")
        say(f"SFTP will be {house.kouan.sftp.listen}, HTTP {house.kouan.http.listen}.")
        say(f"Start it:  kouan run --home {folder}")
    else:
        say(f"Next:  kouan partner new NAME --home {folder}   then   kouan run --home {folder}")
