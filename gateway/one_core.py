"""What one core does without a daemon: checking, mapping, compiling, each beside a bare loop of the libraries below it.

Times are processor time of one process, the best of several rounds, so that a
busy machine disturbs them little.
"""

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import python_calamine
import xlsxwriter
from lxml import etree

from gateway import drill
from gateway.measuring import Figure
from mapping.apply import map_bytes
from mapping.map_check import load_map
from mapping.reckoning import Facts
from mapping.table import fetch_shipped
from message_specs.catalog import catalog
from message_specs.check import check
from message_specs.opening import open_message
from message_specs.parsing import parse
from message_specs.schema import SIGNATURE_FILE, compiled, xsd_text
from message_specs.tables import revisions_of

ROUNDS = 7
MESSAGE = 100
TABLE = 2_000
MAP = "orders-311"
Pair = tuple[Figure, Figure]

_READ = "import csv\nfor _ in csv.reader(open(sys.argv[1], newline='', encoding='utf-8')): pass"
_MAP = "from gateway.cli import ended\nended(['map', sys.argv[1], '--map', sys.argv[2], '--json'])"
_TOLD = """import json, sys, time
{}
lines = open('/proc/self/status').read().splitlines()
peak = next(int(line.split()[1]) for line in lines if line.startswith('VmHWM:'))
print()
print(json.dumps([time.process_time(), peak / 1024]))"""


def pairs(folder: Path, mib: int) -> Iterator[Pair]:
    """Yield each figure of one core with the bare loop beside it; the folder is for files of `mib` MiB."""
    yield from checks()
    yield from tables()
    yield schemas(folder)
    yield streamed(folder, mib)


def checks() -> Iterator[Pair]:
    """Yield how fast messages of a hundred orders are checked, and how fast they are only parsed and validated."""
    good = drill.message("CEB311", 1, MESSAGE)
    today = datetime.now(UTC).date()
    schema = compiled("CEB311Message", "202205", unsigned_allowed=True)
    for name, data in (
        ("orders checked", good),
        ("orders checked, a wrong sum in each", good.replace(b"<ceb:acturalPaid>", b"<ceb:acturalPaid>9")),
        ("orders checked, broken structure in each", good.replace(b"<ceb:goodsValue>", b"<ceb:goodsValue>x")),
    ):
        ours = _best(lambda data=data: check(open_message(data), today=today))  # type: ignore[misc]
        bare = _best(lambda data=data: schema.validate(parse(data)))  # type: ignore[misc]
        yield Figure(name, MESSAGE, ours), Figure("parsed and validated alone", MESSAGE, bare)


def tables() -> Iterator[Pair]:
    """Yield how fast tables of orders become documents, and how fast csv or calamine alone read the same bytes."""
    used, _ = load_map(MAP, fetch_shipped(MAP) or "")
    assert used is not None
    facts = Facts(datetime.now(UTC))
    text = b"".join(drill.table(1, TABLE))
    book = _workbook(text)

    def mapped(data: bytes, name: str) -> None:
        run = map_bytes(data, name, used, facts)
        assert sum(map(len, run.batches())) == TABLE, run.findings

    yield (
        Figure("orders mapped from CSV", TABLE, _best(lambda: mapped(text, "o.csv"))),
        Figure("csv.reader alone", TABLE, _best(lambda: list(csv.reader(io.StringIO(text.decode()))))),
    )
    yield (
        Figure("orders mapped from xlsx", TABLE, _best(lambda: mapped(book, "o.xlsx"), 3)),
        Figure("calamine alone", TABLE, _best(lambda: _calamine(book), 3)),
    )


def schemas(folder: Path) -> Pair:
    """Return how fast all schemas of all revisions are written and compiled, and how fast lxml alone compiles them."""
    known = [(spec.root, revision) for spec in catalog().specs.values() for revision in revisions_of(spec.root)]
    files = [folder / f"{root}-{revision}.xsd" for root, revision in known]
    for file, (root, revision) in zip(files, known, strict=True):
        file.write_text(xsd_text(root, revision), "utf-8")
    (folder / SIGNATURE_FILE.name).write_bytes(SIGNATURE_FILE.read_bytes())

    def ours() -> None:
        compiled.cache_clear()
        for root, revision in known:
            compiled(root, revision)

    return (
        Figure("schemas written and compiled", len(known), _best(ours)),
        Figure("compiled by lxml alone", len(known), _best(lambda: [etree.XMLSchema(file=file) for file in files])),
    )


def streamed(folder: Path, mib: int) -> Pair:
    """Return how `kouan map` streams a CSV file of so many MiB, all findings told, and csv.reader alone the same."""
    file = folder / f"orders{mib}.csv"
    rows = drill.table(1, 10**8 - 1)
    orders = -1
    with file.open("wb") as told:
        while told.tell() < mib << 20:
            told.write(next(rows))
            orders += 1
    ours, bare = (_run(code, file) for code in (_MAP, _READ))
    file.unlink()
    return (
        Figure(f"kouan map, CSV of {mib} MiB", orders, *ours),
        Figure(f"csv.reader alone, {mib} MiB", orders, *bare),
    )


def _run(code: str, file: Path) -> tuple[float, float]:
    """The processor time and the largest resident size of a process that does this with the file."""
    command = [sys.executable, "-c", _TOLD.format(code), str(file), MAP]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    seconds, memory = json.loads(answer.stdout.splitlines()[-1])
    return seconds, memory


def _best(what: Callable[[], object], rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        what()
        times.append(time.process_time() - begun)
    return min(times)


def _workbook(text: bytes) -> bytes:
    told = io.BytesIO()
    with xlsxwriter.Workbook(told, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(csv.reader(io.StringIO(text.decode()))):
            sheet.write_row(number, 0, cells)
    return told.getvalue()


def _calamine(book: bytes) -> None:
    for _ in python_calamine.load_workbook(io.BytesIO(book)).get_sheet_by_index(0).iter_rows():
        pass
