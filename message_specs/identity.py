"""Check digits, and days of birth, of the numbers by which the trade knows people and enterprises.

Nothing here says that somebody exists: a right check digit only says that a number was not mistyped.
Areas are not judged, for numbers of abolished areas stay valid.
"""

from datetime import date
from functools import lru_cache
from operator import mul

_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_VALUES = {letter: value for value, letter in enumerate(_CREDIT_ALPHABET)}


@lru_cache(maxsize=65_536)
def is_date(text: str) -> bool:
    """Whether the text is a day of the calendar, written YYYYMMDD.

    >>> is_date("20240229"), is_date("20230229"), is_date("2024-2-9")
    (True, False, False)
    """
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


def citizen_check(body: str) -> str:
    """The last character that the 17 digits of a citizen number ask for (GB 11643, mod 11-2).

    >>> citizen_check("36042619910101007")
    '1'
    """
    return _CITIZEN_CHECKS[sum(map(mul, _CITIZEN_WEIGHTS, map(int, body))) % 11]


def is_citizen_number(text: str) -> bool:
    """Whether the text is a citizen number: 18 characters, a real day of birth, a right check digit.

    >>> is_citizen_number("360426199101010071"), is_citizen_number("11204416541220243X")
    (True, False)
    """
    body = text[:17]
    return (
        len(text) == 18
        and body.isascii()
        and body.isdigit()
        and is_date(text[6:14])
        and citizen_check(body) == text[17].upper()
    )


def is_born(number: str, on: date) -> bool:
    """Whether the day of birth in a citizen number has come by that day.

    >>> is_born("360426199101010071", date(1991, 1, 1)), is_born("360426199101010071", date(1990, 12, 31))
    (True, False)
    """
    return number[6:14] <= on.strftime("%Y%m%d")


def credit_check(body: str) -> str:
    """The check character of the 17 characters of a unified social credit code (GB 32100, mod 31).

    >>> credit_check("91110000600037341")
    'L'
    """
    total = sum(w * _CREDIT_VALUES[c] for w, c in zip(_CREDIT_WEIGHTS, body, strict=True))
    return _CREDIT_ALPHABET[-total % 31]


@lru_cache(maxsize=65_536)
def is_credit_code(text: str) -> bool:
    """Whether the text is a unified social credit code with a right check character.

    The organisation part of zeros is a placeholder and no enterprise.

    >>> is_credit_code("91110000600037341L"), is_credit_code("91110000600037341K")
    (True, False)
    >>> is_credit_code("A1110000600037341" + credit_check("A1110000600037341"))
    True
    """
    return (
        len(text) == 18
        and all(letter in _CREDIT_VALUES for letter in text)
        and text[8:17] != "000000000"
        and credit_check(text[:17]) == text[17]
    )


@lru_cache(maxsize=65_536)
def is_party_code(text: str) -> bool:
    """Whether the text can be an enterprise's code: a customs registration of 10 or a credit code of 18.

    >>> is_party_code("46016602EV"), is_party_code("91110000600037341L"), is_party_code("460166")
    (True, True, False)
    """
    if len(text) != 10:
        return is_credit_code(text)
    letters = text[4:]
    return text.isascii() and text[:4].isdigit() and letters.isalnum() and letters == letters.upper()
