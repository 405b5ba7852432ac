"""The verbs of foreign-exchange declarations: the number of a report, parts that belong together, codes that differ.

Each verb reads its words from a rule once and gives a check, which answers with the troubles it sees.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from message_specs.amounts import amount, number
from message_specs.places import Arguments, Check, Texts, Trouble, places, texts

_NUMBER = re.compile(r"\d{6}[0-9A-Z]{4}[0-9A-Z]{2}(\d{6})[0-9A-Z]\d{3}|\d{6}[0-9A-Z]{4}[0-9A-Z]{2}(\d{6})\d{3}[A-Z]")
_SERIAL = slice(18, 22)
_DAY = slice(12, 18)


def day_of(report: str) -> str:
    """The eight digits of the day inside a report's number, "" where it is none.

    >>> day_of("3301000001012611220001"), day_of("330100000101261122N001"), day_of("3301")
    ('20261122', '20261122', '')
    """
    return f"20{report[_DAY]}" if _NUMBER.fullmatch(report) else ""


def report_number(arguments: Arguments) -> Check:
    """The number of a report holds a day, and the letter of its serial is one of those of its kind of person.

    >>> check = report_number({"that": "REC/RPTNO", "of": "REC/CUSTYPE", "letters": {"C": "NT", "D": "UW"}})
    >>> check({"RPTNO": "330100000101261122N001", "CUSTYPE": "C"}, [], None)
    ()
    >>> check({"RPTNO": "330100000101261122U001", "CUSTYPE": "C"}, [], None)[0].words
    {'letters': 'N–T', 'kind': 'C'}
    """
    [that] = places(arguments)
    [of] = places(arguments, "of")
    given = arguments["letters"]
    letters: Mapping[str, str] = given if isinstance(given, Mapping) else {}

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        text, kind = head.get(that.name) or "", head.get(of.name) or ""
        first, last = (letters.get(kind) or "AZ")[0], (letters.get(kind) or "AZ")[-1]
        if kind not in letters or first <= text[_SERIAL][:1] <= last:
            return ()
        return (Trouble(that.path(1), text, {"letters": f"{first}–{last}", "kind": kind}),)

    return check


def is_report_number(arguments: Arguments) -> Check:
    """The text is a report's number: area, bank, serial, a day that exists, serial.

    >>> is_report_number({"that": "REC/RPTNO"})({"RPTNO": "330100000101261322N001"}, [], None)[0].path
    'REC/RPTNO'
    """
    [that] = places(arguments)

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        text = head.get(that.name) or ""
        return () if _is_day(day_of(text)) else (Trouble(that.path(1), text),)

    return check


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def not_before_report(arguments: Arguments) -> Check:
    """A day is not before the one inside the report's number.

    >>> check = not_before_report({"that": "REC/RPTDATE", "of": "REC/RPTNO"})
    >>> check({"RPTDATE": "20261121", "RPTNO": "330100000101261122N001"}, [], None)[0].words
    {'day': '20261122'}
    """
    [that] = places(arguments)
    [of] = places(arguments, "of")

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        text, day = head.get(that.name) or "", day_of(head.get(of.name) or "")
        return (Trouble(that.path(1), text, {"day": day}),) if day and _is_day(text) and text < day else ()

    return check


def together(arguments: Arguments) -> Check:
    """Of several fields all are given or none.

    >>> check = together({"that": ["REC/LCYAMT", "REC/LCYACC", "REC/EXRATE"]})
    >>> [one.path for one in check({"LCYAMT": "5"}, [], None)], check({}, [], None)
    (['REC/LCYACC', 'REC/EXRATE'], [])
    """
    fields = places(arguments)

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        missing = [one for one in fields if not (head.get(one.name) or "").strip()]
        if len(missing) == len(fields):
            return []
        other = " ".join(one.name for one in fields if one not in missing)
        return [Trouble(one.path(1), head.get(one.name), {"other": other}) for one in missing]

    return check


def parts_within(arguments: Arguments) -> Check:
    """The parts of an amount are together no more than it; with `exact` they are just it.

    >>> arguments = {"that": "REC/TXAMT", "parts": ["REC/LCYAMT", "REC/FCYAMT"]}
    >>> head = {"TXAMT": "10000", "LCYAMT": "6000", "FCYAMT": "3900"}
    >>> parts_within(arguments)(head, [], None), parts_within(arguments | {"exact": True})(head, [], None)[0].words
    ((), {'expected': '9900'})
    """
    [that] = places(arguments)
    parts = places(arguments, "parts")
    is_exact = bool(arguments.get("exact"))

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        whole, total = amount(head.get(that.name)), sum(amount(head.get(one.name)) for one in parts)
        if total == whole or (total < whole and not is_exact):
            return ()
        return (Trouble(that.path(1), head.get(that.name), {"expected": number(whole - whole + total)}),)

    return check


def begins_with(arguments: Arguments) -> Check:
    """The text begins with one of these.

    >>> begins_with({"that": "REC/OPPUSER", "values": ["(JW)", "(JN)"]})({"OPPUSER": "ACME"}, [], None)[0].words
    {'expected': '(JW) (JN)'}
    """
    [that] = places(arguments)
    values = texts(arguments, "values")

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        text = head.get(that.name)
        if not text or text.startswith(values):
            return ()
        return (Trouble(that.path(1), text, {"expected": " ".join(values)}),)

    return check


def differs_from(arguments: Arguments) -> Check:
    """Two codes, where both are given, are not the same.

    >>> check = differs_from({"that": "REC/TXCODE2", "of": "REC/TXCODE"})
    >>> check({"TXCODE": "121010", "TXCODE2": "121010"}, [], None)[0].path, check({"TXCODE": "121010"}, [], None)
    ('REC/TXCODE2', ())
    """
    [that] = places(arguments)
    [of] = places(arguments, "of")

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        text = head.get(that.name)
        return (Trouble(that.path(1), text, {"other": of.name}),) if text and text == head.get(of.name) else ()

    return check


def needed_by_code(arguments: Arguments) -> Check:
    """A field is given where one of several codes begins with one of these.

    >>> arguments = {"that": "REC/BILLNO", "of": ["REC/TXCODE", "REC/TXCODE2"], "begins": ["5", "6"]}
    >>> check = needed_by_code(arguments)
    >>> check({"TXCODE": "121010", "TXCODE2": "621011"}, [], None)[0].words
    {'given': '621011'}
    >>> check({"TXCODE": "121010"}, [], None), check({"TXCODE": "621011", "BILLNO": "N/A"}, [], None)
    ((), ())
    """
    [that] = places(arguments)
    names = [one.name for one in places(arguments, "of")]
    begins = texts(arguments, "begins")

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        if (head.get(that.name) or "").strip():
            return ()
        codes = [code for name in names if (code := head.get(name) or "").startswith(begins)]
        return tuple(Trouble(that.path(1), head.get(that.name), {"given": code}) for code in codes[:1])

    return check


def needed_beside(arguments: Arguments) -> Check:
    """A field of a line is given where another field of it says one of these.

    >>> arguments = {"that": "TradeList/ebcCode", "of": "TradeList/ebpCode", "values": ["无"]}
    >>> [one.path for one in needed_beside(arguments)({}, [{"ebpCode": "E1"}, {"ebpCode": "无"}], None)]
    ['TradeList[2]/ebcCode']
    """
    [that] = places(arguments)
    [of] = places(arguments, "of")
    values = texts(arguments, "values")

    def check(_head: Texts, lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        return [
            Trouble(that.path(ordinal), line.get(that.name), {"other": (line.get(of.name) or "").strip()})
            for ordinal, line in enumerate(lines, 1)
            if (line.get(of.name) or "").strip() in values and not (line.get(that.name) or "").strip()
        ]

    return check
