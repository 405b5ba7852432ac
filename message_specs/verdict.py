"""What a service that knows people says about a name and a number, in the words of this house.

Every vendor has codes of his own; they are turned into these six where he is spoken to, and nobody behind knows his.
"""

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """Whether the number is that person's, or why this cannot be said."""

    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    NO_RECORD = "NO_RECORD"
    BAD_INPUT = "BAD_INPUT"
    SERVICE_ERROR = "SERVICE_ERROR"
    LIMIT = "LIMIT"


PASSING: Final = frozenset({Verdict.SERVICE_ERROR, Verdict.LIMIT})
"""These say nothing about the person and may be different in an hour; the others stay."""
