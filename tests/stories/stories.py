"""How a story is played: what is given happens in order, and what is to be seen at the end is written down.

`given/` holds one folder a day, in order of their names.  A day's files are `PARTNER/FILE` as dropped and
`customs/FILE` as answered; a file `@name` among them does something else: `@carry` lets go what is due, `@sign` holds
lines `KEY FILE` of files to be signed first, `@change` lines `FILE<TAB>old<TAB>new` of what is changed after that, and
`@settings` beside the days such lines for the configuration.
`trade:SPEC COUNT START` as a file's only line stands for that message of tests.samples; `> old => new` lines below it
change it.  `{guid:N}` in an answer is the guid of the N-th message that left.
"""

import json
import re
from pathlib import Path
from typing import Any

from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from message_specs.dxp.envelope import unwrap
from message_specs.limits import Limits
from tests import samples
from tests.crash.world import Placeholders, World

_SIGNED = re.compile(rb"<ds:(DigestValue|SignatureValue|KeyName|X509Certificate)>[^<]*")
_TRADE = re.compile(r"trade:(CEB\d{3}) (\d+) (\d+)(?: appType=(\d))?")


def play(home: Path, given: Path) -> dict[str, bytes]:
    """Everything that can be seen when the story is over, by its path."""
    _settings(home, given)
    world = World(home)
    left: list[bytes] = []
    for day in sorted(path for path in given.iterdir() if path.is_dir()):
        signing = dict(line.split()[::-1] for line in _lines(day / "@sign"))
        changes: dict[str, list[tuple[str, str]]] = {}
        for line in _lines(day / "@change"):
            name, old, new = line.split("\t")
            changes.setdefault(name, []).append((old, new))
        for file in sorted(day.rglob("*")):
            if file.is_file() and not file.name.startswith("@"):
                _happen(world, file.relative_to(day), file.read_bytes(), signing, changes)
        world.moment = world.moment.replace(microsecond=0)
        world.take_in()
        world.moment = world.moment.fromtimestamp(world.moment.timestamp() + 60, world.moment.tzinfo)
        world.take_in()
        if (day / "@carry").exists():
            left += [one.parcel.body for one in world.carry()]
    seen = _seen(world, left)
    world.close()
    return seen


def _settings(home: Path, given: Path) -> None:
    for line in _lines(given / "@settings"):
        file, old, new = line.split("\t")
        text = (home / file).read_text("utf-8")
        assert old in text, f"{file} does not hold {old}"
        (home / file).write_text(text.replace(old, new), "utf-8")


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []


def _happen(
    world: World, path: Path, body: bytes, signing: dict[str, str], changes: dict[str, list[tuple[str, str]]]
) -> None:
    if body.startswith(b"trade:"):
        body = _trade(body.decode())
    if (key := signing.get(str(path))) is not None:
        body = sign_message(body, load_signer(world.home / "keys", key))
    for number, (guid,) in enumerate(world.rows("SELECT guid FROM message ORDER BY number"), 1):
        body = body.replace(b"{guid:%d}" % number, guid.encode())
    for old, new in changes.get(str(path), ()):
        assert old.encode() in body, f"{old} is not there"
        body = body.replace(old.encode(), new.encode(), 1)
    world.drop(path.parts[0], path.name, body)


def _trade(text: str) -> bytes:
    first, *changes = text.splitlines()
    told = _TRADE.fullmatch(first)
    assert told is not None, first
    body = samples.message(told[1], int(told[2]), start=int(told[3]), app_type=told[4] or "1")
    return _changed(body, changes)


def _changed(body: bytes, changes: list[str]) -> bytes:
    for change in changes:
        old, new = change.removeprefix("> ").split(" => ")
        assert old.encode() in body, f"{old} is not there"
        body = body.replace(old.encode(), new.encode(), 1)
    return body


def _seen(world: World, left: list[bytes]) -> dict[str, bytes]:
    names = Placeholders()
    seen = {}
    for path, body in world.files().items():
        told = _pretty(body) if path.endswith(".json") else body
        seen[names(path.encode()).decode()] = _SIGNED.sub(rb"<ds:\1>{\1}", names(told))
    for turn, envelope in enumerate(left, 1):
        opened = unwrap(envelope, Limits())
        assert opened is not None
        head = f"{opened.message_type} from {opened.sender} to {', '.join(opened.receivers)}\n".encode()
        seen[f"left/{turn}.xml"] = head + _SIGNED.sub(rb"<ds:\1>{\1}", names(opened.data))
    seen["ledger.txt"] = names("".join(_lives(world)).encode())
    return seen


def _pretty(body: bytes) -> bytes:
    told: dict[str, Any] = json.loads(body)
    if "SIGNED" in told["file"]:
        told["sha256"] = "that of the signed file"
    return json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


def _lives(world: World) -> list[str]:
    lines = []
    for number, ordinal, spec, key, version, state, status, file in world.rows(
        "SELECT d.number, d.ordinal, d.spec, d.key, d.version, d.state, d.status, i.file"
        " FROM document d JOIN interchange i USING (number) ORDER BY 1, 2"
    ):
        lines.append(f"{file}.{ordinal} {spec} {key or '-'} v{version or '-'} {state} {status or '-'}\n")
        for desk, before, after, reason in world.rows(
            "SELECT desk, from_state, to_state, reason FROM stamp WHERE number = ? AND ordinal = ? ORDER BY sequence",
            number, ordinal,
        ):  # fmt: skip
            lines.append(f"    {desk}: {before or '·'} > {after}{f' ({reason})' if reason else ''}\n")
    return lines
