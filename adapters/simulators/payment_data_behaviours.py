"""The named misbehaviours of customs' caller in a box.

What is written in its book stays true whatever is asked for here.  A number after the name, as in `20000=2`, limits
a misbehaviour of answers to the first so many uploads.
"""

from collections.abc import Iterable
from dataclasses import dataclass

ASKING = {
    "repeat": "every question is asked twice with one sessionID",
    "conflict": "a second question with the same sessionID follows, about another order",
    "unknown": "an order is asked about that nobody has",
    "html": "openReq is escaped as HTML",
    "backslash": "openReq is a JSON text within a JSON text",
    "skew": "serviceTime is so many seconds ahead (3600)",
}
ANSWERING = {
    "20000": "an upload is answered 20000; with a number, the first so many times",
    "20001": "an upload is answered 20001; with a number, the first so many times",
    "500": "HTTP 500; with a number, the first so many times",
    "cut": "the connection ends after the upload was booked; with a number, the first so many times",
    "garbage": "half a JSON text; with a number, the first so many times",
    "timeout": "an answer comes a minute late; with a number, the first so many times",
}
NAMES = ASKING | ANSWERING


class UnknownBehaviour(ValueError):  # noqa: N818  named for what is true
    """No behaviour has this name, or it cannot take this argument"""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What was asked for; nothing at all is a well-behaved customs."""

    asking: frozenset[str] = frozenset()
    skew: float = 0.0
    wrongs: tuple[tuple[str, int | None], ...] = ()

    def at(self, count: int) -> str:
        """Return what becomes of the upload with this count, "" for an answer as it should be.

        >>> [Behaviour(wrongs=(("cut", 1),)).at(count) for count in (1, 2)]
        ['cut', '']
        """
        return next((name for name, times in self.wrongs if times is None or count <= times), "")


def behaviours(asked: Iterable[str]) -> Behaviour:
    """Return what `NAME` or `NAME=argument` ask for, together; `UnknownBehaviour` names what is not known.

    >>> behaviours(["20000=2", "html"])
    Behaviour(asking=frozenset({'html'}), skew=0.0, wrongs=(('20000', 2),))
    """
    asking, skew, wrongs = set(), 0.0, []
    for one in asked:
        name, _, argument = one.partition("=")
        if name not in NAMES:
            raise UnknownBehaviour(f"{name}; there are: {', '.join(NAMES)}")
        try:
            if name == "skew":
                skew = float(argument or 3600)
            elif name in ASKING:
                asking.add(name)
            else:
                wrongs.append((name, int(argument) if argument else None))
        except ValueError as error:
            raise UnknownBehaviour(f"{one}: {error}") from error
    return Behaviour(frozenset(asking), skew, tuple(wrongs))
