"""A spec is what a kind of message must be: its names, its key, its receipt, its rules.

The fields themselves stand in fields.csv; this is the rest, read from one small TOML file.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_RULE_WORDS = frozenset({"use", "says"})


@dataclass(frozen=True)
class Rule:
    """One business rule: the verb it uses, the code it says, and whatever the verb wants to know."""

    use: str
    says: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """What a kind of message must be. Paths are relative to its document, the repeated unit.

    `lines_instead` names what tells the lines of a document, by which it is known where the first of its key is
    empty.  `status` is where a receipt says how things stand, `said_at` when and `info` in which words; `gives` names
    the numbers that it brings its document; `follows` names the receipt that gave the number by which an unasked one
    finds its document; `also` tells which of our names another spelling in the head stands for; `actions` names the
    `field` of the head that says what a declaration is, and what each of its values means (1 new, 2 change, 3 delete).
    """

    code: str
    family: str
    title: str
    english: str
    root: str
    document: str
    key: tuple[str, ...] = ()
    lines_instead: str | None = None
    reply_key: tuple[str, ...] = ()
    receipt: str | None = None
    answers: str | None = None
    echo: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    signature: str = "none"
    fill: tuple[str, ...] = ()
    status: str = "returnStatus"
    said_at: str = "returnTime"
    info: tuple[str, ...] = ("returnInfo",)
    gives: tuple[str, ...] = ()
    follows: str | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @property
    def key_name(self) -> str:
        """The local name of the element that names a document in paths.

        >>> Spec("X", "ceb", "", "", "X", "Order", key=("OrderHead/ebpCode", "OrderHead/orderNo")).key_name
        'orderNo'
        """
        return self.key[-1].rpartition("/")[2] if self.key else ""

    def without_part(self, key: str) -> str:
        """The key of the whole of which this is one part: without the number of the part (msgSeqNo).

        >>> Spec("X", "ceb", "", "", "X", "A", key=("ebcCode", "msgSeqNo", "copNo")).without_part("C|2|N1")
        'C|N1'
        """
        values = zip(self.key, key.split("|"), strict=False)
        return "|".join(value for path, value in values if not path.endswith("msgSeqNo"))


def read_spec(file: Path) -> Spec:
    """The spec that the TOML file writes down; its code is the file's name, its family the folder's."""
    with file.open("rb") as source:
        table = tomllib.load(source)
    return Spec(
        code=file.stem,
        family=file.parent.name,
        title=table["title"],
        english=table["english"],
        root=table["root"],
        document=table["document"],
        key=tuple(table.get("key", ())),
        lines_instead=table.get("lines_instead"),
        reply_key=tuple(table.get("reply_key", table.get("key", ()))),
        receipt=table.get("receipt"),
        answers=table.get("answers"),
        echo=tuple(table.get("echo", ())),
        senders=tuple(table.get("senders", ())),
        signature=table.get("signature", "none"),
        fill=tuple(table.get("fill", ())),
        status=table.get("status", "returnStatus"),
        said_at=table.get("said_at", "returnTime"),
        info=tuple(table.get("info", ("returnInfo",))),
        gives=tuple(table.get("gives", ())),
        follows=table.get("follows"),
        also=table.get("also", {}),
        actions=table.get("actions", {}),
        rules=tuple(_rule(rule) for rule in table.get("rule", ())),
    )


def read_rules(file: Path) -> tuple[Rule, ...]:
    """The rules that a TOML file of nothing else writes down."""
    with file.open("rb") as source:
        return tuple(_rule(rule) for rule in tomllib.load(source)["rule"])


def _rule(table: Mapping[str, Any]) -> Rule:
    arguments = {word: value for word, value in table.items() if word not in _RULE_WORDS}
    return Rule(table["use"], table["says"], arguments)
