"""The octets that a signature covers: the document without it, and its SignedInfo where it stands.

Canonicalising is libxml2's work on whole documents.  It is never asked for a
subtree: lxml 6.1 puts false `xmlns=""` on grandchildren of a subtree in a
default namespace, so SignedInfo becomes the root of a document of its own that
declares what is in scope, which is what inclusive C14N 1.0 prescribes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

from lxml import etree

_XML = "{http://www.w3.org/XML/1998/namespace}"


class Uncanonical(ValueError):  # noqa: N818  named for what is true
    """C14N cannot write this document, for instance because a namespace is a relative address"""


@contextmanager
def without(signature: etree._Element) -> Iterator[etree._ElementTree]:
    """Lend the document as it is without the signature, white space around it kept; put the signature back after."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail
    assert parent is not None
    # What stands around the signature becomes one text: the parent's first, or the tail of what precedes.
    holder, which = (parent, "text") if before is None else (before, "tail")
    tree, place, kept = parent.getroottree(), parent.index(signature), getattr(holder, which)
    signature.tail = None
    parent.remove(signature)
    setattr(holder, which, (kept or "") + (tail or "") or None)
    try:
        yield tree
    finally:
        setattr(holder, which, kept)
        parent.insert(place, signature)
        signature.tail = tail


def octets(tree: etree._ElementTree, *, exclusive: bool = False, comments: bool = False) -> bytes:
    """Return the canonical text of a whole document, inclusive C14N 1.0 unless exclusive; or raise `Uncanonical`."""
    try:
        return etree.tostring(tree, method="c14n", exclusive=exclusive, with_comments=comments)
    except etree.C14NError as trouble:
        raise Uncanonical(str(trouble)) from trouble


def document_octets(signature: etree._Element) -> bytes:
    """Return what the digest of an enveloped signature covers; the tree is afterwards as it was."""
    with without(signature) as tree:
        return octets(tree)


def in_context(element: etree._Element) -> etree._ElementTree:
    """Return a copy of an element as a document, with the namespaces and xml: attributes in scope."""
    alone = etree.Element(element.tag, nsmap=element.nsmap)
    for ancestor in reversed(list(element.iterancestors())):
        alone.attrib.update({name: value for name, value in ancestor.items() if str(name).startswith(_XML)})
    alone.attrib.update(dict(element.items()))
    alone.text = element.text
    alone.extend([deepcopy(child) for child in element])
    return alone.getroottree()


def signed_info_octets(signed_info: etree._Element) -> bytes:
    """Return what the signature value covers: SignedInfo in the context of its message."""
    return octets(in_context(signed_info))
