"""What the files of authorities say: how an agency is reached, when, and how it answers."""

from datetime import date, datetime
from typing import Literal

import msgspec

from gateway.config_roads import Broker, CarrierKind, Fetched, Remote


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the official client is dealt with that stands between us and an authority: its OutBox and its other boxes."""

    pack: Literal["zip", "xml"] = "zip"
    """What it wants to find: a zip that holds one xml of the same name, or the xml itself."""
    look_seconds: float = 2.0
    """So often we look what has become of a message."""
    vanished_seconds: float = 60.0
    """What lies in none of its boxes so long after it was given is held for an operator."""


class Carrier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How messages leave for an authority."""

    kind: CarrierKind = "folder"
    folder: str = ""
    url: str = ""
    timeout_seconds: float = 30.0
    sftp: Remote | None = None
    amqp: Broker | None = None
    client: Client = Client()


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How its answers come in: a folder we look into, a token it shows at our HTTP door, or a place we visit."""

    folder: str = ""
    token_sha256: str = ""
    fetch: Fetched = Fetched()


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plan of repeats when an authority is away; 0 attempts means for ever."""

    first_seconds: float = 2.0
    factor: float = 2.0
    most_seconds: float = 600.0
    jitter: float = 0.2
    attempts: int = 0


class Pace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much an authority takes: messages in any minute (0: as many as come), how many at once, in which order."""

    messages_a_minute: int = 0
    at_once: int = 8
    order: Literal["none", "partner", "key"] = "none"


class Breaker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After so many failures in a row nobody knocks for a while, then one message only; 0: never."""

    failures: int = 5
    first_seconds: float = 10.0
    most_seconds: float = 300.0


class Maintenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an authority is shut, in China time: `daily` hours from a day until a day, or one span."""

    daily: str = ""
    since: date | None = None
    until: date | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    note: str = ""


class RevisionSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A revision, and the first day on which an authority reads messages by it; None: it always did."""

    code: Literal["2018", "202205"]
    since: date | None = None


class Exchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the files of an exchange office are named and gathered, where it speaks the dialect `fx`."""

    institution: str = ""
    """The twelve characters by which it knows whoever reports (金融机构标识码)."""
    gather_seconds: float = 900.0
    """So far apart two batches of files leave: a name has two digits a day."""
    records: int = 20_000
    """So many records stand in one file at most."""
    silent_days: float = 2.0
    """So long a file may be without feedback before its partners and operators are told, and again as long after."""


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """authorities/NAME.toml: an agency we declare to, its dialect and its carrier."""

    name: str
    title: str
    dxp_id: str = "DXPEDCCEB0000002"
    dialect: Literal["customs", "fx", "tax"] = "customs"
    form: Literal["DxpMsg", "DxpMsgSv"] = "DxpMsg"
    carrier: Carrier = Carrier()
    answers: Answers = Answers()
    pack: int = 100
    retry: Retry = Retry()
    pace: Pace = Pace()
    breaker: Breaker = Breaker()
    maintenance: tuple[Maintenance, ...] = ()
    revision: Literal["dated", "2018", "202205"] | tuple[RevisionSince, ...] | None = None
    exchange: Exchange = Exchange()
    simulate: bool = False
