"""The verification service in a box is as strict as a vendor, and its book tells who was asked about."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.identity_dialects import request_of
from adapters.simulators.identity import main, pair_of
from tests.adapters.simulators.identity_box import ENDINGS, NAME, IdentityBox, number_for

NUMBER = number_for("MATCH")
GOOD = request_of("generic", NAME, NUMBER)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[IdentityBox]:
    made = IdentityBox(tmp_path)
    yield made
    made.end()


def test_the_last_digits_decide_unless_the_table_names_the_number(box: IdentityBox) -> None:
    box.start(verdicts={number_for("MISMATCH"): "LIMIT"})
    said = {verdict: box.post(request_of("generic", NAME, number_for(verdict))) for verdict in ENDINGS}
    expected = {verdict: (200, {"result": verdict}) for verdict in ENDINGS} | {"MISMATCH": (200, {"result": "LIMIT"})}
    assert said == expected
    assert [(line["pair"], line["verdict"]) for line in box.book()] == [
        (pair_of(NAME, number_for(verdict)), expected[verdict][1]["result"]) for verdict in ENDINGS
    ]
    assert NUMBER not in (box.place / "state/book.jsonl").read_text("utf-8")


def test_a_number_that_fails_its_check_digit_is_bad_input(box: IdentityBox) -> None:
    box.start()
    assert box.post(request_of("generic", NAME, "11204416541220243X")) == (200, {"result": "BAD_INPUT"})


def test_what_a_vendor_would_refuse_is_refused_and_not_booked(box: IdentityBox) -> None:
    box.start()
    assert [
        box.post(GOOD, token="another"),
        box.post(GOOD, path="/more"),
        box.post(GOOD, kind="text/plain"),
        box.post({**GOOD, "sha256": "0" * 64}),
        box.post({**GOOD, "more": "1"}),
        box.post({"name": NAME}),
        box.post({**GOOD, "name": ""}),
        box.post([GOOD]),
    ] == [
        (401, {"error": "token"}),
        *[
            (400, {"error": what})
            for what in ("path", "content type", "digest", "fields", "fields", "values", "fields")
        ],
    ]
    assert box.post(b"{")[0] == 400
    assert box.book() == []


def test_a_file_that_cannot_be_understood_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "identity.toml"
    for text, told in (("", "missing key"), ('state = "s"\ntoken = "t"\nmore = 1', "more"), ("=", "Invalid")):
        file.write_text(text)
        assert main(["--config", str(file)]) == 2
        assert told in capsys.readouterr().err
    file.write_text('state = "s"\ntoken = "t"\n')
    assert main(["--config", str(file), "--behaviour", "sings"]) == 2
