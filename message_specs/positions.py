"""Where an element stands in the bytes that were sent: line and column of its start tag.

Only a message with findings is read this second time, by expat, which counts its elements.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from xml.parsers import expat

from message_specs.document import Element
from message_specs.findings import Finding

Place = tuple[int, int]


class _Found(Exception):  # noqa: N818  it ends the pass early
    """Every element that was asked for has its place"""


def places(data: bytes, root: Element, elements: Iterable[Element]) -> dict[Element, Place]:
    """Line and column, both from 1, of each of the elements; one that cannot be placed is left out."""
    wanted = set(elements)
    order = {number: element for number, element in enumerate(root.iter("*")) if element in wanted}
    found: dict[Element, Place] = {}
    count = 0
    parser = expat.ParserCreate()

    def start(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        element = order.get(count)
        if element is not None:
            found[element] = (parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
            if len(found) == len(order):
                raise _Found
        count += 1

    parser.StartElementHandler = start
    try:
        parser.Parse(data, True)
    except (_Found, expat.ExpatError):
        return found
    return found


def located(data: bytes, root: Element, said: Sequence[tuple[Element, Finding]]) -> tuple[Finding, ...]:
    """The findings with the line and column of their elements."""
    found = places(data, root, (element for element, _ in said))
    return tuple(_at(finding, found.get(element), element) for element, finding in said)


def _at(finding: Finding, place: Place | None, element: Element) -> Finding:
    line, column = place or (element.sourceline, None)
    return replace(finding, line=line, column=column)
