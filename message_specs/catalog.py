"""The catalog of every spec we know, found by code or by the root element of a message; and the revisions by date."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from message_specs.spec import Spec, read_spec

REVISIONS = ("2018", "202205")
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Catalog:
    """Specs by their code, and by the local name of their root element."""

    specs: Mapping[str, Spec]
    roots: Mapping[str, Spec]
    revisions: tuple[str, ...] = REVISIONS

    def by_root(self, local_name: str) -> Spec | None:
        """The spec whose messages have this root element, if we know one."""
        return self.roots.get(local_name)

    def by_code(self, code: str) -> Spec | None:
        """The spec of this code, if we know it."""
        return self.specs.get(code)

    def called(self, name: str) -> Spec | None:
        """The spec that a person means: by code, by root or by the number alone, in any case.

        >>> [getattr(catalog().called(name), "code", None) for name in ("ceb311", "CEB311Message", "311", "31")]
        ['CEB311', 'CEB311', 'CEB311', None]
        """
        asked = name.lower().removesuffix("message")
        found = (one for code, one in self.specs.items() if asked in (code.lower(), code.lower().removeprefix("ceb")))
        return next(found, None)


def read_catalog(folder: Path) -> Catalog:
    """The catalog of every TOML file that stands in a family's folder below this one."""
    specs = [read_spec(file) for file in sorted(folder.glob("*/*.toml"))]
    return Catalog({spec.code: spec for spec in specs}, {spec.root: spec for spec in specs})


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """The catalog that comes with Kouan, read once a process."""
    return read_catalog(_FOLDER)


@cache
def _dated() -> tuple[tuple[str, date], ...]:
    with (_FOLDER / "revisions.csv").open(encoding="utf-8", newline="") as source:
        rows = [(row["revision"], row["since"]) for row in csv.DictReader(source)]
    return tuple((revision, date.fromisoformat(since) if since else date.min) for revision, since in rows)


def revision_on(day: date) -> str:
    """The revision in which a message of that day is read where nobody says otherwise.

    Both call themselves version 1.0 of one namespace, so no message tells; the days in revisions.csv are our choice.

    >>> revision_on(date(2022, 4, 30)), revision_on(date(2022, 5, 1))
    ('2018', '202205')
    """
    return [revision for revision, since in _dated() if since <= day][-1]
