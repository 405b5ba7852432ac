"""What may be wrong with one value, said in findings: the second reading of the facets.

libxml2 judges; this module only explains, so it follows libxml2's reading of numbers:
leading zeros and trailing zeros of the fraction count as no digits, blanks around a number are none.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date

from message_specs.tables import Node

Trouble = tuple[str, dict[str, str]]

_BLANKS = " \t\n\r"
_DECIMAL = re.compile(r"[+-]?(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))")
_INTEGER = re.compile(r"[+-]?([0-9]+)")
_DATE = re.compile(r"-?([0-9]{4,})-([0-9]{2})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]+")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?")
_NAME = re.compile(r"[^\W\d][\w.\-·]*")
# libxml2 takes no blanks around dates.
_AS_WRITTEN = frozenset({"xs:string", "dxp:Key", "xs:date", "xs:dateTime"})
_NEVER = "(?!)"
_LEAST_INT, _MOST_INT = -(2**31), 2**31 - 1


def collapsed(value: str) -> str:
    """The value without blanks around it and with single blanks inside, as XML Schema collapses it.

    >>> collapsed(" a  b ")
    'a b'
    """
    return " ".join(part for part in re.split(f"[{_BLANKS}]+", value) if part)


def usual(node: Node) -> re.Pattern[str]:
    """The pattern of values that are good at a glance, as nearly all are; it leaves the others to `troubles`.

    >>> usual(Node("qty", "", 1, 1, "xs:decimal", total_digits=19, fraction_digits=5)).pattern
    '[0-9]{1,14}([.][0-9]{1,5})?'
    >>> usual(Node("unit", "", 1, 1, "xs:string", length=3)).pattern, usual(Node("day", "", 1, 1, "xs:date")).pattern
    ('(?s:.{3,3})', '(?!)')
    """
    # re.compile remembers what it compiled: all tables together have some dozens of patterns.
    return re.compile(_usual(node))


def _usual(node: Node) -> str:
    if node.attributes or node.white_space == "collapse":
        return _NEVER
    if node.fixed is not None:
        return re.escape(node.fixed)
    match node.base:
        case "xs:string":
            least, most = (node.min_length or 0, node.max_length) if node.length is None else (node.length, node.length)
            return f"(?s:.{{{least},{'' if most is None else most}}})"
        case "xs:int":
            return f"[0-9]{{1,{min(node.total_digits or 9, 9)}}}"
        case "xs:decimal" if node.fraction_digits and (node.total_digits or 19) > node.fraction_digits:
            whole = (node.total_digits or 19) - node.fraction_digits
            return f"[0-9]{{1,{whole}}}([.][0-9]{{1,{node.fraction_digits}}})?"
    return _NEVER


def troubles(node: Node, value: str) -> Iterator[Trouble]:
    """Every code, with its words, that is to be said about the value of this node.

    >>> list(troubles(Node("currency", "", 1, 1, "xs:string", length=3, fixed="142"), "USDX"))
    [('S033', {'limit': '3', 'found': '4'}), ('S038', {'expected': '142'})]
    """
    if node.base not in _AS_WRITTEN or node.white_space == "collapse":
        value = collapsed(value)
    if not value and _needs_content(node):
        yield "S030", {}
    else:
        yield from _TYPES[node.base](node, value)
    if node.fixed is not None and value != node.fixed:
        yield "S038", {"expected": node.fixed}


def _needs_content(node: Node) -> bool:
    if node.base in {"xs:string", "dxp:Key"}:
        return bool(node.length or node.min_length)
    return node.base != "xs:base64Binary"


def _string(node: Node, value: str) -> Iterator[Trouble]:
    found = len(value)
    if node.length is not None and found != node.length:
        yield "S033", {"limit": str(node.length), "found": str(found)}
    if node.min_length is not None and found < node.min_length:
        yield "S031", {"limit": str(node.min_length), "found": str(found)}
    if node.max_length is not None and found > node.max_length:
        yield "S032", {"limit": str(node.max_length), "found": str(found)}


def _decimal(node: Node, value: str) -> Iterator[Trouble]:
    match = _DECIMAL.fullmatch(value)
    if match is None:
        yield "S035", {}
        return
    whole = (match[1] or "").lstrip("0")
    fraction = (match[2] or match[3] or "").rstrip("0")
    yield from _too_many(node, len(whole) + len(fraction))
    if node.fraction_digits is not None and len(fraction) > node.fraction_digits:
        yield "S037", {"limit": str(node.fraction_digits), "found": str(len(fraction))}


def _integer(node: Node, value: str) -> Iterator[Trouble]:
    match = _INTEGER.fullmatch(value)
    if match is None:
        yield "S034", {}
        return
    digits = match[1].lstrip("0")
    if len(digits) > 10 or not _LEAST_INT <= int(value[0].replace("+", "") + value[1:]) <= _MOST_INT:
        yield "S041", {}
    else:
        yield from _too_many(node, len(digits))


def _too_many(node: Node, digits: int) -> Iterator[Trouble]:
    if node.total_digits is not None and digits > node.total_digits:
        yield "S036", {"limit": str(node.total_digits), "found": str(digits)}


def _is_date(value: str) -> bool:
    match = _DATE.fullmatch(value)
    if match is None or not int(match[1]):
        return False
    try:
        # Years repeat every 400: that keeps far years inside what a date can hold.
        date(int(match[1]) % 400 + 400, int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


def _is_time(value: str) -> bool:
    match = _TIME.fullmatch(value)
    if match is None:
        return False
    hour, minute, second = (int(part) for part in match.groups())
    return (hour < 24 and minute < 60 and second < 60) or (hour == 24 and not minute and not second)


def _date(node: Node, value: str) -> Iterator[Trouble]:  # noqa: ARG001  one shape for all types
    if not _is_date(value):
        yield "S039", {}


def _date_time(node: Node, value: str) -> Iterator[Trouble]:  # noqa: ARG001
    day, _, time = value.partition("T")
    if not (_is_date(day) and _is_time(time)):
        yield "S039", {}


def _base64(node: Node, value: str) -> Iterator[Trouble]:  # noqa: ARG001
    # libxml2 passes over whatever is no letter of base64, as RFC 2045 tells decoders to.
    if not _BASE64.fullmatch(_NOT_BASE64.sub("", value)):
        yield "S040", {}


def _identifier(node: Node, value: str) -> Iterator[Trouble]:  # noqa: ARG001
    if not _NAME.fullmatch(value):
        yield "S042", {}


_TYPES: dict[str, Callable[[Node, str], Iterator[Trouble]]] = {
    "xs:string": _string,
    "dxp:Key": _string,
    "xs:decimal": _decimal,
    "xs:int": _integer,
    "xs:date": _date,
    "xs:dateTime": _date_time,
    "xs:base64Binary": _base64,
    "xs:ID": _identifier,
}
