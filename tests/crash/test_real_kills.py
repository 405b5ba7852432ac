"""SIGKILL at random moments on the daemon, with or without its workers: both books agree.

Every file has one acknowledgement and every receipt lies where its partner finds it.

The customs in a box is a process of its own and lives through it all, as customs would.
"""

import os
import random
import threading
import time
from collections import Counter
from pathlib import Path

from tests import samples
from tests.crash.daemon import ask, customs_book, quiet_home, running, until
from tests.homes import demo_home

FILES = 1500
KILLS = 7
WAITING = "SELECT count(*) FROM document WHERE version IS NOT NULL AND state <> 'closed'"
CLOSED = "SELECT count(*) FROM document WHERE state = 'closed'"


def written(home: Path) -> list[tuple[Path, Path]]:
    """The files of two partners, ready to be renamed into their folders."""
    moves = []
    for number in range(1, FILES + 1):
        for name, spec in (("shop", "CEB311"), ("pay", "CEB411")):
            box = home / "spool/partners" / name
            (aside := box / f".{spec}-{number}").write_bytes(samples.message(spec, 1, start=number))
            moves.append((aside, box / "in" / f"{spec}-{number}.xml"))
    return moves


def drop(moves: list[tuple[Path, Path]]) -> threading.Thread:
    """The files are being renamed in."""
    dropping = threading.Thread(target=lambda: [aside.rename(file) for aside, file in moves])
    dropping.start()
    return dropping


def waiting(home: Path) -> int:
    """How many files lie in the two partners' folders."""
    return sum(len(os.listdir(home / "spool/partners" / name / "in")) for name in ("shop", "pay"))


def test_after_seven_kills_both_books_agree(tmp_path: Path) -> None:
    seed = int(os.environ.get("KOUAN_SEED", time.time_ns() % 10**6))
    print(f"KOUAN_SEED={seed}")
    chance = random.Random(seed)
    home = quiet_home(demo_home(tmp_path))
    moves = written(home)
    share = len(moves) // (KILLS + 1)
    with running(home, "simulate", "customs"):
        for turn in range(KILLS):
            with running(home, "run", ends=chance.choice(["kill", "behead"])):
                drop(moves[turn * share : (turn + 1) * share]).join()
                until(lambda: waiting(home) < share, 10, pause=0.002)
                time.sleep(chance.uniform(0, 0.25))
        dropping = drop(moves[KILLS * share :])
        with running(home, "run") as daemon:
            until(
                lambda: ask(home, CLOSED) == [(2 * FILES,)] and ask(home, WAITING) == [(0,)], 40,
                lambda: f"{ask(home, CLOSED)} KOUAN_SEED={seed}\n{daemon.words.read_text('utf-8')[-3000:]}",
            )  # fmt: skip
            assert daemon.stop() == 0
    dropping.join()
    compare(home)


def compare(home: Path) -> None:
    """Every order and payment stands once in both books, has one acknowledgement, and its receipts are there."""
    expected = {(f"CEB{spec}", number) for number in range(1, FILES + 1) for spec in (311, 411)}
    ours = ask(home, "SELECT spec, key, version, state FROM document ORDER BY spec, key")
    assert len(ours) == len(expected)
    assert {(version, state) for *_, version, state in ours} == {(1, "closed")}
    theirs = customs_book(home)
    assert sorted((row["spec"], row["key"]) for row in theirs) == [(spec, key) for spec, key, *_ in ours]
    boxes = {name: os.listdir(home / f"spool/partners/{name}/out") for name in ("shop", "pay")}
    acks = Counter(name.split(".")[0] for names in boxes.values() for name in names if name.endswith(".ack.json"))
    assert acks == Counter({f"{spec}-{number}": 1 for spec, number in expected})
    receipts = {partner: set() for partner in boxes}
    for partner, file in ask(home, "SELECT DISTINCT partner, file FROM receipt"):
        receipts[partner].add(file)
    assert {p: {n for n in names if not n.endswith(".ack.json")} for p, names in boxes.items()} == receipts
    told = ask(home, "SELECT number, ordinal, group_concat(status) FROM receipt GROUP BY 1, 2")
    assert len(told) == len(expected)
    assert {"2,120", "120,2"} >= {statuses for *_, statuses in told}
    guids = ask(home, "SELECT guid, documents FROM message")
    assert len(guids) == len({guid for guid, _ in guids})
    assert sum(len(documents.split()) for _, documents in guids) == len(expected)
    for name in ("in", "refused"):
        assert [os.listdir(home / f"spool/partners/{partner}/{name}") for partner in boxes] == [[], []]
