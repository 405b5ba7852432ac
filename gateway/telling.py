"""Telling: what partners hear of their trades besides receipts lies in their out/, a row in the ledger first."""

from pathlib import Path

from gateway.letting_go import Parting, mailbox_of, put_out
from spool.ledger import Ledger

AT_ONCE = 200


def tell(home: Path, ledger: Ledger) -> set[str]:
    """Up to two hundred notices have left for their partners' out/; return who has news.

    Under the same name and with the same bytes as often as it is done, so a crash before the mark costs nothing.
    """
    rows = ledger.all("open_notices", AT_ONCE)
    if not rows:
        return set()
    parting = Parting()
    for row in rows:
        if mailbox_of(home, row["partner"]).out.is_dir():
            put_out(parting, home, row["partner"], row["name"], row["body"])
    if parting.do(home):
        return set()
    with ledger.writing():
        ledger.run_many("notice_let_go", [(row["id"],) for row in rows])
    return parting.news
