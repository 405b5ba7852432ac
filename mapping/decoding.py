"""How a text file is encoded: a byte order mark says it, else strict UTF-8, else GB18030, never a guess.

A file that is neither is refused, and so is one that mixes both: read as GB18030
its UTF-8 lines would become other names without a word.
"""

import codecs
from typing import BinaryIO, Final

from message_specs.findings import Finding, finding

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = 1 << 20
LINE_BYTES: Final = 2 * _CHUNK


def encoding_of(file: BinaryIO) -> str | Finding:
    r"""Return the name of the encoding, or why the file cannot be read; the file stands at its beginning again.

    >>> import io
    >>> encoding_of(io.BytesIO("订单编号".encode())), encoding_of(io.BytesIO("订单编号".encode("gb18030")))
    ('utf-8', 'gb18030')
    >>> encoding_of(io.BytesIO("订单\n".encode() + "编号".encode("gb18030"))).code
    'M002'
    """
    try:
        head = file.read(4)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return _judged(file, name)
        found = _judged(file, "utf-8")
        if not (isinstance(found, Finding) and found.code == "M001"):
            return found
        told = _judged(file, "gb18030")
        return _mixed(file) or told
    finally:
        file.seek(0)


def _judged(file: BinaryIO, name: str) -> str | Finding:
    """Return the name when the whole file can be read so and no line is without end."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(name)("strict")
    before, endless = 0, 0
    while chunk := file.read(_CHUNK):
        try:
            decoder.decode(chunk)
        except UnicodeError as trouble:
            return finding("M001", place=str(before + getattr(trouble, "start", 0) + 1))
        endless = 0 if b"\n" in chunk or b"\r" in chunk else endless + len(chunk)
        if endless > LINE_BYTES:
            return finding("M018", limit=str(LINE_BYTES))
        before += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        return finding("M001", place=str(before))
    return name


def _mixed(file: BinaryIO) -> Finding | None:
    """A finding when some lines hold Chinese in UTF-8 although the file is not UTF-8."""
    file.seek(0)
    first_other, is_mixed = 0, False
    for number, line in enumerate(file, 1):
        if line.isascii():
            continue
        if _is_utf8(line):
            # GB18030 pairs may look like two-byte UTF-8 (the two letters of 联通 do), hardly ever like three-byte.
            is_mixed = is_mixed or any("\u2e80" <= letter <= "\uffef" for letter in line.decode())
        else:
            first_other = first_other or number
    return finding("M002", row=first_other, place=str(first_other)) if is_mixed and first_other else None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
