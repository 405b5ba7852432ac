"""What a shape cannot say about SFTP servers of other houses: keys that parse, secrets that are there, sane paces."""

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.config_authorities import Authority
from gateway.config_files import Problem, Source, Way
from gateway.config_roads import Remote
from gateway.config_shapes import Partner
from spool.errors import ForOperator

Mark = tuple[str, int, str, str]
"""A folder: host, port, user, path."""


def of_remotes(source: Source, one: Partner | Authority, home: Path) -> Iterator[Problem]:
    """Yield what is wrong with the servers that a file tells us to visit."""
    if isinstance(one, Partner):
        if one.fetch.sftp is not None:
            yield from _of_door(source, ("fetch", "sftp"), one.fetch.sftp, home)
        return
    if one.answers.fetch.sftp is not None:
        yield from _of_door(source, ("answers", "fetch", "sftp"), one.answers.fetch.sftp, home)
    if one.carrier.sftp is not None:
        yield from _of_remote(source, ("carrier", "sftp"), one.carrier.sftp, home)
    elif one.carrier.kind == "sftp":
        yield source.problem(
            ("carrier",), "the carrier has no server", "Add host, user, host_keys below [carrier.sftp]."
        )


def remotes_of(one: Partner | Authority) -> Iterator[tuple[str, Remote]]:
    """Yield every server of a file, and what it is there for."""
    if isinstance(one, Partner):
        found = [("fetch", one.fetch.sftp)]
    else:
        found = [("answers", one.answers.fetch.sftp), ("carrier", one.carrier.sftp)]
    yield from ((use, remote) for use, remote in found if remote is not None)


def of_shared_folders(partners: Mapping[str, Partner], authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    """Yield each folder whose files would be taken for the one's or the other's, or for answers to themselves."""
    files: dict[str, Partner | Authority] = {f"partners/{name}.toml": one for name, one in sorted(partners.items())}
    files |= {f"authorities/{name}.toml": one for name, one in sorted(authorities.items())}
    known: dict[Mark, list[tuple[str, str, Remote]]] = {}
    for file, use, remote in ((file, use, remote) for file, one in files.items() for use, remote in remotes_of(one)):
        others = known.setdefault(_mark(remote), [])
        for before in (name for name, earlier, other in others if _meet(use, remote, earlier, other)):
            cure = "Give each a folder of its own, or patterns in `files` that fit no name twice."
            yield Problem(file, None, f"its folder {remote.folder} is also that of {before}", cure)
        others.append((file, use, remote))


def _mark(remote: Remote) -> Mark:
    return remote.host, remote.port, remote.user, posixpath.normpath(remote.folder)


def _meet(use: str, one: Remote, earlier: str, other: Remote) -> bool:
    """Tell whether a name is surely meant by both; a carrier puts names of any kind, and two carriers may share."""
    carriers = (use, earlier).count("carrier")
    return carriers == 1 or (not carriers and (one.files == other.files or "*" in (one.files, other.files)))


def _of_door(source: Source, way: Way, remote: Remote, home: Path) -> Iterator[Problem]:
    yield from _of_remote(source, way, remote, home)
    if remote.taken and remote.taken.rstrip("/") == remote.folder.rstrip("/"):
        cure = 'Name another folder there, or "" to delete what was taken.'
        yield source.problem((*way, "taken"), "what was taken would lie where it was taken from", cure)
    if not remote.files:
        yield source.problem((*way, "files"), "no name fits an empty pattern", 'Write "*" for all files.')


def _of_remote(source: Source, way: Way, remote: Remote, home: Path) -> Iterator[Problem]:
    from adapters.remote_connection import host_key

    for key, text in (("host", remote.host), ("user", remote.user), ("folder", remote.folder)):
        if not text.strip() or not text.isprintable():
            yield source.problem((*way, key), f'"{text}" is no {key}', f"Write the {key} of the server.")
    if not remote.host_keys:
        cure = "Ask its owner for its public key, and compare: ssh-keyscan -t ed25519 HOST"
        yield source.problem((*way, "host_keys"), "no host key is pinned", cure)
    for line in remote.host_keys:
        try:
            host_key(line)
        except ForOperator as trouble:
            yield source.problem((*way, "host_keys"), str(trouble), "Write it as ssh-ed25519 AAAA…")
    for key, value, least, most in (
        ("port", remote.port, 1, 65535),
        ("every_seconds", remote.every_seconds, 1, 86400),
        ("connections", remote.connections, 1, 16),
        ("timeout_seconds", remote.timeout_seconds, 0.1, 600),
    ):
        if not least <= value <= most:
            cure = f"Write a number from {least} to {most}."
            yield source.problem((*way, key), f"{value} is out of range", cure)
    yield from _secret(source, way, remote, home)


def _secret(source: Source, way: Way, remote: Remote, home: Path) -> Iterator[Problem]:
    if bool(remote.key_file) == bool(remote.password_file):
        cure = "Write key_file or password_file, one of the two."
        yield source.problem(way, "how we prove ourselves there is not clear", cure)
    file = remote.key_file or remote.password_file
    if file and not (home / file).is_file():
        cure = "Put it there, readable by its owner alone; until then the server is not visited."
        yield source.problem(
            (*way, "key_file" if remote.key_file else "password_file"), f"no file {file}", cure, "warning"
        )
