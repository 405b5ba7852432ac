"""The sheets for people name every field in both languages and lose none; a change of revision is told whole."""

import csv

import pytest

from message_specs.catalog import REVISIONS, catalog
from message_specs.sheets import changes, sheet
from message_specs.tables import FOLDER, revisions_of

PUBLISHED = [(spec.root, revision) for spec in catalog().specs.values() for revision in revisions_of(spec.root)]
ROWS = [
    row
    for file in sorted(FOLDER.glob("*/fields.csv"))
    for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())
]


@pytest.mark.parametrize(("message", "revision"), PUBLISHED)
def test_every_field_is_a_line_with_its_names(message: str, revision: str) -> None:
    lines = sheet(message, revision)
    rows = [row for row in ROWS if (row["message"], row["revision"]) == (message, revision)]
    assert sorted(line.path for line in lines) == sorted(row["path"] for row in rows)
    published = {row["path"]: row["zh_name"] for row in rows}
    for line in lines:
        assert line.zh == (published[line.path] or line.zh) != ""
        assert line.en.isascii()
        assert line.en


def test_no_name_is_for_nothing_and_none_is_given_twice() -> None:
    given = [row["name"] for row in csv.DictReader((FOLDER / "field_names.csv").read_text("utf-8").splitlines())]
    assert sorted(given) == sorted({row["path"].rpartition("/")[2] for row in ROWS})


@pytest.mark.parametrize("message", [message for message, revision in PUBLISHED if revision == "2018"])
def test_a_change_is_told_where_the_rows_differ_and_nowhere_else(message: str) -> None:
    facts = [
        {
            # A least length of 0 says the same as none.
            row["path"]: {**row, "minLength": row["minLength"].strip("0"), "revision": "", "order": "", "zh_name": ""}
            for row in ROWS
            if (row["message"], row["revision"]) == (message, revision)
        }
        for revision in REVISIONS
    ]
    differ = {path for path in {*facts[0], *facts[1]} if facts[0].get(path) != facts[1].get(path)}
    assert {change.path for change in changes(message, *REVISIONS)} == differ
