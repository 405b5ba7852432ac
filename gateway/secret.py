"""The home's own secret: by it hashes are made that nobody outside can make again."""

import os
import secrets
from pathlib import Path
from typing import Final

_FILE: Final = "keys/secret"
_BYTES: Final = 32


def secret_of(home: Path) -> bytes:
    """Return the 32 bytes of keys/secret; they are drawn at the first asking and never change.

    Two processes that ask at once get the same: who comes second to the name takes what stands there.
    """
    path = home / _FILE
    if not path.is_file():
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
    return path.read_bytes()
