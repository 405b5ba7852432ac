"""What `kouan doctor` looks at for SFTP servers of other houses; it reads our side and talks to nobody."""

from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.symptoms import ERROR, OK, Symptom
from gateway.config_remotes import remotes_of
from gateway.config_roads import Remote
from spool.errors import ForOperator

if TYPE_CHECKING:
    from gateway.config import Authority, House, Partner


def remotes(house: "House") -> Iterator[Symptom]:
    """Yield of every server whether its pinned keys parse and our key or password for it can be used."""
    files: list[tuple[str, Partner | Authority]] = [*house.partners.items(), *house.authorities.items()]
    for name, one in sorted(files, key=itemgetter(0)):
        for use, remote in remotes_of(one):
            yield from _remote(f"sftp {use} of {name}", remote, house.home)


def _remote(name: str, remote: Remote, home: Path) -> Iterator[Symptom]:
    from adapters.remote_connection import host_key, password, private_key

    file = home / (remote.key_file or remote.password_file)
    try:
        kinds = ", ".join(host_key(line)[0] for line in remote.host_keys)
        if remote.key_file:
            private_key(file)
        else:
            password(file)
    except ForOperator as trouble:
        yield Symptom(name, ERROR, str(trouble), "Put a key (or the password) there that can be read; no passphrase.")
        return
    if file.stat().st_mode & 0o077:
        yield Symptom(name, ERROR, f"others can read {file}", f"chmod 600 {file}")
    else:
        yield Symptom(name, OK, f"{remote.user}@{remote.host}:{remote.port}, pinned {kinds}")
