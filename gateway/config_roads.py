"""What the files say of roads that lead to other houses: servers that we visit and brokers that we are connected to."""

from typing import Literal

import msgspec


class Remote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An SFTP server of another house that we visit as its client."""

    host: str
    user: str
    host_keys: tuple[str, ...]
    """Its public keys, each as `ssh-ed25519 AAAA…`; whoever shows another is not talked to."""
    port: int = 22
    key_file: str = ""
    """Our private key, below home; else `password_file`."""
    password_file: str = ""
    folder: str = "."
    """Where we put or take files there."""
    taken: str = ""
    """A folder there to which taken files are moved; "" deletes them."""
    files: str = "*"
    """The names that we take, as a shell writes patterns."""
    every_seconds: float = 10.0
    connections: int = 2
    timeout_seconds: float = 30.0


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A queue of an AMQP 0-9-1 broker."""

    host: str
    user: str
    password_file: str
    queue: str
    """The queue that we read, or to which we publish by its name."""
    port: int = 5672
    vhost: str = "/"
    tls: bool = False
    ca_file: str = ""
    prefetch: int = 200
    heartbeat_seconds: int = 30
    timeout_seconds: float = 30.0


class Fetched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where we fetch what a sender has for us, besides the folder or the doors that he comes to himself."""

    sftp: Remote | None = None
    amqp: Broker | None = None


CarrierKind = Literal["folder", "http", "client", "sftp", "amqp"]
