"""What callers write into queries and headers, read strictly: an odd value is refused, never mended.

All functions are pure and answer None for a value that is not as it must be.
"""

import re
from email.message import Message
from typing import Final
from urllib.parse import parse_qs, unquote

NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
DOCUMENT_NUMBER: Final = re.compile(r"[0-9]{1,18}\.[0-9]{1,9}", re.ASCII)
_ONCE: Final = re.compile(rb"[\x21-\x7e]{1,255}")
_NAME_BYTES: Final = 200  # NAME.NUMBER.ack.json must fit the 255 bytes of a file name
_KEY_MOST: Final = 200
_XML: Final = frozenset({"application/xml", "text/xml", "application/octet-stream"})
_TABLES: Final = {
    "text/csv": ".csv",
    "application/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
_NO_CHOICE: Final = "application/x-www-form-urlencoded"  # what curl --data-binary and urllib say when nobody chose


def query_of(query: bytes) -> dict[str, str] | None:
    """Return the parameters, each once.

    >>> query_of(b"key=a%7Cb&limit=5")
    {'key': 'a|b', 'limit': '5'}
    >>> query_of(b"key=%ff"), query_of(b"key=a&key=b")
    (None, None)
    """
    try:
        found = parse_qs(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError:
        return None
    if any(len(values) > 1 for values in found.values()):
        return None
    return {name: values[0] for name, values in found.items()}


def path_key(tail: str) -> str | None:
    """Return the key that stands percent-encoded at the end of a path, at most 200 characters.

    >>> path_key("3301961A2B%7CYX1"), path_key("%E8%AE%A2"), path_key("a%2Fb")
    ('3301961A2B|YX1', '订', 'a/b')
    >>> path_key(""), path_key("%ff"), path_key("a%00")
    (None, None, None)
    """
    try:
        key = unquote(tail, errors="strict")
    except UnicodeDecodeError:
        return None
    return key if key and key.isprintable() and len(key) <= _KEY_MOST else None


def whole_number(text: str, least: int) -> int | None:
    """Return the number when it is plain digits and not below the least.

    >>> whole_number("30", 0), whole_number("0", 1), whole_number("-1", 0), whole_number("", 0)
    (30, None, None, None)
    """
    number = int(text) if NUMBER.fullmatch(text) else -1
    return number if number >= least else None


def once_key(value: bytes) -> str | None:
    """Return the Idempotency-Key when it is 1 to 255 visible ASCII characters.

    >>> once_key(b"order-7"), once_key(b""), once_key(b"a b")
    ('order-7', None, None)
    """
    return value.decode("ascii") if _ONCE.fullmatch(value) else None


def is_xml(content_type: bytes) -> bool:
    """Say whether this Content-Type may carry XML; one that nobody chose is no statement.

    >>> [is_xml(kind) for kind in (b"text/xml; charset=utf-8", b"application/soap+xml", b"text/csv")]
    [True, True, False]
    """
    kind = content_type.partition(b";")[0].strip().lower().decode("latin-1")
    return kind in _XML or kind == _NO_CHOICE or kind.endswith("+xml")


def table_ending(content_type: bytes) -> str:
    """Return the ending of a table of this Content-Type, or nothing where it is none.

    >>> table_ending(b"Text/CSV; charset=gb18030"), table_ending(b"application/xml")
    ('.csv', '')
    """
    return _TABLES.get(content_type.partition(b";")[0].strip().lower().decode("latin-1"), "")


def as_table(name: str, ending: str) -> str:
    """Return the name with an ending by which it is known as a table.

    >>> as_table("ORDERS.TSV", ".csv"), as_table("ORDERS", ".csv")
    ('ORDERS.TSV', 'ORDERS.csv')
    """
    return name if name.lower().endswith(tuple(_TABLES.values())) else f"{name}{ending}"


def file_name(name: str) -> str | None:
    """Return the name when it is one plain visible file name.

    >>> file_name("订单1.xml"), file_name("../a.xml"), file_name(".a.xml"), file_name("")
    ('订单1.xml', None, None, None)
    """
    if not name or name[0] in ". " or not name.isprintable() or "/" in name or "\\" in name:
        return None
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return None
    return name if size <= _NAME_BYTES else None


def disposed_name(disposition: bytes) -> str | None:
    """Return the file name of a Content-Disposition.

    >>> disposed_name(b"attachment; filename*=UTF-8''%E8%AE%A2.xml"), disposed_name(b'attachment; filename="a.xml"')
    ('订.xml', 'a.xml')
    >>> disposed_name(b"attachment") is None
    True
    """
    try:
        message = Message()
        message["Content-Disposition"] = disposition.decode()
        return file_name(message.get_filename() or "")
    except (ValueError, LookupError):
        return None
