"""The environment over kouan.toml: KOUAN_SECTION__KEY, and where each value came from.

`KOUAN_SFTP__LISTEN=127.0.0.1:0` lays itself over `listen` in `[sftp]`; a name
that means no key is refused as a key that does not exist would be.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.config_files import DATES, Problem, Source, Table, dotted
from gateway.config_shapes import settings, struct_of

ENVIRONMENT = "environment"
PLAIN_TEXT = ("revision", "severity")


def with_environment(source: Source, shape: type[msgspec.Struct], environ: Mapping[str, str]) -> Source:
    """Return the file with what KOUAN_SECTION__KEY in the environment lays over it."""
    raw: Table = msgspec.to_builtins(source.raw, builtin_types=DATES)
    lines = dict(source.lines)
    problems = list(source.problems)
    for name in sorted(environ):
        way = _meant(name, shape)
        if way is None:
            continue
        kind = _kind(shape, way)
        if kind is None:
            cure = "Known are KOUAN_SECTION__KEY for the keys of kouan.toml."
            problems.append(Problem(ENVIRONMENT, None, f"{name} names no key of kouan.toml", cure))
            continue
        table = raw
        for step in way[:-1]:
            table = table.setdefault(step, {})
        table[way[-1]] = environ[name] if kind is str else _value(environ[name])
        lines.pop(way, None)
    return Source(source.file, raw, lines, tuple(problems))


def _meant(name: str, shape: type[msgspec.Struct]) -> tuple[str, ...] | None:
    """Return the path that a variable means, or None when it is no override."""
    if not name.startswith("KOUAN_"):
        return None
    section, found, key = name[6:].partition("__")
    if not found:
        return (section.lower(),) if section.lower() in _plain(shape) else None
    return (section.lower(), key if section == "SEVERITY" else key.lower())


def _plain(shape: type[msgspec.Struct]) -> set[str]:
    """Return the keys that stand above all sections."""
    fields = msgspec.structs.fields(shape)
    return {field.encode_name for field in fields if struct_of(field.type) is None} - {"home", "severity"}


def _kind(shape: type[msgspec.Struct], way: tuple[str, ...]) -> object:
    """Return the type of the value at this path; None when there is no such key."""
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}
    if way[0] == "home" or way[0] not in fields:
        return None
    if way[0] in PLAIN_TEXT:
        return str
    if len(way) == 1:
        return fields[way[0]]
    below = struct_of(fields[way[0]])
    return None if below is None else _kind(below, way[1:])


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def origins(source: Source, shape: type[msgspec.Struct], before: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return where each key's value came from: the file and line, the environment, or the default."""
    named = {way: name for name in environ if (way := _meant(name, shape)) is not None}
    ways = [*settings(shape), *(way for way in named if way[0] == "severity")]
    ways += [way for way in source.lines if way[0] == "severity" and len(way) == 2]  # type: ignore[misc]
    found: dict[str, str] = {}
    for way in ways:
        if way in named:
            place = f"{ENVIRONMENT} {named[way]}"
        elif line := (source.lines.get(way) or source.lines.get((*way, 0))):
            place = f"{source.file}:{line}"
        else:
            place = "default"
        found[before + dotted(way)] = place
    return found


def home_from(given: str | os.PathLike[str] | None) -> Path:
    """Return the home folder: the one given, else KOUAN_HOME, else ./kouan-home."""
    return Path(given or os.environ.get("KOUAN_HOME") or "kouan-home").absolute()
