"""What `kouan doctor` looks at where customs may ask for payment data: keys, the clock, what waits."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.cli.symptoms import ERROR, OK, WARNING, Symptom

if TYPE_CHECKING:
    from gateway.config import House

NAME = "payment data"
_LOOK_BACK = timedelta(hours=24)


def payments(house: "House", now: datetime) -> Iterator[Symptom]:
    """Yield whether each platform can sign, whether the clocks agree, whether trades are filed, and what waits."""
    settings = house.kouan.payment_data
    if not settings.upload_to:
        yield Symptom(NAME, OK, "customs is not answered here ([payment_data] has no upload_to)")
        return
    yield from _keys(house, now)
    for spec in ("CEB311", "CEB411"):
        if "match" not in house.journey(spec):
            seen = f"{spec} is not filed in dossiers, so no order will be found"
            yield Symptom(NAME, ERROR, seen, "Let it visit the desk match: journeys.csv.")
    file = house.home / "ledger.sqlite3"
    if file.exists():
        yield from _sessions(house, now)


def _keys(house: "House", now: datetime) -> Iterator[Symptom]:
    from gateway.payment_sealing import signer_of
    from message_specs.findings import Finding

    platforms = [one for one in house.partners.values() if "platform" in one.roles]
    if not platforms:
        yield Symptom(
            NAME, ERROR, "no partner is a platform, so nobody can be asked about", "Give one the role platform."
        )
    for one in platforms:
        signer = signer_of(house, one, now)
        if isinstance(signer, Finding):
            yield Symptom(NAME, ERROR, f"{signer.code} {signer.zh} {signer.en}", signer.hint)
        else:
            yield Symptom(NAME, OK, f"{one.name} signs with {signer.name}, {signer.suite}, certNo {signer.key_name}")


def _sessions(house: "House", now: datetime) -> Iterator[Symptom]:
    from gateway.payment_reading import noted, waiting
    from message_specs.findings import wordings
    from spool.ledger import Ledger

    try:
        book = Ledger(house.home / "ledger.sqlite3", read_only=True)
        rows, skewed = waiting(book), noted(book, now - _LOOK_BACK, "D113")
        book.close()
    except sqlite3.Error:
        return  # the symptom "ledger" tells of it
    for row in rows:
        seen = f"{row['sessions']} of {row['platform']} {row['state']}: {row['code']} {row['why']}"
        hint = wordings()[row["code"]].hint if row["code"] else "The daemon sees to it."
        yield Symptom(
            NAME, ERROR if row["state"] == "held" else WARNING, seen, f"{hint} See kouan payments list --open."
        )
    if skewed:
        seen = f"D113 the clock of customs and ours are apart, in {len(skewed)} of the last 24 hours' sessions"
        yield Symptom(NAME, WARNING, f"{seen}, last {skewed[0]}", wordings()["D113"].hint)
