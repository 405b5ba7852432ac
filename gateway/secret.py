"""What a home draws for itself once: its secret, by which hashes are made, and the host key of its SFTP door.

Both are drawn where nothing depends on them yet.  Once the ledger keeps rows by the secret, or partners have come
through the SFTP door, a missing file is not drawn again but stops the house: another secret would find nobody's year
and nobody's verdict again, another host key would look to every partner like somebody else's machine.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from spool.errors import ForOperator
from spool.ledger import Ledger

_FILE: Final = "keys/secret"
_BYTES: Final = 32


class SecretUnreadable(ForOperator):
    """keys/secret cannot be read, or is no secret of ours; without it nobody's year is found again"""


class KeyLost(ForOperator):
    """密钥文件不见了，而台账依赖它，不另生成 A key file is gone that the ledger depends on; no other is drawn"""

    def __init__(self, file: Path, cure: str) -> None:
        super().__init__(f"{file}. {cure}")
        self.file = file
        self.cure = cure


def lost(home: Path, host_key: str | None) -> Iterator[KeyLost]:
    """Yield each file that is gone and must not be drawn again, with what to do; `host_key` None: the door is shut."""
    secret = home / _FILE
    if not secret.exists() and _is_needed(home, "kept_by_secret"):
        yield KeyLost(
            secret,
            "请从备份恢复。没有备份时，执行下面的命令即表示接受：个人年度额度从零计，身份重新核验。 "
            "Bring it back from a copy. Without one this command accepts that every buyer's year begins at zero and "
            f"everybody is asked about anew: (umask 077; head -c {_BYTES} /dev/urandom > {secret})",
        )
    if host_key is not None and not (file := home / host_key).exists() and _is_needed(home, "came_by_sftp"):
        yield KeyLost(
            file,
            "请从备份恢复。没有备份时用下面的命令另造一个，并把新指纹告知每家企业。 "
            "Bring it back from a copy. Without one make another and tell every partner its fingerprint: "
            f'ssh-keygen -t ed25519 -N "" -f {file}',
        )


def stands(home: Path, host_key: str | None) -> None:
    """Nothing is gone that must not be drawn again; KeyLost otherwise."""
    for trouble in lost(home, host_key):
        raise trouble


def _is_needed(home: Path, query: str) -> bool:
    book = home / "ledger.sqlite3"
    if not book.exists():
        return False
    ledger = Ledger(book, read_only=True)
    try:
        return ledger.one(query) is not None
    except sqlite3.OperationalError as trouble:
        if "no such table" in str(trouble):  # a ledger older than the trades
            return False
        raise
    finally:
        ledger.close()


def secret_of(home: Path) -> bytes:
    """Return the 32 bytes of keys/secret; they are drawn at the first asking and never change.

    Two processes that ask at once get the same: who comes second to the name takes what stands there.  What is no
    file that we may read, or shorter than it was drawn, is SecretUnreadable; one that is gone while the ledger
    keeps rows by it is KeyLost.
    """
    path = home / _FILE
    stands(home, None)
    try:
        _drawn(path)
        secret = path.read_bytes()
    except OSError as trouble:
        raise SecretUnreadable(f"{path}: {trouble.strerror}") from trouble
    if len(secret) < _BYTES:
        raise SecretUnreadable(f"{path}: it holds {len(secret)} bytes of {_BYTES}; bring it back from a copy")
    return secret


def _drawn(path: Path) -> None:
    """There is a secret at this path."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        aside = path.with_name(f".secret.{os.getpid()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(aside)
