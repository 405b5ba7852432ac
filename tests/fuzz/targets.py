"""What is fuzzed: bytes go in, and what comes out is even, can be written down, and says something.

A target is a name, good bytes to begin with, and a function that fails when the promise is broken.
Bytes of some targets are one part of a workbook that is good otherwise: `sheet`, `strings`, `styles` and `names` of
an xlsx, `content` of an ods, `records` of an xls.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mapping import compound
from mapping.apply import map_bytes
from mapping.judging import judge, transfer_of
from message_specs.check import check
from message_specs.dxp.envelope import open_reply, unwrap
from message_specs.findings import Finding
from message_specs.opening import Opened, open_message, open_receipt
from tests.mapping.books import old_book, open_document
from tests.mapping.tables import FACTS, TODAY, as_csv, as_xlsx, grid, orders, row, shipped

SAMPLES = Path(__file__).parents[2] / "message_specs"
FINDS = Path(__file__).with_name("finds")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that takes any bytes."""

    take: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def told(findings: Iterable[Finding]) -> int:
    """How many findings there are; each can be written down."""
    return len([json.dumps(one.as_dict(), ensure_ascii=False).encode() for one in findings])


def table(data: bytes, name: str) -> None:
    """A table ends in documents or findings, and no row is lost."""
    run = map_bytes(data, name, shipped(), FACTS)
    count = 0
    for batch in run.batches():
        judged = judge(run, batch, transfer_of({}), today=TODAY)
        count += len(judged.documents) + told(judged.findings)
        assert len(judged.documents) == len(batch) or judged.findings
    assert run.tally.is_even, run.tally
    assert count + told(run.findings) or run.tally.rows == run.tally.blank


def text(data: bytes) -> None:
    table(data, "a.csv")


def book(data: bytes) -> None:
    table(data, "a.xls" if data.startswith(b"\xd0\xcf") else "a.xlsx")


def part_of_book(name: str) -> Target:
    """The bytes as one part of a good xlsx."""
    return Target(lambda data: table(with_part(good_book(), name, data), "a.xlsx"), lambda: [part(good_book(), name)])


def content(data: bytes) -> None:
    table(with_part(good_document(), "content.xml", data), "a.ods")


def records(data: bytes) -> None:
    table(compound.packed("Workbook", data), "a.xls")


def message(data: bytes) -> None:
    """A message is opened and checked, and so are all of its documents read."""
    for unsigned_allowed in (True, False):
        opened = open_message(data, unsigned_allowed=unsigned_allowed)
        assert told(check(opened, today=TODAY)) or opened.documents or opened.fatal
        assert told(opened.findings) or not opened.fatal
        _read(opened)


def reply(data: bytes) -> None:
    opened = open_reply(data)
    if opened is not None:
        told(opened.findings)
        _read(opened)
    envelope = unwrap(data)
    receipt(data if envelope is None else envelope.data)


def receipt(data: bytes) -> None:
    opened = open_receipt(data)
    assert told(opened.findings) or opened.documents
    _read(opened)


def _read(opened: Opened) -> None:
    for document in opened.documents:
        json.dumps([document.key, document.head, document.lines, document.reply_key], ensure_ascii=False).encode()
        document.canonical()


def with_part(book: bytes, name: str, body: bytes) -> bytes:
    """The workbook with another body in one of its parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, body if entry == name else old.read(entry))
    return made.getvalue()


def part(book: bytes, name: str) -> bytes:
    """One part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return archive.read(name)


@cache
def good_book() -> bytes:
    return as_xlsx({"订单": grid(orders(1, 2))})


@cache
def good_document() -> bytes:
    return open_document({"订单": grid(orders(1, 2))})


@cache
def good_old_book() -> bytes:
    return old_book({"订单": grid(orders(1, 2))})


def texts() -> Iterator[bytes]:
    good = as_csv(orders(2, 1))
    yield good
    yield as_csv(orders(1, 1), "gb18030", "\t")
    yield as_csv(orders(1, 1), "utf-16", ";")
    yield good + b'x,"y"z,\r\n,,,\r\n"'
    yield as_csv([row(数量="1.2E+3", 单位="x"), row(line=2, 收货地址="a")])


def samples(*folders: str) -> Iterator[bytes]:
    for folder in folders:
        for file in sorted((SAMPLES / folder).glob("*.xml")):
            if file.stat().st_size < 20_000:
                yield file.read_bytes()


TARGETS = {
    "text": Target(text, texts),
    "book": Target(book, lambda: [good_book(), good_document(), good_old_book()]),
    "sheet": part_of_book("xl/worksheets/sheet1.xml"),
    "strings": part_of_book("xl/sharedStrings.xml"),
    "styles": part_of_book("xl/styles.xml"),
    "names": part_of_book("xl/workbook.xml"),
    "records": Target(records, lambda: [compound.streams(good_old_book(), ["Workbook"])["Workbook"]]),
    "content": Target(content, lambda: [part(good_document(), "content.xml")]),
    "message": Target(message, lambda: samples("ceb/samples/good", "ceb/samples/bad")),
    "reply": Target(reply, lambda: samples("dxp/samples/good", "dxp/samples/bad", "ceb/samples/good")),
}

if __name__ == "__main__":
    print(*TARGETS)
