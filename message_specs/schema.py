"""The XML Schema of a message, written from its field table and compiled once a process.

Its verdict, given by libxml2, is the truth about the structure of a message.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

from lxml import etree

from message_specs.document import escaped
from message_specs.tables import FOLDER, SIGNATURE, Node, family, table

XSD = "http://www.w3.org/2001/XMLSchema"
DS = "http://www.w3.org/2000/09/xmldsig#"
NAMESPACES = {
    "ceb": "http://www.chinaport.gov.cn/ceb",
    "dxp": "http://www.chinaport.gov.cn/dxp",
    "fx": "urn:kouan:fx",
    "tax": "urn:kouan:tax:1",
}
SIGNATURE_FILE = FOLDER / "ceb" / "xmldsig.xsd"
_FACETS = (
    ("length", "length"),
    ("minLength", "min_length"),
    ("maxLength", "max_length"),
    ("totalDigits", "total_digits"),
    ("fractionDigits", "fraction_digits"),
)
# The rows name this type and leave its facet out: at most 64 characters, says the transport notice.
OWN_TYPES = {"dxp:Key": Node("Key", "", 1, 1, "xs:string", max_length=64)}


def xsd_text(message: str, revision: str, *, unsigned_allowed: bool = False) -> str:
    """The schema of the message as text; with `unsigned_allowed` the signature may be left out."""
    root = table(message, revision)
    namespace = NAMESPACES[family(message, revision)]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xs:schema xmlns:xs="{XSD}" xmlns:ds="{DS}" xmlns="{namespace}"',
        f'    targetNamespace="{namespace}" elementFormDefault="qualified">',
        f'  <xs:import namespace="{DS}" schemaLocation="xmldsig.xsd"/>',
    ]
    for own in OWN_TYPES.values() if family(message, revision) == "dxp" else ():
        lines.append(f'  <xs:simpleType name="{own.name}">')
        _restriction(own, "    ", lines)
        lines.append("  </xs:simpleType>")
    _element(root, "  ", lines, unsigned_allowed=unsigned_allowed, top=True)
    lines.append("</xs:schema>")
    return "\n".join(lines) + "\n"


def _times(node: Node) -> str:
    most = "unbounded" if node.maximum is None else node.maximum
    return f' minOccurs="{node.minimum}" maxOccurs="{most}"'


def _element(node: Node, indent: str, lines: list[str], *, unsigned_allowed: bool, top: bool = False) -> None:
    if node.name == SIGNATURE:
        allowed = replace(node, minimum=0) if unsigned_allowed else node
        lines.append(f'{indent}<xs:element ref="ds:Signature"{_times(allowed)}/>')
        return
    if node.is_any:
        lines.append(f'{indent}<xs:any namespace="##any" processContents="skip"{_times(node)}/>')
        return
    opening = f'{indent}<xs:element name="{node.name}"{"" if top else _times(node)}{_preset(node)}'
    if node.is_open:
        lines.append(f"{opening}/>")
        return
    lines.append(f"{opening}>")
    if node.zh:
        lines.append(
            f"{indent}  <xs:annotation><xs:documentation>{escaped(node.zh)}</xs:documentation></xs:annotation>"
        )
    if node.is_group:
        _group(node, indent + "  ", lines, unsigned_allowed=unsigned_allowed)
    elif node.attributes:
        _value_with_attributes(node, indent + "  ", lines)
    else:
        _simple(node, indent + "  ", lines)
    lines.append(f"{indent}</xs:element>")


def _preset(node: Node) -> str:
    if node.fixed is not None:
        return f' fixed="{node.fixed}"'
    return "" if node.default is None else f' default="{node.default}"'


def _group(node: Node, indent: str, lines: list[str], *, unsigned_allowed: bool) -> None:
    mixed = ' mixed="true"' if node.mixed else ""
    lines.append(f"{indent}<xs:complexType{mixed}>")
    if node.children:
        lines.append(f"{indent}  <xs:sequence>")
        for child in node.children:
            _element(child, indent + "    ", lines, unsigned_allowed=unsigned_allowed)
        lines.append(f"{indent}  </xs:sequence>")
    for attribute in node.attributes:
        _attribute(attribute, indent + "  ", lines)
    lines.append(f"{indent}</xs:complexType>")


def _attribute(node: Node, indent: str, lines: list[str]) -> None:
    use = "required" if node.minimum else "optional"
    lines.append(f'{indent}<xs:attribute name="{node.name}" use="{use}"{_preset(node)}>')
    _simple(node, indent + "  ", lines)
    lines.append(f"{indent}</xs:attribute>")


def _restriction(node: Node, indent: str, lines: list[str]) -> None:
    lines.append(f'{indent}<xs:restriction base="{_type(node)}">')
    for facet, word in _FACETS:
        figure = getattr(node, word)
        if figure is not None:
            lines.append(f'{indent}  <xs:{facet} value="{figure}"/>')
    if node.white_space:
        lines.append(f'{indent}  <xs:whiteSpace value="{node.white_space}"/>')
    lines.append(f"{indent}</xs:restriction>")


def _type(node: Node) -> str:
    return OWN_TYPES[node.base].name if node.base in OWN_TYPES else node.base


def _simple(node: Node, indent: str, lines: list[str]) -> None:
    lines.append(f"{indent}<xs:simpleType>")
    _restriction(node, indent + "  ", lines)
    lines.append(f"{indent}</xs:simpleType>")


def _value_with_attributes(node: Node, indent: str, lines: list[str]) -> None:
    lines.extend((f"{indent}<xs:complexType>", f"{indent}  <xs:simpleContent>"))
    lines.append(f'{indent}    <xs:extension base="{_type(node)}">')
    for attribute in node.attributes:
        _attribute(attribute, indent + "      ", lines)
    lines.extend((f"{indent}    </xs:extension>", f"{indent}  </xs:simpleContent>", f"{indent}</xs:complexType>"))


class _Beside(etree.Resolver):
    """Answers the one import of our schemas from the file that comes with Kouan, and nothing else."""

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:  # noqa: ARG002
        return self.resolve_string(SIGNATURE_FILE.read_bytes(), context)


def _compile(text: str) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    parser.resolvers.add(_Beside())
    return etree.XMLSchema(etree.fromstring(text.encode(), parser))


@lru_cache(maxsize=128)
def compiled(message: str, revision: str, *, unsigned_allowed: bool = False) -> etree.XMLSchema:
    """The compiled schema of the message; compiled at the first asking."""
    return _compile(xsd_text(message, revision, unsigned_allowed=unsigned_allowed))


@lru_cache(maxsize=1)
def signature_schema() -> etree.XMLSchema:
    """The compiled schema of ds:Signature alone."""
    return _compile(SIGNATURE_FILE.read_text(encoding="utf-8"))
