"""The named misbehaviours of the customs in a box, and what each takes as its argument.

They only change when and how answers leave, or which are planned; what is
written in the book stays true whatever is asked for here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from adapters.simulators.law import CLOSED

NAMES = {
    "late": "answers leave so many seconds later (5)",
    "duplicate": "every answer leaves so many times (2)",
    "out-of-order": "the answers of a message leave last stage first",
    "reject-some": "every n-th document gets 100 in place of 120 (5)",
    "unknown-code": "an unknown status comes between 2 and 120 (600)",
    "silent": "nothing is answered; what is due waits in the book for a start without this",
    "disconnects": "every third request loses its connection, before or after booking (before,after); "
    "in folders an answer stands half written under its aside name before it is finished",
    "nonsense": "each answer follows one that is no XML, has an unknown root or an unknown key (text,root,key)",
    "slow": "so many seconds pass before a message is taken in (0.5)",
    "closes": "an inventory is closed with 899 at the end",
    "prompt": "every document is answered to its end by itself, whatever else of its trade is there or not",
    "review": "every n-th trade that matches is reviewed by hand: 300 before 399 (1)",
    "inspect": "every n-th trade that matches is inspected: 500 before 800 (1)",
    "held": "trades end with this status in place of 800: 501, 502, 503, 599 or 700 (501)",
    "mismatch": "every trade is found not to match, with this code (1332)",
    "silent-after": "nothing more is said of an inventory after this status, or after the message 816 or 818 (120)",
    "reversed": "whatever follows from one arrival leaves in reverse order, the last of all its documents first",
    "no-tax": "no tax bill follows a release",
    "void-tax": "tax bills become void (818 with 3) in place of summed up",
    "wrong-tax": "tax bills ask for so much more than the law does (1.00)",
    "long-bill": "tax bills carry orderNo and logisticsNo too, as real ones do and the schema does not",
    "alone": "a payment pays one order only and a waybill carries one inventory only; else sums may agree",
    "window": "an inventory may be cancelled or refunded so many days after its release, else 30; 0 is never (0)",
}
_WINDOW = 30


class UnknownBehaviour(ValueError):  # noqa: N818  named for what is true
    """No behaviour has this name, or it cannot take this argument"""


@dataclass(frozen=True, slots=True)
class Behaviours:
    """What was asked for; all the neutral values together are a well-behaved customs."""

    late: float = 0.0
    copies: int = 1
    backwards: bool = False
    reject_every: int = 0
    unknown_code: str = ""
    silent: bool = False
    disconnects: tuple[str, ...] = ()
    nonsense: tuple[str, ...] = ()
    slow: float = 0.0
    closes: bool = False
    prompt: bool = False
    review_every: int = 0
    inspect_every: int = 0
    held: str = ""
    mismatch: str = ""
    silent_after: str = ""
    reversed: bool = False
    no_tax: bool = False
    void_tax: bool = False
    wrong_tax: Decimal = Decimal(0)
    long_bill: bool = False
    alone: bool = False
    window: int = _WINDOW

    def reviews(self, count: int) -> tuple[str, ...]:
        """Return the status of a review by hand if this one of all trades gets one."""
        return ("300",) if self.review_every and count % self.review_every == 0 else ()

    def inspections(self, count: int) -> tuple[str, ...]:
        """Return the status of an inspection if this one of all trades gets one."""
        return ("500",) if self.inspect_every and count % self.inspect_every == 0 else ()

    def stages(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        """Return the statuses after acceptance, changed as asked for.

        >>> Behaviours(unknown_code="600", closes=True).stages(("120", "399", "800"))
        ('600', '120', '399', '800', '899')
        """
        unknown = (self.unknown_code,) if self.unknown_code else ()
        return (*unknown, *stages, *((CLOSED,) if self.closes and len(stages) > 2 else ()))


_USUAL = {"unknown-code": "600", "held": "501", "mismatch": "1332", "silent-after": "120"}


def behaviours(asked: Iterable[str]) -> Behaviours:
    """Return what `NAME` or `NAME=argument` ask for, together; `UnknownBehaviour` names what is not known.

    >>> behaviours(["late=2", "reject-some"]).reject_every
    5
    """
    values: dict[str, object] = {}
    for one in asked:
        name, _, argument = one.partition("=")
        if name not in NAMES:
            raise UnknownBehaviour(f"{name}; there are: {', '.join(NAMES)}")
        try:
            values |= _read(name, argument)
        except (ValueError, ArithmeticError) as error:
            raise UnknownBehaviour(f"{one}: {error}") from error
    return Behaviours(**values)  # type: ignore[arg-type]  # each value was made for its place in _read


def _read(name: str, argument: str) -> dict[str, object]:
    match name:
        case "late" | "slow":
            return {name: float(argument or {"late": "5", "slow": "0.5"}[name])}
        case "duplicate":
            return {"copies": max(2, int(argument or 2))}
        case "reject-some":
            return {"reject_every": max(1, int(argument or 5))}
        case "unknown-code" | "held" | "mismatch" | "silent-after":
            return {name.replace("-", "_"): argument or _USUAL[name]}
        case "review" | "inspect":
            return {f"{name}_every": max(1, int(argument or 1))}
        case "wrong-tax":
            return {"wrong_tax": Decimal(argument or "1.00")}
        case "window":
            return {"window": int(argument or 0)}
        case "disconnects":
            return {"disconnects": _chosen(argument, ("before", "after"))}
        case "nonsense":
            return {"nonsense": _chosen(argument, ("text", "root", "key"))}
        case _:
            return {{"out-of-order": "backwards"}.get(name, name.replace("-", "_")): True}


def _chosen(argument: str, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(argument.split(",")) if argument else known
    if not set(chosen) <= set(known):
        raise ValueError(f"choose among {', '.join(known)}")
    return chosen
