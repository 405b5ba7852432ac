"""How the exchange office in a box answers, and how it misbehaves when it is asked to."""

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.simulators.fx_law import Error

BEHAVIOURS = {
    "late": "a batch of feedback comes so many seconds later (5)",
    "silent": "nothing is answered",
    "reject-some": "every n-th record is refused (5)",
    "half": "each feedback file stands half written beside Token.lock for so many seconds (2)",
    "unknown-record": "each feedback names a record that nobody sent",
    "wrong-encoding": "feedback says gb18030 and is written in UTF-8",
    "wrong-counts": "the control file counts one file more than it lists",
    "wrong-totals": "each feedback counts one record more than there were",
    "format-error": "each data file is refused whole for its format",
}
_ENCODING = "gb18030"
_STRANGER = "999999999999261122Z999"


class UnknownBehaviour(ValueError):  # noqa: N818  named for what is true
    """No behaviour has this name, or it cannot take this argument"""


@dataclass(frozen=True, slots=True)
class File:
    """What is to be said about one data file."""

    name: str
    kind: str
    total: int
    refused: tuple[tuple[str, list[Error]], ...]
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked for; the neutral values together are a well-behaved office."""

    late: float = 0.0
    silent: bool = False
    reject_every: int = 0
    half: float = 0.0
    unknown_record: bool = False
    wrong_encoding: bool = False
    wrong_counts: bool = False
    wrong_totals: bool = False
    format_error: bool = False

    def reject(self, count: int) -> list[Error]:
        """Return why this one of all records is refused without a reason of its own."""
        return [Error("TXAMT", "抽查退回")] if self.reject_every and count % self.reject_every == 0 else []


def asked_for(asked: Iterable[str]) -> Answers:
    """Return what `NAME` or `NAME=argument` ask for, together; `UnknownBehaviour` names what is not known.

    >>> asked_for(["late=2", "reject-some"])  # doctest: +ELLIPSIS
    Answers(late=2.0, silent=False, reject_every=5, ...
    """
    values: dict[str, object] = {}
    for one in asked:
        name, _, argument = one.partition("=")
        if name not in BEHAVIOURS:
            raise UnknownBehaviour(f"{name}; there are: {', '.join(BEHAVIOURS)}")
        try:
            if name == "reject-some":
                values["reject_every"] = max(1, int(argument or 5))
            elif name in ("late", "half"):
                values[name] = float(argument or (5 if name == "late" else 2))
            else:
                values[name.replace("-", "_")] = True
        except ValueError as error:
            raise UnknownBehaviour(f"{one}: {error}") from error
    return Answers(**values)  # type: ignore[arg-type]  # each value was made for its place


def put(folder: Path, batch: str, files: Sequence[File], asked: Answers) -> None:
    """The batch of feedback is in the folder, or will be when it is late."""
    if asked.silent:
        return
    if asked.late:
        later = threading.Timer(asked.late, _put, (folder, batch, files, asked))
        later.daemon = True
        later.start()
    else:
        _put(folder, batch, files, asked)


def _put(folder: Path, batch: str, files: Sequence[File], asked: Answers) -> None:
    writing = folder / f".{batch}.writing"
    writing.mkdir()
    whole: dict[str, bytes] = {}
    for one in files:
        whole[one.name] = feedback(one, asked)
        data = whole[one.name]
        (writing / one.name).write_bytes(data[: len(data) // 2] if asked.half else data)
    (writing / f"{batch}.XML").write_bytes(control(batch, [one.name for one in files], asked))
    (writing / "Token.lock").write_bytes(b"")
    os.rename(writing, folder / batch)
    if asked.half:
        threading.Event().wait(asked.half)
        for name, data in whole.items():
            (folder / batch / name).write_bytes(data)


def _head(kind: str) -> str:
    declared = f'<?xml version="1.0" encoding="{_ENCODING}"?>\n<MSG>'
    return f"{declared}<APPTYPE>{kind[:3]}</APPTYPE><CURRENTFILE>{kind}</CURRENTFILE><INOUT>OUT</INOUT>"


def control(batch: str, names: Sequence[str], asked: Answers) -> bytes:
    """Return the control file of a batch of feedback."""
    total = len(names) + (1 if asked.wrong_counts else 0)
    listed = "".join(f"<FILENAME>{name}</FILENAME>" for name in names)
    return f"{_head(batch[:4])}<TOTALFILES>{total}</TOTALFILES><FILES>{listed}</FILES></MSG>\n".encode(_ENCODING)


def feedback(one: File, asked: Answers) -> bytes:
    """Return what the office says about a data file."""
    refused = list(one.refused)
    formats = (*one.formats, *(("报文格式错误",) if asked.format_error else ()))
    total = one.total
    if asked.unknown_record:
        refused.append((_STRANGER, [Error("RPTNO", "申报号码不存在")]))
        total += 1
    good = total - len(refused)
    told = "".join(f"<REC><RPTNO>{report}</RPTNO><ERRFIELDS>{_errors(found)}</ERRFIELDS></REC>"
                   for report, found in refused)  # fmt: skip
    text = (
        f"{_head(one.kind)}<FORMATERRS>{len(formats)}</FORMATERRS>"
        f"<FORMATS>{''.join(f'<FORMAT>{_plain(said)}</FORMAT>' for said in formats)}</FORMATS>"
        f"<TOTALRECORDS>{total + (1 if asked.wrong_totals else 0)}</TOTALRECORDS><SUCRECORDS>{good}</SUCRECORDS>"
        f"<FALRECORDS>{len(refused)}</FALRECORDS><ERRRECORDS>{told}</ERRRECORDS></MSG>\n"
    )
    return text.encode("utf-8" if asked.wrong_encoding else _ENCODING)


def _errors(found: Sequence[Error]) -> str:
    return "".join(
        f"<ERR><ERRFIELD>{_plain(one.field)}</ERRFIELD><ERRFIELDCN>{_plain(one.field)}</ERRFIELDCN>"
        f"<ERRDESC>{_plain(one.zh)}</ERRDESC></ERR>"
        for one in found
    )


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
