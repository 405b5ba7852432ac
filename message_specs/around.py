"""What stands around the documents of a message: its version, BaseTransfer and BaseSubscribe, held to the text.

The rules are those of every_message.toml, read by the same verbs as a document's.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from message_specs.document import Element
from message_specs.findings import Finding, finding
from message_specs.opening import Opened
from message_specs.places import Check
from message_specs.reader import local
from message_specs.rules import compiled
from message_specs.spec import Rule, read_rules
from message_specs.tables import revisions_of, table

_POSITION = re.compile(r"\[\d+\]")
_FILE = Path(__file__).parent / "every_message.toml"


@cache
def _checks() -> tuple[tuple[Rule, Check], ...]:
    return tuple((rule, compiled(rule)) for rule in read_rules(_FILE))


def broken(opened: Opened, today: date) -> Iterator[tuple[Element, Finding]]:
    """Every rule that the message breaks outside its documents, with the element it is about and its whole path."""
    root, spec = opened.root, opened.spec
    if root is None or spec is None or spec.family != "ceb":
        return
    lines = [
        {local(leaf): leaf.text or "" for leaf in one.iterchildren("*")}
        for one in root.iterchildren("{*}BaseSubscribe")
    ]
    head = {"version": root.get("version", ""), **opened.transfer}
    for rule, check in _checks():
        for trouble in check(head, lines, today):
            path = trouble.path if "/" in trouble.path else f"@{trouble.path}"
            plain = _POSITION.sub("", path)
            words: dict[str, Any] = {"found": trouble.value or "", **trouble.words}
            words |= {"name": plain.rpartition("/")[2].lstrip("@"), "title": _titles(spec.root).get(plain, "")}
            told = finding(rule.says, path=f"/{spec.root}/{path}", value=trouble.value, **words)
            yield _nearest(root, trouble.path), told


def _nearest(root: Element, path: str) -> Element:
    """The element at the path, or the innermost one around the place where it is missing."""
    found = root
    for step in path.split("/"):
        name, _, place = step.rstrip("]").partition("[")
        same = [child for child in found.iterchildren("*") if local(child) == name]
        if len(same) < int(place or 1):
            break
        found = same[int(place or 1) - 1]
    return found


@cache
def _titles(root: str) -> Mapping[str, str]:
    tree = table(root, revisions_of(root)[-1])
    nodes = [*tree.attributes, *(leaf for group in tree.children for leaf in group.children)]
    return {node.path: node.zh for node in nodes}
