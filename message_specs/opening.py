"""Opening a message: bytes in, its documents and everything wrong with its structure out.

Parsed once, judged once by the compiled schema. Only when the schema says no does the second
reader look for the words. Nothing that is sent here can raise.

Known limits: processing instructions are kept for the signature and left out of what is read.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from lxml import etree

from message_specs.catalog import Catalog
from message_specs.catalog import catalog as house_catalog
from message_specs.document import Document, Element
from message_specs.findings import Finding, Severity, finding
from message_specs.limits import Limits
from message_specs.parsing import Unreadable, first_tag, is_deeper, parse
from message_specs.positions import located
from message_specs.reader import local, namespace_of, plain, walk
from message_specs.schema import DS, NAMESPACES, compiled
from message_specs.spec import Spec
from message_specs.tables import NoTable, table

__all__ = ["Opened", "Unreadable", "open_message", "open_receipt", "parse"]

_LATEST = "202205"
_CROWD = 50
_LIMITS = Limits()
_SIGNATURE = f"{{{DS}}}Signature"


@dataclass(slots=True)
class Opened:
    """A message as far as it could be read; `fatal` says that nothing of it can go on."""

    spec: Spec | None
    revision: str
    root: Element | None = None
    namespace: str = ""
    root_name: str | None = None
    guid: str | None = None
    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()
    transfer: dict[str, str] = field(default_factory=dict)
    signed: bool = False
    fatal: bool = False
    data: bytes = field(default=b"", repr=False)

    def findings_of(self, ordinal: int) -> tuple[Finding, ...]:
        """The findings about the document of this ordinal."""
        return tuple(found for found in self.findings if found.document == ordinal)

    @property
    def message_findings(self) -> tuple[Finding, ...]:
        """The findings about the message as a whole."""
        return tuple(found for found in self.findings if found.document is None)

    @property
    def bad(self) -> frozenset[int]:
        """The ordinals of the documents that have an error."""
        return frozenset(
            found.document for found in self.findings if found.document is not None and found.severity is Severity.ERROR
        )


def open_message(
    data: bytes,
    *,
    revision: str = _LATEST,
    revision_of: Callable[[str], str] | None = None,
    limits: Limits = _LIMITS,
    catalog: Catalog | None = None,
    spec: str | None = None,
    unsigned_allowed: bool = True,
) -> Opened:
    """The message opened; with `spec` it is a finding when it is any other kind of message.

    `revision_of` tells the revision by the spec's code, where it is not the same for all.
    """
    catalog = catalog or house_catalog()
    try:
        root = parse(data, limits)
    except Unreadable as reason:
        return _unreadable(data, reason.finding, catalog, revision)
    if len(root) > _CROWD * limits.documents:
        return _crowd(data, root, catalog, revision, limits)
    reading = root if data.find(b"<?", 5) < 0 else parse(data, limits, instructions=False)
    opened = _opened(data, root, reading, catalog, revision)
    if opened.spec is None:
        return _refused(opened, finding("S006", path=f"/{opened.root_name}", name=opened.root_name or ""))
    if spec is not None and spec != opened.spec.code:
        return _refused(opened, finding("S010", name=opened.spec.code, expected=spec))
    if revision_of is not None:
        opened.revision = revision = revision_of(opened.spec.code)
    try:
        schema = compiled(opened.spec.root, revision, unsigned_allowed=unsigned_allowed)
    except NoTable:
        return _refused(opened, finding("S006", path=f"/{opened.root_name}", name=f"{opened.root_name} {revision}"))
    if not schema.validate(reading):
        _explain(opened, reading, schema, limits, unsigned_allowed=unsigned_allowed)
    elif _crowded(opened, limits):
        _too_many(opened, limits)
    elif _deep(reading, opened.spec, limits):
        _too_deep(opened, limits)
    else:
        for document in opened.documents:
            document.good = True
    return opened


def _opened(data: bytes, root: Element, reading: Element, catalog: Catalog, revision: str) -> Opened:
    """What a look at the root and its children tells, be the message good or bad."""
    namespace, name = namespace_of(root), local(root)
    spec = catalog.by_root(name)
    opened = Opened(spec, revision, root, namespace, name, root.get("guid"), data=data)
    if spec is None:
        return opened
    documents: list[Document] = []
    for child in reading:
        name = local(child)
        if name == spec.document:
            documents.append(Document(spec, len(documents) + 1, child))
        elif name == "BaseTransfer":
            opened.transfer = {local(leaf): leaf.text or "" for leaf in child}
        elif child.tag == _SIGNATURE:
            opened.signed = True
    opened.documents = tuple(documents)
    return opened


def _refused(opened: Opened, *reasons: Finding) -> Opened:
    opened.findings += reasons
    opened.fatal = True
    return opened


def _unreadable(data: bytes, reason: Finding, catalog: Catalog, revision: str) -> Opened:
    tag = first_tag(data)
    if tag is None:
        return Opened(None, revision, findings=(reason,), fatal=True, data=data)
    return Opened(
        catalog.by_root(tag.name),
        revision,
        namespace=tag.namespace,
        root_name=tag.name,
        guid=tag.guid,
        findings=(reason,),
        fatal=True,
        data=data,
    )


def _deep(reading: Element, spec: Spec, limits: Limits) -> bool:
    # The schema bounds the depth of documents; only signature and extension are open to any content.
    for child in reading.iterchildren(reversed=True):
        if local(child) == spec.document:
            return False
        if is_deeper(child, limits.depth - 1):
            return True
    return False


def _too_deep(opened: Opened, limits: Limits) -> Opened:
    reason, zh = f"more than {limits.depth} elements in each other", f"嵌套超过 {limits.depth} 层"
    return _refused(opened, finding("S005", path=f"/{opened.root_name}", reason=reason, reason_zh=zh))


def _crowded(opened: Opened, limits: Limits) -> bool:
    # Tax bills are without end in the published schema; only customs writes them.
    return opened.spec is not None and bool(opened.spec.senders) and len(opened.documents) > limits.documents


def _crowd(data: bytes, root: Element, catalog: Catalog, revision: str, limits: Limits) -> Opened:
    """A message of hundreds of thousands of elements is refused by their number, before anything is made of them."""
    name = local(root)
    opened = Opened(catalog.by_root(name), revision, root, namespace_of(root), name, root.get("guid"), data=data)
    return _refused(opened, finding("S011", path=f"/{name}", found=str(len(root)), limit=str(limits.documents)))


def _too_many(opened: Opened, limits: Limits) -> Opened:
    found, limit = str(len(opened.documents)), str(limits.documents)
    return _refused(opened, finding("S011", path=f"/{opened.root_name}", found=found, limit=limit))


def _explain(
    opened: Opened, reading: Element, schema: etree.XMLSchema, limits: Limits, *, unsigned_allowed: bool
) -> None:
    """Every finding that makes the schema say no; fatal where one concerns more than a document."""
    spec = opened.spec
    assert spec is not None
    if is_deeper(reading, limits.depth):
        _too_deep(opened, limits)
        return
    said = plain(schema), schema.error_log[0].line if len(schema.error_log) else None
    found, cut = walk(
        reading,
        table(spec.root, opened.revision),
        spec,
        namespace=NAMESPACES[spec.family],
        unsigned_allowed=unsigned_allowed,
        limit=limits.findings,
    )
    opened.findings = located(opened.data, reading, found)
    if cut:
        _refused(opened, finding("S091", path=f"/{opened.root_name}", limit=str(limits.findings)))
    elif not found:
        _refused(opened, finding("S090", path=f"/{opened.root_name}", line=said[1], reason=said[0]))
    elif opened.message_findings:
        opened.fatal = True
    else:
        _judge_the_rest(opened, reading, schema)
    if _crowded(opened, limits) and not any(f.code == "S011" for f in opened.findings):
        _too_many(opened, limits)


def _judge_the_rest(opened: Opened, reading: Element, schema: etree.XMLSchema) -> None:
    """The schema's own word that the documents without a finding are good once the bad ones are gone."""
    bad = opened.bad
    if len(bad) == len(opened.documents):
        return
    rest = copy.deepcopy(reading)
    document_name = opened.documents[0].spec.document
    units = [child for child in rest if local(child) == document_name]
    for ordinal in bad:
        rest.remove(units[ordinal - 1])
    if not schema.validate(rest):
        _refused(opened, finding("S090", path=f"/{opened.root_name}", reason=plain(schema)))
        return
    for document in opened.documents:
        document.good = document.ordinal not in bad


def open_receipt(
    data: bytes,
    *,
    revision: str = _LATEST,
    limits: Limits = _LIMITS,
    catalog: Catalog | None = None,
) -> Opened:
    """A receipt read as customs writes it: any prefix or none, parts left out, elements we do not know.

    Only what settling cannot do without is a finding: the root, the echo of the key, the status.
    """
    catalog = catalog or house_catalog()
    try:
        root = parse(data, limits)
        reading = root if data.find(b"<?", 5) < 0 else parse(data, limits, instructions=False)
    except Unreadable as reason:
        return _unreadable(data, reason.finding, catalog, revision)
    opened = Opened(catalog.by_root(local(root)), revision, root, namespace_of(root), local(root), data=data)
    opened.guid = root.get("guid")
    spec = opened.spec
    if spec is None or not spec.echo:
        return _refused(opened, finding("S006", path=f"/{opened.root_name}", name=opened.root_name or ""))
    units = [child for child in reading if local(child) == spec.document]
    opened.documents = tuple(Document(spec, ordinal, unit) for ordinal, unit in enumerate(units, 1))
    opened.signed = any(child.tag == _SIGNATURE for child in reading)
    if not units:
        return _refused(opened, finding("S014", path=f"/{spec.root}/{spec.document}", name=spec.document))
    lacking = [
        (document.element, replace(said, document=document.ordinal))
        for document in opened.documents
        for said in _lacking(document)
    ]
    if lacking:
        opened.findings = located(data, reading, lacking)
    return opened


@cache
def _needed(root: str, unit: str, echo: tuple[str, ...], status: str) -> tuple[tuple[str, bool], ...]:
    """What settling needs of a unit, and whether it may be empty: status, first echo, the others where not optional."""
    paths = {f"{unit}/{path}": path for path in (*echo, status)}
    tree = [child for child in table(root, _LATEST).children if child.name == unit]
    found = []
    while tree:
        for node in tree.pop().children:
            if node.is_group:
                tree.append(node)
            elif node.path in paths and (node.minimum or paths[node.path] == echo[0]):
                found.append((paths[node.path], not (node.length or node.min_length or not node.minimum)))
    return tuple(found)


def _lacking(document: Document) -> list[Finding]:
    spec = document.spec
    said = []
    for path, may_be_empty in _needed(spec.root, spec.document, spec.echo, spec.status):
        text = document.text(path)
        if text is None or not (text or may_be_empty):
            place = f"/{spec.root}/{spec.document}[{document.ordinal}]/{path}"
            said.append(finding("S014", path=place, name=path))
    return said
