"""Papers as the ledger holds them: what the desks and the trades read of a document that came before."""

import sqlite3

from message_specs.trade.papers import Paper, unpack


def paper_of(row: sqlite3.Row) -> Paper:
    """Return the paper of a row of the ledger, with where its document stands now."""
    head, lines = unpack(row["body"])
    return Paper(
        row["number"], row["ordinal"], row["spec"], row["kind"], row["partner"], row["state"],
        row["app_type"] or "1", row["version"] or 0, row["status"] or "", head, lines,
    )  # fmt: skip
