"""Everything wrong with an opened message: its structure, the rules of each good document, and what stands around."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from message_specs import around, rules
from message_specs.document import Document, Element
from message_specs.findings import Finding, Severity
from message_specs.opening import Opened
from message_specs.positions import located
from message_specs.reader import named

_AS_WORDED: Mapping[str, Severity] = MappingProxyType({})


def check(opened: Opened, *, severities: Mapping[str, Severity] = _AS_WORDED, today: date) -> tuple[Finding, ...]:
    """All findings about the message; `severities` overrules what findings.csv says of a rule's code.

    A structural finding keeps its severity: the schema knows no warnings.
    """
    if opened.fatal or opened.spec is None:
        return opened.findings
    bad = opened.bad if opened.findings else frozenset()
    broken = [
        said
        for document in opened.documents
        if document.ordinal not in bad
        for said in _broken(document, severities, today)
    ]
    broken += [
        (element, replace(said, severity=severities.get(said.code, said.severity)))
        for element, said in around.broken(opened, today)
    ]
    if not broken:
        return opened.findings
    tree = broken[0][0].getroottree().getroot()
    return _in_order(opened.findings + located(opened.data, tree, broken))


def _broken(document: Document, severities: Mapping[str, Severity], today: date) -> Iterator[tuple[Element, Finding]]:
    """The rules that the document breaks, each with the element it is about and its whole path."""
    for said in rules.apply(document.spec.rules, document, today):
        unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
        yield (
            _nearest(document, said.path),
            replace(
                said,
                document=document.ordinal,
                path=f"{unit}/{said.path}" if said.path else unit,
                severity=severities.get(said.code, said.severity),
            ),
        )


def _nearest(document: Document, path: str) -> Element:
    """The element at the path, or the innermost one around the place where it is missing."""
    while path:
        found = document.at(path)
        if found is not None:
            return found
        path = path.rpartition("/")[0]
    return document.element


def _in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings of the message first, then document by document, each from top to bottom."""
    return tuple(sorted(findings, key=lambda said: (said.document or 0, said.line or 0)))
