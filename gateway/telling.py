"""Telling: what partners hear of their trades besides receipts lies in their out/, a row in the ledger first.

The reasons of a refusal, for a person to read, lie in refused/.
"""

import sqlite3
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from gateway.letting_go import Parting, mailbox_of, put_out
from spool.ledger import Ledger
from spool.mailbox import WHY

AT_ONCE = 200


def quiet(step: str) -> None:
    """Nothing watches the steps of a batch."""


def tell(home: Path, ledger: Ledger, pulse: Callable[[str], None] = quiet) -> set[str]:
    """Up to two hundred notices have left for their partners' out/; return who has news.

    Under the same name and with the same bytes as often as it is done, so a crash before the mark costs nothing.
    What cannot be written stays open, and keeps nothing of another partner waiting or told twice.
    """
    after = 0
    while rows := ledger.all("open_notices", after, AT_ONCE):
        pulse("noticed")
        gone, news = _put(home, rows)
        pulse("put out")
        if gone:
            with ledger.writing():
                ledger.run_many("notice_let_go", [(row["id"],) for row in gone])
            pulse("told")
            return news
        after = rows[-1]["id"]
    return set()


def _put(home: Path, rows: Iterable[sqlite3.Row]) -> tuple[list[sqlite3.Row], set[str]]:
    """Return which notices are done, and who has news; a partner of whom nothing is left has no box to write to."""
    done: list[sqlite3.Row] = []
    news: set[str] = set()
    for partner, told in groupby(sorted(rows, key=itemgetter("partner", "id")), key=itemgetter("partner")):
        mine = list(told)
        parting = Parting()
        if mailbox_of(home, partner).root.is_dir():
            for row in mine:
                if row["name"].endswith(WHY):
                    parting.files.append((str(mailbox_of(home, partner).refused), row["name"], row["body"]))
                else:
                    put_out(parting, home, partner, row["name"], row["body"])
        if not parting.do(home):
            done += mine
            news |= parting.news
    return done, news
