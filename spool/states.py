"""The states of a document, what each promises, and who moves it next.

The same table stands in the ledger as `legal_move`, where a trigger keeps it;
`docs/for-operations.md` shows it to people.  A test holds the three in step.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a document stands; exactly one at any moment."""

    RECEIVED = "received"
    CHECKED = "checked"
    FILED = "filed"
    READY = "ready"
    SENT = "sent"
    CLOSED = "closed"
    REFUSED = "refused"
    HELD = "held"


PROMISES: Final = MappingProxyType(
    {
        State.RECEIVED: "its bytes are in the store",
        State.CHECKED: "of a known spec, and valid",
        State.FILED: "in a dossier; waits for its fellows until a date",
        State.READY: "sealed in a message, in the outbox, signed",
        State.SENT: "the authority has taken the message",
        State.CLOSED: "the last receipt is with the partner",
        State.REFUSED: "the partner must mend it; he has been told everything",
        State.HELD: "an operator must decide; the reason is stamped",
    }
)

MOVES: Final = MappingProxyType(
    {
        State.RECEIVED: frozenset({State.CHECKED, State.REFUSED, State.HELD, State.CLOSED}),
        State.CHECKED: frozenset({State.FILED, State.READY, State.REFUSED, State.HELD}),
        State.FILED: frozenset({State.CHECKED, State.READY, State.REFUSED, State.HELD}),
        State.READY: frozenset({State.SENT, State.CLOSED, State.REFUSED, State.HELD}),
        State.SENT: frozenset({State.CLOSED, State.REFUSED, State.HELD}),
        State.CLOSED: frozenset(),
        State.REFUSED: frozenset(),
        State.HELD: frozenset({State.RECEIVED, State.CHECKED, State.FILED, State.READY, State.SENT, State.REFUSED}),
    }
)


def may_move(before: State, after: State) -> bool:
    """Tell whether a document may go from one state to the other.

    >>> may_move(State.READY, State.SENT), may_move(State.CLOSED, State.READY)
    (True, False)
    """
    return after in MOVES[before]
