"""`kouan demo`: everything on loopback, from the first drop to the last receipt."""

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.talk import FAILED, Stop, say

if TYPE_CHECKING:
    from rich.table import Table

    from gateway.demonstration import Demonstration

_FOR_PEOPLE = {"sftp": "SFTP", "http": "HTTP", "folder": "文件夹 folder"}


@click.command()
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Make the home here and leave it.")
@click.option("--trades", type=click.IntRange(1, 10_000), default=12, show_default=True, help="How many trades.")
def demo(keep: Path | None, trades: int) -> None:
    """Show the gateway at work: daemon, customs in a box, real files through SFTP, folder and HTTP."""
    with tempfile.TemporaryDirectory(prefix="kouan-demo-") as folder:
        home = keep.absolute() if keep else Path(folder) / "home"
        _show(home, trades, kept=keep is not None)


def _show(home: Path, trades: int, *, kept: bool) -> None:
    from gateway.demonstration import Demonstration
    from spool.errors import Told

    run = Demonstration(home, trades)
    say(f"Kouan 口岸: a demonstration in {home}")
    try:
        run.prepare()
        say("The doors are open. Four enterprises hand in their documents.")
        if sys.stderr.isatty():
            _live(run)
        else:
            _plain(run)
        _summary(run)
    except Told as trouble:
        if (home / "daemon.log").is_file():
            say((home / "daemon.log").read_text()[-4000:])
        raise Stop(str(trouble), FAILED) from trouble
    finally:
        run.stop()
    if kept:
        say(f"The home is left in {home}. Look around:  kouan queue --home {home}")


def _live(run: "Demonstration") -> None:
    from rich.console import Console
    from rich.live import Live

    with Live(_table(run), console=Console(stderr=True), refresh_per_second=8) as live:
        for _ in run.drop():
            run.look()
            live.update(_table(run))
        for _ in run.wait(lambda: live.update(_table(run))):
            live.update(_table(run))


def _plain(run: "Demonstration") -> None:
    for sentence in run.drop():
        say(f"  {sentence}")
    told: list[str] = []

    def tell() -> None:
        line = ", ".join(f"{one.spec} {one.closed + one.refused}/{one.dropped}" for one in run.progress.values())
        if told[-1:] != [line]:
            told.append(line)
            say(f"  settled: {line}")

    for sentence in run.wait(tell):
        say(f"  {sentence}")


def _table(run: "Demonstration") -> "Table":
    from rich.table import Table

    table = Table(title="口岸 Kouan", title_style="bold")
    for column in ("单证 document", "伙伴 partner", "入口 door"):
        table.add_column(column)
    for column in ("交来 dropped", "已报 sent", "退回 refused", "回执 receipts", "办结 closed"):
        table.add_column(column, justify="right")
    for one in run.progress.values():
        cells = (one.dropped, one.sent, one.refused, one.receipts, one.closed)
        table.add_row(one.spec, one.partner, _FOR_PEOPLE[one.door], *map(str, cells))
    return table


def _summary(run: "Demonstration") -> None:
    declared, told = run.books_agree()
    seconds = time.monotonic() - run.started
    refused = sum(one.refused for one in run.progress.values())
    receipts = sum(one.receipts for one in run.progress.values())
    click.echo(f"declared to customs: {declared} documents; customs' own book: {told}; refused: {refused}")
    click.echo(f"receipts home: {receipts}; seconds: {seconds:.1f}")
    for one in run.homecomings():
        click.echo(str(one))
    if declared != told:
        raise Stop("The two books differ.", FAILED)
    click.echo("Every receipt is home. 回执全部送达。")
