"""The verbs that reckon: sums, products and totals, in Decimal wide enough for any product of two amounts.

Each verb reads its words from a rule once and gives a check, which answers with the troubles it sees.
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Context, Decimal, InvalidOperation

from message_specs import codes
from message_specs.places import Arguments, Check, Place, Texts, Trouble, place, places

_WIDE = Context(prec=64)
_NOTHING = Decimal(0)
_YUAN = "142"
_TERM = re.compile(r"([+-]?)\s*([\w/]+)")


def amount(text: str | None) -> Decimal:
    """The number a text writes; an absent, empty or unreadable text counts as 0.

    >>> amount(" 12.50 "), amount(None), amount("many")
    (Decimal('12.50'), Decimal('0'), Decimal('0'))
    """
    try:
        return Decimal(text) if text else _NOTHING
    except InvalidOperation:
        return _NOTHING


def number(text: Decimal) -> str:
    """A number as people write it.

    >>> number(Decimal("100.00")), number(Decimal("0.50")), number(Decimal("1E+2"))
    ('100', '0.5', '100')
    """
    return f"{text.normalize(_WIDE):f}"


def _differs(that: Place, head: Texts, expected: Decimal, formula: str) -> Sequence[Trouble]:
    found = head.get(that.name)
    if amount(found) == expected:
        return ()
    return (Trouble(that.path(1), found, {"expected": number(expected), "formula": formula}),)


def sum_(arguments: Arguments) -> Check:
    """One amount of the head equals a sum and difference of others.

    >>> check = sum_({"that": "OrderHead/acturalPaid", "is": "OrderHead/goodsValue - OrderHead/discount"})
    >>> check({"acturalPaid": "9.00", "goodsValue": "10", "discount": "1"}, [], None)
    ()
    >>> check({"acturalPaid": "10", "goodsValue": "10", "discount": "1"}, [], None)[0].words["expected"]
    '9'
    """
    [that] = places(arguments)
    formula = str(arguments["is"])
    terms = [(place(path).name, sign == "-") for sign, path in _TERM.findall(formula)]
    told = re.sub(r"\w+/", "", formula)

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        expected = _NOTHING
        for leaf, minus in terms:
            part = amount(head.get(leaf))
            expected = _WIDE.subtract(expected, part) if minus else _WIDE.add(expected, part)
        return _differs(that, head, expected, told)

    return check


def product(arguments: Arguments) -> Check:
    """In every line one amount is the product of two others, `within` a tolerance for rounded prices.

    >>> check = product({"that": "OrderList/totalPrice", "is": "OrderList/price * OrderList/qty", "within": "0.01"})
    >>> check({}, [{"price": "3.33333", "qty": "3", "totalPrice": "10"}], None)
    []
    >>> check({}, [{"price": "3", "qty": "3", "totalPrice": "10"}], None)[0].path
    'OrderList[1]/totalPrice'
    """
    [that] = places(arguments)
    name = that.name
    one, other = (place(path).name for path in str(arguments["is"]).split("*"))
    within = Decimal(str(arguments.get("within", "0")))

    def check(_head: Texts, lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        found = []
        for ordinal, line in enumerate(lines, 1):
            expected = _WIDE.multiply(amount(line.get(one)), amount(line.get(other)))
            total = amount(line.get(name))
            if total != expected and abs(_WIDE.subtract(total, expected)) > within:
                words = {"expected": number(expected), "formula": f"{one} × {other}"}
                found.append(Trouble(that.path(ordinal), line.get(name), words))
        return found

    return check


def total_of_lines(arguments: Arguments) -> Check:
    """An amount of the head is the total of one amount of all lines.

    >>> check = total_of_lines({"that": "OrderHead/goodsValue", "is": "OrderList/totalPrice"})
    >>> check({"goodsValue": "3"}, [{"totalPrice": "1.5"}, {"totalPrice": "1.50"}], None)
    ()
    """
    [that] = places(arguments)
    [each] = places(arguments, "is")
    leaf = each.name

    def check(head: Texts, lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        expected = _NOTHING
        for line in lines:
            expected = _WIDE.add(expected, amount(line.get(leaf)))
        return _differs(that, head, expected, f"Σ {leaf}")

    return check


def not_above(arguments: Arguments) -> Check:
    """Of two figures of the head the one is at most the other, where both are given.

    >>> check = not_above({"that": "InventoryHead/netWeight", "is": "InventoryHead/grossWeight"})
    >>> check({"netWeight": "1.5", "grossWeight": "1.50"}, [], None), check({"netWeight": "1"}, [], None)
    ((), ())
    >>> check({"netWeight": "2", "grossWeight": "1.50"}, [], None)[0].words
    {'other': 'grossWeight', 'limit': '1.50'}
    """
    [that] = places(arguments)
    [most] = places(arguments, "is")

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        found, limit = head.get(that.name), head.get(most.name)
        if not found or not limit or amount(found) <= amount(limit):
            return ()
        return (Trouble(that.path(1), found, {"other": most.name, "limit": limit}),)

    return check


def within_limit(arguments: Arguments) -> Check:
    """An amount of the head, or the total of one amount of all lines, is within a dated limit in yuan.

    What is in another `currency` than yuan is not judged.

    >>> check = within_limit({"that": "OrderHead/goodsValue", "limit": "single_purchase"})
    >>> check({"goodsValue": "5000.00"}, [], date(2026, 11, 21))
    ()
    >>> check({"goodsValue": "5000.01"}, [], date(2026, 11, 21))[0].words
    {'limit': '5000', 'limit_zh': '单次交易限值', 'total': '5000.01'}
    >>> total = within_limit({"that": "L/List/totalPrice", "limit": "export_list", "currency": "L/List/currency"})
    >>> lines = [{"totalPrice": "3000", "currency": "142"}, {"totalPrice": "3000", "currency": "502"}]
    >>> total({}, lines, date(2026, 11, 21)), total({}, lines[:1] * 2, date(2026, 11, 21))[0].path
    ((), 'L/List[1]/totalPrice')
    """
    [that] = places(arguments)
    limit = str(arguments["limit"])
    currency = places(arguments, "currency")[0].name if "currency" in arguments else ""

    def check(head: Texts, lines: Sequence[Texts], today: date) -> Sequence[Trouble]:
        known = codes.limit_on(limit, today)
        asked = lines if that.in_lines else (head,)
        if known is None or (currency and any(one.get(currency) != _YUAN for one in asked)):
            return ()
        total = _NOTHING
        for one in asked:
            total = _WIDE.add(total, amount(one.get(that.name)))
        if total <= known[1]:
            return ()
        words = {"limit": number(known[1]), "limit_zh": known[0], "total": number(total)}
        return (Trouble(that.path(1), asked[0].get(that.name), words),)

    return check
