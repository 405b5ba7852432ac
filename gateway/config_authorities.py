"""What the files of authorities say: how an agency is reached, when, and how it answers."""

from datetime import date
from typing import Literal

import msgspec

from gateway.config_roads import Broker, CarrierKind, Fetched, Remote


class Carrier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How messages leave for an authority."""

    kind: CarrierKind = "folder"
    folder: str = ""
    url: str = ""
    timeout_seconds: float = 30.0
    sftp: Remote | None = None
    amqp: Broker | None = None


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


class RevisionSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A revision, and the first day on which an authority reads messages by it; None: it always did."""

    code: Literal["2018", "202205"]
    since: date | None = None


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """authorities/NAME.toml: an agency we declare to, its dialect and its carrier."""

    name: str
    title: str
    dxp_id: str = "DXPEDCCEB0000002"
    dialect: Literal["customs", "tax"] = "customs"
    form: Literal["DxpMsg", "DxpMsgSv"] = "DxpMsg"
    carrier: Carrier = Carrier()
    answers: Answers = Answers()
    pack: int = 100
    retry: Retry = Retry()
    revision: Literal["dated", "2018", "202205"] | tuple[RevisionSince, ...] | None = None
    simulate: bool = False
