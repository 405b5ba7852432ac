"""What customs says of an upload: a code, its message, and whether it is the end of the matter.

10000 is success, 20000 a failure that its message explains, 20001 to 21000 are other errors whose list is not
published.  Only 20000 is worth a repeat with the same session.
"""

import json
import re
from dataclasses import dataclass

_CODE = re.compile(r"\d{5}")


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it was understood."""

    code: str
    message: str

    @property
    def is_done(self) -> bool:
        """Whether customs has the data."""
        return self.code == "10000"

    @property
    def is_worth_a_repeat(self) -> bool:
        """Whether the same bytes may fare better later."""
        return self.code == "20000"


def said(body: bytes) -> Said | None:
    """What an answer says; None where it is no answer of this interface.

    >>> said('{"code":"10000","message":"上传成功","total":0,"serviceTime":1700000000000}'.encode())
    Said(code='10000', message='上传成功')
    >>> said(b"<html>"), said(b'{"code":20000}')
    (None, Said(code='20000', message=''))
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(told, str):
        return said(told.encode("utf-8", "replace"))
    if not isinstance(told, dict) or not _CODE.fullmatch(str(told.get("code"))):
        return None
    message = told.get("message")
    # Half a surrogate is JSON and no text that anybody could write down.
    text = message.encode("utf-8", "replace").decode() if isinstance(message, str) else ""
    return Said(str(told["code"]), text)
