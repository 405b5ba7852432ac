"""The verbs that judge single fields: form, code, check digit, presence; and the numbers of lines.

Each verb reads its words from a rule once and gives a check.  A check is handed the leaf texts of a
document's head, those of its lines, and the day; it answers with the troubles it sees, if any.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date

from message_specs import codes, identity
from message_specs.amounts import amount
from message_specs.places import Arguments, Check, Texts, Trouble, places, texts

Test = Callable[[str, date], bool]

_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def each(arguments: Arguments, passes: Test, *, absent_too: bool = False, **words: str) -> Check:
    """Every text at the rule's places passes the test; absent and empty ones are asked with `absent_too` only."""
    that = places(arguments)
    of_head = [place for place in that if not place.in_lines]
    of_lines = [place for place in that if place.in_lines]

    def check(head: Texts, lines: Sequence[Texts], today: date) -> Sequence[Trouble]:
        found = []
        for place in of_head:
            text = head.get(place.name, "")
            if (text or absent_too) and not passes(text, today):
                found.append(Trouble(place.path(1), head.get(place.name), words))
        for place in of_lines:
            for ordinal, line in enumerate(lines, 1):
                text = line.get(place.name, "")
                if (text or absent_too) and not passes(text, today):
                    found.append(Trouble(place.path(ordinal), line.get(place.name), words))
        return found

    return check


def is_moment(text: str) -> bool:
    """Whether the text is a time of the calendar, written YYYYMMDDhhmmss.

    >>> is_moment("20261121093000"), is_moment("20190387041959"), is_moment("20261121240000")
    (True, False, False)
    """
    return (
        len(text) == 14
        and identity.is_date(text[:8])
        and text.isdigit()
        and text[8:10] < "24"
        and text[10:12] < "60"
        and text[12:] < "60"
    )


_FORMS: dict[str, Callable[[str], bool]] = {
    "YYYYMMDDhhmmss": is_moment,
    "YYYYMMDD": identity.is_date,
    "digits": lambda text: text.isascii() and text.isdigit(),
    "guid": lambda text: _GUID.fullmatch(text) is not None,
}


def format_(arguments: Arguments) -> Check:
    """Every text is of a form: `like` one we know by name, or a `pattern` of its own.

    >>> check = format_({"that": "OrderHead/appTime", "like": "YYYYMMDDhhmmss"})
    >>> check({"appTime": "20190387041959"}, [], None)[0].value
    '20190387041959'
    """
    if "pattern" in arguments:
        matches = re.compile(str(arguments["pattern"])).fullmatch
        return each(arguments, lambda text, _: matches(text) is not None)
    form = str(arguments["like"])
    passes = _FORMS[form]
    return each(arguments, lambda text, _: passes(text), form=form)


def one_of(arguments: Arguments) -> Check:
    """Every text is one of a few.

    >>> check = one_of({"that": "OrderHead/appType", "values": ["1", "2", "3"]})
    >>> check({"appType": "2"}, [], None), check({"appType": "4"}, [], None)[0].words
    ([], {'expected': '1, 2, 3'})
    """
    values = texts(arguments, "values")
    allowed = frozenset(values)
    return each(arguments, lambda text, _: text in allowed, expected=", ".join(values))


def none_of(arguments: Arguments) -> Check:
    """No text is one of these.

    >>> none_of({"that": "InvtRefundHead/country", "values": "142"})({"country": "142"}, [], None)[0].value
    '142'
    """
    barred = frozenset(texts(arguments, "values"))
    return each(arguments, lambda text, _: text not in barred)


def value_is(arguments: Arguments) -> Check:
    """Every text is the one that is allowed; numbers are compared as numbers.

    >>> check = value_is({"that": "LogisticsHead/packNo", "is": 1})
    >>> check({"packNo": "01"}, [], None), check({"packNo": "2"}, [], None)[0].words
    ([], {'expected': '1'})
    """
    [value] = texts(arguments, "is")
    if isinstance(arguments["is"], int):
        return each(arguments, lambda text, _: text == value or amount(text) == amount(value), expected=value)
    return each(arguments, lambda text, _: text == value, expected=value)


def code(arguments: Arguments) -> Check:
    """Every text is a code that its table knows on the day.

    >>> check = code({"that": "OrderList/unit", "table": "unit"})
    >>> check({}, [{"unit": "035"}, {"unit": "999"}], date(2026, 11, 21))[0].path
    'OrderList[2]/unit'
    """
    table = str(arguments["table"])
    return each(arguments, lambda text, today: text in codes.codes_on(table, today), table=table)


_CHECK_DIGITS: dict[str, Test] = {
    "citizen": lambda text, today: identity.is_citizen_number(text) and identity.is_born(text, today),
    "credit": lambda text, _: identity.is_credit_code(text),
    "party": lambda text, _: identity.is_party_code(text),
}


def check_digit(arguments: Arguments) -> Check:
    """Every text is a right number of its kind: `citizen`, `credit` code, or `party` (customs or credit code).

    What stands under `or` is said instead of a number where there is none.

    >>> check = check_digit({"that": "OrderHead/buyerIdNumber", "kind": "citizen"})
    >>> check({"buyerIdNumber": "11204416541220243X"}, [], None)[0].value
    '112044********243X'
    >>> check_digit({"that": "Receipts/ebpCode", "kind": "party", "or": "无"})({"ebpCode": "无"}, [], None)
    []
    """
    kind = str(arguments["kind"])
    passes = _CHECK_DIGITS[kind]
    instead = frozenset(texts(arguments, "or")) if "or" in arguments else frozenset()
    check = each(arguments, lambda text, today: passes(text, today) or text in instead)
    if kind != "citizen":
        return check
    return lambda head, lines, today: [
        trouble._replace(value=masked(trouble.value or "")) for trouble in check(head, lines, today)
    ]


def masked(text: str) -> str:
    """A citizen number as it may stand in a finding, which many eyes read.

    >>> masked("360426199101010071"), masked("12345")
    ('360426********0071', '*****')
    """
    return f"{text[:6]}{'*' * (len(text) - 10)}{text[-4:]}" if len(text) > 10 else "*" * len(text)


def not_negative(arguments: Arguments) -> Check:
    """No amount is below zero.

    >>> not_negative({"that": "OrderHead/freight"})({"freight": "-0.01"}, [], None)[0].value
    '-0.01'
    """
    return each(arguments, lambda text, _: "-" not in text or amount(text) >= 0)


def positive(arguments: Arguments) -> Check:
    """Every quantity is above zero.

    >>> positive({"that": "OrderList/qty"})({}, [{"qty": "0.0"}], None)[0].path
    'OrderList[1]/qty'
    """
    return each(arguments, lambda text, _: amount(text) > 0)


def given(arguments: Arguments) -> Check:
    """Every field is there and says something.

    >>> [trouble.path for trouble in given({"that": ["A/b", "A/c", "A/d"]})({"b": " ", "c": "x"}, [], None)]
    ['A/b', 'A/d']
    """
    return each(arguments, lambda text, _: bool(text.strip()), absent_too=True)


def absent(arguments: Arguments) -> Check:
    """No field says anything: it is left out or empty.

    >>> absent({"that": "A/b"})({"b": "x"}, [], None)[0].path
    'A/b'
    """
    return each(arguments, lambda text, _: not text.strip())


def unique_in_lines(arguments: Arguments) -> Check:
    """No two lines bear the same value.

    >>> check = unique_in_lines({"that": "OrderList/gnum"})
    >>> check({}, [{"gnum": "1"}, {"gnum": "2"}], None)
    ()
    >>> check({}, [{"gnum": "1"}, {"gnum": "01"}], None)[0].path
    'OrderList[2]/gnum'
    """
    [that] = places(arguments)
    name = that.name

    def check(_head: Texts, lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        values = [(line.get(name) or "").strip().lstrip("0") for line in lines]
        if len(set(values)) == len(values):
            return ()
        return [
            Trouble(that.path(ordinal), lines[ordinal - 1].get(name))
            for ordinal, value in enumerate(values, 1)
            if value in values[: ordinal - 1]
        ]

    return check


def counting(arguments: Arguments) -> Check:
    """The lines are numbered one by one, the first of them by `from` where that is told.

    Only the first number that breaks the row is a trouble: those behind it follow from it.

    >>> check = counting({"that": "OrderList/gnum", "from": 1})
    >>> check({}, [{"gnum": "1"}, {"gnum": "02"}], None), check({}, [{"gnum": "1"}, {"gnum": "3"}], None)[0].words
    ((), {'expected': '2'})
    >>> counting({"that": "ArrivalList/gnum"})({}, [{"gnum": "101"}, {"gnum": "102"}], None)
    ()
    """
    [that] = places(arguments)
    name = that.name
    begins = int(str(arguments["from"])) if "from" in arguments else None

    def check(_head: Texts, lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        numbers = [amount(line.get(name)) for line in lines]
        first = numbers[0] if numbers and begins is None else begins or 1
        for position, found in enumerate(numbers):
            if found != first + position:
                words = {"expected": str(first + position)}
                return (Trouble(that.path(position + 1), lines[position].get(name), words),)
        return ()

    return check
