"""Where a rule looks, and what it hands back when it finds something.

Paths are `Group/leaf`; a group whose name holds `List` (`OrderList`, `TaxListRd`) means every
line, and BaseSubscribe every subscriber.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple


class Trouble(NamedTuple):
    """One place where a rule is broken: path below the document, value found, words for the wording."""

    path: str
    value: str | None
    words: Mapping[str, str] = {}


class Place(NamedTuple):
    """A leaf that a rule looks at: its group, its name, and whether the group is a list of lines."""

    group: str
    name: str
    in_lines: bool

    def path(self, ordinal: int) -> str:
        """The path below the document, with the ordinal of the line where it stands in one."""
        if self.in_lines:
            return f"{self.group}[{ordinal}]/{self.name}"
        return f"{self.group}/{self.name}" if self.group else self.name


Texts = Mapping[str, str]
Arguments = Mapping[str, object]
Check = Callable[[Texts, Sequence[Texts], date], Sequence[Trouble]]


def place(path: str) -> Place:
    """The place that a path of a rule names.

    >>> place("OrderList/price").path(2), place("OrderHead/freight").path(1), place("returnTime").path(1)
    ('OrderList[2]/price', 'OrderHead/freight', 'returnTime')
    """
    group, _, name = path.strip().rpartition("/")
    return Place(group, name, "List" in group or group == "BaseSubscribe")


def places(arguments: Arguments, word: str = "that") -> tuple[Place, ...]:
    """The places a rule gives under a word, one or several."""
    given = arguments[word]
    return tuple(place(str(path)) for path in (given if isinstance(given, list | tuple) else (given,)))


def texts(arguments: Arguments, word: str) -> tuple[str, ...]:
    """The texts a rule gives under a word, one or several.

    >>> texts({"has": ["9610", "1210"], "is": 1}, "has"), texts({"is": 1}, "is")
    (('9610', '1210'), ('1',))
    """
    given = arguments[word]
    return tuple(str(text) for text in (given if isinstance(given, list | tuple) else (given,)))
