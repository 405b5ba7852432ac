"""The ledger keeps its own law: no illegal move, no change of the past, one writer at a time, all or nothing."""

import contextlib
import hashlib
import re
import sqlite3
import subprocess
import sys
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from spool.ledger import Ledger, LeftAsItWas, NewerLedger, OlderLedger, statements
from spool.states import MOVES, PROMISES, State, may_move

ROOT = Path(__file__).parents[2]
NUMBER = 261121204432000017
AT = "2026-11-21T12:44:32.000Z"
LEGAL = sorted((before, after) for before, afters in MOVES.items() for after in afters)
ILLEGAL = sorted((b, a) for b, a in product(State, State) if b != a and a not in MOVES[b])
WAYS = {
    State.RECEIVED: (),
    State.CHECKED: (State.CHECKED,),
    State.FILED: (State.CHECKED, State.FILED),
    State.READY: (State.CHECKED, State.READY),
    State.SENT: (State.CHECKED, State.READY, State.SENT),
    State.CLOSED: (State.CHECKED, State.READY, State.SENT, State.CLOSED),
    State.REFUSED: (State.REFUSED,),
    State.HELD: (State.HELD,),
}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite3")


def add(ledger: Ledger, ordinal: int = 1, *, key: str | None = None, version: int | None = None) -> None:
    ledger.run(
        "add_document", NUMBER, ordinal, "CEB311", key, version, "shop", "1", None, None, "customs", None, None, None
    )
    ledger.run("add_stamp", NUMBER, ordinal, 1, AT, "door", "", "received", "kouan", None, None)


def move(ledger: Ledger, before: str, after: str, ordinal: int = 1) -> None:
    ledger.run("add_next_stamp", NUMBER, ordinal, AT, "desk", before, after, "kouan", None, None)


def bring(ledger: Ledger, state: State) -> None:
    add(ledger)
    before: str = State.RECEIVED
    for after in WAYS[state]:
        move(ledger, before, after)
        before = after
    assert ledger.one("document", NUMBER, 1)["state"] == state


def content(ledger: Ledger) -> dict[str, Any]:
    tables = ("interchange", "document", "stamp", "message", "outbox", "receipt", "batch")
    return {t: [tuple(row) for row in ledger.conn.execute(f"SELECT * FROM {t}")] for t in tables}


def fill(ledger: Ledger) -> None:
    digest = bytes(32)
    ledger.run("add_interchange", NUMBER, "shop", "folder", "a.xml", 4, digest, 0, AT, "2026/x", "CEB311", "202205",
               1, None, None, None, None)  # fmt: skip
    add(ledger)
    ledger.run("add_message", NUMBER + 1, "G1", "CEB311", "shop", "customs", f"{NUMBER}.1", "rsa-sha256", "shop", AT,
               "2026/y", 4, digest)  # fmt: skip
    ledger.run("add_outbox", NUMBER + 1, "customs", "shop", AT)


# the moves


def test_the_table_in_sql_and_the_table_in_python_are_one(ledger: Ledger) -> None:
    rows = ledger.conn.execute("SELECT from_state, to_state FROM legal_move ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == LEGAL
    assert {(b, a) for b, a in product(State, State) if may_move(b, a)} == set(LEGAL)
    assert set(PROMISES) == set(MOVES) == set(State)


@pytest.mark.parametrize(("before", "after"), LEGAL)
def test_a_legal_move_is_made_by_its_stamp(ledger: Ledger, before: State, after: State) -> None:
    bring(ledger, before)
    move(ledger, before, after)
    assert ledger.one("document", NUMBER, 1)["state"] == after
    assert ledger.all("stamps_of", NUMBER, 1)[-1]["to_state"] == after


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
def test_an_illegal_move_is_made_neither_by_a_stamp_nor_by_hand(ledger: Ledger, before: State, after: State) -> None:
    bring(ledger, before)
    was = content(ledger)
    with pytest.raises(sqlite3.IntegrityError, match="may not follow"):
        move(ledger, before, after)
    with pytest.raises(sqlite3.IntegrityError, match="may not follow"):
        ledger.conn.execute("UPDATE document SET state = ?", (after,))
    assert content(ledger) == was


@pytest.mark.parametrize("state", State)
def test_a_stamp_that_says_another_state_than_the_documents_is_refused(ledger: Ledger, state: State) -> None:
    bring(ledger, state)
    was = content(ledger)
    for before, after in LEGAL:
        if before != state:
            with pytest.raises(sqlite3.IntegrityError, match="does not stand where"):
                move(ledger, before, after)
    assert content(ledger) == was


def test_a_stamp_about_no_document_moves_nothing(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="does not stand where"):
        move(ledger, "ready", "sent")
    assert content(ledger)["stamp"] == []


@pytest.mark.parametrize("state", State)
def test_a_state_may_be_stamped_again_without_a_move(ledger: Ledger, state: State) -> None:
    bring(ledger, state)
    move(ledger, state, state)
    assert ledger.one("document", NUMBER, 1)["state"] == state


@pytest.mark.parametrize("state", sorted(set(State) - {State.RECEIVED}))
def test_a_document_begins_as_received(ledger: Ledger, state: State) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="begins as received"):
        ledger.conn.execute(
            "INSERT INTO document (number, ordinal, spec, partner, state) VALUES (1, 1, 'CEB311', 'shop', ?)", (state,)
        )


def test_a_state_that_nobody_knows_is_never_reached(ledger: Ledger) -> None:
    add(ledger)
    with pytest.raises(sqlite3.IntegrityError):
        move(ledger, "received", "lost")


# the past


@pytest.mark.parametrize("table", ["stamp", "interchange", "message"])
def test_the_past_is_neither_changed_nor_deleted(ledger: Ledger, table: str) -> None:
    fill(ledger)
    was = content(ledger)
    columns = [row["name"] for row in ledger.conn.execute(f"SELECT name FROM pragma_table_info('{table}')")]
    for column in columns:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            ledger.conn.execute(f"UPDATE {table} SET {column} = {column}")
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        ledger.conn.execute(f"DELETE FROM {table}")
    assert content(ledger) == was


@pytest.mark.parametrize("table", ["stamp", "interchange", "message"])
def test_the_past_is_not_replaced_either(ledger: Ledger, table: str) -> None:
    fill(ledger)
    was = content(ledger)
    row = list(ledger.conn.execute(f"SELECT * FROM {table}").fetchone())
    with pytest.raises(sqlite3.IntegrityError):
        ledger.conn.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    assert content(ledger) == was


def test_a_document_is_never_deleted(ledger: Ledger) -> None:
    add(ledger)
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        ledger.conn.execute("DELETE FROM document")


def test_a_key_and_version_stand_once(ledger: Ledger) -> None:
    add(ledger, 1, key="3301|YX1", version=1)
    add(ledger, 2, key="3301|YX1", version=2)
    add(ledger, 3, key="3301|YX1")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        add(ledger, 4, key="3301|YX1", version=2)


def test_a_guid_names_one_message(ledger: Ledger) -> None:
    fill(ledger)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        ledger.run("add_message", NUMBER + 2, "G1", "CEB311", "shop", "customs", "", "", "", AT, "", 0, bytes(32))


# the book itself


def test_all_of_a_transaction_is_in_the_book_or_nothing(ledger: Ledger) -> None:
    with contextlib.suppress(KeyboardInterrupt), ledger.writing():
        fill(ledger)
        raise KeyboardInterrupt
    assert not any(content(ledger).values())
    with ledger.writing():
        fill(ledger)
    assert len(content(ledger)["document"]) == 1


def test_a_commit_has_reached_the_disk(ledger: Ledger) -> None:
    pragmas = {name: ledger.conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")}
    assert pragmas == {"synchronous": 2, "journal_mode": "wal"}


def test_a_ledger_of_a_newer_kouan_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger(path)
    ledger.conn.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kouan', '9999_later', '2030-01-01')"
    )
    ledger.close()
    before = path.read_bytes()
    with pytest.raises(NewerLedger, match="9999_later"):
        Ledger(path)
    assert path.read_bytes() == before


def test_opening_a_ledger_again_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    first = Ledger(path)
    with first.writing():
        fill(first)
    was = content(first)
    first.close()
    first.close()
    assert content(Ledger(path)) == was


def test_a_reader_reads_what_is_written_meanwhile_and_writes_nothing(ledger: Ledger) -> None:
    reader = Ledger(ledger.path, read_only=True)
    assert reader.one("last_number")["number"] is None
    with ledger.writing():
        fill(ledger)
        assert reader.one("last_number")["number"] is None
    assert reader.one("last_number")["number"] == NUMBER
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.conn.execute("DELETE FROM batch")
    reader.close()


def test_a_reader_makes_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        Ledger(tmp_path / "ledger.sqlite3", read_only=True)
    assert list(tmp_path.iterdir()) == []


WRITER = """
import sys
from pathlib import Path
from spool.ledger import Ledger
ledger, first = Ledger(Path(sys.argv[1])), int(sys.argv[2])
for turn in range(40):
    with ledger.writing():
        seen = ledger.conn.execute("SELECT count(*) FROM batch").fetchone()[0]
        ledger.run("add_batch", first + 2 * turn, seen, 0)
"""


def test_two_processes_write_in_turn_and_each_sees_what_the_other_wrote(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, first], cwd=ROOT) for first in ("1", "2")]
    assert [writer.wait(30) for writer in writers] == [0, 0]
    rows = Ledger(path).conn.execute("SELECT last FROM batch ORDER BY last").fetchall()
    assert [row["last"] for row in rows] == list(range(80))


def test_the_documentation_of_states_is_the_table() -> None:
    text = (ROOT / "docs/for-operations.md").read_text("utf-8")
    assert [state for state in State if not re.search(rf"`?{state}`?", text)] == []


def _nothing(spec: str, body: bytes) -> str:
    return "[]"


TAKEN = {
    "0001_hall.sql": "14a5be1c62fb2b14",
    "0002_given_numbers.sql": "c344999bbcb9fbcf",
    "0002_long_tables.sql": "1bef5d37db420117",
    "0002_questions.sql": "b96556c983a85ff7",
    "0002_trades.sql": "2c1241e056d5c633",
    "0003_open_trades.sql": "3ff5d5e0dbce90a4",
    "0004_aggregates.sql": "4987892c75efc6da",
    "0005_turns.sql": "8a299361c12fb18a",
    "0006_silent_customs.sql": "4c2fe048fd057861",
    "0007_joined_later.sql": "1fe6d6fb2e05b70c",
    "0008_exchange.sql": "01009e373906bfbb",
    "0008_payment_data.sql": "0795b9cc48003680",
    "0008_tax.sql": "6dbe1d5e60269981",
    "0009_turnstiles.sql": "1552b8fd40563b15",
    "0010_doubtful_messages.sql": "f41a1f01b130c0d7",
    "0011_fx_silence.sql": "c0293b496a8d2b74",
    "0012_papers.sql": "4fbb5814d3664caa",
    "0013_silent_applications.sql": "2a7d581ce430747b",
}


def test_no_step_that_homes_have_taken_is_changed() -> None:
    """A step that stands in somebody's ledger is never taken again: what changes is a further step."""
    folder = files("spool").joinpath("migrations")
    taken = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in folder.iterdir()}
    assert {name: taken[name] for name in TAKEN} == TAKEN


def test_the_ledger_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    first = files("spool").joinpath("migrations", "0001_hall.sql").read_text("utf-8")
    earlier = sqlite_utils.Database(tmp_path / "ledger.sqlite3")
    steps = sqlite_utils.Migrations("kouan")
    steps(name="0001_hall")(lambda db: [db.conn.execute(one) for one in statements(first)])
    steps.apply(earlier)
    earlier.conn.execute("INSERT INTO batch (first, last, low_water) VALUES (7, 7, 7)")
    earlier.conn.commit()
    earlier.close()
    ledger = Ledger(tmp_path / "ledger.sqlite3", marks_anew=_nothing)
    assert [row["first"] for row in ledger.all("open_batches", 0, 10, -1)] == [7]
    assert ledger.all("unfinished_tables", 0, 10) == []
    ledger.close()


def _earlier(path: Path, before: str) -> sqlite3.Connection:
    """A ledger as it was before this step, open to be filled."""
    folder = files("spool").joinpath("migrations")
    earlier = sqlite_utils.Database(path)
    steps = sqlite_utils.Migrations("kouan")
    for name in sorted(name for name in TAKEN if name < before):
        whole = folder.joinpath(name).read_text("utf-8")
        steps(name=name.removesuffix(".sql"))(
            lambda db, whole=whole: [db.conn.execute(one) for one in statements(whole)]
        )
    steps.apply(earlier)
    return earlier.conn


def test_papers_and_who_waits_for_them_outlive_the_step_that_moves_them(tmp_path: Path) -> None:
    earlier = _earlier(tmp_path / "ledger.sqlite3", "0012")
    odd, even = -(2**63) + 1, 2**63 - 2
    papers = [(5, 2, "order", odd, b"x" * 1200), (7, 1, "inventory", None, b"y")]
    waits = [(even, 7, 1), (odd, 7, 1), (odd, odd, 0)]
    earlier.executemany("INSERT INTO paper VALUES (?, ?, ?, ?, ?)", papers)
    earlier.execute("INSERT INTO mark VALUES (?, 5, 2, 1)", (odd,))
    earlier.executemany("INSERT INTO awaited VALUES (?, ?, ?)", waits)
    earlier.commit()
    earlier.close()
    ledger = Ledger(tmp_path / "ledger.sqlite3", marks_anew=_nothing)
    rows = ledger.conn.execute
    assert [tuple(row) for row in rows("SELECT * FROM paper ORDER BY number")] == papers
    assert sorted(tuple(row) for row in rows("SELECT * FROM awaited")) == sorted(waits)
    assert sorted(tuple(row) for row in ledger.all("awaiting", f"[{odd}]")) == [(odd, 0), (7, 1)]
    with ledger.writing():
        ledger.run("add_awaited", odd, 7, 1)
        ledger.run("no_longer_awaited", even, 7, 1)
    assert sorted(tuple(row) for row in rows("SELECT * FROM awaited")) == sorted(waits[1:])
    for forbidden in ("UPDATE paper SET kind = 'payment'", "DELETE FROM paper"):
        with pytest.raises(sqlite3.IntegrityError, match="a paper is never"):
            rows(forbidden)
    ledger.close()


def _with_old_marks(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """A ledger from before step 0014: an order with its dossier, which waits for goods, and what buys for it."""
    earlier = _earlier(path, "0014")
    order, goods, other = -7, 40, 12
    rows: dict[str, list[tuple[object, ...]]] = {
        "mark": [
            (order, 5, 1, 3), (other, 5, 1, 3), (order ^ 1, 9, -2, 0), (other ^ 1, order, -1, 0),
            (goods ^ 1, order, -1, 0),
        ],
        "paper": [(5, 1, "order", order, b"a paper"), (9, 1, "inventory", None, b"none")],
        "record": [
            ("fxused|sells|-7", "x", 2), ("fxused|buys|-7", "y", 1), ("fxused|buys|-8", "z", 1), ("drawn|-7", "w", 1),
            ("quota|PERSON|2026", '{"used": {"-7": "9.00", "-7/5.2": "-1.00", "-70": "2", "7|A1": "3"}}', 4),
            ("quota|OTHER|2026", "", 2),
        ],
    }  # fmt: skip
    for table, of_table in rows.items():
        earlier.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(of_table[0]))})", of_table)
    for number, spec in ((5, "CEB311"), (9, "CEB621")):
        earlier.execute("INSERT INTO document (number, ordinal, spec, partner, state, app_type, authority) VALUES"
                        " (?, 1, ?, 'shop', 'received', '1', 'customs')", (number, spec))  # fmt: skip
    earlier.execute(
        "INSERT INTO dossier VALUES (-7, 'EBP1', 'A1', '9610', ?, 'open', NULL, NULL, NULL, 'T1', 4)", (AT,)
    )
    earlier.commit()
    earlier.close()
    return rows


def test_what_is_known_by_an_old_mark_is_known_by_the_new_one(tmp_path: Path) -> None:
    _with_old_marks(tmp_path / "ledger.sqlite3")
    told = {("CEB311", b"a paper"): "[[-7, 1000], [12, 1001]]", ("CEB621", b"none"): "[]"}
    ledger = Ledger(tmp_path / "ledger.sqlite3", marks_anew=lambda spec, body: told[spec, body])
    rows = {
        name: sorted((tuple(row) for row in ledger.conn.execute(f"SELECT * FROM {name}")), key=str)
        for name in ("mark", "paper", "record", "dossier")
    }
    assert rows == {
        "mark": [(1000, 1000, -1, 0), (1000, 5, 1, 3), (1001, 5, 1, 3), (1001, 9, -2, 0), (41, 1000, -1, 0)],
        "paper": [(5, 1, "order", 1000, b"a paper"), (9, 1, "inventory", None, b"none")],
        "record": [
            ("drawn|-7", "w", 1), ("fxused|buys|-8", "z", 1), ("fxused|buys|1000", "y", 1),
            ("fxused|sells|1000", "x", 2), ("quota|OTHER|2026", "", 2),
            ("quota|PERSON|2026", '{"used":{"1000":"9.00","1000/5.2":"-1.00","-70":"2","7|A1":"3"}}', 4),
        ],
        "dossier": [(1000, "EBP1", "A1", "9610", AT, "open", None, None, None, "T1", 4)],
    }  # fmt: skip
    assert sorted(map(tuple, ledger.all("awaiting", "[1000, 1001, 40]"))) == [(9, 1), (1000, 0)]
    with pytest.raises(sqlite3.IntegrityError, match="a paper is never changed"):
        ledger.conn.execute("UPDATE paper SET dossier = 5 WHERE number = 5")
    assert not ledger.is_behind()
    ledger.close()


def _stays(path: Path, rows: dict[str, list[tuple[object, ...]]]) -> bool:
    reading = Ledger(path, read_only=True)
    stands = {name: list(map(tuple, reading.conn.execute(f"SELECT * FROM {name}"))) for name in rows}
    behind = reading.is_behind()
    reading.close()
    return behind and all(sorted(stands[name], key=str) == sorted(rows[name], key=str) for name in rows)


def test_only_who_knows_the_new_marks_brings_an_earlier_ledger_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    old = _with_old_marks(path)
    with pytest.raises(OlderLedger, match="the daemon brings it up to date when it starts"):
        Ledger(path)
    assert _stays(path, old)


@pytest.mark.parametrize(
    ("trouble", "raised"), [(ValueError("no paper"), LeftAsItWas), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_step_that_is_broken_off_leaves_the_ledger_as_it_was(
    tmp_path: Path, trouble: BaseException, raised: type[BaseException]
) -> None:
    def told(spec: str, body: bytes) -> str:
        raise trouble

    path = tmp_path / "ledger.sqlite3"
    old = _with_old_marks(path)
    with pytest.raises(raised) as ended:
        Ledger(path, marks_anew=told)
    assert raised is KeyboardInterrupt or "is as it was: ValueError('no paper')" in str(ended.value)
    assert _stays(path, old)


def test_a_daemon_of_an_earlier_kouan_cannot_write_its_marks_any_more(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    with pytest.raises(sqlite3.OperationalError, match="no column named came"):
        ledger.conn.execute("INSERT INTO mark (mark, number, ordinal, came) VALUES (1, 2, 3, 4)")
    ledger.close()
