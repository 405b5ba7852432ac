"""What must hold of `[payment_data]`: who may ask is told, the keys have an authority, the years suffice."""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

from gateway.config_files import Problem, Source
from gateway.config_payments import LEAST_YEARS, PaymentData

_TOKEN = re.compile(r"[0-9a-f]{64}")
_HEADER = re.compile(r"[A-Za-z0-9-]+: .+")


def of_payment_data(source: Source, settings: PaymentData, home: Path) -> Iterator[Problem]:
    """Yield what is wrong in `[payment_data]` of kouan.toml beyond its shape."""
    for key, value, least, most in (
        ("clock_seconds", settings.clock_seconds, 1, 86400),
        ("timeout_seconds", settings.timeout_seconds, 0.1, 300),
        ("at_once", settings.at_once, 1, 64),
        ("attempts", settings.attempts, 1, 1000),
        ("first_seconds", settings.first_seconds, 0.1, 86400),
        ("most_seconds", settings.most_seconds, settings.first_seconds, 604_800),
        ("keep_years", settings.keep_years, LEAST_YEARS, 100),
    ):
        if not least <= value <= most:
            cure = f"Write a number from {least} to {most}."
            yield source.problem(("payment_data", key), f"{value} is out of range", cure)
    for key in ("callers", "proxies"):
        for text in getattr(settings, key):
            if network(text) is None:
                cure = "Write an address or a network, as 203.0.113.7 or 203.0.113.0/24."
                yield source.problem(("payment_data", key), f'"{text}" is no address', cure)
    if settings.token_sha256 and not _TOKEN.fullmatch(settings.token_sha256):
        cure = "Write 64 hex digits in lower case: printf %s TOKEN | sha256sum"
        yield source.problem(("payment_data", "token_sha256"), "this is no SHA-256 of a token", cure)
    if settings.proxy_header and not (_HEADER.fullmatch(settings.proxy_header) and settings.proxies):
        cure = 'Write "Name: value" as the proxy sets it, and the addresses of the proxy into proxies.'
        yield source.problem(("payment_data", "proxy_header"), "this header proves nothing", cure)
    if settings.upload_to:
        yield from _open(source, settings, home)


def _open(source: Source, settings: PaymentData, home: Path) -> Iterator[Problem]:
    if not re.match(r"https?://[^/]", settings.upload_to):
        yield source.problem(
            ("payment_data", "upload_to"), "the upload has no url", 'Write https://… , or "" for none.'
        )
    if not (settings.token_sha256 or settings.callers or settings.proxy_header):
        cure = "Write at least one of token_sha256, callers and proxy_header."
        yield source.problem(("payment_data", "upload_to"), "anybody could ask for payment data", cure)
    if not (home / "authorities" / f"{settings.authority}.toml").is_file():
        cure = "Name the authority for which the partners' keys are meant, as customs."
        yield source.problem(("payment_data", "authority"), f'no file names "{settings.authority}"', cure)


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return the network that a text names, or None.

    >>> network("203.0.113.7"), network("anywhere")
    (IPv4Network('203.0.113.7/32'), None)
    """
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
