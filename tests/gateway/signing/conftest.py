"""One key of each suite, made once for all tests of signatures."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.signing.keys import load_signer, new_key
from gateway.signing.signer import Signer
from tests import samples

MADE = datetime(2026, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "keys"
    for name, suite, digest in (
        ("rsa-sha1", "rsa", "sha1"),
        ("rsa-sha256", "rsa", "sha256"),
        ("sm2-sm3", "sm2", ""),
        ("other-rsa", "rsa", "sha256"),
        ("other-sm2", "sm2", ""),
    ):
        new_key(folder, name, suite, f"CN=云栖优选 {name},O=Invented", 36500, now=MADE, digest=digest)
    return folder


@pytest.fixture(scope="session")
def signer_of(key_folder: Path) -> Callable[[str], Signer]:
    return lambda name: load_signer(key_folder, name, AT)


@pytest.fixture(scope="session")
def canonical() -> bytes:
    """A message of two orders as the seal wants it: canonical, without a declaration."""
    text = samples.message("CEB311", 2)
    return text[text.index(b"<ceb:") :]
