"""The named misbehaviours of the verification service in a box.

What is written in its book stays true whatever is asked for here.  A number
after the name, as in `500=2`, limits a misbehaviour to the first so many askings.
"""

from collections.abc import Iterable
from dataclasses import dataclass

NAMES = {
    "slow": "an answer comes so many seconds late (5)",
    "500": "HTTP 500; with a number, the first so many times",
    "504": "HTTP 504, as a proxy that heard nothing in time; with a number, the first so many times",
    "cut": "the connection ends after the asking was booked; with a number, the first so many times",
    "garbage": "half a JSON text; with a number, the first so many times",
    "wrong": "JSON that means nothing, called a page; with a number, the first so many times",
    "twice": "one answer says MISMATCH and MATCH; with a number, the first so many times",
    "limit": "only so many askings are answered, the others get LIMIT (10)",
}


class UnknownBehaviour(ValueError):  # noqa: N818  named for what is true
    """No behaviour has this name, or it cannot take this argument"""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What was asked for; nothing at all is a well-behaved service."""

    slow: float = 0.0
    limit: int | None = None
    wrongs: tuple[tuple[str, int | None], ...] = ()

    def at(self, count: int) -> str:
        """Return what becomes of the asking with this count, "" for an answer as it should be.

        >>> [Behaviour(wrongs=(("500", 2),), limit=3).at(count) for count in (1, 2, 3, 4)]
        ['500', '500', '', 'limit']
        """
        for name, times in self.wrongs:
            if times is None or count <= times:
                return name
        if self.limit is not None and count > self.limit:
            return "limit"
        return "slow" if self.slow else ""


def behaviours(asked: Iterable[str]) -> Behaviour:
    """Return what `NAME` or `NAME=argument` ask for, together; `UnknownBehaviour` names what is not known.

    >>> behaviours(["cut=1", "slow"])
    Behaviour(slow=5.0, limit=None, wrongs=(('cut', 1),))
    """
    slow, limit, wrongs = 0.0, None, []
    for one in asked:
        name, _, argument = one.partition("=")
        if name not in NAMES:
            raise UnknownBehaviour(f"{name}; there are: {', '.join(NAMES)}")
        try:
            if name == "slow":
                slow = float(argument or 5)
            elif name == "limit":
                limit = int(argument or 10)
            else:
                wrongs.append((name, int(argument) if argument else None))
        except ValueError as error:
            raise UnknownBehaviour(f"{one}: {error}") from error
    return Behaviour(slow, limit, tuple(wrongs))
