"""An exchange office in a box: `python -m adapters.simulators.fx --config FILE [--behaviour NAME[=arg] ...]`.

It takes whole batches (a folder with Token.lock) out of its inbox, holds every file and record to the rule book,
writes each record into its book, and answers with a batch of feedback under the same names.  When it is open it
prints one line `{"event": "ready", "inbox": …}`; `--book [--json]` prints its book instead: one line a record.

The file (paths relative to it)::

    state = "fx"                # its book, and the batches it has taken
    tied = false                # true: started with a pipe as stdin, it ends when who started it ends
    behaviours = []             # like --behaviour

    [folder]
    inbox = "send"              # where batches come
    answers = "receive"         # where it puts batches of feedback
    scan_seconds = 0.1

**Known limits.**  One of these a state folder.  A batch is answered when all of it is judged.
"""

import fcntl
import json
import os
import select
import shutil
import signal
import stat
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from adapters.simulators.arguments import parser_for
from adapters.simulators.fx_answers import BEHAVIOURS, Answers, File, UnknownBehaviour, asked_for, put
from adapters.simulators.fx_law import Error, Known, leaves, structure

_TOKEN = "Token.lock"  # noqa: S105  the name of a file
_ENCODING = "gb18030"


class Unfit(ValueError):  # noqa: N818  named for what is true
    """This batch or file is not made as the rule book says"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says."""

    state: Path
    inbox: Path
    answers: Path
    scan_seconds: float
    tied: bool
    behaviours: tuple[str, ...]


def load(file: Path) -> Settings:
    """Return the settings of this file."""
    told: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    folder = told.get("folder", {})
    at = file.parent
    return Settings(
        at / told["state"], at / folder["inbox"], at / folder["answers"], float(folder.get("scan_seconds", 0.1)),
        bool(told.get("tied", False)), tuple(told.get("behaviours", ())),
    )  # fmt: skip


class Office:
    """The whole of it; its book is a file of JSON lines, synced before anything is answered."""

    def __init__(self, settings: Settings, asked: Answers) -> None:
        """The book is read."""
        self._settings = settings
        self._asked = asked
        self._known = Known()
        self._count = 0
        for folder in (settings.state / "taken", settings.inbox, settings.answers):
            folder.mkdir(parents=True, exist_ok=True)
        self._book = settings.state / "book.jsonl"
        for line in book_of(settings.state):
            self._known.note(line["kind"], line["report"], line["action"], good=line["good"])

    def round(self) -> int:
        """Every whole batch has been taken and answered; return how many."""
        done = 0
        for folder in sorted(self._settings.inbox.iterdir()):
            if not folder.name.startswith(".") and (folder / _TOKEN).exists():
                self._take(folder)
                done += 1
        return done

    def _take(self, folder: Path) -> None:
        if (self._settings.state / "taken" / folder.name).exists():
            # A name says what has been received; what comes again under it is not read again.
            self._write([{"batch": folder.name, "refused": "again"}])
            shutil.move(str(folder), str(_free(self._settings.state / "refused" / folder.name)))
            return
        try:
            names = _listed(folder)
        except (Unfit, ValueError, ET.ParseError) as trouble:
            self._write([{"batch": folder.name, "refused": str(trouble)}])
            shutil.move(str(folder), str(_free(self._settings.state / "refused" / folder.name)))
            return
        answers = [self._judge(folder / name) for name in names]
        shutil.move(str(folder), str(_free(self._settings.state / "taken" / folder.name)))
        put(self._settings.answers, folder.name, answers, self._asked)

    def _judge(self, path: Path) -> File:
        kind = path.name[:4]
        try:
            records = _records(path, kind)
        except (Unfit, ValueError, ET.ParseError) as trouble:
            self._write([{"file": path.name, "refused": str(trouble)}])
            return File(path.name, kind, 0, (), (str(trouble),))
        wrong = structure(kind, [ET.tostring(one, encoding="unicode") for one in records], datetime.now(UTC).date())
        refused: list[tuple[str, list[Error]]] = []
        lines = []
        for record, errors in zip(records, wrong, strict=True):
            self._count += 1
            told = leaves(record)
            report, action = told.get("RPTNO", ""), told.get("ACTIONTYPE", "")
            found = errors or self._known.judge(kind, told) or self._asked.reject(self._count)
            if found:
                refused.append((report, found))
            self._known.note(kind, report, action, good=not found)
            lines.append({"file": path.name, "kind": kind, "report": report, "action": action, "good": not found})
        self._write(lines)
        return File(path.name, kind, len(records), tuple(refused), ())

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        at = datetime.now(UTC).isoformat()
        with self._book.open("a", encoding="utf-8") as book:
            book.writelines(json.dumps(line | {"at": at}, ensure_ascii=False) + "\n" for line in lines)
            book.flush()
            os.fsync(book.fileno())


def _free(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    again, target = 1, path
    while target.exists():
        again += 1
        target = path.with_name(f"{path.name}.{again}")
    return target


def _message(path: Path, kind: str) -> ET.Element:
    data = path.read_bytes()
    head, _, rest = data.partition(b"?>")
    if b'encoding="gb18030"' not in head:
        raise Unfit(f"{path.name}: 编码不是 gb18030")
    root = ET.fromstring(rest.decode(_ENCODING))  # noqa: S314  our own gateway wrote it, and expat knows no files
    told = {child.tag: child.text for child in root}
    wanted = {"APPTYPE": kind[:3], "CURRENTFILE": kind, "INOUT": "IN"}
    for name, value in wanted.items():
        if told.get(name) != value:
            raise Unfit(f"{path.name}: {name} 应为 {value}，是 {told.get(name)}")
    return root


def _listed(folder: Path) -> list[str]:
    control = folder / f"{folder.name}.XML"
    root = _message(control, folder.name[:4])
    names = [str(one.text) for one in root.iterfind("FILES/FILENAME")]
    there = sorted(one.name for one in folder.iterdir() if one.name not in (_TOKEN, control.name))
    if int(str(root.findtext("TOTALFILES"))) != len(names) or sorted(names) != there:
        raise Unfit(f"{control.name}: 文件数不符")
    return names


def _records(path: Path, kind: str) -> list[ET.Element]:
    root = _message(path, kind)
    records = root.findall("RECORDS/REC")
    if int(str(root.findtext("TOTALRECORDS"))) != len(records):
        raise Unfit(f"{path.name}: 记录数不符")
    return records


def book_of(state: Path) -> Iterator[dict[str, Any]]:
    """Yield each record of the book."""
    path = state / "book.jsonl"
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            told = json.loads(line)
            if "report" in told:
                yield told


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the office until told to stop, or print the book; return the exit code."""
    asked = parser_for("fx", "An exchange office in a box.", BEHAVIOURS).parse_args(arguments)
    settings = load(Path(asked.config))
    if asked.book:
        for line in book_of(settings.state):
            print(json.dumps(line, ensure_ascii=False) if asked.json else " ".join(map(str, line.values())))
        return 0
    try:
        wanted = asked_for([*settings.behaviours, *asked.behaviour])
    except UnknownBehaviour as error:
        print(error, file=sys.stderr)
        return 2
    settings.state.mkdir(parents=True, exist_ok=True)
    with (settings.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another office is open on {settings.state}", file=sys.stderr)
            return 5
        return _run(Office(settings, wanted), settings)


def _run(office: Office, settings: Settings) -> int:
    # Waited for, not handled: a handler that sets an event may wait for the lock that its own thread holds.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    stdin = select.poll()
    stdin.register(0, select.POLLHUP)
    tied = settings.tied and stat.S_ISFIFO(os.fstat(0).st_mode)
    print(json.dumps({"event": "ready", "inbox": str(settings.inbox)}), flush=True)
    while True:
        office.round()
        if tied and stdin.poll(0):
            return 0
        if signal.sigtimedwait(ends, settings.scan_seconds) is not None:
            return 0


if __name__ == "__main__":
    raise SystemExit(main())
