"""What the files say of revisions by their days, beyond its shape."""

from collections.abc import Iterator
from datetime import date

from gateway.config_authorities import RevisionSince
from gateway.config_files import Problem, Source


def of_revisions(source: Source, lines: tuple[RevisionSince, ...]) -> Iterator[Problem]:
    """Yield what is wrong with an authority's revisions: the earliest comes first, and there is one at least."""
    days = [one.since or date.min for one in lines]
    if not lines or days != sorted(set(days)):
        cure = 'The earliest first: [{ code = "2018" }, { code = "202205", since = 2022-05-01 }]'
        yield source.problem(("revision",), "the revisions do not follow each other by their days", cure)
