"""What a column may be called in a table of imports it may be called in the table of exports that is its twin."""

import pytest

from mapping.map_check import load_map
from mapping.table import fetch_shipped

_ASIDE = {"country", "ieDate", "portCode"}
"""Goods come from there and go there: these have words of their own."""


def named(name: str) -> dict[tuple[bool, str], set[str]]:
    """The headings of a map, by the field that they fill and whether it is one of the lines."""
    told, _ = load_map(name, fetch_shipped(name) or "")
    assert told is not None
    found: dict[tuple[bool, str], set[str]] = {}
    for line in told.lines:
        unit, _, leaf = line.path.rpartition("/")
        found.setdefault((unit.endswith("List"), leaf), set()).update(line.columns)
    return found


@pytest.mark.parametrize(
    ("imports", "exports"),
    [
        ("orders-311", "orders-303"), ("payments-411", "receipts-403"), ("waybills-511", "waybills-505"),
        ("inventories-621", "inventories-603"),
    ],
)  # fmt: skip
def test_no_heading_is_known_in_imports_alone(imports: str, exports: str) -> None:
    ours, theirs = named(imports), named(exports)
    lacking = {
        place: names - theirs[place]
        for place, names in ours.items()
        if place in theirs and theirs[place] and place[1] not in _ASIDE and names - theirs[place]
    }
    assert lacking == {}
