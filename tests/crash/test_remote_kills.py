"""SIGKILL at random moments on the daemon, and on the sessions of the servers that it visits: nothing is lost or twice.

A partner's files are fetched from a real sshd, customs is reached and answers over another folder of it.  What was
in the ledger and not yet gone there comes again and is known; what had left and was not noted stands there already.
"""

import json
import os
import random
import time
from pathlib import Path

from tests import samples
from tests.crash.daemon import ask, customs_book, running, until
from tests.remote_homes import place, served_customs, visiting_home
from tests.sshd import Sshd, sshd

FILES = 600
KILLS = 6
CLOSED = "SELECT count(*) FROM document WHERE state = 'closed'"
FIRST = (
    "SELECT file, count(*) FROM interchange WHERE sender = 'shop' AND duplicate_of IS NULL GROUP BY file ORDER BY file"
)


def test_after_six_kills_every_file_is_taken_once_and_gone_there_and_every_message_arrived_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("KOUAN_SEED", time.time_ns() % 10**6))
    chance = random.Random(seed)
    there, out, answers = (tmp_path / name for name in ("there", "out", "answers"))
    for folder in (there, out, answers):
        folder.mkdir()
    with sshd(tmp_path / "sshd") as server:
        home = visiting_home(tmp_path, server, "shop", place(server, there))
        served_customs(home, place(server, out), place(server, answers), out, answers)
        written(there, 0)
        with running(home, "simulate", "customs"):
            for turn in range(1, KILLS + 1):
                with running(home, "run", ends=chance.choice(["kill", "behead"])):
                    written(there, turn)
                    before = len(os.listdir(there))
                    if chance.random() < 0.7:  # else within the first looks
                        until(lambda b=before: len(os.listdir(there)) < b, 20, pause=0.002)
                    time.sleep(chance.uniform(0, 0.4))
                    if chance.random() < 0.5:
                        server.cut()
                        time.sleep(chance.uniform(0, 0.2))
            with running(home, "run") as daemon:
                until(
                    lambda: ask(home, CLOSED) == [(FILES,)] and not os.listdir(there) and not os.listdir(answers), 60,
                    lambda: f"{ask(home, CLOSED)} KOUAN_SEED={seed}\n{daemon.words.read_text('utf-8')[-3000:]}",
                )  # fmt: skip
                assert daemon.stop() == 0
    compare(home, seed)


def written(there: Path, turn: int) -> None:
    """Another share of the files lies there."""
    share = -(-FILES // (KILLS + 1))
    for number in range(turn * share + 1, min((turn + 1) * share, FILES) + 1):
        (aside := there / f".o{number}").write_bytes(samples.message("CEB311", 1, start=number))
        aside.rename(there / f"o{number}.xml")


def compare(home: Path, seed: int) -> None:
    """The ledger has each file once, and customs has each order once, in a message that nobody else has."""
    print(f"KOUAN_SEED={seed}")
    names = sorted(f"o{number}.xml" for number in range(1, FILES + 1))
    assert ask(home, FIRST) == [(name, 1) for name in names]
    ours = ask(home, "SELECT key, version, state FROM document ORDER BY key")
    assert {(version, state) for _, version, state in ours} == {(1, "closed")}
    assert len(ours) == FILES
    assert sorted(row["key"] for row in customs_book(home)) == [key for key, *_ in ours]
    assert ask(home, "SELECT count(*), count(DISTINCT guid) FROM message") == ask(
        home, "SELECT count(*), count(*) FROM message"
    )
    acks = [json.loads(ack.read_bytes()) for ack in (home / "spool/partners/shop/out").glob("*.ack.json")]
    assert {ack["file"] for ack in acks} == set(names)


def test_what_is_in_the_ledger_and_still_lies_there_is_known_when_it_comes_again(tmp_path: Path) -> None:
    (there := tmp_path / "there").mkdir()
    (there / "o1.xml").write_bytes(samples.message("CEB311", 1))
    server = Sshd(tmp_path / "sshd", "internal-sftp -R")
    home = visiting_home(tmp_path, server, "shop", place(server, there))
    taken = "SELECT file, duplicate_of IS NULL FROM interchange ORDER BY number"
    try:
        server.start()
        with running(home, "run") as daemon:
            until(lambda: "removing o1.xml: permission denied" in daemon.words.read_text("utf-8"), 20)
        assert ask(home, taken) == [("o1.xml", 1)]
        server.stop()
        server.allow("internal-sftp")
        server.start()
        with running(home, "run") as daemon:
            until(lambda: not os.listdir(there), 20, lambda: daemon.words.read_text("utf-8")[-3000:])
            assert daemon.stop() == 0
    finally:
        server.stop()
    assert ask(home, taken) == [("o1.xml", 1), ("o1.xml", 0)]
    assert ask(home, "SELECT key, version FROM document") == [("3301961A2B|YX2026000000000001", 1)]
    assert ask(home, "SELECT count(*) FROM message") == [(1,)]
