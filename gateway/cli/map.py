"""`kouan map`: tables of partners become messages, dry; and the maps that say how are checked and written."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from zoneinfo import ZoneInfo

import click

from gateway.cli.options import home_option, json_option
from gateway.cli.talk import FAILED, NOT_FOUND, USAGE, Stop, give, present, say, show

if TYPE_CHECKING:
    from mapping.apply import MappedFile
    from mapping.judging import Judged
    from mapping.reckoning import Facts
    from mapping.table import Map
    from message_specs.findings import Finding

SHOWN = 200


class FileOrCommand(click.Group):
    """A group whose first word may be a file: then it means `file`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word `file` before arguments that name no command."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["file", *args]
        return super().parse_args(ctx, args)


@click.group(cls=FileOrCommand)
def map() -> None:  # noqa: A001  the command's name
    """Map a table (csv, tsv, xlsx, xls, ods) to messages; check, try and write maps."""


revision_option = click.option("--revision", type=click.Choice(["2018", "202205"]), help="Else that which holds today.")
table_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True))
map_option = click.option("--map", "map_name", required=True, help="The name of a map, or the file of one.")


@map.command("file")
@table_argument
@map_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The messages go here, not to stdout; a folder gets one file each.",
)
@click.option("--partner", help="Whose file it is; its facts fill the message.")
@revision_option
@json_option
@home_option
def map_a_file(
    file: str, map_name: str, output: Path | None, partner: str | None, revision: str | None, as_json: bool, home: Path
) -> int:
    """Map FILE dry: messages of at most 100 documents go to stdout or OUTPUT, every finding points to its cell.

    Documents with an error are left out of the messages. With --json the findings go to stdout instead. Ends with 1
    when a finding is an error.
    """
    from gateway.cli.map_outlet import Outlet
    from mapping.apply import map_file

    used = _map(home, map_name)
    facts, law = _facts(home, partner), _law(home, revision)
    with open(file, "rb") as source:
        run = map_file(source, Path(file).name, used, facts, law["revision"], severities=law["severities"])
        outlet = Outlet(output, run, facts, silent=as_json and output is None)
        findings = [found for judged in _judged(run, facts, law, source) for found in outlet.take(judged)]
        outlet.close()
    findings = [*_of_file(run), *findings]
    return _told(file, run, findings, as_json=as_json)


def _judged(run: "MappedFile", facts: "Facts", law: dict[str, Any], source: BinaryIO) -> "Iterator[Judged]":
    from mapping.judging import judge, transfer_of

    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    transfer = transfer_of(facts.partner)
    for batch in _with_progress(run, source):
        yield judge(run, batch, transfer, today=today, severities=law["severities"], limits=law["limits"])


def _with_progress(run: "MappedFile", source: BinaryIO) -> Iterator[Any]:
    """Yield the batches; on a terminal a bar shows how far the file is read."""
    if not sys.stderr.isatty():
        yield from run.batches()
        return
    import os

    from rich.console import Console
    from rich.progress import Progress

    size = os.fstat(source.fileno()).st_size
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(source.name, total=size)
        for batch in run.batches():
            progress.update(task, completed=size if source.closed else source.tell())
            yield batch


def _of_file(run: "MappedFile") -> "list[Finding]":
    from mapping.tracing import placed_in_sheet

    return [placed_in_sheet(run, found) for found in run.findings]


def _told(file: str, run: "MappedFile", findings: "list[Finding]", *, as_json: bool) -> int:
    valid = not any(found.severity == "error" for found in findings)
    tally = run.tally
    if as_json:
        give({
            "file": file, "map": run.map.name, "spec": run.map.spec.code, "revision": run.revision,
            "documents": tally.documents, "valid": valid,
            "rows": {"read": tally.rows, "mapped": tally.mapped, "refused": tally.refused, "blank": tally.blank},
            "findings": [found.as_dict() for found in findings],
        })  # fmt: skip
        return 0 if valid else FAILED
    counted = f"{tally.rows} rows: {tally.mapped} mapped, {tally.refused} refused, {tally.blank} blank"
    say(f"{file}: {run.map.spec.code} by {run.map.name}, {tally.documents} documents from {counted}.")
    if tally.refused and tally.documents:
        say("Rows that are refused may be missing from a document: mend them before anything of this is declared.")
    rows = [
        (
            found.code,
            found.severity,
            found.cell or found.row or "",
            found.value,
            f"{found.zh}\n{found.en}\n→ {found.hint}",
        )
        for found in findings[:SHOWN]
    ]
    if rows:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table("code", "severity", "cell", "value", "what is wrong and what to do", box=None)
        for row in rows:
            table.add_row(*(Text(str(cell or "")) for cell in row))
        Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 200).print(table)
    if len(findings) > SHOWN:
        say(f"… and {len(findings) - SHOWN} more; --json gives all.")
    return 0 if valid else FAILED


@map.command("check")
@click.argument("map_name", metavar="MAP")
@click.option(
    "--with", "sheet", type=click.Path(exists=True, dir_okay=False), help="A table whose headings the map must know."
)
@revision_option
@json_option
@home_option
def check_map(map_name: str, sheet: str | None, revision: str | None, as_json: bool, home: Path) -> int:
    """Hold MAP against its spec: every finding with the line of the map."""
    from gateway.maps import fetch_from, text_of
    from mapping.apply import map_file
    from mapping.map_check import dry_facts, load_map

    law = _law(home, revision)
    made, findings = load_map(Path(map_name).stem, text_of(home, map_name), fetch_from(home), law["revision"])
    if made is not None and sheet is not None:
        with open(sheet, "rb") as source:
            run = map_file(source, Path(sheet).name, made, dry_facts(), law["revision"])
            findings = (*findings, *_of_file(run))
    rows = [found.as_dict() for found in findings]
    present(as_json, ("line", "code", "severity", "path", "zh", "en"), rows, f"{map_name}: nothing is wrong.")
    return FAILED if any(found.severity == "error" for found in findings) else 0


@map.command("try")
@table_argument
@map_option
@click.option("--documents", default=1, show_default=True, help="How many documents to show.")
@home_option
def try_map(file: str, map_name: str, documents: int, home: Path) -> int:
    """Show what the first documents of FILE become, field by field with their cells."""
    from mapping.apply import map_file
    from mapping.map_check import dry_facts

    used = _map(home, map_name)
    with open(file, "rb") as source:
        run = map_file(source, Path(file).name, used, dry_facts())
        batch = next(run.batches(max(documents, 1)), [])
    for found in _of_file(run):
        say(f"[{found.code}] {found.cell or ''} {found.zh} {found.en}")
    for one in batch:
        click.echo(f"— {one.ordinal}: {one.key}")
        show(("field", "value", "cell"), _fields(run, one))
        for found in one.findings:
            say(f"[{found.code}] {found.cell or ''} {found.zh} {found.en}")
    return 0 if batch else FAILED


def _fields(run: "MappedFile", one: Any) -> Iterator[tuple[str, str, str]]:
    from mapping.tracing import cells_of

    yield from cells_of(run, one)


@map.command("coverage")
@click.argument("map_name", metavar="MAP")
@revision_option
@json_option
@home_option
def show_coverage(map_name: str, revision: str | None, as_json: bool, home: Path) -> None:
    """Show every field of the spec and what fills it."""
    from mapping.map_check import coverage

    rows = [dict(row) for row in coverage(_map(home, map_name), revision or "202205")]
    present(as_json, ("path", "zh", "required", "columns", "verbs"), rows)


@map.command("new")
@click.argument("spec")
@click.option("--map", "map_name", help="Write the Excel template of this map, not a map of all fields.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    show_default=True,
    help="The folder for both files.",
)
@home_option
def new_map(spec: str, map_name: str | None, output: Path, home: Path) -> None:
    """Write a template map of SPEC and an Excel template with headings, comments and codes to choose from."""
    from gateway.config import near
    from mapping import templates
    from mapping.map_check import load_map
    from message_specs.catalog import catalog

    found = catalog().called(spec)
    if found is None or not found.receipt:
        raise Stop(f'There is no spec "{spec}". {near(spec.upper(), tuple(catalog().specs))}', NOT_FOUND)
    text = templates.new_map(found)
    used, findings = load_map(found.code, text)
    if map_name is not None:
        used = _map(home, map_name)
    if used is None:
        raise Stop("; ".join(one.en for one in findings))
    output.mkdir(parents=True, exist_ok=True)
    for place, body in (
        (output / f"{found.code}.map.csv", text.encode()),
        (output / f"{found.code}.xlsx", templates.excel_template(used)),
    ):
        if place.exists():
            raise Stop(f"{place} is there already. Move it away or name another folder with -o.", USAGE)
        place.write_bytes(body)
        say(f"written: {place}")


def _map(home: Path, name: str) -> "Map":
    from gateway.maps import house_map

    return house_map(home, name)


def _facts(home: Path, partner: str | None) -> "Facts":
    from mapping.reckoning import Facts

    if partner is None:
        return Facts(datetime.now(UTC))
    from gateway.config import load_house
    from gateway.maps import facts_of

    return facts_of(load_house(home).partner(partner), datetime.now(UTC))


def _law(home: Path, revision: str | None) -> dict[str, Any]:
    from gateway.config import Kouan, load_house, revision_of
    from message_specs.catalog import revision_on
    from message_specs.findings import Severity

    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    kouan = load_house(home).kouan if (home / "kouan.toml").is_file() else Kouan()
    return {
        "revision": revision or revision_of(kouan.revision, today) or revision_on(today),
        "severities": {code: Severity(word) for code, word in kouan.severity.items()},
        "limits": kouan.limits.of_messages(),
    }
