"""What one partner may see of another's document: amounts and numbers of the trade, but no person.

match.csv says for each rule what its values are: `full` may be seen, `name`, `number` (of an identity or a
telephone) and `address` are shown as far as one who knows them recognises them.
"""

from collections.abc import Callable, Mapping

_LAST = 4
_FIRST = 6


def _name(text: str) -> str:
    return f"{text[:1]}*" if len(text) > 1 else "*"


def _number(text: str) -> str:
    hidden = len(text) - _LAST
    return "*" * hidden + text[-_LAST:] if hidden >= _LAST else "*" * len(text)


def _address(text: str) -> str:
    return f"{text[:_FIRST]}***" if len(text) > _FIRST * 2 else "***"


_WAYS: Mapping[str, Callable[[str], str]] = {
    "full": lambda text: text,
    "name": _name,
    "number": _number,
    "address": _address,
    "hidden": lambda text: "***" if text else "",
}


def masked(shown: str, text: str) -> str:
    """The text as far as another partner may see it.

    >>> masked("full", "12.50"), masked("name", "张三丰"), masked("number", "330199195102020018")
    ('12.50', '张*', '**************0018')
    >>> masked("address", "浙江省杭州市云栖新区栖云路8号801室"), masked("number", "12345"), masked("name", "")
    ('浙江省杭州市***', '*****', '')
    >>> masked("hidden", "12.50"), masked("name", "张")
    ('***', '*')
    """
    return _WAYS[shown](text.strip()) if text.strip() else ""
