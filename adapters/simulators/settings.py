"""What the customs in a box is told in its TOML file, and whom it trusts.

Paths stand relative to the folder of the file.  The enterprises are read again
whenever the file changes; everything else holds until the next start.
"""

import os
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from cryptography import x509

DELAYS = {"2": 0.2, "120": 0.2, "399": 0.2, "800": 0.2, "899": 0.2, "816": 0.2, "818": 0.2, "792": 0.2}


class NotUnderstood(Exception):  # noqa: N818  it tells what happened to the file
    """The file cannot be understood; the text says where and why"""


@dataclass(frozen=True, slots=True)
class Enterprise:
    """One that may declare: its code, its exchange id, the certificates (DER) it signs with."""

    code: str
    dxp_id: str
    certificates: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Http:
    """Where POST /dxp is listened for, and where answers are posted to; empty means not at all."""

    listen: str = ""
    answer_url: str = ""
    answer_token: str = ""
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Folder:
    """Where messages are found and where answers are put; empty means not at all."""

    inbox: str = ""
    answers: str = ""
    scan_seconds: float = 0.15


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file.  `enterprises` maps an exchange id to the enterprise behind it."""

    file: Path
    state: Path
    folder: Folder = Folder()
    http: Http = Http()
    enterprises: Mapping[str, Enterprise] = field(default_factory=dict)
    delays: Mapping[str, float] = field(default_factory=lambda: dict(DELAYS))
    revision: str = "202205"
    dxp_id: str = "DXPEDCCEB0000002"
    seed: str = ""
    signatures_required: bool = True
    wrap_answers: bool = True
    message_bytes: int = 40 * 1024 * 1024
    threads: int = 2
    tied: bool = False
    behaviours: tuple[str, ...] = ()

    def at(self, path: str) -> Path:
        """Return a path of the file as an absolute one."""
        return self.file.parent / path


def load(file: Path) -> Settings:
    """Return the settings of `file`; `NotUnderstood` names the key that is wrong."""
    file = file.absolute()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotUnderstood(f"{file}: {error}") from error
    if "state" not in table:
        raise NotUnderstood(f"{file}: state is missing")
    known = {place.name for place in fields(Settings)} - {"file"}
    for key in table:
        if key not in known:
            raise NotUnderstood(f"{file}: unknown key {key}")
    plain = {key: value for key, value in table.items() if key not in {"state", "folder", "http", "enterprises"}}
    plain["delays"] = DELAYS | {str(code): float(wait) for code, wait in table.get("delays", {}).items()}
    plain["seed"] = str(table.get("seed", ""))
    plain["behaviours"] = tuple(table.get("behaviours", ()))
    return Settings(
        file=file,
        state=file.parent / table["state"],
        folder=_section(Folder, "folder", table, file),
        http=_section(Http, "http", table, file),
        enterprises=_enterprises(table, file),
        **plain,
    )


def _section(kind: type[Any], name: str, table: Mapping[str, Any], file: Path) -> Any:
    try:
        return kind(**table.get(name, {}))
    except TypeError as error:
        raise NotUnderstood(f"{file}: [{name}] {error}") from error


def _enterprises(table: Mapping[str, Any], file: Path) -> dict[str, Enterprise]:
    found = {}
    for row in table.get("enterprises", ()):
        try:
            pems = [(file.parent / path).read_text(encoding="ascii") for path in row.get("certificates", ())]
            trusted = tuple(ssl.PEM_cert_to_DER_cert(pem.strip()) for pem in pems)
            for der in trusted:
                x509.load_der_x509_certificate(der)
            found[row["dxp_id"]] = Enterprise(row["code"], row["dxp_id"], trusted)
        except KeyError as error:
            raise NotUnderstood(f"{file}: an enterprise lacks {error}") from error
        except (OSError, ValueError) as error:
            raise NotUnderstood(f"{file}: enterprise {row.get('code')}: {error}") from error
    return found


class Register:
    """The enterprises as the file has them at this moment; a broken file leaves the last good ones."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.file
        self._seen = self._mark()
        self.enterprises = settings.enterprises

    def refresh(self) -> str | None:
        """Read the file again if it changed; return what is wrong with it, or None."""
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        try:
            self.enterprises = load(self._file).enterprises
        except NotUnderstood as error:
            return str(error)
        return None

    def _mark(self) -> tuple[int, int, int]:
        try:
            facts = os.stat(self._file)
        except OSError:
            return (0, 0, 0)
        return (facts.st_mtime_ns, facts.st_size, facts.st_ino)
