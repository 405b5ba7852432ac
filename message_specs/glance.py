"""A glance at a group: children that stand in order and hold usual values are passed without a word.

Nearly all are such children, even where every document has an error. The second reader looks closely
at what is not passed here; a test holds that it would have said nothing of what is.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from message_specs.kinds import Element, tag_of
from message_specs.tables import SIGNATURE, Node
from message_specs.values import usual

BLANKS = " \t\n\r"

Suspect = tuple[Element, Node, int]


@dataclass(frozen=True, slots=True)
class Glance:
    """What stands in one kind of group: by tag its place, its node and the pattern of its usual values."""

    children: dict[str, tuple[int, Node, re.Pattern[str]]]
    nodes: Sequence[Node]
    required: frozenset[int]

    def at(self, element: Element) -> tuple[Sequence[Node], Sequence[Suspect]] | None:
        """What is missing, and which children to look at closely, each with how many of its kind there were by then.

        None asks for a close look at the whole group: a child is unknown or astray, or there is loose text.
        """
        known, before, nth = self.children, -1, 1
        seen: list[int] = []
        suspects: list[Suspect] = []
        loose = element.text or ""
        for child in element:
            if (kind := known.get(tag_of(child))) is None:
                return None
            place, node, pattern = kind
            if place < before:
                return None
            nth = nth + 1 if place == before else 1
            before = place
            seen.append(place)
            if nth > 1 or not pattern.fullmatch(child.text or "") or len(child) or child.keys():
                suspects.append((child, node, nth))
            loose += child.tail or ""
        return None if loose.strip(BLANKS) else (self.missing(seen), suspects)

    def missing(self, seen: Iterable[int]) -> Sequence[Node]:
        """The required children that are not among those at the places seen."""
        return [self.nodes[place] for place in sorted(self.required.difference(seen))]

    def passes(self, child: Element) -> bool:
        """Whether the child is a leaf of the group whose value is a usual one, wherever in the group it stands."""
        kind = self.children.get(tag_of(child))
        return kind is not None and not (len(child) or child.keys()) and bool(kind[2].fullmatch(child.text or ""))


def glance(node: Node, namespace: str, signature: str) -> Glance:
    """The glance at groups of this node in the namespace; `signature` is the tag of one."""
    tags = [signature if child.name == SIGNATURE else f"{{{namespace}}}{child.name}" for child in node.children]
    places = enumerate(zip(tags, node.children, strict=True))
    return Glance(
        {tag: (place, child, usual(child)) for place, (tag, child) in places},
        node.children,
        # No published table asks for two of a kind, so having been seen is enough.
        frozenset(place for place, child in enumerate(node.children) if child.minimum),
    )
