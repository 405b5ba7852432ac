"""The records of a data file that stand or fall together: who is told of them, and what becomes of a refused file.

An exchange office that refuses a file for its format has taken none of its records.  They are held with that reason,
out of the message in which they were sealed: an operator who has mended the cause releases them, and they leave in a
new file under a new name; or he refuses them.  Their partners hear of it once a file.
"""

from gateway.notices import of_file
from gateway.turning import turned
from message_specs.findings import Finding
from spool.ledger import NEVER, Ledger
from spool.states import State

_WITH_THE_OFFICE = (State.READY, State.SENT)


def tell_all(ledger: Ledger, file: str, told: Finding) -> None:
    """Each partner of whom records in this file wait for an answer is told, inside the caller's transaction."""
    of: dict[str, list[str]] = {}
    spec = ""
    for row in ledger.all("fx_records", file):
        if row["state"] in _WITH_THE_OFFICE:
            of.setdefault(row["partner"], []).append(row["key"])
            spec = row["spec"]
    for partner, reports in of.items():
        one = of_file(partner, file, spec, reports, told)
        ledger.run("add_notice", one.partner, one.name, one.body)


def hold_all(ledger: Ledger, file: str, authority: str, told: Finding, at: str) -> None:
    """Every record of a file that was refused whole is held and in no message, inside the caller's transaction."""
    tell_all(ledger, file, told)
    why = f"{told.code} {told.zh} {told.en}"
    for message in ledger.all("fx_messages", file):
        ledger.run("outbox_gone", at, file, message["message"], authority)
    for row in ledger.all("fx_records", file):
        place, state = (row["number"], row["ordinal"]), State(row["state"])
        if state in _WITH_THE_OFFICE:
            ledger.run("add_next_stamp", *place, at, "settle", state, State.HELD, authority, why, None)
        if state in (*_WITH_THE_OFFICE, State.HELD):
            ledger.run("take_out", NEVER, why, *place)
            turned(ledger, *place, at)
