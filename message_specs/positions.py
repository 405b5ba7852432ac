"""Where an element stands in the bytes that were sent: line and column of its start tag.

Only a message with findings is read this second time, by one pattern that counts its elements.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from message_specs.document import Element
from message_specs.findings import Finding

Place = tuple[int, int]

# Without a DOCTYPE, a "<" of well-formed XML that is none of these opens an end tag or stands in the first three.
_MARKUP = re.compile(rb"<(?:!--.*?-->|!\[CDATA\[.*?\]\]>|\?.*?\?>|([^/!?]))", re.DOTALL)
_CONTINUED = bytes(range(0x80, 0xC0))


def places(data: bytes, root: Element, elements: Iterable[Element]) -> dict[Element, Place]:
    r"""Line and column in characters, both from 1, of each of the elements; the tree must have been read from the data.

    >>> from lxml import etree
    >>> text = "<a>\r\n<!--<b>--> \u4e2d<b/></a>".encode()
    >>> root = etree.fromstring(text)
    >>> [place for _, place in sorted(places(text, root, [root, root[-1]]).items(), key=lambda found: found[1])]
    [(1, 1), (2, 13)]
    """
    wanted = set(elements)
    tags = (match.start() for match in _MARKUP.finditer(data) if match[1])
    found: dict[Element, Place] = {}
    line, column, before = 1, 1, 0
    for element, start in zip(root.iter("*"), tags, strict=False):
        if element not in wanted:
            continue
        if ends := _line_ends(data, before, start):
            line += ends
            before = 1 + max(data.rfind(b"\n", before, start), data.rfind(b"\r", before, start))
            column = 1
        column += _characters(data[before:start])
        before = start
        found[element] = (line, column)
        if len(found) == len(wanted):
            break
    return found


def _line_ends(data: bytes, start: int, end: int) -> int:
    return data.count(b"\n", start, end) + data.count(b"\r", start, end) - data.count(b"\r\n", start, end)


def _characters(text: bytes) -> int:
    return len(text.translate(None, _CONTINUED))


def located(data: bytes, root: Element, said: Sequence[tuple[Element, Finding]]) -> tuple[Finding, ...]:
    """The findings with the line and column of their elements."""
    found = places(data, root, (element for element, _ in said))
    return tuple(_at(finding, found.get(element), element) for element, finding in said)


def _at(finding: Finding, place: Place | None, element: Element) -> Finding:
    line, column = place or (element.sourceline, None)
    return replace(finding, line=line, column=column)
