"""An official client in a box: `python -m adapters.simulators.client --config FILE [--behaviour NAME[=arg] ...]`.

It behaves as the import clients of the Single Window are described: it finds a
zip that holds exactly one xml of the same name in OutBox, sends the xml on,
moves the zip to SentBox and puts `Successed_NAME_TIME.xml` into InBox; what it
cannot send goes to FailBox with `Failed_NAME_TIME.xml` beside it.  It writes a
`.tmp` first.  When it is open it prints one line `{"event": "ready"}`.

The file (paths relative to it)::

    folder = "../client/Ceb"            # OutBox, SentBox, FailBox and InBox are made below it
    onward = "../spool/client/sent"     # where the xml goes: the inbox of a customs in a box
    look_seconds = 0.2
    behaviours = []                     # like --behaviour; see BEHAVIOURS

**Known limits.** It keeps no book: its boxes are one.  Real clients differ from business to business and release to
release; what is told here was read from those who live with them, not from a specification.
"""

import argparse
import json
import os
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

from message_specs.parsing import Unreadable, parse

BOXES: Final = ("OutBox", "SentBox", "FailBox", "InBox")
BEHAVIOURS: Final = {
    "hangs": "nothing is done any more",
    "fails": "every n-th file goes to FailBox: the card is not in its reader (1)",
    "silent": "nothing is put into InBox or beside what failed",
    "prefixes": "files in SentBox and FailBox bear the prefix and the time, too",
    "vanishes": "what was sent is deleted in place of moved",
    "loses": "what is found is deleted and not sent",
    "half": "an answer stands half written as .tmp, for ever, before it is written again",
    "refused": "every n-th file is sent, and then refused by the platform: SentBox, and Failed_ in InBox (1)",
}
_CHINA: Final = timedelta(hours=8)


class NotUnderstood(Exception):  # noqa: N818  it tells what happened to the file
    """The file or a behaviour cannot be understood; the text says where and why"""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    folder: Path
    onward: Path
    look_seconds: float = 0.2
    behaviours: tuple[str, ...] = ()


def load(file: Path) -> Settings:
    """Return the settings of `file`; `NotUnderstood` names what is wrong."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotUnderstood(f"{file}: {error}") from error
    known = {one.name for one in fields(Settings)}
    if wrong := [*(set(table) - known), *({"folder", "onward"} - set(table))]:
        raise NotUnderstood(f"{file}: unknown or missing key {wrong[0]}")
    for name in ("folder", "onward"):
        table[name] = file.absolute().parent / table[name]
    return Settings(**{**table, "behaviours": tuple(table.get("behaviours", ()))})


def asked(names: Sequence[str]) -> dict[str, int]:
    """Return the behaviours asked for as `NAME` or `NAME=n`, each with its number.

    >>> asked(["fails=3", "silent"])
    {'fails': 3, 'silent': 1}
    """
    found = {}
    for one in names:
        name, _, argument = one.partition("=")
        if name not in BEHAVIOURS or (argument and not argument.isdecimal()):
            raise NotUnderstood(f"{one}; there are: {', '.join(BEHAVIOURS)}")
        found[name] = max(1, int(argument or 1))
    return found


class Client:
    """The boxes and whoever works through them."""

    def __init__(self, folder: Path, onward: Path, behaviours: Sequence[str] = ()) -> None:
        """The boxes are there."""
        self._folder, self._onward = folder, onward
        self._asked = asked(behaviours)
        self._files = count(1)
        self._run = count(1)
        for place in (*(folder / box for box in BOXES), onward):
            place.mkdir(parents=True, exist_ok=True)

    def look(self) -> int:
        """Every file of OutBox has been dealt with; return how many."""
        if "hangs" in self._asked:
            return 0
        names = sorted(name for name in os.listdir(self._folder / "OutBox") if not _is_half(name))
        for name in names:
            self._deal_with(self._folder / "OutBox" / name, next(self._files))
        return len(names)

    def _deal_with(self, path: Path, number: int) -> None:
        if "loses" in self._asked:
            path.unlink()
            return
        body, trouble = _unpacked(path)
        if not trouble and self._every("fails", number):
            trouble = "读卡器中没有卡"
        if trouble:
            self._move(path, "FailBox", "Failed")
            self._answer("FailBox", "Failed", path.stem, trouble)
            return
        _put(self._onward / f"{path.stem}.xml", body)
        if "vanishes" in self._asked:
            path.unlink()
        else:
            self._move(path, "SentBox", "Successed")
        word = "Failed" if self._every("refused", number) else "Successed"
        self._answer("InBox", word, path.stem, "平台拒绝导入" if word == "Failed" else "导入成功")

    def _every(self, name: str, number: int) -> bool:
        return name in self._asked and number % self._asked[name] == 0

    def _move(self, path: Path, box: str, word: str) -> None:
        marked = f"{word}_{path.stem}_{self._time()}{path.suffix}"
        os.replace(path, self._folder / box / (marked if "prefixes" in self._asked else path.name))

    def _answer(self, box: str, word: str, base: str, said: str) -> None:
        if "silent" in self._asked:
            return
        flag = 0 if word == "Successed" else -1
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<CommonResponeMessage>'
            f"<EtpsPreentNo>{base}</EtpsPreentNo><CheckInfo>{said}</CheckInfo><DealFlag>{flag}</DealFlag>"
            "</CommonResponeMessage>"
        ).encode()
        name = f"{word}_{base}_{self._time()}.xml"
        if "half" in self._asked:
            (self._folder / box / f"half-{name}.tmp").write_bytes(body[:40])
        _put(self._folder / box / name, body)

    def _time(self) -> str:
        """Fourteen digits of the time in China, and a run that is none."""
        return f"{datetime.now(UTC) + _CHINA:%Y%m%d%H%M%S}{next(self._run):08d}"


def _unpacked(path: Path) -> tuple[bytes, str]:
    """Return the one xml of a zip, or why it is not one."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.namelist() != [f"{path.stem}.xml"]:
                return b"", "压缩包内须有且仅有一个同名 xml"
            body = archive.read(archive.namelist()[0])
        parse(body)
    except (OSError, zipfile.BadZipFile, Unreadable):
        return b"", "不是有效的压缩包或 XML"
    return body, ""


def _put(path: Path, body: bytes) -> None:
    half = path.with_name(f"{path.name}.tmp")
    half.write_bytes(body)
    half.rename(path)


def _is_half(name: str) -> bool:
    return name.startswith((".", "~$")) or name.endswith(".tmp")


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="adapters.simulators.client", description="An official client in a box.")
    parser.add_argument("--config", type=Path, required=True)
    known = "; ".join(f"{name}: {what}" for name, what in BEHAVIOURS.items())
    parser.add_argument("--behaviour", action="append", default=[], metavar="NAME[=n]", help=known)
    return parser.parse_args(words)


def _forever(client: Client, settings: Settings) -> Iterator[int]:
    while True:
        yield client.look()
        time.sleep(settings.look_seconds)


def main(words: Sequence[str]) -> int:
    """Work through the boxes until interrupted; return 2 when a file or a behaviour is not understood."""
    told = _arguments(words)
    try:
        settings = load(told.config)
        client = Client(settings.folder, settings.onward, [*settings.behaviours, *told.behaviour])
    except NotUnderstood as trouble:
        print(trouble, file=sys.stderr)
        return 2
    print(json.dumps({"event": "ready"}), flush=True)
    for _ in _forever(client, settings):
        pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
