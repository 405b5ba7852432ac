"""Good messages written from the field tables alone, and their hostile twins: each differs in one place.

A twin is named by what was done and where, so a failing test says which one it was.
"""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy

from lxml import etree

from message_specs.schema import DS, NAMESPACES
from message_specs.tables import SIGNATURE, Node, family, table

XSI = "http://www.w3.org/2001/XMLSchema-instance"
NUMBERS = (
    "", " 5 ", "+5", "-5", "- 5", "1e3", ".5", "5.", ".", "+", "-0", "0005", "1.50", "0.0", "5 5", "1,5", "1_0", "INF",
    "NaN", "0x10", "５", "٣", "5\u00a0", "\u30005", "abc", "99999999999999", "12345678901234.12345",
    "0.123456", "0.1234500000000", "123456789012345.12345", "1234567890123456789", "12345678901234567890",
    "9" * 400, "1" + "0" * 30,
    "0" * 40 + "1", "2147483647", "2147483648", "-2147483648", "-2147483649", "+2147483647", "999999999", "1000000000",
)  # fmt: skip
TEXTS = (
    "",
    " ",
    "  ",
    "\n",
    "\t",
    "1",
    "12",
    "142",
    "142 ",
    " 142",
    "143",
    "中",
    "中文字",
    "😀",
    "a&b",
    "x" * 35,
    "x" * 6000,
)
DATES = (
    "2026-11-21", "2026-11-21T10:30:00", "2026-11-21T10:30:00Z", "2026-11-21T10:30:00.123+08:00", "2026-13-01",
    "2026-02-30T00:00:00", "2024-02-29", "2026-11-21T24:00:00", "2026-11-21T25:00:00", "20261121", "", "x",
    " 2026-11-21 ",
    " 2026-11-21T10:30:00 ", "2026-11-21T10:30:00 ",
    "2026-11-21T10:30", "0000-01-01", "10000-01-01",
)  # fmt: skip
ENCODED = (
    "", "PGEvPg==", "PGEvPh==", "P*GE\nvPg==", "PGEvPg=", "PGE=", "PGF=", "====", "P===", "PGEv=PGEv", "PGEv Pg==",
    "PGEvPg",
    "*", "中",
)  # fmt: skip
Twin = tuple[str, bytes]


def value(node: Node) -> str:
    """A good value for a leaf or an attribute."""
    if node.fixed is not None:
        return node.fixed
    match node.base:
        case "xs:decimal" | "xs:int":
            return "7"
        case "xs:date":
            return "2026-11-21"
        case "xs:dateTime":
            return "2026-11-21T10:30:00"
        case "xs:base64Binary":
            return "PGEvPg=="
        case "xs:ID":
            return "a" + node.path.replace("/", ".").replace("@", "")
    return "y" * (node.length or node.min_length or min(node.max_length or 3, 3))


def signature() -> etree._Element:
    """A signature whose structure is right and whose values are nonsense."""
    return etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>'
        '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>'
        '<ds:SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/>'
        '<ds:Reference URI=""><ds:Transforms>'
        '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/></ds:Transforms>'
        '<ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/><ds:DigestValue>YQ==</ds:DigestValue>'
        "</ds:Reference></ds:SignedInfo><ds:SignatureValue>YQ==</ds:SignatureValue><ds:KeyInfo><ds:KeyName>01"
        "</ds:KeyName></ds:KeyInfo></ds:Signature>"
    )


def good(message: str, revision: str, *, full: bool = True, units: int = 1, signed: bool = True) -> etree._Element:
    """A good message: with every optional part when full, with none of them otherwise."""
    namespace = NAMESPACES[family(message, revision)]

    def build(node: Node) -> etree._Element:
        element = etree.Element(f"{{{namespace}}}{node.name}", nsmap={"p": namespace})
        for attribute in node.attributes:
            if full or attribute.minimum:
                element.set(attribute.name, value(attribute))
        for child in node.children:
            times = units if not node.path and child.maximum == 100 else 1
            for _ in range(times if full or child.minimum else 0):
                if child.name == SIGNATURE:
                    if signed:
                        element.append(signature())
                else:
                    element.append(etree.Element("free") if child.is_any else build(child))
        if not node.children and node.base not in {"group", "anyType"}:
            element.text = value(node)
        return element

    return build(table(message, revision))


def written(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def placed(root: etree._Element, node: Node) -> Iterator[tuple[etree._Element, Node]]:
    """Every element of the message beside its node; the signature and open content are left out."""
    yield root, node
    below = {child.name: child for child in node.children}
    for child in root:
        name = child.tag.rpartition("}")[2]
        if name in below:
            yield from placed(child, below[name])


Deed = Callable[[etree._Element], object]


def _set_text(text: str) -> Deed:
    return lambda element: setattr(element, "text", text)


def _set(name: str, text: str) -> Deed:
    return lambda element: element.set(name, text)


def _move(element: etree._Element) -> None:
    following = element.getnext()
    if following is not None:
        following.addnext(element)


def _to_front(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.insert(0, element)


def _drop(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


def _times(total: int) -> Deed:
    def multiply(element: etree._Element) -> None:
        for _ in range(total - 1):
            element.addnext(deepcopy(element))

    return multiply


def _rename(tag: str) -> Deed:
    return lambda element: setattr(element, "tag", tag)


def _into(tag: str) -> Deed:
    return lambda element: etree.SubElement(element, tag)


def _after(text: str) -> Deed:
    return lambda element: setattr(element, "tail", text)


def deeds(node: Node, namespace: str) -> Iterator[tuple[str, Deed]]:
    """What can be done to an element of this node, each a name and the deed."""
    for name, text in (("nil", "true"), ("nil", "false"), ("type", "p:x"), ("schemaLocation", "a b"), ("other", "1")):
        yield f"xsi:{name}={text}", _set(f"{{{XSI}}}{name}", text)
    yield "unknown attribute", _set("extra", "1")
    for attribute in node.attributes:
        yield f"without @{attribute.name}", lambda element, name=attribute.name: element.attrib.pop(name, None)  # type: ignore[misc]
        for text in (*_lengths(attribute), "", " ", "1.0", "1:x"):
            yield f"@{attribute.name}={text[:40]!r}", _set(attribute.name, text)
    if node.path:
        yield "no namespace", _rename(node.name)
        yield "other namespace", _rename(f"{{urn:other}}{node.name}")
        yield "unknown name", _rename(f"{{{namespace}}}{node.name}x")
        yield "dropped", _drop
        yield "moved", _move
        yield "to the front", _to_front
        yield "text behind", _after("loose")
        yield "blanks behind", _after(" \t\n\r ")
        yield "hard blank behind", _after("\u00a0")
        yield "doubled", _times(2)
        for total in {node.maximum, (node.maximum or 0) + 1} - {None, 1, 2}:
            yield f"{total} times", _times(total or 0)
    yield "element inside", _into("{urn:x}inside")
    yield from ((f"text {text[:40]!r}", _set_text(text)) for text in _texts(node))


def _lengths(node: Node) -> list[str]:
    edges = {node.length, node.min_length, node.max_length} - {None}
    return ["字" * (edge + step) for edge in sorted(edges) for step in (-1, 0, 1) if edge + step >= 0]  # type: ignore[operator,type-var]


def _texts(node: Node) -> tuple[str, ...]:
    if node.base in {"group", "any:skip:##any"}:
        return ("loose", " \n ", "\u00a0")
    return (*_lengths(node), *TEXTS, *{"xs:decimal": NUMBERS, "xs:int": NUMBERS, "xs:date": DATES, "xs:dateTime": DATES,
                                       "xs:base64Binary": ENCODED}.get(node.base, ()))  # fmt: skip


def twins(message: str, revision: str) -> Iterator[Twin]:
    """Every twin of the full message that differs from it by one deed at one element."""
    original, tree, namespace = good(message, revision), table(message, revision), NAMESPACES[family(message, revision)]
    for place, (_, node) in enumerate(placed(original, tree)):
        for name, deed in deeds(node, namespace):
            root = deepcopy(original)
            element = next(element for at, (element, _) in enumerate(placed(root, tree)) if at == place)
            deed(element)
            yield f"{message} {revision} /{node.path}: {name}", written(root)


def tangled(message: str, revision: str, seed: int, *, units: int = 3) -> Twin:
    """A message of several documents to which several things were done at once, the same for the same seed."""
    chance = random.Random(seed)
    tree, namespace = table(message, revision), NAMESPACES[family(message, revision)]
    root = good(message, revision, full=chance.random() < 0.7, units=units)
    done = []
    for _ in range(chance.randint(1, 5)):
        places = [(element, node) for element, node in placed(root, tree) if element is not root]
        if not places:
            break
        element, node = chance.choice(places)
        name, deed = chance.choice(list(deeds(node, namespace)))
        done.append(f"/{node.path}: {name}")
        deed(element)
    return "; ".join(done), written(root)
