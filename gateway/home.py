"""Making a home: the folders, the commented configuration, and for a trial four partners with keys.

What is made here passes `kouan config check` at once.  Secrets are readable by
their owner alone; nothing that exists is written over.
"""

import hashlib
import json
import re
import secrets
import shutil
import socket
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway import boxes
from gateway.config_names import NAME
from spool.aside import put
from spool.errors import ForOperator
from spool.mailbox import Mailbox

SAMPLE = Path(__file__).resolve().parents[1] / "conf"
PORTS = {"sftp": 2222, "http": 8080}
SUITES = {"shop": "rsa", "pay": "rsa", "ship": "sm2", "agent": "sm2"}
DAYS = 1095
EVERY_TABLE = ("orders-311", "inventories-621", "payments-411", "waybills-511")
"""The maps of a trial that are for tables of any name; each other one is for those whose name holds its number."""
FOLDERS = (
    *("", "partners", "authorities", "spool", "spool/partners", "spool/store", "spool/authorities"),
    *("spool/authorities/customs", "spool/authorities/customs/in", "spool/authorities/customs/out"),
    *("spool/authorities/tax", "spool/authorities/tax/in", "spool/authorities/tax/out"),
    *("spool/authorities/safe", "simulators"),
)
FILES = ("journeys.csv", "routes.csv", *(f"authorities/{name}.toml" for name in ("customs", "safe", "tax")))


class HomeExists(ForOperator):
    """This folder is a home already and is left as it is; name another one"""


class PartnerExists(ForOperator):
    """partners/ has a file of this name already; change that file, or choose another name"""


class NotAName(ForOperator):
    """A name has 1 to 32 of a-z, 0-9, - and _"""


class SampleMissing(ForOperator):
    """The sample configuration does not stand beside the program; install Kouan again"""


def make_home(home: Path, now: datetime, *, demo: bool = False, wanted: Mapping[str, int] = PORTS) -> Path:
    """The folder is a home that `kouan run` starts in; with `demo` it has four partners and a customs in a box.

    The doors of a demo home are at the `wanted` ports where those are free; 0 wants any.
    """
    home = home.absolute()
    if (home / "kouan.toml").exists():
        raise HomeExists(str(home))
    if not (SAMPLE / "kouan.toml").is_file():
        raise SampleMissing(str(SAMPLE))
    for folder in FOLDERS:
        (home / folder).mkdir(mode=0o750, parents=True, exist_ok=True)
    (home / "keys").mkdir(mode=0o700, exist_ok=True)
    for file in FILES:
        put(home / file, (SAMPLE / file).read_bytes())
    for name, text in boxes.EVERY_HOME.items():
        put(home / f"simulators/{name}.toml", text.encode())
    settings = (SAMPLE / "kouan.toml").read_text("utf-8")
    if demo:
        _make_demo(home, now)
        ports = free_ports(wanted)
        _make_payment_caller(home, ports["http"])
        for door, port in ports.items():
            settings = settings.replace(f'"127.0.0.1:{PORTS[door]}"', f'"127.0.0.1:{port}"')
    # Last, because it is what makes the folder a home: a broken attempt can be repeated.
    put(home / "kouan.toml", settings.encode())
    return home


def free_ports(wanted: Mapping[str, int] = PORTS) -> dict[str, int]:
    """Return a free port of the loopback for each door, the wanted one where it is free."""
    found = {}
    with ExitStack() as held:
        for door, port in wanted.items():
            listener = held.enter_context(socket.socket())
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                listener = held.enter_context(socket.socket())
                listener.bind(("127.0.0.1", 0))
            found[door] = int(listener.getsockname()[1])
    return found


def _make_demo(home: Path, now: datetime) -> None:
    from gateway.signing.keys import new_key

    enterprises = []
    for sample in sorted((SAMPLE / "partners").glob("*.toml")):
        name, text = sample.stem, sample.read_text("utf-8")
        if not (home / "keys" / name / "key.toml").exists():
            shutil.rmtree(home / "keys" / name, ignore_errors=True)
            new_key(home / "keys", name, SUITES[name], value_of(text, "title"), days=DAYS, now=now)
        folder = home / "keys/partners" / name
        text = filled(
            text,
            {
                "ssh_keys": [_new_ssh_key(folder, f"{name}@kouan-demo")],
                "token_sha256": [_new_token(folder)],
                "certificates": [f"keys/{name}/cert.pem"],
                "maps": maps_of(tomllib.loads(text)["specs"]),
            },
        )
        put(home / f"partners/{name}.toml", with_key(text, name).encode())
        make_mailbox(home, name)
        enterprises.append((value_of(text, "code"), value_of(text, "dxp_id"), f"../keys/{name}/cert.pem"))
    file = home / "authorities/customs.toml"
    put(file, filled(file.read_text("utf-8"), {"simulate": True}).encode())
    put(home / "simulators/customs.toml", boxes.customs(enterprises).encode())
    token, _ = new_token()
    put(home / "keys/identity.token", token.encode(), 0o600)
    put(home / "simulators/identity.toml", boxes.IDENTITY.format(token=token).encode(), 0o600)


def _make_payment_caller(home: Path, port: int) -> None:
    token, digest = new_token()
    code = value_of((SAMPLE / "partners/shop.toml").read_text("utf-8"), "code")
    text = boxes.PAYMENT_CALLER.format(code=code, port=port, token=token, digest=digest)
    put(home / "simulators/payment_data.toml", text.encode(), 0o600)


def maps_of(specs: Iterable[str]) -> list[object]:
    """Return every map of ours for one of these specs, each with the files it is for: those whose name holds its own.

    >>> maps_of(["JSHD", "CEB311", "CEB303"])[1:]
    [{'map': 'orders-303', 'files': '*303*'}, {'map': 'settlement-jshd', 'files': '*JSHD*'}]
    """
    from mapping.table import shipped

    # Maps that draw up an inventory read a table of our own joining, never one that a partner drops.
    ours = {name: name.rpartition("-")[2].upper() for name in shipped() if not name.startswith("draw-")}
    mine = [name for name, word in ours.items() if (f"CEB{word}" if word.isdigit() else word) in specs]
    named: list[object] = [{"map": one, "files": f"*{ours[one]}*"} for one in mine if one not in EVERY_TABLE]
    return [*(one for one in EVERY_TABLE if one in mine), *named]


def _new_ssh_key(folder: Path, comment: str) -> str:
    """A fresh ed25519 pair stands in the folder; return its public line."""
    for one in (folder.parent, folder):
        one.mkdir(mode=0o700, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + f" {comment}"
    put(folder / "ssh_key", key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), 0o600)
    put(folder / "ssh_key.pub", f"{line}\n".encode(), 0o644)
    return line


def _new_token(folder: Path) -> str:
    """A fresh token stands in the folder; return its SHA-256."""
    token, digest = new_token()
    put(folder / "token", token.encode(), 0o600)
    return digest


def new_token() -> tuple[str, str]:
    """Return a bearer token and its SHA-256 in hex; only the second may be kept by us."""
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()


def add_partner(home: Path, name: str, values: Mapping[str, object]) -> Path:
    """partners/NAME.toml has these values and every other key with its default, and the mailbox is there."""
    if not NAME.fullmatch(name):
        raise NotAName(name)
    file = home / f"partners/{name}.toml"
    if file.exists():
        raise PartnerExists(name)
    text = (SAMPLE / "partners/shop.toml").read_text("utf-8")
    text = text.replace(text.splitlines()[0], f"# {values.get('title') or name}.", 1)
    text = text.replace('# name = "shop"', f'# name = "{name}"')
    make_mailbox(home, name)
    put(file, filled(text, {"name": name, **values}).encode())
    return file


def make_mailbox(home: Path, name: str) -> None:
    """The partner's three folders are there, closed to others."""
    root = home / "spool/partners" / name
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    Mailbox(root).make()


def change_partner(home: Path, name: str, values: Mapping[str, object]) -> None:
    """These keys of partners/NAME.toml have these values; every other line stays as it is."""
    file = home / f"partners/{name}.toml"
    put(file, filled(file.read_text("utf-8"), values).encode())


def filled(text: str, values: Mapping[str, object]) -> str:
    r"""Return the TOML with the values of these keys of its first table changed, comments and all else kept.

    >>> filled('# who\nname = "a"\nspecs = []\n', {"specs": ["CEB311"], "maps": [{"map": "m", "files": "*"}]})
    'maps = [{map = "m", files = "*"}]\n# who\nname = "a"\nspecs = ["CEB311"]\n'
    """
    head, table, tail = re.match(r"(.*?)(^\[.*|\Z)(.*)", text, re.DOTALL | re.MULTILINE).groups()  # type: ignore[union-attr]
    for key, value in values.items():
        line = f"{key} = {_as_toml(value)}"
        pattern = re.compile(rf"^{key}[ \t]*=[ \t]*(\[[^\]]*\]|[^\n]*)", re.MULTILINE)
        head = pattern.sub(lambda _, line=line: line, head) if pattern.search(head) else f"{line}\n{head}"
    return head + table + tail


def _as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_as_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_as_toml(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def value_of(text: str, key: str) -> str:
    """Return the text of a key of the sample.

    >>> value_of('code = "3301961A2B"', "code")
    '3301961A2B'
    """
    found = re.search(rf'^{key} = "([^"]*)"', text, re.MULTILINE)
    return found[1] if found else ""


def with_key(text: str, name: str) -> str:
    """Return a partner's TOML with one more key entrusted to us."""
    return f'{text.rstrip()}\n\n[[keys]]\nname = "{name}"\n'
