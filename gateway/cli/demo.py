"""`kouan demo`: everything on loopback, from the first drop to the last answer of every authority."""

import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.options import json_option
from gateway.cli.talk import FAILED, Stop, give, say, show

if TYPE_CHECKING:
    from rich.table import Table

    from gateway.demonstration import Demonstration
    from gateway.showing import Homecoming

_FOR_PEOPLE = {"sftp": "SFTP", "http": "HTTP", "folder": "文件夹 folder"}
_PICTURE = (
    "监管方 authority", "交来 handed in", "发出 went out", "对方账簿 their book", "应答 answers", "办结 closed",
    "退回 refused",
)  # fmt: skip


@click.command()
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Make the home here and leave it.")
@click.option("--trades", type=click.IntRange(1, 10_000), default=12, show_default=True, help="How many trades.")
@click.option("--behaviour", "behaviours", multiple=True, metavar="AUTHORITY:NAME[=ARGUMENT]",
              help="A misbehaviour of customs, tax, safe or payment_data, as tax:silent.")  # fmt: skip
@click.option("--patience", type=float, default=30.0, show_default=True, help="Seconds without any progress to wait.")
@json_option
def demo(keep: Path | None, trades: int, behaviours: tuple[str, ...], patience: float, as_json: bool) -> None:
    """Show the gateway at work: daemon, authorities in a box, real files through SFTP, folder and HTTP.

    Customs, a tax office, an exchange office and customs' caller for payment data each play in a process of their own.
    In the end it shows for each what went out, what came home and where it lies. Ends with 1 when something of any of
    them did not come home, or when its book and ours differ. With --json one object an authority.
    """
    from gateway.demonstration import Demonstration

    with tempfile.TemporaryDirectory(prefix="kouan-demo-") as folder:
        home = keep.absolute() if keep else Path(folder) / "home"
        run = Demonstration(home, trades, behaviours=behaviours, patience=patience)
        _show(run, kept=keep is not None, as_json=as_json)


def _show(run: "Demonstration", *, kept: bool, as_json: bool) -> None:
    from spool.errors import Told

    say(f"Kouan 口岸: a demonstration in {run.home}")
    try:
        run.prepare()
        say("The doors are open. Four enterprises and a bank hand in their documents.")
        if sys.stderr.isatty():
            _live(run)
        else:
            _plain(run)
        _end(run, as_json=as_json)
    except Told as trouble:
        if (run.home / "daemon.log").is_file():
            say((run.home / "daemon.log").read_text()[-4000:])
        raise Stop(str(trouble), FAILED) from trouble
    finally:
        run.stop()
    if kept:
        say(f"The home is left in {run.home}. Look around:  kouan queue --home {run.home}")


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
        parts = [f"{one.spec} {one.closed + one.refused}/{one.dropped}" for one in run.progress.values()]
        parts += [f"{one.authority} {one.closed + one.refused}/{one.handed_in}" for one in run.standing]
        if told[-1:] != [line := ", ".join(parts)]:
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
    for each in run.standing:
        cells = (each.handed_in, each.gone, each.refused, each.answers, each.closed)
        table.add_row(each.title, each.partner, _FOR_PEOPLE[each.door], *map(str, cells))
    return table


def _end(run: "Demonstration", *, as_json: bool) -> None:
    """The picture: a line an authority, then where its answers lie and examples of them."""
    picture = run.picture()
    seconds = time.monotonic() - run.started
    if as_json:
        for one in picture:
            give(asdict(one))
    else:
        rows = [(one.title, one.handed_in, one.gone, one.book, one.answers, one.closed, one.refused) for one in picture]
        show(_PICTURE, rows)
        for one in picture:
            _examples(one)
        customs = picture[0]
        click.echo(
            f"declared to customs: {customs.closed} documents; customs' own book: {customs.book}; "
            f"refused: {customs.refused}"
        )
        click.echo(f"receipts home: {customs.answers}; tax bills: {run.bills}; seconds: {seconds:.1f}")
    if differ := [one.title for one in picture if one.gone != one.book]:
        raise Stop(f"Our book and theirs differ: {', '.join(differ)}.", FAILED)
    say("Every answer is home. 回执全部送达。")


def _examples(one: "Homecoming") -> None:
    click.echo(f"\n{one.title}: {'  '.join(one.where)}")
    for example in one.examples:
        click.echo(f"  {example}")
