"""Letting go: what a batch promised in the ledger appears in the partners' folders.

After commit each file taken in gets its acknowledgement, what was refused lies
in refused/ with the reason in Chinese and English, and receipts lie in out/.
All of it can be done again from the ledger and the evidence, under the same
names with the same content; that is what happens after a crash.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from spool import aside, mailbox
from spool.mailbox import Mailbox

_JSON = msgspec.json.Encoder()
FILED: Final = ("folder", "sftp", "amqp", "replay", "drawing")
"""The doors whose acknowledgement is a file in out/; the others answer on the line."""
Pieces = Callable[[], Iterator[bytes]]
"""What yields the bytes of a file that is never in memory whole."""


@dataclass(slots=True)
class Acknowledgement:
    """What the sender is told about one file; the keys of the contract in `as_dict`."""

    number: int
    file: str
    partner: str
    sha256: bytes
    received_at: str
    duplicate_of: int | None
    documents: list[dict[str, str | None]]
    findings: list[dict[str, Any]]
    length: dict[str, Any] = field(default_factory=dict)
    """Of a long table: whether it is complete, and how much of it is shown."""

    def as_facts(self) -> dict[str, Any]:
        """Return the acknowledgement under the keys of the contract."""
        return {
            "number": str(self.number),
            "file": self.file,
            "partner": self.partner,
            "sha256": self.sha256.hex(),
            "received_at": self.received_at,
            "duplicate_of": str(self.duplicate_of) if self.duplicate_of else None,
            "documents": self.documents,
            "findings": self.findings,
            **self.length,
        }

    def as_json(self) -> bytes:
        """Return the acknowledgement as it is written and served."""
        return _JSON.encode(self.as_facts())


@dataclass(slots=True)
class Parting:
    """Everything that a batch lets go: files for partners' folders, and answers for those who wait on a line."""

    files: list[tuple[str, str, bytes | Path | Pieces]] = field(default_factory=list)
    answers: dict[int, bytes] = field(default_factory=dict)
    news: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)
    more: bool = False
    """A long table is not whole yet: its batch stays open."""

    def do(self, root: Path, *, together: bool = False) -> list[str]:
        """The files are in their folders, durably; return and keep the troubles of those that are not.

        What has trouble here is in the ledger, so nothing is lost: its batch
        stays open and is let go again.  `together`: all of them or none.
        """
        try:
            self.troubles = aside.put_all(self.files, root, together=together)
        except OSError as trouble:
            self.troubles = [str(trouble)]
        return self.troubles


def mailbox_of(home: Path, partner: str) -> Mailbox:
    """Return a partner's mailbox in this home."""
    return Mailbox(home / "spool" / "partners" / partner)


def acknowledge(parting: Parting, home: Path, door: str, told: Acknowledgement) -> None:
    """The acknowledgement is on its way: to out/ for a file, to the line for a request."""
    body = told.as_json()
    parting.answers[told.number] = body
    if door in FILED:
        name = mailbox.acknowledgement_name(told.file, told.number)
        parting.files.append((str(mailbox_of(home, told.partner).out), name, body))


def refuse(parting: Parting, home: Path, told: Acknowledgement, door: str, file: Path | None) -> None:
    """The reasons are on their way to refused/, beside the file itself where nothing of it went on."""
    if door not in FILED:
        return
    folder = str(mailbox_of(home, told.partner).refused)
    if file is not None:
        parting.files.append((folder, told.file, file))
    name = f"{mailbox.fitting(told.file, 246)}.why.txt"
    parting.files.append((folder, name, "".join(why(told)).encode()))


def why(told: Acknowledgement) -> Iterator[str]:
    """Yield the lines that tell a person, in Chinese and English, what must be mended."""
    refused = [one for one in told.documents if one["state"] == "refused"]
    yield from why_head(told, len(told.documents), len(refused))
    yield from why_refused(refused)
    yield from why_findings(told.findings)


def why_head(told: Acknowledgement, documents: int, refused: int) -> Iterator[str]:
    """Yield what the reasons begin with."""
    yield f"文件 File: {told.file}\n编号 Number: {told.number}\n收到 Received: {told.received_at}\n"
    if documents:
        yield f"单证 Documents: {documents}，退回 refused: {refused}\n"


def why_refused(documents: Iterable[Mapping[str, str | None]]) -> Iterator[str]:
    """Yield a line for each document that is refused."""
    for one in documents:
        if one["state"] == "refused":
            yield f"  退回 refused: {one['spec']} {one['key']} ({one['number']})\n"


def why_findings(findings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what was found, for people."""
    for finding in findings:
        yield from _told(finding)


def _told(finding: Mapping[str, Any]) -> Iterator[str]:
    mark = "错误 error" if finding["severity"] == "error" else "提示 warning"
    yield f"\n[{finding['code']}] {mark}\n  {finding['zh']}\n  {finding['en']}\n"
    place = [f"第 {finding['line']} 行 line {finding['line']}"] if finding["line"] else []
    if finding["column"] and finding["line"]:
        place.append(f"第 {finding['column']} 列 column {finding['column']}")
    if not finding["line"] and finding["row"]:
        place = [f"第 {finding['row']} 行 row {finding['row']}"]
    if finding["cell"]:
        place.append(f"单元格 cell {finding['cell']}")
    if finding["path"]:
        place.append(finding["path"])
    if place:
        yield f"  位置 Where: {' · '.join(place)}\n"
    if finding["value"]:
        yield f"  值 Value: {finding['value']}\n"
    if finding["hint"]:
        yield f"  办法 Remedy: {finding['hint']}\n"


def put_out(parting: Parting, home: Path, partner: str, name: str, body: bytes) -> None:
    """A receipt is on its way to the partner's out/."""
    parting.files.append((str(mailbox_of(home, partner).out), name, body))
    parting.news.add(partner)


def document_entry(name: str, spec: str, key: str | None, state: str) -> dict[str, str | None]:
    """Return one document as an acknowledgement names it."""
    return {"number": name, "spec": spec, "key": key, "state": state}


def decoded(findings: str | None) -> list[dict[str, Any]]:
    """Return findings as the ledger keeps them."""
    found: list[dict[str, Any]] = msgspec.json.decode(findings) if findings else []
    return found


def encoded(findings: Iterable[Mapping[str, Any]]) -> str | None:
    """Return findings as the ledger keeps them; None for none."""
    rows = list(findings)
    return _JSON.encode(rows).decode() if rows else None
