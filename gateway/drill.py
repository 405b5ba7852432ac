"""Drill: as many distinct good messages as one likes, made from the good samples of the specs.

For the demonstration and for measuring.  One number is one trade: its order,
payment, waybill and inventory belong together and agree, so that customs lets
it go to its end; each trade has a buyer of its own, and nobody is real.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files

from message_specs.opening import open_message

SAMPLE_NUMBER = 8801
_SAMPLE_BUYER = b"330199195106108017"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FIRST_DAY = date(1950, 1, 1).toordinal()
_DAYS = 18_000
SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship", "CEB621": "agent"}
_UNITS = {"CEB311": b"Order", "CEB411": b"Payment", "CEB511": b"Logistics", "CEB621": b"Inventory"}


@cache
def _parts(spec: str) -> tuple[bytes, bytes, bytes]:
    sample = files("message_specs").joinpath("ceb", "samples", "good", f"{spec}.xml").read_bytes()
    unit = _UNITS[spec]
    start = sample.index(b"<ceb:" + unit + b">")
    end = sample.index(b"</ceb:" + unit + b">") + len(unit) + 7
    return sample[:start], sample[start:end], sample[end:]


def document(spec: str, number: int) -> bytes:
    """Return one document, with the keys of this trade.

    >>> b"<ceb:orderNo>YX2026000000000042</ceb:orderNo>" in document("CEB311", 42)
    True
    """
    unit = _parts(spec)[1]
    unit = unit.replace(f"{SAMPLE_NUMBER:08d}".encode(), f"{number:08d}".encode())
    unit = unit.replace(_SAMPLE_BUYER, buyer(number))
    return unit.replace(f"{SAMPLE_NUMBER:012X}".encode(), f"{number:012X}".encode())


def order_no(number: int) -> str:
    """Return the number of the order of this trade.

    >>> order_no(42)
    'YX2026000000000042'
    """
    return f"YX2026{number:012d}"


def buyer(number: int) -> bytes:
    """Return the citizen number of the buyer of this trade: an area that no authority hands out, a right check digit.

    >>> buyer(8801)
    b'330199195001098019'
    """
    born = date.fromordinal(_FIRST_DAY + number // 1000 % _DAYS)
    body = f"330199{born:%Y%m%d}{number % 1000:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return (body + "10X98765432"[total % 11]).encode()


def message(spec: str, first: int, count: int = 1) -> bytes:
    """Return an unsigned message of so many documents, of the trades from `first` on.

    >>> message("CEB411", 1, 3).count(b"<ceb:Payment>")
    3
    """
    head, _, tail = _parts(spec)
    head = re.sub(rb'guid="[0-9A-F]{8}', b'guid="%08X' % first, head)
    return head + b"\n  ".join(document(spec, first + n) for n in range(count)) + tail


@cache
def _rows() -> tuple[str, str]:
    """The headings, and the rows of the sample's order, in CSV."""
    order = open_message(message("CEB311", SAMPLE_NUMBER)).documents[0]
    told = io.StringIO()
    rows = [{**order.head, **line} for line in order.lines]
    writer = csv.DictWriter(told, [name for name in rows[0] if name not in {"guid", "note"}], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    headings, _, body = told.getvalue().partition("\r\n")
    return f"{headings}\r\n", body


def table(first: int, count: int) -> Iterator[bytes]:
    """Yield a CSV table of so many orders: the headings, then the rows of one order after the other.

    >>> [part.count(b"YX2026000000000042") for part in table(42, 1)]
    [0, 3]
    """
    headings, body = _rows()
    yield headings.encode()
    for number in range(first, first + count):
        yield body.replace(f"{SAMPLE_NUMBER:08d}", f"{number:08d}").encode()
