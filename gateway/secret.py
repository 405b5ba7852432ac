"""The home's own secret: what makes hashes of names and numbers that nobody outside can make or try.

Who loses it loses no document; only what was kept about persons is not found again, and is asked for anew.
"""

import contextlib
import os
import secrets
from pathlib import Path

from spool import aside

_BYTES = 32


def secret_of(home: Path) -> bytes:
    """Return the secret of this home, which is made at the first asking; all who ask at once get the same."""
    place = home / "keys" / "house.secret"
    if not place.exists():
        place.parent.mkdir(mode=0o700, exist_ok=True)
        own = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
        aside.put(own, secrets.token_bytes(_BYTES), mode=0o400)
        with contextlib.suppress(FileExistsError):
            os.link(own, place)  # unlike a rename it replaces nothing
        os.unlink(own)
        aside.sync_folder(place.parent)
    return place.read_bytes()
