"""SQL stands in queries.sql, named; Python holds no statements of its own.

A block begins with `-- name: word` and ends with the next one.
"""

import re
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_HEAD = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    r"""Return the statements of a file by their names.

    >>> parse("-- name: one\nSELECT 1;\n-- name: two\nSELECT 2;\n")
    {'one': 'SELECT 1', 'two': 'SELECT 2'}
    """
    parts = _HEAD.split(text)
    return {name: body.strip().rstrip(";") for name, body in zip(parts[1::2], parts[2::2], strict=True)}


@cache
def queries() -> MappingProxyType[str, str]:
    """Return every named statement of spool/queries.sql."""
    return MappingProxyType(parse(files("spool").joinpath("queries.sql").read_text("utf-8")))
