"""The short way through a good document says exactly what the long way says, or does not apply."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_specs.document import Document
from message_specs.opening import open_message
from tests import samples

GOOD = sorted(Path("message_specs/ceb/samples/good").glob("CEB?[12]1*.xml"))
LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXT = st.text(LETTERS, min_size=1, max_size=25)


def both_ways(data: bytes) -> None:
    opened = open_message(data)
    assert opened.findings == ()
    for document in opened.documents:
        long = replace(document, good=False)
        paths = (*document.spec.key, *document.spec.reply_key, f"{document.spec.key[0].partition('/')[0]}/nothing")
        assert document.good
        assert told(document, paths) == told(long, paths)


def told(document: Document, paths: tuple[str, ...]) -> tuple[object, ...]:
    texts = [document.text(path) for path in paths]
    return document.head, document.lines, document.canonical(), texts, document.key, document.reply_key


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_every_good_sample_reads_the_same_both_ways(file: Path) -> None:
    both_ways(file.read_bytes())


@given(TEXT, TEXT)
def test_any_text_reads_the_same_both_ways(note: str, name: str) -> None:
    escaped = note.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")
    data = samples.order(7)
    start = data.index(b"<ceb:buyerName>") + 15
    end = data.index(b"</ceb:buyerName>")
    inside = f"<![CDATA[{name.replace(']]>', '')}]]>{escaped}".encode()
    both_ways(data[:start] + inside + data[end:])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<ceb:OrderList>", b"\n\t <ceb:OrderList>\n  "),
        (b"</ceb:OrderHead>", b"\n\r\n</ceb:OrderHead> "),
        (b"<ceb:buyerName>", b"<ceb:buyerName> \t\n"),
        (b"<ceb:buyerName>", b"<ceb:buyerName>&#13;&lt;a&gt;&amp;amp;&quot;"),
        (b"<ceb:buyerName>", "<ceb:buyerName>\u3000\u0085\u2028> ".encode()),
        (b"<ceb:OrderHead>", b"<ceb:OrderHead><!-- why -->"),
        (b"<ceb:buyerName>", b"<ceb:buyerName><!-- why -->"),
        (b"<ceb:OrderHead>", b'<ceb:OrderHead xmlns:x="urn:x">'),
        (b"<ceb:buyerName>", b'<ceb:buyerName xmlns:ceb="http://www.chinaport.gov.cn/ceb" >'),
        (b"<ceb:currency>142</ceb:currency>", b"<ceb:currency/>"),
        (b"<ceb:currency>142</ceb:currency>", b"<ceb:currency></ceb:currency>"),
        (b"<ceb:Order>", b'<ceb:Order xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'),
        (b"<ceb:", b"<other:"),
    ],
)  # fmt: skip
def test_unusual_writing_reads_the_same_both_ways(before: bytes, after: bytes) -> None:
    data = samples.order(7)
    if after == b"<other:":
        data = data.replace(b"ceb:", b"other:").replace(b"xmlns:ceb", b"xmlns:other")
    else:
        data = data.replace(before, after, 1)
    opened = open_message(data)
    assert opened.findings == ()
    (document,) = opened.documents
    long = replace(document, good=False)
    assert told(document, document.spec.key) == told(long, document.spec.key)


def test_a_usual_document_goes_the_short_way() -> None:
    (document,) = open_message(samples.order(7)).documents
    assert document.canonical()
    assert document.good
