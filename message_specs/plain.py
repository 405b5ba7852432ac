"""Plain words: what a person would read in bytes of which nobody knows the form."""

import re
from typing import Final

_READ: Final = 4096
_SHOWN: Final = 300
_TAG: Final = re.compile(r"<[^>]*>")


def plain(data: bytes) -> str:
    """Return the words without the marks around them, in one line, at most 300 characters.

    >>> plain("<a><CheckInfo>卡未插入</CheckInfo><DealFlag>-1</DealFlag></a>".encode())
    '卡未插入 -1'
    >>> plain("没有权限".encode("gb18030")), plain(bytes(3))
    ('没有权限', '')
    """
    piece = data[:_READ]
    try:
        text = data.decode("utf-8")[:_READ]
    except UnicodeDecodeError:
        text = piece.decode("gb18030", "replace")
    text = _TAG.sub(" ", text)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_SHOWN]
