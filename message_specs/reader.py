"""The second reader: walks a message beside its field table and tells every difference at once.

libxml2 gives the verdict; its words stop at the first trouble of an element, are English and know
no business key. This reader finds the words. Tests hold the two equal on thousands of hostile twins.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from lxml import etree

from message_specs.document import Element, tag_of
from message_specs.findings import Finding, finding, shown
from message_specs.glance import BLANKS, Glance, glance
from message_specs.schema import DS, OWN_TYPES, signature_schema
from message_specs.spec import Spec
from message_specs.tables import SIGNATURE, Node
from message_specs.values import troubles

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_LET_BE = frozenset({_XSI + "schemaLocation", _XSI + "noNamespaceSchemaLocation"})
_ATTRIBUTES = 200
_SIGNATURE_TAG = f"{{{DS}}}Signature"

Located = tuple[Element, Finding]


class _Enough(Exception):  # noqa: N818  it is a signal of the walk to itself
    """So many findings that no more are listed"""


@lru_cache(maxsize=2048)
def _parts(tag: str) -> tuple[str, str, str]:
    """The namespace of a tag, its name without it, and the name under which a field table has it."""
    namespace, _, name = tag.rpartition("}")
    return namespace[1:], name, SIGNATURE if tag == _SIGNATURE_TAG else name


def local(element: Element) -> str:
    """The name of the element without its namespace."""
    return _parts(tag_of(element))[1]


def namespace_of(element: Element) -> str:
    """The namespace of the element, "" when it has none."""
    return _parts(tag_of(element))[0]


def quoted(value: str) -> str:
    r"""The value between quotes that it does not contain itself.

    >>> quoted("A1"), quoted("it's")
    ("'A1'", '"it\'s"')
    """
    return f'"{shown(value)}"' if "'" in value else f"'{shown(value)}'"


def named(spec: Spec, element: Element, ordinal: int) -> str:
    """The step of a path that names this document by its business key, else by its position."""
    steps = spec.key[-1].split("/") if spec.key else []
    found: Element | None = element if steps else None
    for step in steps:
        found = next((child for child in found if local(child) == step), None) if found is not None else None
    if found is None or not found.text:
        return f"{local(element)}[{ordinal}]"
    return f"{local(element)}[{steps[-1]}={quoted(found.text)}]"


def moved(places: Sequence[int]) -> set[int]:
    """The positions of the fewest elements whose removal leaves the others in order.

    >>> moved([0, 2, 1, 3])
    {1}
    >>> moved([4, 0, 1, 2])
    {0}
    """
    if all(before <= after for before, after in pairwise(places)):
        return set()
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for position, place in enumerate(places):
        at = bisect_right(tails, place)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [place]
        ends[at : at + 1] = [position]
    kept: set[int] = set()
    position = ends[-1] if ends else -1
    while position >= 0:
        kept.add(position)
        position = before[position]
    return set(range(len(places))) - kept


@dataclass(slots=True)
class _Walk:
    spec: Spec
    namespace: str
    unsigned_allowed: bool
    limit: int
    document: int | None = None
    found: list[Located] = field(default_factory=list)
    identifiers: set[str] = field(default_factory=set)
    views: dict[str, Glance] = field(default_factory=dict)

    def say(self, code: str, element: Element, path: str, node: Node | None, value: str | None, **words: str) -> None:
        if len(self.found) >= self.limit:
            raise _Enough
        if node is not None:
            words = {"name": node.name, "title": node.zh or node.name, **words}
        said: dict[str, Any] = words
        self.found.append((element, finding(code, document=self.document, path=path, value=value, **said)))

    def element(self, element: Element, node: Node, path: str, outer: str) -> None:
        """Says what is wrong with the element and with everything in it; `outer` is the namespace around it."""
        own = namespace_of(element)
        if own not in {self.namespace, outer}:
            self.say("S007", element, path, node, own, found=own or "-", expected=self.namespace)
        if node.is_open:
            self.open_attributes(element, node, path)
            return
        self.attributes(element, node, path)
        if node.is_group:
            self.group(element, node, path, own)
        else:
            self.value(element, node, path)

    def attributes(self, element: Element, node: Node, path: str) -> None:
        if not node.attributes and not element.attrib:
            return
        known = {attribute.name: attribute for attribute in node.attributes}
        # Names first: asking lxml for all values of a tag with 500,000 attributes takes minutes.
        for name in list(element.attrib)[:_ATTRIBUTES]:
            value = element.get(name, "")
            if name in known:
                self.attribute(element, known[str(name)], f"{path}/@{name}", value)
            elif name not in _LET_BE:
                self.say("S051", element, f"{path}/@{_bare(name)}", None, value, name=_bare(name), parent=node.name)
        for attribute in node.attributes:
            if attribute.minimum and attribute.name not in element.attrib:
                self.say("S050", element, f"{path}/@{attribute.name}", attribute, None, parent=node.name)

    def open_attributes(self, element: Element, node: Node, path: str) -> None:
        for name in (_XSI + "nil", _XSI + "type"):
            if name in element.attrib:
                self.say("S051", element, f"{path}/@{_bare(name)}", None, None, name=_bare(name), parent=node.name)

    def attribute(self, element: Element, node: Node, path: str, value: str) -> None:
        for code, words in troubles(node, value):
            self.say(code, element, path, node, value, **words)
        if node.base == "xs:ID":
            if value in self.identifiers:
                self.say("S042", element, path, node, value)
            self.identifiers.add(value)

    def value(self, element: Element, node: Node, path: str) -> None:
        if len(element):
            for child in element:
                self.say("S053", child, f"{path}/{local(child)}", node, None, name=local(child), parent=node.name)
            return
        if element.text is None and (node.fixed is not None or node.default is not None):
            return
        text = element.text or ""
        for code, words in troubles(OWN_TYPES.get(node.base, node), text):
            self.say(code, element, path, node, text, **words)

    def group(self, element: Element, node: Node, path: str, own: str) -> None:
        if node.children and node.children[0].is_any:
            self.loose_text(element, node, path)
            most = node.children[0].maximum
            for extra in list(element)[most:] if most is not None else ():
                self.say("S021", extra, f"{path}/{local(extra)}", None, None, name=local(extra), parent=node.name)
            return
        view = self.view(node)
        looked = view.at(element) if node.children else None
        if looked is None:
            self.disorder(element, node, path, own)
            return
        missing, suspects = looked
        self.missing(element, missing, path)
        for child, below, nth in suspects:
            self.child(child, below, f"{path}/{self.step(child, below, nth)}", nth, own)

    def view(self, node: Node) -> Glance:
        """The glance at such groups, made at the first of them."""
        found = self.views.get(node.path)
        if found is None:
            found = self.views[node.path] = glance(node, self.namespace, _SIGNATURE_TAG)
        return found

    def disorder(self, element: Element, node: Node, path: str, own: str) -> None:
        """Says what is wrong in a group that more is wrong with than the content of its children."""
        self.loose_text(element, node, path)
        index = {child.name: place for place, child in enumerate(node.children)}
        view = self.view(node)
        children = list(element)
        names = [_name(child) for child in children]
        known = [(child, name) for child, name in zip(children, names, strict=True) if name in index]
        places = [index[name] for _, name in known]
        self.missing(element, view.missing(places), path)
        astray = {known[position][0] for position in moved(places)}
        passed: dict[str, int] = {}
        for child, name in zip(children, names, strict=True):
            passed[name] = passed.get(name, 0) + 1
            if name not in index:
                self.say("S021", child, f"{path}/{local(child)}", None, None, name=local(child), parent=node.name)
                continue
            below = node.children[index[name]]
            if passed[name] == 1 and child not in astray and view.passes(child):
                continue
            step = f"{path}/{self.step(child, below, passed[name])}"
            if child in astray:
                self.say("S022", child, step, below, None)
            self.child(child, below, step, passed[name], own)

    def child(self, child: Element, node: Node, path: str, nth: int, own: str) -> None:
        """Says what is wrong with a child that stands where it may, the `nth` of its name."""
        if node.maximum is not None and nth == node.maximum + 1:
            self.too_often(child, node, path)
        if node.name == SIGNATURE:
            self.signature(child, node, path)
        else:
            self.element(child, node, path, own)
        if "/" not in node.path:
            self.document = None

    def step(self, child: Element, node: Node, nth: int) -> str:
        """The step of the path to this child; one that leads to a document makes it the present document."""
        if node.path == self.spec.document:
            self.document = nth
            return named(self.spec, child, nth)
        return node.name if node.maximum == 1 and nth == 1 else f"{node.name}[{nth}]"

    def too_often(self, child: Element, node: Node, path: str) -> None:
        parent = child.getparent()
        found = sum(1 for fellow in ([] if parent is None else parent) if _name(fellow) == node.name)
        code, document = "S023", self.document
        if node.path == self.spec.document:
            code, self.document = "S011", None
        self.say(code, child, path, node, None, found=str(found), limit=str(node.maximum))
        self.document = document

    def missing(self, element: Element, nodes: Iterable[Node], path: str) -> None:
        for node in nodes:
            if node.name != SIGNATURE:
                self.say("S020", element, f"{path}/{node.name}", node, None)
            elif not self.unsigned_allowed:
                self.say("S012", element, f"{path}/{node.name}", node, None)

    def loose_text(self, element: Element, node: Node, path: str) -> None:
        texts = [element.text, *(child.tail for child in element)]
        loose = " ".join(text.strip(BLANKS) for text in texts if text and text.strip(BLANKS))
        if loose or (element.text and not node.children):
            self.say("S052", element, path, node, loose)

    def signature(self, element: Element, node: Node, path: str) -> None:
        # Its structure is W3C's, not a field table's: libxml2 explains this one.
        alone = etree.fromstring(etree.tostring(element, with_tail=False))
        schema = signature_schema()
        if not schema.validate(alone):
            self.say("S013", element, path, node, None, reason=plain(schema))


def plain(schema: etree.XMLSchema) -> str:
    """What libxml2 said first when it last refused, without the namespaces in its sentences."""
    said = next((str(entry.message) for entry in schema.error_log), "")
    while "{" in said and "}" in said.partition("{")[2]:
        start, _, rest = said.partition("{")
        said = start + rest.partition("}")[2]
    return said


def _name(element: Element) -> str:
    return _parts(tag_of(element))[2]


def _bare(attribute: str) -> str:
    return attribute.rpartition("}")[2]


def walk(
    root: Element, table: Node, spec: Spec, *, namespace: str, unsigned_allowed: bool = True, limit: int = 5_000
) -> tuple[list[Located], bool]:
    """Every difference with the element it belongs to, and whether the list had to end at the limit."""
    reading = _Walk(spec, namespace, unsigned_allowed, limit)
    try:
        reading.element(root, table, f"/{table.name}", namespace)
    except _Enough:
        return reading.found, True
    return reading.found, False
