"""Whole messages, written in canonical form; and receipts, in the form of customs.

A declaration is written so that it is its own Canonical XML 1.0: sealing then
needs no canonicalisation.  A receipt stands in the default namespace without
prefix, signature or BaseTransfer, as the authority writes them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias, Union
from zoneinfo import ZoneInfo

from message_specs.catalog import catalog
from message_specs.document import Element, escaped
from message_specs.parsing import parse
from message_specs.reader import local, plain
from message_specs.schema import NAMESPACES, compiled
from message_specs.tables import Node, table

Field: TypeAlias = Union[str, "Fields"]
Fields: TypeAlias = Mapping[str, Union[str, "Fields", list[Field]]]
CEB: Final = "http://www.chinaport.gov.cn/ceb"
_CHINA: Final = ZoneInfo("Asia/Shanghai")
FORMAT_REFUSED: Final = "-999999"
"""The status of a CEB900 of ours; the published text only says that it is negative."""
_TRANSFER: Final = ("copCode", "copName", "dxpMode", "dxpId", "note")


def message(
    root: str,
    guid: str,
    documents: Iterable[bytes],
    transfer: Mapping[str, str],
    *,
    extra: bytes = b"",
    family: str = "ceb",
) -> bytes:
    """Return the canonical text of an unsigned message: its documents, its BaseTransfer, then `extra`.

    >>> message("CEB311Message", "G", [b"<ceb:Order></ceb:Order>"], {"copCode": "3301", "dxpMode": "DXP"}).decode()
    ... # doctest: +ELLIPSIS
    '<ceb:CEB311Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="G" version="1.0"><ceb:Order>...
    """
    opening = f'<{family}:{root} xmlns:{family}="{NAMESPACES[family]}" guid="{guid}" version="1.0">'
    parts = [opening.encode(), *documents]
    fields = "".join(f"<{family}:{n}>{escaped(transfer[n])}</{family}:{n}>" for n in _TRANSFER if n in transfer)
    parts.append(f"<{family}:BaseTransfer>{fields}</{family}:BaseTransfer>".encode())
    parts.append(extra)
    parts.append(f"</{family}:{root}>".encode())
    return b"".join(parts)


def receipt(root: str, guid: str, units: Iterable[tuple[str, Fields]]) -> bytes:
    """Return a receipt message: each unit's name and its fields in order, just as they are given."""
    body = "".join(_written(unit, fields) for unit, fields in units)
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f'{head}<{root} xmlns="{_namespace(root)}" guid="{guid}" version="1.0">{body}</{root}>\n'.encode()


def _namespace(root: str) -> str:
    spec = catalog().by_root(root)
    return NAMESPACES[spec.family] if spec is not None else CEB


def fields_of(unit: Element) -> Fields:
    """Return what stands in a unit, groups and all, under its local names, to be written again."""
    found: dict[str, list[Field]] = {}
    for child in unit:
        found.setdefault(local(child), []).append(fields_of(child) if len(child) else child.text or "")
    return {name: fields[0] if len(fields) == 1 else fields for name, fields in found.items()}


def texts_of(unit: Element) -> dict[str, str]:
    """Return the texts of a unit of leaves under its local names."""
    return {local(child): child.text or "" for child in unit}


def made(root: str, guid: str, units: Iterable[tuple[str, Fields]], *, revision: str = "202205") -> bytes:
    """Return a receipt of our own making, which the published schema accepts; ValueError says why it would not.

    Fields are put into the order of the field table; the reading of others' receipts is tolerant, the writing is not.
    """
    tree = {node.name: node for node in table(root, revision).children}
    ordered = [(unit, _in_order(fields, tree[unit])) for unit, fields in units]
    written = receipt(root, guid, ordered)
    schema = compiled(root, revision)
    if not schema.validate(parse(written)):
        raise ValueError(f"{root}: {plain(schema)}")
    return written


def _in_order(fields: Fields, node: Node) -> Fields:
    places = {child.name: child for child in node.children}
    ordered: dict[str, Field | list[Field]] = {}
    # What the table does not know goes last, for the schema to refuse.
    for name in sorted(fields, key=[*places, *fields].index):
        given = fields[name]
        if isinstance(given, str) or name not in places:
            ordered[name] = given
        elif isinstance(given, list):
            ordered[name] = [one if isinstance(one, str) else _in_order(one, places[name]) for one in given]
        else:
            ordered[name] = _in_order(given, places[name])
    return ordered


def _written(name: str, field: Field | list[Field]) -> str:
    if isinstance(field, str):
        return f"<{name}>{escaped(field)}</{name}>"
    if isinstance(field, list):
        return "".join(_written(name, one) for one in field)
    return f"<{name}>{''.join(_written(*one) for one in field.items())}</{name}>"


def refusal(guid: str, *, info: str, now: datetime, original: str, root: str, body: bytes) -> bytes:
    """Return the CEB900 that answers a message failing the format check.

    `original` is what the sender may know the message by; texts are cut to the
    lengths of the specification.  What of `body` XML cannot carry is replaced.
    """
    fields = {
        "guid": guid,
        "returnStatus": FORMAT_REFUSED,
        "returnInfo": info[:5000],
        "returnTime": return_time(now),
        "oriCopMsgId": original[:255],
        "oriMessageType": root[:15] or "Unknown",
        "oriBizMessage": _carried(body),
    }
    return made("CEB900Message", guid, [("MessageReturn", fields)])


def return_time(now: datetime) -> str:
    """Return the seventeen digits of a time, China Standard Time.

    >>> from datetime import UTC
    >>> return_time(datetime(2026, 11, 21, 4, 5, 6, 789000, UTC))
    '20261121120506789'
    """
    china = now.astimezone(_CHINA)
    return f"{china:%Y%m%d%H%M%S}{china.microsecond // 1000:03d}"


def _carried(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return "".join(c if c >= " " and c not in "\ufffe\uffff" or c in "\t\n" else "\ufffd" for c in text)  # noqa: RUF021
