"""SIGKILL at random moments on the daemon and its workers while four partners send whole trades in shuffled order.

Customs in a box matches them by its own law. In the end every trade is released or closed in both books, every file
has one acknowledgement, and every receipt and notice lies once where its partner finds it.
"""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests import samples
from tests.crash.daemon import KOUAN, ROOT, ask, children, customs_book, quiet_home, running, until
from tests.homes import demo_home, with_trades

TRADES = 500
KILLS = 6
SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship", "CEB621": "agent"}
CLOSED = "SELECT count(*) FROM dossier WHERE phase = 'closed'"
OPEN = (
    "SELECT (SELECT count(*) FROM document WHERE version IS NOT NULL AND state <> 'closed'),"
    " (SELECT count(*) FROM batch WHERE let_go_at IS NULL), (SELECT count(*) FROM notice WHERE let_go = 0)"
)


def trading_home(home: Path) -> Path:
    """The home matches trades, and so does the customs in a box, at once."""
    quiet_home(with_trades(home))
    box = home / "simulators/customs.toml"
    settings = re.sub(r"(?m)^behaviours = .*", 'behaviours = ["closes"]', box.read_text("utf-8"))
    settings = settings.partition("\n[delays]")[0]
    delays = "".join(f"{status} = 0.05\n" for status in ("2", "120", "399", "800", "899", "816", "818"))
    box.write_text(f"{settings}\n[delays]\n{delays}", "utf-8")
    return home


def written(home: Path, chance: random.Random) -> list[tuple[Path, Path]]:
    """The files of four partners in shuffled order, ready to be renamed into their folders."""
    moves = []
    for number in range(1, TRADES + 1):
        for spec, name in SENDERS.items():
            box = home / "spool/partners" / name
            (aside := box / f".{spec}-{number}").write_bytes(samples.message(spec, 1, start=number))
            moves.append((aside, box / "in" / f"{spec}-{number}.xml"))
    chance.shuffle(moves)
    return moves


def drop(moves: list[tuple[Path, Path]]) -> threading.Thread:
    """The files are being renamed in."""
    dropping = threading.Thread(target=lambda: [aside.rename(file) for aside, file in moves])
    dropping.start()
    return dropping


def waiting(home: Path) -> int:
    """How many files lie in the partners' folders."""
    return sum(len(os.listdir(home / "spool/partners" / name / "in")) for name in SENDERS.values())


def customs_trades(home: Path) -> list[dict[str, Any]]:
    """What customs' book says of trades."""
    command = [*KOUAN, "simulate", "customs", "--book", "--trades", "--json", "--home", str(home)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_after_kills_every_trade_is_closed_in_both_books(tmp_path: Path) -> None:
    seed = int(os.environ.get("KOUAN_SEED", time.time_ns() % 10**6))
    print(f"KOUAN_SEED={seed}")
    chance = random.Random(seed)
    home = trading_home(demo_home(tmp_path))
    moves = written(home, chance)
    share = len(moves) // (KILLS + 1)
    with running(home, "simulate", "customs"):
        for turn in range(KILLS):
            with running(home, "run", ends=chance.choice(["kill", "behead"])) as daemon:
                drop(moves[turn * share : (turn + 1) * share]).join()
                until(lambda: waiting(home) < share, 10, pause=0.002)
                time.sleep(chance.uniform(0, 1.5))
                for worker in chance.sample(children(daemon.pid), 1):
                    os.kill(worker, signal.SIGKILL)
                time.sleep(chance.uniform(0, 1.5))
        dropping = drop(moves[KILLS * share :])
        with running(home, "run") as daemon:
            until(
                lambda: ask(home, CLOSED) == [(TRADES,)] and ask(home, OPEN) == [(0, 0, 0)], 120,
                lambda: f"{ask(home, CLOSED)} {ask(home, OPEN)} KOUAN_SEED={seed}\n"
                f"{ask(home, 'SELECT spec, state, status, why, count(*) FROM document GROUP BY 1, 2, 3, 4')}\n"
                f"{daemon.words.read_text('utf-8')[-3000:]}",
            )  # fmt: skip
            assert daemon.stop() == 0
    dropping.join()
    compare(home)


def compare(home: Path) -> None:
    """Every trade is whole in both books, and its partners have everything once."""
    expected = {(spec, number) for number in range(1, TRADES + 1) for spec in SENDERS}
    ours = ask(home, "SELECT spec, key, version, state FROM document WHERE version IS NOT NULL ORDER BY spec, key")
    assert len(ours) == len(expected)
    assert {(version, state) for *_, version, state in ours} == {(1, "closed")}
    assert sorted((row["spec"], row["key"]) for row in customs_book(home)) == [(spec, key) for spec, key, *_ in ours]
    theirs = {one["order"]: (one["state"], one["tax"]["status"]) for one in customs_trades(home)}
    orders = {f"{samples.SHOP.code}|{samples.trade(number)['orderNo']}" for number in range(1, TRADES + 1)}
    assert theirs == dict.fromkeys(orders, ("899", "2"))
    phases = ask(home, "SELECT platform || '|' || order_no, phase FROM dossier")
    assert dict(phases) == dict.fromkeys(orders, "closed")
    boxes = {name: os.listdir(home / f"spool/partners/{name}/out") for name in SENDERS.values()}
    acks = Counter(name.split(".")[0] for names in boxes.values() for name in names if name.endswith(".ack.json"))
    assert acks == Counter({f"{spec}-{number}": 1 for spec, number in expected})
    receipts: dict[str, set[str]] = {partner: set() for partner in boxes}
    for partner, file in ask(home, "SELECT partner, file FROM receipt UNION SELECT partner, name FROM notice"):
        receipts[partner].add(file)
    assert {p: {n for n in names if not n.endswith(".ack.json")} for p, names in boxes.items()} == receipts
    guids = ask(home, "SELECT guid, documents FROM message")
    assert len(guids) == len({guid for guid, _ in guids})
    assert sum(len(documents.split()) for _, documents in guids) == len(expected)
    said = ask(home, "SELECT group_concat(status, ' ') FROM (SELECT * FROM receipt WHERE spec = 'CEB622' ORDER BY"
               " said_at) GROUP BY number, ordinal")  # fmt: skip
    assert Counter(" ".join(sorted(told.split())) for (told,) in said) == {"120 2 399 800 899": TRADES}
    for name in ("in", "refused"):
        assert [os.listdir(home / f"spool/partners/{partner}/{name}") for partner in boxes] == [[], [], [], []]
