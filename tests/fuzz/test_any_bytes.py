"""Any bytes at all, as CSV, workbook or XML, end in findings or documents; good files with bytes changed too."""

import io
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, good_book, good_document, table, with_part

KINDS = ("csv", "tsv", "xlsx", "xls", "ods")
OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
MAGIC = st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"\xef\xbb\xbf", b"<"])
MESSAGES = ("message", "reply")


@st.composite
def changed(draw: st.DrawFn, good: bytes) -> bytes:
    """These bytes with some of them cut, put in, turned over or said twice."""
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(good)))
        end = place + draw(st.sampled_from([0, 1, 2, 8, 64, 100_000]))
        middle = draw(st.one_of(st.binary(max_size=8), st.sampled_from([good[place:end] * 2, b"<", b"\xff" * 4])))
        good = good[:place] + middle + good[end:]
    return good


@OFTEN
@given(MAGIC, st.binary(max_size=600), st.sampled_from(KINDS))
def test_any_bytes_as_a_table(magic: bytes, data: bytes, kind: str) -> None:
    table(magic + data, f"a.{kind}")


@OFTEN
@given(st.text(alphabet=",\t;|\"'\r\n\0\x85\u2028订单编号货a1E+.-&<\ufeff", max_size=200), st.booleans())
def test_any_text_below_good_headings(text: str, is_gb: bool) -> None:
    from tests.mapping.tables import HEADINGS

    table((",".join(HEADINGS) + "\r\n" + text).encode("gb18030" if is_gb else "utf-8"), "a.csv")


@pytest.mark.parametrize("name", MESSAGES)
@OFTEN
@given(data=st.binary(max_size=400))
def test_any_bytes_as_a_message(name: str, data: bytes) -> None:
    TARGETS[name].take(data)
    TARGETS[name].take(b"<" + data)


@pytest.mark.parametrize("name", TARGETS)
@OFTEN
@given(data=st.data())
def test_good_bytes_with_some_of_them_changed(name: str, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(list(TARGETS[name].seeds())))
    TARGETS[name].take(data.draw(changed(good)))


@OFTEN
@given(st.data())
def test_a_workbook_with_one_of_its_parts_changed(data: st.DataObject) -> None:
    book, kind = data.draw(st.sampled_from([(good_book(), "xlsx"), (good_document(), "ods")]))
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        name = data.draw(st.sampled_from(archive.namelist()))
        body = data.draw(changed(archive.read(name)))
    table(with_part(book, name, body), f"a.{kind}")
