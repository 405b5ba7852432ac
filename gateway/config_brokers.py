"""What a shape cannot say about brokers in the configuration: names, files, and who reads what."""

import ipaddress
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from adapters.carriers.amqp import BY_SENDER
from gateway.config_authorities import Authority
from gateway.config_files import Problem, Source
from gateway.config_roads import Broker
from gateway.config_shapes import Partner

WARNING: Final = "warning"
_QUEUE_BYTES: Final = 255
_CA_HEAD: Final = b"-----BEGIN CERTIFICATE-----"
Mark = tuple[str, int, str, str]
"""A queue: host, port, vhost, name."""


def of_partner_roads(source: Source, partner: Partner, home: Path) -> Iterator[Problem]:
    """Yield what is wrong with the broker at which a partner is visited."""
    if partner.fetch.amqp is not None:
        yield from _broker(source, ("fetch", "amqp"), partner.fetch.amqp, home)


def of_authority_roads(source: Source, authority: Authority, home: Path) -> Iterator[Problem]:
    """Yield what is wrong with the brokers by which an authority is reached and heard."""
    carrier, heard = authority.carrier, authority.answers.fetch.amqp
    if carrier.kind == "amqp" and carrier.amqp is None:
        cure = "Add [carrier.amqp] with host, user, password_file and queue."
        yield source.problem(("carrier",), "the carrier has no broker", cure)
    if carrier.kind != "amqp" and carrier.amqp is not None:
        what = f'a broker is named, but kind = "{carrier.kind}"'
        yield source.problem(("carrier", "amqp"), what, 'Write kind = "amqp", or leave [carrier.amqp] out.')
    if carrier.amqp is not None:
        yield from _broker(source, ("carrier", "amqp"), carrier.amqp, home)
    if heard is not None:
        yield from _broker(source, ("answers", "fetch", "amqp"), heard, home)
    if heard is not None and carrier.amqp is not None and _mark(heard) == _mark(carrier.amqp):
        cure = "Write the queue of its answers, as {dxpId}_HZ."
        yield source.problem(
            ("answers", "fetch", "amqp"), "its answers are read from the queue that we publish into", cure
        )


def _broker(source: Source, way: tuple[str, ...], broker: Broker, home: Path) -> Iterator[Problem]:
    yield from _names(source, way, broker)
    for key, value, least, most in (
        ("port", broker.port, 1, 65535),
        ("prefetch", broker.prefetch, 1, 10_000),
        ("heartbeat_seconds", broker.heartbeat_seconds, 2, 3600),
        ("timeout_seconds", broker.timeout_seconds, 0.1, 300),
    ):
        if not least <= value <= most:
            yield source.problem((*way, key), f"{value} is out of range", f"Write a number from {least} to {most}.")
    if not (home / broker.password_file).is_file():
        what = f'there is no file "{broker.password_file}"'
        cure = "Put the password into it, readable by its owner alone."
        yield source.problem((*way, "password_file"), what, cure)
    if broker.ca_file and not broker.tls:
        cure = "Write tls = true, or leave ca_file out."
        yield source.problem((*way, "ca_file"), "a ca_file is named, but tls = false", cure)
    elif broker.ca_file and not _is_pem(home / broker.ca_file):
        what = f'there are no certificates in "{broker.ca_file}"'
        yield source.problem((*way, "ca_file"), what, "Put the certificate of its authority there, as PEM.")
    if not broker.tls and not _is_near(broker.host):
        cure = "Write tls = true (its port is usually 5671), unless the way there is protected otherwise."
        yield source.problem((*way, "tls"), f"the password goes to {broker.host} in the clear", cure, WARNING)


def _names(source: Source, way: tuple[str, ...], broker: Broker) -> Iterator[Problem]:
    if not broker.host or any(mark in broker.host for mark in "/@ "):
        cure = "Write its name or address alone, as mq.example.cn; the port stands in port."
        yield source.problem((*way, "host"), f'"{broker.host}" is no host', cure)
    if not broker.user:
        yield source.problem((*way, "user"), "the broker has no user", "Add: user = …")
    rest = broker.queue.replace(BY_SENDER, "")
    if not broker.queue or len(broker.queue.encode()) > _QUEUE_BYTES or "{" in rest or "}" in rest:
        cure = "Write its name, at most 255 bytes; {dxpId} stands for the identity of an enterprise."
        yield source.problem((*way, "queue"), f'"{broker.queue}" is no name of a queue', cure)


def _is_pem(file: Path) -> bool:
    try:
        return _CA_HEAD in file.read_bytes()
    except OSError:
        return False


def _is_near(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _mark(broker: Broker) -> Mark:
    return broker.host, broker.port, broker.vhost, broker.queue


def of_shared_queues(partners: Mapping[str, Partner], authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    """Yield each queue that is read for two senders: what comes there would be taken for the one's or the other's."""
    readers: dict[Mark, str] = {}
    for name, partner in sorted(partners.items()):
        if partner.fetch.amqp is not None:
            own = partner.fetch.amqp.queue.replace(BY_SENDER, partner.dxp_id)
            mark = (*_mark(partner.fetch.amqp)[:3], own)
            yield from _taken(readers, mark, f"partners/{name}.toml")
    for name, authority in sorted(authorities.items()):
        if (heard := authority.answers.fetch.amqp) is not None:
            named = {heard.queue.replace(BY_SENDER, one.dxp_id) for one in partners.values()}
            for queue in sorted(named or {heard.queue}):
                yield from _taken(readers, (*_mark(heard)[:3], queue), f"authorities/{name}.toml")


def _taken(readers: dict[Mark, str], mark: Mark, file: str) -> Iterator[Problem]:
    first = readers.setdefault(mark, file)
    if first != file:
        cure = "Give each sender a queue of its own: what is in a queue is taken for that of whoever it is read for."
        yield Problem(file, None, f"its queue {mark[3]} is also read for {first}", cure)
