"""What a carrier is: it takes parcels away and says of each whether the authority has it.

A carrier promises at least once: a crash, a lost answer or a cut line may repeat
the same bytes under the same name, and never other bytes under that name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from twisted.internet.defer import Deferred


@dataclass(frozen=True, slots=True)
class Parcel:
    """One sealed message on its way: its outbox number, the name it travels under, and its bytes.

    `given_at`: since when it lies with a client of the authority, as the carrier said of it before; "" if it does not.
    """

    number: int
    name: str
    message_type: str
    body: bytes
    given_at: str = ""


Fault = Literal["doubt", "road", "nobody", "neighbour"]
"""Where it lies that a parcel is not there yet.

`road`: the authority could not be spoken to at all, whatever the parcel.  `nobody`: it waits for its time, as agreed.
`neighbour`: it went with parcels of which one hung; nothing is held against it, and alone it may go at once.
`doubt`: nobody can tell whether it is the road or the parcel.
"""


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of one parcel.

    `ok`: the authority has it, with its acknowledgement.  Otherwise `trouble` says
    why in one sentence; `permanent` means that the authority has refused these
    bytes, so that repeating them is of no use; `retry_after` are the seconds the
    authority asked us to wait.  `given`: neither yet; it lies with a client that will say.
    `fault` is where the trouble lies.
    """

    number: int
    ok: bool
    acknowledgement: str = ""
    trouble: str = ""
    permanent: bool = False
    retry_after: int | None = None
    given: bool = False
    fault: Fault = "doubt"


def quoted(words: str) -> str:
    """Return the words of another house as they stand in a trouble: between 「 and 」, which our log leaves out.

    They are for whoever asks `kouan queue`: nobody knows whom they name.

    >>> quoted("订单人 苏知夏 与支付人不一致"), quoted("「a」"), quoted("")
    ('「订单人 苏知夏 与支付人不一致」', '「[a]」', '')
    """
    return f"「{words.replace('「', '[').replace('」', ']')}」" if words else ""


class Carrier(Protocol):
    """A way for parcels to leave."""

    together: int
    """So many parcels gain from travelling as one group; each group is answered for itself."""
    side_by_side: int
    """So many groups may be given to it at a time."""

    def carry(self, parcels: Sequence[Parcel]) -> Deferred[list[Carried]]:
        """Fire with one result a parcel, in their order; this Deferred does not fail."""
