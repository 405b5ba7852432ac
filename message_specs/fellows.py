"""The verbs that judge a field by its fellows: both or neither, the same as one of them, it or lines.

Each verb reads its words from a rule once and gives a check, which answers with the troubles it sees.
"""

from collections.abc import Sequence
from datetime import date

from message_specs.places import Arguments, Check, Texts, Trouble, places


def pair(arguments: Arguments) -> Check:
    """Of two fields both are given or neither.

    >>> check = pair({"that": ["InventoryList/qty2", "InventoryList/unit2"]})
    >>> [trouble.path for trouble in check({}, [{"qty2": "1", "unit2": "035"}, {"qty2": "1"}], None)]
    ['InventoryList[2]/unit2']
    """
    one, other = places(arguments)

    def check(head: Texts, lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        found = []
        for ordinal, leaves in enumerate(lines if one.in_lines else (head,), 1):
            if bool(leaves.get(one.name)) != bool(leaves.get(other.name)):
                missing, given = (other, one) if leaves.get(one.name) else (one, other)
                found.append(Trouble(missing.path(ordinal), leaves.get(missing.name), {"other": given.name}))
        return found

    return check


def same_as_one(arguments: Arguments) -> Check:
    """A field of the head says what one of some others says.

    >>> check = same_as_one({"that": "H/assureCode", "of": ["H/ebpCode", "H/ebcCode"]})
    >>> check({"assureCode": "B", "ebpCode": "A", "ebcCode": "B"}, [], None)
    ()
    >>> check({"assureCode": "C", "ebpCode": "A", "ebcCode": "B"}, [], None)[0].words
    {'others': 'ebpCode, ebcCode'}
    """
    [that] = places(arguments)
    names = [place.name for place in places(arguments, "of")]

    def check(head: Texts, _lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        text = head.get(that.name)
        if not text or text in [head.get(name) for name in names]:
            return ()
        return (Trouble(that.path(1), text, {"others": ", ".join(names)}),)

    return check


def or_lines(arguments: Arguments) -> Check:
    """Either a field of the head is given, or there are lines; `not_both` where the lines would be passed over.

    >>> one, both = or_lines({"that": "H/startTime"}), or_lines({"that": "H/startTime", "not_both": True})
    >>> [trouble.path for trouble in one({}, [], None)], one({}, [{"invtNo": "1"}], None)
    (['H/startTime'], ())
    >>> both({"startTime": "1"}, [{"invtNo": "1"}], None)[0].value, both({}, [], None)
    ('1', ())
    """
    [that] = places(arguments)
    wrong = (True, True) if arguments.get("not_both") else (False, False)

    def check(head: Texts, lines: Sequence[Texts], _today: date) -> Sequence[Trouble]:
        if (bool(head.get(that.name)), bool(lines)) != wrong:
            return ()
        return (Trouble(that.path(1), head.get(that.name)),)

    return check
