"""How a person is named where their number must not stand: by a keyed hash of it.

The same number gives the same mark in one home, in whatever way it is written; without the home's secret nobody can
try numbers against it.
"""

import hmac
import re
import unicodedata

from message_specs.identity import citizen_check, is_citizen_number

_LENGTH = 32
_BETWEEN = re.compile(r"[^0-9A-Z]")
_OF_1989 = re.compile(r"[0-9]{15}")
"""Citizen numbers of 15 digits: the year of birth without its century, and no check digit (GB 11643-1989)."""


def person_mark(id_number: str, secret: bytes) -> str:
    """The mark of the person with this identity number: 128 bits of HMAC-SHA256 in hex, however the number is written.

    >>> person_mark("33019919510202001X", b"a secret of the home")
    'a35b4bba3207c66d9d7f91956c1bcb4d'
    >>> person_mark(" 33019919510202001x", b"a secret of the home")
    'a35b4bba3207c66d9d7f91956c1bcb4d'
    """
    return hmac.digest(secret, _plain(id_number).encode(), "sha256").hex()[:_LENGTH]


def _plain(id_number: str) -> str:
    """A number as it is hashed: a citizen number in 18 characters, any other without blanks, in capitals.

    >>> _plain("330199-19510202-0018"), _plain("３３０１９９ １９５１０２０２ ００１８"), _plain("330199510202001")
    ('330199195102020018', '330199195102020018', '330199195102020018')
    >>> _plain(" e12345678 "), _plain("60003734-1")
    ('E12345678', '60003734-1')
    """
    told = "".join(unicodedata.normalize("NFKC", id_number).split()).upper()
    bare = _BETWEEN.sub("", told)
    if _OF_1989.fullmatch(bare):
        body = f"{bare[:6]}19{bare[6:]}"
        bare = body + citizen_check(body)
    return bare if is_citizen_number(bare) else told
