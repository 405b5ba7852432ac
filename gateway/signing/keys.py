"""Signing keys as folders: keys/NAME/ with key.pem, cert.pem and key.toml.

What is loaded can sign: key and certificate are a pair and the date is inside
the certificate's.  The private key is readable by its owner only and is never
printed.  Nothing is cached here.
"""

import os
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.signing import certificates, libcrypto, self_signed
from gateway.signing.rsa import RsaSigner
from gateway.signing.signer import (
    KeyExists,
    KeyExpired,
    KeyMissing,
    KeyNotYetValid,
    KeyUnreadable,
    Signer,
)
from gateway.signing.sm2 import Sm2Signer
from gateway.signing.suites import SUITES
from spool.errors import ForOperator

KEY, CERTIFICATE, ABOUT = "key.pem", "cert.pem", "key.toml"


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What can be told of a key folder; `trouble` says why it cannot sign, and is empty when it can."""

    name: str
    suite: str
    serial: str
    subject: str
    not_before: datetime | None
    not_after: datetime | None
    days_left: int | None
    trouble: str


def load_signer(folder: Path, name: str, at: datetime | None = None) -> Signer:
    """Return the key folder/NAME ready to sign at that time (else now); raise `ForOperator` when it cannot."""
    suite, certificate = _suite(folder, name), _certificate(folder, name)
    facts = certificates.facts(certificate)
    moment = at or datetime.now(UTC)
    if moment > facts.not_after:
        raise KeyExpired(f"{name}, on {facts.not_after:%Y-%m-%d %H:%M} UTC")
    if moment < facts.not_before:
        raise KeyNotYetValid(f"{name}, before {facts.not_before:%Y-%m-%d %H:%M} UTC")
    pem = _read(folder, name, KEY)
    return Sm2Signer(name, pem, certificate) if suite == "sm2-sm3" else RsaSigner(name, suite, pem, certificate)


def new_key(
    folder: Path, name: str, suite: str, subject: str, days: int, *, now: datetime, digest: str = "sha256"
) -> None:
    """Make folder/NAME with a fresh key and a self-signed certificate, valid from now for days.

    `suite` is rsa or sm2; `digest`, sha1 or sha256, matters for rsa only.
    """
    if not name or name.startswith(".") or Path(name).name != name:
        raise KeyUnreadable(f"{name!r} is no name for a folder")
    full = "sm2-sm3" if suite in {"sm2", "sm2-sm3"} else suite if suite in SUITES else f"{suite}-{digest}"
    if full not in SUITES:
        raise KeyUnreadable(f"{name}: the suite {full} is not one of {', '.join(SUITES)}")
    place = folder / name
    if place.exists():
        raise KeyExists(str(place))
    try:
        make = self_signed.new_sm2 if full == "sm2-sm3" else self_signed.new_rsa
        pem, certificate = make(subject, days, now)
    except (ValueError, libcrypto.Refused) as trouble:
        raise KeyUnreadable(f"{name}: {trouble}") from trouble
    folder.mkdir(parents=True, exist_ok=True)
    # Made aside, so that a crash leaves no half key under the name.
    aside = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=folder))
    _write(aside / KEY, pem, 0o600)
    _write(aside / CERTIFICATE, certificates.to_pem(certificate), 0o644)
    _write(aside / ABOUT, f'suite = "{full}"\ncreated = {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n'.encode(), 0o644)
    aside.rename(place)


def list_keys(folder: Path, at: datetime | None = None) -> tuple[KeyFacts, ...]:
    """Return the facts of every key below folder, by name, those that cannot sign too."""
    if not folder.is_dir():
        return ()
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != ".")
    return tuple(_facts(folder, name, at or datetime.now(UTC)) for name in names if _is_key(folder / name))


def _is_key(place: Path) -> bool:
    return any((place / part).exists() for part in (KEY, CERTIFICATE, ABOUT))


def _facts(folder: Path, name: str, at: datetime) -> KeyFacts:
    suite, serial, subject, since, until, left, trouble = "", "", "", None, None, None, ""
    try:
        suite = _suite(folder, name)
        facts = certificates.facts(_certificate(folder, name))
        serial, subject, since, until = facts.serial, facts.subject, facts.not_before, facts.not_after
        left = (facts.not_after - at).days
        load_signer(folder, name, at)
    except ForOperator as told:
        trouble = str(told)
    return KeyFacts(name, suite, serial, subject, since, until, left, trouble)


def _read(folder: Path, name: str, part: str) -> bytes:
    if not _is_key(folder / name):
        raise KeyMissing(str(folder / name))
    try:
        return (folder / name / part).read_bytes()
    except OSError as trouble:
        raise KeyUnreadable(f"{folder / name / part}: {trouble.strerror}") from trouble


def _suite(folder: Path, name: str) -> str:
    try:
        suite = tomllib.loads(_read(folder, name, ABOUT).decode()).get("suite")
    except ValueError as trouble:
        raise KeyUnreadable(f"{folder / name / ABOUT}: {trouble}") from trouble
    if suite not in SUITES:
        raise KeyUnreadable(f"{folder / name / ABOUT}: suite is not one of {', '.join(SUITES)}")
    return str(suite)


def _certificate(folder: Path, name: str) -> bytes:
    try:
        der = certificates.from_pem(_read(folder, name, CERTIFICATE))
        certificates.facts(der)
    except certificates.NoCertificate as trouble:
        raise KeyUnreadable(f"{folder / name / CERTIFICATE}: {trouble}") from trouble
    return der


def _write(path: Path, octets: bytes, mode: int) -> None:
    """Write a file that never was readable to more than its mode says."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
