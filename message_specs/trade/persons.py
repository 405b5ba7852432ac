"""How a person is named where their number must not stand: by a keyed hash of it.

The same number gives the same mark in one home; without the home's secret nobody can try numbers against it.
"""

import hmac

_LENGTH = 32


def person_mark(id_number: str, secret: bytes) -> str:
    """The mark of the person with this identity number: 128 bits of HMAC-SHA256 in hex; blanks and case mean nothing.

    >>> person_mark("33019919510202001X", b"a secret of the home")
    'a35b4bba3207c66d9d7f91956c1bcb4d'
    >>> person_mark(" 33019919510202001x", b"a secret of the home")
    'a35b4bba3207c66d9d7f91956c1bcb4d'
    """
    number = id_number.strip().upper()
    return hmac.digest(secret, number.encode(), "sha256").hex()[:_LENGTH]
