"""Brokers: what the configuration says of one, as the adapters want it."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from adapters.amqp import Address
from adapters.carriers.amqp import BY_SENDER
from gateway.config_roads import Broker


def address_of(home: Path, broker: Broker) -> Address:
    """Return where a broker stands; its files lie below home unless they are named in full."""
    return Address(
        host=broker.host,
        user=broker.user,
        password_file=home / broker.password_file,
        port=broker.port,
        vhost=broker.vhost,
        tls=broker.tls,
        ca_file=home / broker.ca_file if broker.ca_file else None,
        heartbeat_seconds=broker.heartbeat_seconds,
        timeout_seconds=broker.timeout_seconds,
    )


def queues(broker: Broker, dxp_ids: Iterable[str]) -> list[Broker]:
    """Return the broker once for each queue that it means: one, or one for each of these identities.

    >>> [one.queue for one in queues(Broker("mq", "kouan", "keys/mq", "{dxpId}_HZ"), ["DXPENT1", "DXPENT2"])]
    ['DXPENT1_HZ', 'DXPENT2_HZ']
    """
    if BY_SENDER not in broker.queue:
        return [broker]
    return [msgspec.structs.replace(broker, queue=broker.queue.replace(BY_SENDER, one)) for one in dxp_ids]
