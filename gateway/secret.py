"""The home's own secret: by it hashes are made that nobody outside can make again."""

import os
import secrets
from pathlib import Path
from typing import Final

from spool.errors import ForOperator

_FILE: Final = "keys/secret"
_BYTES: Final = 32


class SecretUnreadable(ForOperator):
    """keys/secret cannot be read, or is no secret of ours; without it nobody's year is found again"""


def secret_of(home: Path) -> bytes:
    """Return the 32 bytes of keys/secret; they are drawn at the first asking and never change.

    Two processes that ask at once get the same: who comes second to the name takes what stands there.  What is no
    file that we may read, or shorter than it was drawn, is SecretUnreadable.
    """
    path = home / _FILE
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
