"""How much of one message we are willing to read.  The figures come from kouan.toml."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What is beyond one of these is refused with a finding, never read to its end."""

    message_bytes: int = 20 * 1024 * 1024
    depth: int = 32
    documents: int = 100
    text_bytes: int = 10_000_000
    findings: int = 5_000
    # A hundred inventories of 99 lines have 570,000 tags; each costs more memory than bytes.
    tags: int = 600_000
