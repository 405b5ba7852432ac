"""What `kouan doctor` sees of the brokers: the password's file, the log-in, the queues and who reads them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.symptoms import ERROR, OK, WARNING, Symptom

if TYPE_CHECKING:
    from gateway.config import House
    from gateway.config_roads import Broker


def brokers(house: "House") -> Iterator[Symptom]:
    """Yield how every queue is that we read or publish into."""
    from adapters.amqp_look import look
    from gateway.brokers import address_of

    files: dict[Path, None] = {}
    for name, reads, place in _queues(house):
        files[house.home / place.password_file] = None
        seen = look(address_of(house.home, place), place.queue)
        where = f"queue {place.queue} of {name}"
        if seen.trouble:
            cure = "See docs/for-operations.md, Brokers; a queue is declared by whoever owns the broker."
            yield Symptom(where, ERROR, f"{place.host}:{place.port}: {seen.trouble}", cure)
        elif not reads and not seen.readers:
            cure = "Ask the authority whether it reads this queue."
            yield Symptom(where, WARNING, f"{seen.messages} messages, nobody reads it", cure)
        else:
            yield Symptom(where, OK, f"{seen.messages} messages, {seen.readers} readers")
    for file in files:
        if file.stat().st_mode & 0o077:
            yield Symptom(f"password {file.name}", ERROR, "others can read it", f"chmod 600 {file}")


def _queues(house: "House") -> "Iterator[tuple[str, bool, Broker]]":
    """Yield every queue: whose, whether we read it, and where it stands."""
    from gateway.brokers import queues
    from gateway.config_roads import Broker
    from gateway.roads import places

    for sender, _, place in places(house):
        if isinstance(place, Broker):
            yield sender, True, place
    ids = sorted({one.dxp_id for one in house.partners.values()} - {""})
    for name, authority in house.authorities.items():
        if authority.carrier.amqp is not None:
            for place in queues(authority.carrier.amqp, ids):
                yield name, False, place
