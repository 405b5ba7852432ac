"""The dialect of the exchange office: how records become data files, and how feedback files read.

A batch is a folder named as its control file (T).  It holds the control file, the data files that it lists, and
Token.lock, which is written last: a folder without it is not whole yet, on either side.  Every file is XML in gb18030.
Records are written one by one as they stand in our sealed messages, so a file of any length is built in flat memory,
and the same messages give the same bytes.

**Known limits.**  The rule book (数据采集规范) was met only through programs that follow it: that Token.lock comes
last, and that feedback comes under the names of the data files in a folder named as their control file, is our
reading.  The newer web-service form is not spoken.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from message_specs.document import Element, tag_of
from message_specs.limits import Limits
from message_specs.parsing import Unreadable, parse
from spool.errors import OurMistake

TOKEN: Final = "Token.lock"  # noqa: S105  the name of a file
CONTROL: Final = "T"
MOST_FILES: Final = 99
"""The last two digits of a name count the files of a type on a day."""
ENCODING: Final = "gb18030"
_NAME: Final = re.compile(r"(?P<app>BOP|JSH)(?P<type>[A-Z])(?P<who>[0-9A-Z]{12})(?P<day>\d{6})(?P<serial>\d{2})\.XML")
_RECORD: Final = re.compile(rb"<fx:REC>(.*?)</fx:REC>", re.DOTALL)
_PREFIX: Final = re.compile(rb"<(/?)fx:")
_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["'][^>]*\?>""")
_FAMILY: Final = ("gb18030", "gbk", "gb2312")
_END: Final = b"</MSG>"
_COUNT_DIGITS: Final = 9


class RecordsMissing(OurMistake):
    """A sealed message does not hold the records that the ledger says it holds"""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a file, in its parts."""

    app: str
    type: str
    institution: str
    day: str
    serial: int

    def __str__(self) -> str:
        """Return the whole name.

        >>> str(Name("BOP", "A", "330100000101", "261122", 1))
        'BOPA33010000010126112201.XML'
        """
        return f"{self.app}{self.type}{self.institution}{self.day}{self.serial:02d}.XML"

    @property
    def folder(self) -> str:
        """The name of the folder whose control file this is."""
        return str(self).removesuffix(".XML")


def name_of(text: str) -> Name | None:
    """Return the parts of a file's name; None where it is none.

    >>> name_of("BOPT33010000010126112207.XML").serial, name_of("ORDERS.XML")
    (7, None)
    """
    found = _NAME.fullmatch(text)
    return Name(found["app"], found["type"], found["who"], found["day"], int(found["serial"])) if found else None


def kind_of(spec: str) -> tuple[str, str]:
    """Return the application and the type of file in which records of a spec travel.

    >>> kind_of("BOPA"), kind_of("JSHD")
    (('BOP', 'A'), ('JSH', 'D'))
    """
    return spec[:3], spec[3:]


def day_of(on: date) -> str:
    """Return a day as names write it.

    >>> day_of(date(2026, 11, 22))
    '261122'
    """
    return f"{on:%y%m%d}"


def records_in(sealed: bytes) -> Iterator[bytes]:
    """Yield each record of one of our sealed messages as the office reads it, in UTF-8.

    >>> list(records_in(b"<fx:BOPA><fx:REC><fx:RPTNO>1</fx:RPTNO></fx:REC></fx:BOPA>"))
    [b'<REC><RPTNO>1</RPTNO></REC>']
    """
    for found in _RECORD.finditer(sealed):
        yield b"<REC>" + _PREFIX.sub(rb"<\1", found[1]) + b"</REC>"


def data_file(app: str, kind: str, count: int, messages: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a data file message by message; RecordsMissing where they do not hold `count` records."""
    yield _encoded(f"{_head(app, kind, 'IN')}<TOTALRECORDS>{count}</TOTALRECORDS>\n<RECORDS>\n")
    written = 0
    for sealed in messages:
        records = list(records_in(sealed))
        written += len(records)
        yield _encoded("\n".join([*(one.decode() for one in records), ""]))
    if written != count:
        raise RecordsMissing(f"{app}{kind}: {written} of {count}")
    yield _encoded("</RECORDS>\n</MSG>\n")


def control_file(app: str, names: Iterable[str]) -> bytes:
    """Return the control file that lists these data files."""
    listed = list(names)
    lines = "".join(f"<FILENAME>{name}</FILENAME>\n" for name in listed)
    total = f"<TOTALFILES>{len(listed)}</TOTALFILES>\n<FILES>\n{lines}</FILES>\n</MSG>\n"
    return _encoded(_head(app, CONTROL, "IN") + total)


def _head(app: str, kind: str, inout: str) -> str:
    declared = f'<?xml version="1.0" encoding="{ENCODING}"?>\n<MSG>\n'
    return f"{declared}<APPTYPE>{app}</APPTYPE>\n<CURRENTFILE>{app}{kind}</CURRENTFILE>\n<INOUT>{inout}</INOUT>\n"


def _encoded(text: str) -> bytes:
    return text.encode(ENCODING)


def is_whole(tail: bytes) -> bool:
    """Tell whether a file that ends like this has come to its end."""
    return tail.rstrip().endswith(_END)


class WrongEncoding(ValueError):  # noqa: N818  named for what is true
    """These bytes are not in the encoding that the office writes"""


def text_of(data: bytes) -> str:
    """Return the text of a file of the office; WrongEncoding says what is wrong with its bytes.

    >>> text_of('<?xml version="1.0" encoding="GB18030"?><MSG>退回</MSG>'.encode("gb18030"))
    '<MSG>退回</MSG>'
    >>> text_of('<?xml version="1.0" encoding="GB18030"?><MSG>退回</MSG>'.encode())
    Traceback (most recent call last):
    adapters.fx.WrongEncoding: GB18030 is declared, but the bytes are UTF-8
    """
    found = _DECLARED.match(data)
    declared = found[1].decode("ascii") if found else "nothing"
    if declared.lower() not in _FAMILY:
        raise WrongEncoding(f"{declared} is declared")
    if not data.isascii() and _is_utf8(data):
        raise WrongEncoding(f"{declared} is declared, but the bytes are UTF-8")
    assert found is not None
    try:
        return data[found.end() :].decode(ENCODING)
    except UnicodeDecodeError as error:
        raise WrongEncoding(f"byte {data[found.end() + error.start]:#04x} at {found.end() + error.start}") from None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class NotOfTheOffice(ValueError):  # noqa: N818  named for what is true
    """This is no file of the office; the text says why"""


@dataclass(frozen=True, slots=True)
class Control:
    """What a control file says: how many files it counts, and which it lists."""

    total: int
    files: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether it counts as many files as it lists, each once."""
        return self.total == len(self.files) == len(set(self.files))


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that the office refused: its number and every reason."""

    report: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the office says about one data file."""

    current: str
    format_errors: int
    formats: tuple[str, ...]
    total: int
    good: int
    bad: int
    refused: tuple[Refused, ...]

    @property
    def trouble(self) -> str:
        """How its counts disagree, "" where they do not."""
        if self.good + self.bad != self.total:
            return f"{self.good} + {self.bad} ≠ {self.total}"
        named = len({one.report for one in self.refused})
        return "" if self.bad == named == len(self.refused) else f"FALRECORDS {self.bad}, REC {len(self.refused)}"


def read_control(data: bytes) -> Control:
    """Return what a control file says; WrongEncoding or NotOfTheOffice."""
    root = _root(data)
    names = tuple((one.text or "").strip() for one in root.iter("FILENAME"))
    return Control(_count(root, "TOTALFILES"), names)


def read_feedback(data: bytes, limits: Limits = Limits()) -> Feedback:  # noqa: B008  frozen
    """Return what a feedback file says; WrongEncoding or NotOfTheOffice."""
    root = _root(data, limits)
    texts = {tag_of(one): (one.text or "").strip() for one in root}
    if texts.get("INOUT") != "OUT":
        raise NotOfTheOffice(f"INOUT {texts.get('INOUT', '')}")
    refused = tuple(_refused(one) for one in root.iterfind("ERRRECORDS/REC"))
    formats = tuple((one.text or "").strip() for one in root.iterfind("FORMATS/FORMAT"))
    return Feedback(
        texts.get("CURRENTFILE", ""), _count(root, "FORMATERRS"), formats,
        _count(root, "TOTALRECORDS"), _count(root, "SUCRECORDS"), _count(root, "FALRECORDS"), refused,
    )  # fmt: skip


def _refused(record: Element) -> Refused:
    told: Mapping[str, str] = {tag_of(one): (one.text or "").strip() for one in record}
    reasons = []
    for one in record.iterfind("ERRFIELDS/ERR"):
        said = {tag_of(leaf): (leaf.text or "").strip() for leaf in one}
        reasons.append(" ".join(filter(None, (said.get(n) for n in ("ERRFIELD", "ERRFIELDCN", "ERRDESC")))))
    return Refused(told.get("RPTNO") or told.get("BUSSNO", ""), tuple(reasons))


def _root(data: bytes, limits: Limits = Limits()) -> Element:  # noqa: B008  frozen
    try:
        root = parse(text_of(data).strip().encode(), limits)
    except Unreadable as reason:
        raise NotOfTheOffice(reason.finding.en) from None
    if root.tag != "MSG":
        raise NotOfTheOffice(f"<{tag_of(root)}>")
    return root


def _count(root: Element, name: str) -> int:
    text = (root.findtext(name) or "").strip()
    # Longer is no count of records, and no number that Python reads gladly.
    if not text.isascii() or not text.isdigit() or len(text) > _COUNT_DIGITS:
        raise NotOfTheOffice(f"{name} {text[:40]}")
    return int(text)
