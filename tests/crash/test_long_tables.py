"""The power may fail at any step of any piece of a long table: every row's document is declared exactly once.

The documents of the evidence mapped again are those of the first time, so a next start goes on after what the ledger
has; where the map has changed meanwhile the table ends there and the partner is asked to send it again.
"""

import json
import os
import random
import re
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.crash.daemon import ask, children, quiet_home, running, until
from tests.crash.world import START, PowerCut, Stop, World, copied
from tests.homes import demo_home
from tests.mapping.tables import as_csv, as_xlsx, grid, row

ORDERS = 1_100
STEPS = ("claimed", "judged", "sealed", "synced", "writing", "written", "let go")


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a table of three pieces, one of whose orders is bad and one of whose rows is broken."""
    home = demo_home(tmp_path_factory.mktemp("morning"))
    with_map(home)
    rows = [row(order, **({"数量": "x"} if order == 700 else {})) for order in range(1, ORDERS + 1)]
    broken = as_csv([row(900, 2)]).decode().splitlines()[1].replace("保湿", '"保"湿')
    (home / "spool/partners/shop/in/ORDERS.csv").write_bytes(as_csv(rows) + f"{broken}\r\n".encode())
    return home


def with_map(home: Path, more: str = "") -> None:
    file = home / "partners/shop.toml"
    text = re.sub(r"^maps = .*$", 'maps = ["orders-311"]' + more, file.read_text("utf-8"), count=1, flags=re.MULTILINE)
    file.write_text(text, "utf-8")


def start(home: Path, turn: int, stop: Stop) -> None:
    """One start of the house, until the power fails or all is done."""
    try:
        world = World(home, moment=START + timedelta(minutes=turn), pulse=stop)
        for _ in range(4):
            world.moment += timedelta(seconds=1)
            world.take_in()
        world.close()
    except PowerCut:
        pass


def ending(home: Path) -> dict[str, Any]:
    """What the books and the folders say after a last quiet start, without numbers and times."""
    start(home, 9, Stop())
    world = World(home, moment=START + timedelta(hours=1))
    told: dict[str, Any] = {}
    told["documents"] = world.rows("SELECT ordinal, key, version, state FROM document ORDER BY ordinal")
    told["stamps"] = world.rows("SELECT ordinal, sequence, to_state FROM stamp ORDER BY 1, 2")
    told["parts"] = world.rows("SELECT part, documents, ending, findings IS NULL FROM part ORDER BY 1")
    told["interchanges"] = world.rows("SELECT sender, file, documents, duplicate_of, findings FROM interchange")
    told["open"] = world.rows("SELECT first FROM batch WHERE let_go_at IS NULL")
    leaving = [document for one in world.carry() for document in one.documents]
    told["leaving"] = Counter(ordinal for _, ordinal in leaving)
    places = {place for (place,) in world.rows("SELECT evidence FROM interchange UNION SELECT evidence FROM message")}
    store = home / "spool/store"
    told["unknown evidence"] = {str(f.relative_to(store)) for f in store.rglob("*") if f.is_file()} - places
    [acknowledgement] = (home / "spool/partners/shop/out").glob("ORDERS.csv.*.ack.json")
    said = json.loads(acknowledgement.read_bytes())
    told["acknowledgement"] = [(one["number"].partition(".")[2], one["key"], one["state"]) for one in said["documents"]]
    told["findings"] = [(one["code"], one["row"], one["document"]) for one in said["findings"]]
    why = (home / "spool/partners/shop/refused/ORDERS.csv.why.txt").read_text("utf-8")
    told["why"] = re.sub(r"\d{18}|20\d\d-\S+", "", why)
    told["in"] = os.listdir(home / "spool/partners/shop/in")
    world.close()
    return told


@pytest.fixture(scope="module")
def quiet_day(morning: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = copied(morning, tmp_path_factory.mktemp("quiet") / "home")
    stop = Stop()
    start(home, 1, stop)
    assert stop.seen == ["claimed", *STEPS[1:6] * 3, "let go"]
    told = ending(home)
    assert (told["open"], told["in"], told["unknown evidence"]) == ([], [], set())
    assert told["parts"] == [(1, 500, 0, 1), (2, 1000, 0, 0), (3, 1100, 1, 0)]
    assert told["leaving"] == Counter({n: 1 for n in range(1, ORDERS + 1) if n not in (700, 900)})
    assert [(ordinal, state) for ordinal, _, state in told["acknowledgement"]] == [
        (str(n), "refused" if n in (700, 900) else "ready") for n in range(1, ORDERS + 1)
    ]
    assert [one for one in told["findings"] if one[0].startswith("M")] == [
        ("M030", 701, 700), ("M028", 1102, 900), ("M021", 1102, None),
    ]  # fmt: skip
    return told


@pytest.mark.parametrize(
    ("step", "count"), [(step, count) for step in STEPS for count in (1, 2, 3) if count == 1 or step in STEPS[1:6]]
)
def test_a_crash_at_any_step_of_any_piece_changes_no_ending(
    morning: Path, quiet_day: dict[str, Any], tmp_path: Path, step: str, count: int
) -> None:
    home = copied(morning, tmp_path / "home")
    stop = Stop(step, count)
    start(home, 1, stop)
    assert (stop.seen[-1], stop.seen.count(step)) == (step, count)
    assert ending(home) == quiet_day


@pytest.mark.parametrize("again", STEPS[1:])
def test_a_crash_while_going_on_after_a_crash_changes_no_ending(
    morning: Path, quiet_day: dict[str, Any], tmp_path: Path, again: str
) -> None:
    home = copied(morning, tmp_path / "home")
    start(home, 1, Stop("written"))
    stop = Stop(again)
    start(home, 2, stop)
    assert stop.seen[-1] == again
    assert ending(home) == quiet_day


def test_a_map_that_changes_midway_ends_the_table_and_sending_it_again_declares_the_rest_once(
    morning: Path, tmp_path: Path
) -> None:
    home = copied(morning, tmp_path / "home")
    body = (home / "spool/partners/shop/in/ORDERS.csv").read_bytes()
    start(home, 1, Stop("written"))
    file = home / "partners/shop.toml"
    file.write_text(re.sub(r'^title = ".*"$', 'title = "改名"', file.read_text("utf-8"), count=1, flags=re.MULTILINE))
    start(home, 2, Stop())
    [told] = (home / "spool/partners/shop/out").glob("ORDERS.csv.*.ack.json")
    said = json.loads(told.read_bytes())
    assert (len(said["documents"]), [one["code"] for one in said["findings"]]) == (500, ["K111"])
    (home / "spool/partners/shop/in/AGAIN.csv").write_bytes(body)
    start(home, 3, Stop())
    world = World(home, moment=START + timedelta(hours=1))
    keys = Counter(key for (key,) in world.rows("SELECT key FROM document WHERE state = 'ready'"))
    world.close()
    assert (len(keys), set(keys.values())) == (ORDERS - 2, {1})


def test_random_kills_of_the_daemon_while_a_table_is_mapped_lose_and_double_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("KOUAN_SEED", time.time_ns() % 10**6))
    print(f"KOUAN_SEED={seed}")
    chance = random.Random(seed)
    home = quiet_home(demo_home(tmp_path))
    with_map(home)
    orders = 6_000
    box = home / "spool/partners/shop"
    (box / ".table").write_bytes(as_csv(row(order) for order in range(1, orders + 1)))
    (box / ".table").rename(box / "in/ORDERS.csv")
    for turn in range(4):
        with running(home, "run", ends=chance.choice(["kill", "behead"])) as daemon:
            until(lambda turn=turn: ask(home, "SELECT count(*) FROM part")[:1] >= [(2 * turn + 1,)], 60, pause=0.01)
            time.sleep(chance.uniform(0, 0.3))
    with running(home, "run") as daemon:
        until(lambda: list((box / "out").glob("ORDERS.csv.*.ack.json")), 90, daemon.words.read_text)
        assert daemon.stop() == 0
    assert ask(home, "SELECT count(*), count(DISTINCT key), max(version) FROM document") == [(orders, orders, 1)]
    assert ask(home, "SELECT DISTINCT state FROM document WHERE state NOT IN ('ready', 'sent', 'closed')") == []
    [(messages,)] = ask(home, "SELECT sum(1 + length(documents) - length(replace(documents, ' ', ''))) FROM message")
    assert messages == orders
    [told] = (box / "out").glob("ORDERS.csv.*.ack.json")
    assert len(json.loads(told.read_bytes())["documents"]) == orders


def test_the_memory_of_a_worker_does_not_grow_with_the_table(tmp_path: Path) -> None:
    home = quiet_home(demo_home(tmp_path))
    with_map(home)
    box = home / "spool/partners/shop"
    with (box / ".table").open("wb") as file:
        file.write(as_csv([row()]).splitlines(keepends=True)[0])
        for order in range(1, 20_001):
            line = as_csv([row(order)]).splitlines(keepends=True)[1]
            file.write(line + line.replace(b"SKU1", b"SKU2") + line.replace(b"SKU1", b"SKU3"))
    size = (box / ".table").stat().st_size
    (box / ".table").rename(box / "in/ORDERS.csv")
    peak = 0
    with running(home, "run") as daemon:

        def done() -> bool:
            nonlocal peak
            peak = max(peak, *(peak_of(pid) for pid in [daemon.pid, *children(daemon.pid)]))
            return bool(list((box / "out").glob("ORDERS.csv.*.ack.json")))

        until(done, 200, daemon.words.read_text)
    print(f"{size / 2**20:.0f} MiB of table, {peak / 1024:.0f} MiB of memory")
    assert size > 15 * 2**20
    assert peak < 150 * 1024


def test_the_memory_of_a_worker_holds_for_a_workbook_of_as_many_cells_as_may_be(tmp_path: Path) -> None:
    home = quiet_home(demo_home(tmp_path))
    with_map(home)
    box = home / "spool/partners/shop"
    # With their texts, 33,600 rows of 22 cells are counted as some 970,000 cells; a million may be.
    rows = (row(order, line) for order in range(1, 8_401) for line in range(1, 5))
    (box / ".table").write_bytes(as_xlsx({"订单": grid(rows)}))
    size = (box / ".table").stat().st_size
    (box / ".table").rename(box / "in/ORDERS.xlsx")
    peak = 0
    with running(home, "run") as daemon:

        def done() -> bool:
            nonlocal peak
            peak = max(peak, *(peak_of(pid) for pid in [daemon.pid, *children(daemon.pid)]))
            return bool(list((box / "out").glob("ORDERS.xlsx.*.ack.json")))

        until(done, 200, daemon.words.read_text)
    print(f"{size / 2**20:.1f} MiB of workbook, {peak / 1024:.0f} MiB of memory")
    [(documents,)] = ask(home, "SELECT count(*) FROM document WHERE state <> 'refused'")
    assert documents == 8_400
    assert peak < 200 * 1024


def peak_of(pid: int) -> int:
    """The most memory that a process has had, in KiB."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0
