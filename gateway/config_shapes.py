"""The shapes of the configuration: one frozen struct for each section of each file.

Every key has a type and, wherever it can, a safe default.  A key that is not
written here does not exist, and a file that names it is refused.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from gateway.config_payments import Payee, PaymentData
from gateway.config_roads import Fetched
from message_specs.limits import Limits
from message_specs.trade.sharing import Rounding

GIB = 1024**3
MIB = 1024**2


class Sftp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SFTP door; an empty `listen` keeps it shut."""

    listen: str = "127.0.0.1:2222"
    host_key: str = "keys/sftp_host_ed25519"
    sessions_per_partner: int = 16
    quota_bytes: int = 10 * GIB
    quota_files: int = 200_000
    idle_seconds: float = 600.0


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The HTTP door; an empty `listen` keeps it shut."""

    listen: str = "127.0.0.1:8080"
    body_bytes: int = 28 * MIB


class Folder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The folder door: how often it looks, and when a file is surely whole."""

    watch: bool = True
    scan_seconds: float = 0.25
    looks: int = 3
    look_seconds: float = 0.5
    unfinished_seconds: float = 10.0


class LimitsSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is too much of a message, and when the disk counts as full."""

    message_bytes: int = 20 * MIB
    depth: int = 32
    documents: int = 100
    text_bytes: int = 10_000_000
    table_bytes: int = 256 * MIB
    workbook_bytes: int = 10 * MIB
    workbook_cells: int = 1_000_000
    table_documents: int = 500_000
    disk_free_bytes: int = 1 * GIB
    disk_free_percent: float = 2.0

    @property
    def longest(self) -> int:
        """How many bytes the longest file of any kind may have."""
        return max(self.message_bytes, self.table_bytes, self.workbook_bytes)

    def of_messages(self) -> Limits:
        """Return the part of the limits that a message is opened under."""
        return Limits(
            message_bytes=self.message_bytes,
            depth=self.depth,
            documents=self.documents,
            text_bytes=self.text_bytes,
        )


class Workers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The worker processes, and how much goes to one of them at a time."""

    count: int = 3
    pace_seconds: float = 0.03
    group_files: int = 500
    group_bytes: int = 4 * MIB


class Logging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is logged to stderr, and for whom: people or programs."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["auto", "json", "console"] = "auto"


class Tax(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the tax on retail import is predicted, and when a purchase counts to a person's year."""

    rounding: Literal["half_up", "half_even", "down", "up"] = "half_up"
    places: int = 2
    round_at: Literal["bill", "line"] = "bill"
    tolerance: Decimal = Decimal("0.05")
    tell_partner: bool = True
    quotas: Literal["declared", "released", "never"] = "declared"

    def of_amounts(self) -> Rounding:
        """Return the rule of rounding that these keys describe."""
        return Rounding(self.rounding, self.places, self.round_at)


Action = Literal["refuse", "hold", "pass"]


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the desk `identity` asks of whom, and what follows from the answers."""

    ask: Literal["never", "differs", "always"] = "never"
    url: str = ""
    dialect: str = "generic"
    token_file: str = "keys/identity.token"  # noqa: S105  a path
    timeout_seconds: float = 10.0
    at_once: int = 4
    attempts: int = 8
    first_seconds: float = 30.0
    most_seconds: float = 3600.0
    match_days: int = 365
    other_days: int = 1
    on_other_payer: Action = "refuse"
    on_mismatch: Action = "refuse"
    on_no_record: Action = "hold"
    on_bad_input: Action = "refuse"
    on_service_error: Action = "hold"


class Kouan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """kouan.toml; `home` is the folder it was read from and no key of the file."""

    home: Path = Path()
    revision: Literal["dated", "2018", "202205"] = "dated"
    sftp: Sftp = Sftp()
    http: Http = Http()
    folder: Folder = Folder()
    limits: LimitsSection = LimitsSection()
    workers: Workers = Workers()
    logging: Logging = Logging()
    tax: Tax = Tax()
    identity: Identity = Identity()
    payment_data: PaymentData = PaymentData()
    severity: dict[str, Literal["error", "warning"]] = msgspec.field(default_factory=dict)


class KeyUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signing key entrusted to us: for which authority, and from when until when."""

    name: str
    authority: str = "*"
    since: date | None = None
    until: date | None = None

    def serves(self, authority: str, on: date) -> bool:
        """Return whether this key signs for that authority on that day.

        >>> KeyUse("shop", since=date(2026, 1, 1)).serves("customs", date(2025, 12, 31))
        False
        """
        meant = self.authority in ("*", authority)
        return meant and (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


class MapUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A map for a partner's tables, and the names of the files it is for."""

    map: str
    files: str = "*"


class Draw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A drawing arrangement: inventories that are drawn up in a partner's name, for which merchants, by which map."""

    spec: Literal["CEB621", "CEB603"]
    mode: str
    merchants: tuple[str, ...] = ("*",)
    map: str = ""
    values: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def map_name(self) -> str:
        """Return the name of the map: the one written, else ours for the spec.

        >>> Draw("CEB621", "9610").map_name
        'draw-621'
        """
        return self.map or f"draw-{self.spec.removeprefix('CEB')}"


class Partner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """partners/NAME.toml: who this is, what he may send, how he proves it, how he signs."""

    name: str
    title: str
    code: str
    dxp_id: str
    roles: tuple[str, ...]
    specs: tuple[str, ...]
    ssh_keys: tuple[str, ...] = ()
    token_sha256: tuple[str, ...] | str = ()
    also_codes: tuple[str, ...] = ()
    receipts: str = "xml"
    suspended: bool = False
    all_or_nothing: bool = False
    keys: tuple[KeyUse, ...] = ()
    certificates: tuple[str, ...] = ()
    maps: tuple[MapUse | str, ...] = ()
    draws: tuple[Draw, ...] = ()
    fetch: Fetched = Fetched()
    payment_data: Payee = Payee()

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the SHA-256 of each bearer token, whichever way they are written."""
        one = self.token_sha256
        return ((one,) if one else ()) if isinstance(one, str) else one

    def key_for(self, authority: str, on: date) -> KeyUse | None:
        """Return the key that signs for this partner: his own for that authority before one for all.

        >>> shop = Partner("shop", "店", "1", "2", (), (), keys=(KeyUse("any"), KeyUse("tax", "tax")))
        >>> shop.key_for("tax", date(2026, 1, 1)).name, shop.key_for("customs", date(2026, 1, 1)).name
        ('tax', 'any')
        """
        serving = [use for use in self.keys if use.serves(authority, on)]
        return next((use for use in serving if use.authority == authority), serving[0] if serving else None)


def settings(shape: type[msgspec.Struct], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key that a file of this shape may hold.

    >>> list(settings(Logging))
    [('level',), ('form',)]
    """
    for field in msgspec.structs.fields(shape):
        path = (*before, field.encode_name)
        if path == ("home",):
            continue
        below = struct_of(field.type)
        if below is None:
            yield path
        else:
            yield from settings(below, path)


def struct_of(kind: object) -> type[msgspec.Struct] | None:
    """Return the struct that a field holds, or holds a row of; None for a plain value."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    for part in getattr(kind, "__args__", ()):
        below = struct_of(part)
        if below is not None:
            return below
    return None
