"""`kouan bench`: what this machine does, measured on the real daemon."""

import shutil
import tempfile
from pathlib import Path

import click

from gateway.cli.options import json_option
from gateway.cli.talk import give, say, show


@click.command()
@click.option("--files", type=click.IntRange(100), default=10_000, show_default=True, help="One-order files and POSTs.")
@click.option("--messages", type=click.IntRange(10), default=300, show_default=True, help="Messages of 100 orders.")
@click.option("--backlog", type=click.IntRange(0), default=0, help="Also start with so many waiting documents.")
@click.option(
    "--table", type=click.IntRange(1), default=60, show_default=True, help="MiB of the CSV file that is streamed."
)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="On this disk, else TMPDIR.")
@json_option
def bench(files: int, messages: int, backlog: int, table: int, folder: Path | None, as_json: bool) -> None:
    """Measure one core (check, map, schemas) and intake to the last acknowledgement, with ratios to bare loops."""
    from gateway import measuring, one_core

    root = Path(tempfile.mkdtemp(prefix="kouan-bench-", dir=folder))
    found: list[dict[str, object]] = []
    try:
        say("one core …")
        for figure, bare in one_core.pairs(root, table):
            found += [figure.as_facts(bare), bare.as_facts()]
        for each, count in ((1, files), (100, messages)):
            say(f"{count} files of {each} …")
            figure = measuring.folder(root / f"folder{each}", count, each)
            bare = measuring.bare(each, min(count * each, 20_000), 2, root / f"folder{each}/keys")
            found += [figure.as_facts(bare), bare.as_facts()]
            shutil.rmtree(root / f"folder{each}")
        say(f"{files} POSTs …")
        found.append(measuring.http(root / "http", files).as_facts())
        if backlog:
            say(f"{backlog} waiting documents …")
            found.append(measuring.start_with_backlog(root / "backlog", backlog).as_facts())
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if as_json:
        for row in found:
            give(row)
        return
    columns = ("name", "documents", "seconds", "rate", "ratio_to_bare_loop", "memory_mib")
    show(columns, [[_short(row[name]) for name in columns] for row in found])


def _short(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value
