"""The spectrum of CSV, as the package csv-spectrum has it, is read as it is meant."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from mapping.cells import Broken
from mapping.decoding import encoding_of
from mapping.texts import rows_of

FOLDER = Path(__file__).with_name("data") / "csv-spectrum"
CASES = sorted(file.stem for file in FOLDER.glob("*.csv"))


def read(case: str) -> list[dict[str, str]]:
    file = io.BytesIO((FOLDER / f"{case}.csv").read_bytes())
    encoding = encoding_of(file)
    assert isinstance(encoding, str)
    headings, *rows = [cells for _, cells in rows_of(file, encoding, ",")]
    assert not isinstance(headings, Broken)
    assert not any(isinstance(cells, Broken) for cells in rows)
    return [dict(zip(headings, cells, strict=True)) for cells in rows if cells]


def meant(case: str) -> list[dict[str, str]]:
    told: Any = json.loads((FOLDER / f"{case}.json").read_text("utf-8"))
    return told if isinstance(told, list) else [told]


@pytest.mark.parametrize("case", CASES)
def test_a_file_means_what_its_json_says(case: str) -> None:
    rows, expected = read(case), meant(case)
    if case == "location_coordinates":  # the package contradicts itself about the telephone number
        for row in (*rows, *expected):
            del row["Contact Phone Number"]
    assert rows == expected


def test_the_whole_spectrum_is_here() -> None:
    assert len(CASES) == 12
