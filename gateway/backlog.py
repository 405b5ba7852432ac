"""A backlog for measuring: a ledger full of sealed documents that wait for their authority."""

from datetime import UTC, datetime

from gateway import drill
from gateway.clerk import Clerk, clerk_at
from gateway.config import House
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from spool.number import Numbers

_EACH = 100
_BATCH = 20


def _now() -> datetime:
    return datetime.now(UTC)


def fill(house: House, documents: int) -> None:
    """The ledger of the house holds so many documents, taken in and sealed the usual way, none of them sent."""
    ledger = Ledger(clerk_at(house.home))
    try:
        numbers = Numbers(_now)
        clerk = Clerk(house, ledger, now=_now, numbers=Numbers(_now, first=500_000))
        for start in range(0, documents, _EACH * _BATCH):
            taken = numbers.take(_BATCH)
            claims = tuple(
                Claim(number, "shop", "http", f"{number}.xml", body=drill.message("CEB311", start + n * _EACH, _EACH))
                for n, number in enumerate(taken)
            )
            clerk.take_in(Batch(taken[0], taken[-1], taken[0], claims))
    finally:
        ledger.close()
