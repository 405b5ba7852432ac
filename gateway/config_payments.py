"""What the files say of raw payment data for customs (notices 2018-165 and 2018-179)."""

from typing import Literal

import msgspec

LEAST_YEARS = 3
"""So many years the raw data must be kept."""


class PaymentData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[payment_data]` of kouan.toml: who may ask, where the data goes, and how often it is tried."""

    upload_to: str = ""
    """Where the data is uploaded; "" means that this house answers no such call."""
    authority: str = "customs"
    """Keys that partners entrusted to us for this authority sign the data."""
    token_sha256: str = ""
    callers: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    proxy_header: str = ""
    unknown_order: Literal["dated", "10000", "20000"] = "dated"
    clock_seconds: float = 300.0
    timeout_seconds: float = 30.0
    at_once: int = 4
    attempts: int = 12
    first_seconds: float = 10.0
    most_seconds: float = 3600.0
    keep_years: int = LEAST_YEARS


class Payee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[payment_data]` of a platform's file: what its documents do not tell, where nothing else was filed."""

    item_link: str = ""
    recp_account: str = ""
    recp_code: str = ""
    recp_name: str = ""
