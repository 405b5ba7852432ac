"""Names for the types of lxml that it gives no public name."""

from collections.abc import Callable
from operator import attrgetter
from typing import TypeAlias

from lxml import etree

Element: TypeAlias = etree._Element  # noqa: SLF001  lxml gives its element type no public name
# The tree that we read holds elements only, and their tags are strings: the parser has left out all else.
tag_of: Callable[[Element], str] = attrgetter("tag")
