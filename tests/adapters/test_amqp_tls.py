"""A line under TLS is had with the certificate that was named, and with no other; a look sees the same."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from adapters.amqp import Address
from adapters.amqp_look import Seen, look
from adapters.carriers.amqp import AmqpCarrier
from adapters.carriers.carrier import Carried, Parcel
from tests.brokers import PASSWORD, USER, RabbitMQ

BROKER: list[RabbitMQ] = []


def certificate(folder: Path, name: str, days: int = 30) -> tuple[Path, Path]:
    """The files of a certificate for 127.0.0.1 and of its key; without days it has ended."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture(scope="module", autouse=True)
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("rabbit")
    certificate(folder, "other")
    broker = RabbitMQ(folder, tls=certificate(folder, "broker")).start()
    (broker.folder / "password").write_text(PASSWORD, "utf-8")
    broker.declare("T")
    BROKER.append(broker)
    yield
    BROKER.pop().end()


def address(ca: str) -> Address:
    broker = BROKER[0]
    files = {"password_file": broker.folder / "password", "ca_file": broker.folder / ca if ca else None}
    return Address("127.0.0.1", USER, port=broker.tls_port, tls=True, timeout_seconds=10.0, **files)  # type: ignore[arg-type]


class UnderTls(TestCase):
    timeout = 200

    @inlineCallbacks
    def carried(self, ca: str) -> Any:
        carrier = AmqpCarrier(address(ca), "T", reactor=reactor)
        [told] = yield carrier.carry([Parcel(1, "1.xml", "CEB311Message", b"one")])
        yield carrier.close()
        return told

    @inlineCallbacks
    def test_the_certificate_named_is_trusted(self) -> Any:
        told = yield self.carried("broker.pem")
        assert told == Carried(1, ok=True, acknowledgement="1.xml")

    @inlineCallbacks
    def test_no_other_certificate_is(self) -> Any:
        for ca in ("other.pem", ""):
            told = yield self.carried(ca)
            assert not told.ok
            assert "certificate" in told.trouble


def test_a_look_sees_through_tls_as_far_as_the_certificate_is_trusted() -> None:
    assert look(address("broker.pem"), "T").trouble == ""
    assert "certificate" in look(address("other.pem"), "T").trouble.lower()


def test_a_certificate_that_has_expired_is_told_as_such(tmp_path: Path) -> None:
    broker = RabbitMQ(tmp_path / "rabbit", tls=certificate(tmp_path, "expired", -1)).start()
    try:
        (tmp_path / "password").write_text(PASSWORD, "utf-8")
        place = Address(
            "127.0.0.1", USER, tmp_path / "password", port=broker.tls_port, tls=True, ca_file=tmp_path / "expired.pem"
        )
        assert "certificate has expired" in look(place, "T").trouble
    finally:
        broker.end()


def test_a_look_counts_what_lies_in_a_queue_and_tells_what_is_wrong() -> None:
    broker = BROKER[0]
    broker.declare("LOOKED")
    broker.publish("LOOKED", ("1", b"one"))
    plain = Address("127.0.0.1", USER, broker.folder / "password", port=broker.port)
    assert look(plain, "LOOKED") == Seen(messages=1)
    missing = "the broker closed the channel: 404 NOT_FOUND - no queue 'NONE' in vhost '/'"
    assert look(plain, "NONE") == Seen(trouble=missing)
    (broker.folder / "wrong").write_text("wrong", "utf-8")
    wrong = Address("127.0.0.1", USER, broker.folder / "wrong", port=broker.port)
    assert look(wrong, "LOOKED") == Seen(trouble="the broker refuses this user or password")
