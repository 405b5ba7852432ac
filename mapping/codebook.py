"""The words that partners write for codes: the names of the code tables, and what words.csv adds to them."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from message_specs import codes

_WORDS: Final = Path(__file__).with_name("words.csv")


@dataclass(frozen=True, slots=True)
class Codebook:
    """One table the other way round: from a word to its code; a word that means several codes is none."""

    table: str
    words: Mapping[str, str]
    names: tuple[str, ...]
    width: int

    def find(self, word: str) -> str | None:
        """The code that a word means, be its case other or the zeros before it left out.

        >>> codebook("unit").find("7"), codebook("country").find("JPN"), codebook("unit").find("千克")
        ('007', '116', '035')
        """
        plain = word.lower()
        found = self.words.get(plain)
        if found is None and plain.isascii() and plain.isdigit():
            found = self.words.get(plain.zfill(self.width))
        if found is None and len(word) == self.width and word.isascii() and word.isalnum() and word[-1].isdigit():
            return word  # perhaps newer than our table: the rules of the spec warn, and nothing is refused for it
        return found


@cache
def codebook(table: str) -> Codebook | None:
    """The words of that code table, or None where there is no such table."""
    if not table.isidentifier():
        return None
    try:
        rows = [row for rows in codes.table(table).values() for row in rows]
    except (OSError, KeyError):
        return None
    words: dict[str, str] = {}
    twice: set[str] = set()
    for row in rows:
        for word in {row.zh.lower(), row.en.lower()} - {""}:
            if words.setdefault(word, row.code) != row.code:
                twice.add(word)
    words = {word: code for word, code in words.items() if word not in twice}
    words |= {row["word"]: row["code"] for row in _added() if row["table"] == table}
    # A code is always itself, whatever word looks like it.
    words |= {row.code: row.code for row in rows}
    words |= {row.code.lower(): row.code for row in rows}
    return Codebook(table, words, tuple(dict.fromkeys(row.zh for row in rows)), max(len(row.code) for row in rows))


@cache
def _added() -> tuple[dict[str, str], ...]:
    with _WORDS.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
