"""What an official client says about a file that it was given: a file of its own, known by its name.

`Successed_` or `Failed_` (their words), the name of our file without its ending, and a time in China of which only the
first 14 digits are one.  The content differs from business to business; its words are kept as they stand.
"""

import re
from typing import Final
from xml.sax.saxutils import escape

from message_specs.document import Document
from message_specs.limits import Limits
from message_specs.opening import Opened
from message_specs.parsing import parse
from message_specs.plain import plain
from message_specs.reader import local, namespace_of
from message_specs.spec import Spec

CLIENT: Final = Spec(
    code="ClientAnswer",
    family="dxp",
    title="客户端应答",
    english="answer of the official client",
    root="ClientAnswer",
    document="Answer",
    echo=("Message",),
)
"""What the client of an authority says about one file, by the number of the message in its name."""

_NAME: Final = re.compile(r"(?P<word>Successed|Failed)_[A-Za-z0-9]+_(?P<number>\d{18})(?:_\d*)?\.\w+", re.ASCII)


def open_client_answer(file: str, data: bytes, limits: Limits) -> Opened | None:
    """The answer with its one unit; None when the name is not that of a client's answer to a message of ours."""
    found = _NAME.fullmatch(file)
    if found is None:
        return None
    code = "0" if found["word"] == "Successed" else found["word"]
    text = (
        f"<ClientAnswer><Answer><Message>{found['number']}</Message><ResponseCode>{code}</ResponseCode>"
        f"<ResponseInfo>{escape(plain(data))}</ResponseInfo></Answer></ClientAnswer>"
    )
    root = parse(text.encode(), limits)
    units = tuple(Document(CLIENT, 1, unit) for unit in root if local(unit) == CLIENT.document)
    return Opened(CLIENT, "", root, namespace_of(root), CLIENT.root, documents=units, data=data)
