"""Boxes: what each simulated authority of a home is told, `simulators/NAME.toml`.

A tax office and an exchange office need nobody's keys, so every home has theirs; the others belong to a home for
trying.  None of them runs unless it is asked to: `kouan simulate NAME`, or `simulate = true` in its authority's file.
"""

from collections.abc import Iterable
from typing import Final

TAX: Final = """\
# What the tax office in a box of this home is told: kouan simulate tax
# Paths stand relative to this file.
state = "../spool/simulators/tax"
# Where it finds our declarations, and where it puts its verdicts.
inbox = "../spool/authorities/tax/out"
answers = "../spool/authorities/tax/in"
# It ends with the process that started it, however that ended.
tied = true
"""
SAFE: Final = """\
# What the exchange office in a box of this home is told: kouan simulate fx
# Paths stand relative to this file.
state = "../spool/simulators/safe"
# Started by the daemon, it ends with the daemon, however that ended.
tied = true

[folder]
# Where it finds our batches, and where it puts its feedback.
inbox = "../spool/authorities/safe/send"
answers = "../spool/authorities/safe/receive"
"""
EVERY_HOME: Final = {"tax": TAX, "safe": SAFE}
IDENTITY: Final = """\
# What the verification service in a box of this home is told: kouan simulate identity
# To ask it, write into [identity] of kouan.toml: ask = "always" and url = "http://127.0.0.1:8092/verify"
state = "../spool/simulators/identity"
listen = "127.0.0.1:8092"
token = "{token}"
"""
PAYMENT_CALLER: Final = """\
# What customs' caller of notice 179 in a box of this home is told: kouan simulate payment_data
# To be asked, write into [payment_data] of kouan.toml: upload_to =
# "http://127.0.0.1:8093/ceb2grab/grab/realTimeDataUpload"
# and token_sha256 = "{digest}"
state = "../spool/simulators/payment_data"
listen = "127.0.0.1:8093"

[[platforms]]
code = "{code}"
url = "http://127.0.0.1:{port}/platDataOpen/shop"
token = "{token}"
certificates = ["../keys/shop/cert.pem"]
"""


def customs(enterprises: Iterable[tuple[str, str, str]]) -> str:
    """Return the settings of a customs in a box that trusts these (code, exchange id, certificate) enterprises."""
    lines = [
        "# What the customs in a box of this home is told; paths stand relative to this file.",
        'state = "../spool/simulators/customs"',
        "# It ends with the process that started it, however that ended.",
        "tied = true",
        "",
        "[folder]",
        "# Where it finds our messages, and where it puts its answers.",
        'inbox = "../spool/authorities/customs/out"',
        'answers = "../spool/authorities/customs/in"',
    ]
    for code, dxp_id, certificate in enterprises:
        lines += ["", "[[enterprises]]", f'code = "{code}"', f'dxp_id = "{dxp_id}"']
        lines += [f'certificates = ["{certificate}"]']
    return "\n".join(lines) + "\n"
