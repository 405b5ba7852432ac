"""The power may fail at any step of a trade, and again while recovering: no trade ends otherwise for it.

What is cut: taking in and filing, waking and going on, the look at dossiers, notices, questions about people, giving
back. Whatever was cut, the same documents are declared once, the same notices, receipts and refusals lie in the same
folders, and dossiers, awaited marks, questions and records are those of a day without a crash.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.identity import Answered
from gateway.asking import questions_of
from gateway.config import load_house
from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from gateway.telling import quiet
from message_specs.verdict import Verdict
from spool.number import CHINA
from tests.crash.test_every_step import Disk
from tests.crash.world import START, Placeholders, PowerCut, Stop, World, copied
from tests.homes import demo_home, with_trades
from tests.samples import AGENT, SHOP, message, trade

SENDERS = {"CEB311": "shop", "CEB411": "pay", "CEB511": "ship", "CEB621": "agent"}
STEPS = (
    "claimed", "judged", "sealed", "synced", "writing", "written", "let go", "noticed", "put out", "told", "taken up",
    "sealed again", "going on", "gone on", "looked at", "drawn up", "looking", "looked", "asked", "answered",
)  # fmt: skip


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which trades have begun, and where everything that comes next has been dropped."""
    home = with_trades(demo_home(tmp_path_factory.mktemp("morning")))
    kouan = (home / "kouan.toml").read_text("utf-8")
    kouan = re.sub(r"(?m)^ask = .*", 'ask = "always"', kouan)
    kouan = re.sub(r"(?m)^url = .*", 'url = "http://127.0.0.1:9/"', kouan)
    (home / "kouan.toml").write_text(re.sub(r"(?m)^on_mismatch = .*", 'on_mismatch = "refuse"', kouan), "utf-8")
    world = World(home, moment=START - timedelta(days=8))
    # 1 is whole and declared; 9 has nobody but its order and will be told of; 8 waits for its payment too long.
    for number, specs in {1: SENDERS, 9: ["CEB311"], 8: ["CEB621", "CEB311", "CEB511"]}.items():
        for spec in specs:
            drop(world, spec, number)
    world.take_in()
    until_it_rests(world)
    world.carry()
    world.moment = START - timedelta(hours=1)
    # 2 lacks a payment, 3 everything, 4 has a payment that disagrees; 5 and 6 are one signed message; 7 errs itself.
    for number, specs in {2: ["CEB311", "CEB511", "CEB621"], 3: ["CEB621"], 4: SENDERS, 7: ["CEB621"]}.items():
        for spec in specs:
            drop(world, spec, number, wrong=(number, spec) in ((4, "CEB411"), (7, "CEB621")))
    signed = sign_message(message("CEB621", 2, start=5), load_signer(home / "keys", "agent"))
    world.drop("agent", "signed.xml", signed)
    for spec in ("CEB311", "CEB411", "CEB511"):
        drop(world, spec, 5)
    world.take_in()
    until_it_rests(world)
    for number, spec in ((2, "CEB411"), (3, "CEB311"), (3, "CEB411"), (3, "CEB511"), (10, "CEB621"), (10, "CEB311")):
        drop(world, spec, number)
    for spec in ("CEB311", "CEB411", "CEB511"):
        drop(world, spec, 6)
        drop(world, spec, 7)
    drop(world, "CEB411", 4, app_type="2")
    # Customs returns the inventory of the first: what it used of the year comes back.
    world.answer("returned.xml", "CEB622", "InventoryReturn", returned())
    world.close()
    return home


def drop(world: World, spec: str, number: int, *, wrong: bool = False, app_type: str = "1") -> None:
    body = message(spec, 1, start=number, app_type=app_type)
    if wrong:
        was, becomes = {
            "CEB411": (b"<ceb:amountPaid>", b"<ceb:amountPaid>1"), "CEB621": (b"<ceb:gnum>3<", b"<ceb:gnum>4<"),
        }[spec]  # fmt: skip
        assert was in body
        body = body.replace(was, becomes)
    world.drop(SENDERS[spec], f"{spec}-{number}-{app_type}.xml", body)


def returned() -> dict[str, str]:
    codes = {"customsCode": "2900", "ebpCode": SHOP.code, "ebcCode": SHOP.code, "agentCode": AGENT.code}
    said = {"returnStatus": "100", "returnInfo": "-", "returnTime": f"{START.astimezone(CHINA):%Y%m%d%H%M%S}000"}
    return {"guid": "0" * 36, **codes, "copNo": trade(1)["copNo"], "preNo": "B1", "invtNo": "I1", **said}


def until_it_rests(world: World, pulse: Callable[[str], None] = quiet) -> None:
    """Everything is done that the daemon would do in a few seconds."""
    for _ in range(6):
        world.moment += timedelta(seconds=31)
        world.go_on()
        world.look()
        ask(world, pulse)
        world.tell()


def ask(world: World, pulse: Callable[[str], None]) -> None:
    """The service has answered whatever was due: of the third trade's buyer, that he is another."""
    questions = questions_of(load_house(world.home), world.ledger)
    asked = questions.due(world.now())
    if not asked:
        return
    pulse("asked")
    other = trade(3)["id"]
    said = [Answered(Verdict.MISMATCH if one.person.number == other else Verdict.MATCH) for one in asked]
    questions.told(asked, said, world.now())
    pulse("answered")


def day(home: Path, *stops: Stop) -> dict[str, Any]:
    """How the day ends when the power fails at these stops."""
    for turn, stop in enumerate(stops, 1):
        with contextlib.suppress(PowerCut):
            world = World(home, moment=START + timedelta(minutes=10 * turn), pulse=stop)
            world.take_in()
            until_it_rests(world, stop)
            world.close()
    return ending(home)


def ending(home: Path) -> dict[str, Any]:
    """Everything that is to be the same, after a last quiet start and the night in which questions come again."""
    world = World(home, moment=START + timedelta(hours=2))
    world.take_in()
    until_it_rests(world)
    world.moment += timedelta(days=1)
    until_it_rests(world)
    told = {"files": sorted(files(world)), **tables(world)}
    told["open"] = world.rows(
        "SELECT first FROM batch WHERE let_go_at IS NULL UNION SELECT id FROM notice WHERE let_go = 0"
        " UNION SELECT subject FROM question WHERE answered_at IS NULL"
    )
    places = {place for (place,) in world.rows("SELECT evidence FROM interchange UNION SELECT evidence FROM message")}
    store = home / "spool/store"
    told["unknown evidence"] = {str(f.relative_to(store)) for f in store.rglob("*") if f.is_file()} - places
    world.close()
    return told


def files(world: World) -> Iterator[tuple[str, str, str]]:
    """Every file of the partners: its folder, whose document it tells of, and its words without numbers and times."""
    file_of = {str(n): file for n, file in world.rows("SELECT number, file FROM interchange")}
    for path, whole in world.files().items():
        folder, _, name = path.rpartition("/")
        names = Placeholders()
        text = whole
        if name.endswith(".ack.json"):
            # Whether a fellow came in the same batch or after a crash, the state it had then may differ.
            text = json.dumps(sorted((d["spec"], d["key"]) for d in json.loads(whole)["documents"])).encode()
        elif name.endswith(".notice.json"):
            text = json.dumps({**json.loads(whole), "number": ""}, sort_keys=True).encode()
        text = re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+08:00", b"{T}", text)
        number = re.match(r"\d{18}", name)
        shown = names(re.sub(r"\.[0-9a-f]{8}\.notice", ".notice", name).encode()).decode()
        yield folder, f"{shown} {file_of.get(number[0]) if number else ''}", names(text).decode()


WHOSE = "(SELECT i.file || '.' || {0}.ordinal FROM interchange i WHERE i.number = {0}.number)"


def tables(world: World) -> dict[str, Any]:
    """What the ledger says of trades."""
    told = {
        "documents": f"SELECT {WHOSE.format('d')} AS name, spec, key, version, state, app_type, status,"
        " substr(why, 1, 4), message IS NULL FROM document d ORDER BY name",
        "messages": f"SELECT {WHOSE.format('d')} AS name, m.suite, m.authority FROM document d JOIN message m"
        " ON instr(' ' || m.documents || ' ', ' ' || d.number || '.' || d.ordinal || ' ') ORDER BY name",
        "papers": f"SELECT {WHOSE.format('p')} AS name, kind, dossier FROM paper p ORDER BY name",
        "marks": f"SELECT {WHOSE.format('p')} AS name, mark FROM mark p WHERE ordinal > 0 ORDER BY name, mark",
        "awaited": f"SELECT {WHOSE.format('p')} AS name, mark FROM awaited p WHERE ordinal > 0 ORDER BY name, mark",
        "dossiers": f"SELECT mark, order_no, mode, phase, {WHOSE.format('p')}, due_at IS NULL, why FROM dossier p"
        " ORDER BY mark",
        "questions": "SELECT subject, answered_at IS NULL, trouble FROM question ORDER BY subject",
        "waiting for answers": "SELECT subject FROM question_waits ORDER BY subject",
        "notices": f"SELECT n.partner, {WHOSE.format('p')} AS name, substr(n.name, instr(n.name, '.T'), 5), let_go"
        " FROM notice n JOIN document p ON n.name LIKE p.number || '.' || p.ordinal || '.%' ORDER BY 1, 2, 3",
    }
    found: dict[str, Any] = {name: world.rows(sql) for name, sql in told.items()}
    records = dict(world.rows("SELECT key, value FROM record"))
    secret = (world.home / "keys/secret").read_bytes()
    # A question that was cut is asked again the next day, so its inventory is declared a day later.
    found["records"] = sorted(
        (key.partition("|")[0], json.loads(value)["verdict"] if key.startswith("identity") else _undated(value))
        for key, value in records.items()
    )
    found["secret"] = hashlib.sha256(secret).hexdigest()
    return found


def _undated(value: str) -> str:
    return re.sub(r'"on":"[-0-9]{10}"', '"on":"D"', value)


@pytest.fixture(scope="module")
def quiet_day(morning: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    stop = Stop()
    told = day(copied(morning, tmp_path_factory.mktemp("quiet") / "home"), stop)
    assert set(stop.seen) == set(STEPS)
    assert (told["open"], told["unknown evidence"]) == ([], set())
    states = {(spec, number): state for number, spec, state in of_trades(told)}
    assert {number: states["CEB621", number] for number in range(1, 9)} == {
        1: "refused", 2: "ready", 3: "refused", 4: "ready", 5: "ready", 6: "ready", 7: "refused", 8: "filed",
    }  # fmt: skip
    return told


def of_trades(told: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    names = ("orderNo", "payNo", "logisticsNo", "copNo")
    numbers = {trade(number)[name]: number for number in range(1, 11) for name in names}
    for _, spec, key, _, state, *_ in told["documents"]:
        for part in (key or "").split("|"):
            if part in numbers:
                yield numbers[part], spec, state


def times(morning: Path, step: str, folder: Path) -> int:
    """How often a step comes by on a quiet day."""
    stop = Stop()
    day(copied(morning, folder / "counted"), stop)
    return stop.seen.count(step)


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_of_a_trade_changes_no_ending(
    morning: Path, quiet_day: dict[str, Any], tmp_path: Path, step: str
) -> None:
    for count in range(1, times(morning, step, tmp_path) + 1):
        stop = Stop(step, count)
        told = day(copied(morning, tmp_path / f"home{count}"), stop)
        assert stop.seen[-1] == step
        assert told == quiet_day, count


@pytest.mark.parametrize("again", STEPS)
def test_a_second_crash_changes_no_ending(morning: Path, quiet_day: dict[str, Any], tmp_path: Path, again: str) -> None:
    for step in ("written", "gone on", "looked at", "asked", "put out"):
        told = day(copied(morning, tmp_path / step), Stop(step), Stop(again))
        assert told == quiet_day, step


@pytest.mark.parametrize("call", ["rename", "write"])
def test_a_crash_before_any_rename_or_write_of_a_trade_changes_no_ending(
    morning: Path, quiet_day: dict[str, Any], tmp_path: Path, call: str
) -> None:
    turn = 0
    while True:
        turn += 1
        home = copied(morning, tmp_path / f"home{turn}")
        world = World(home, moment=START + timedelta(minutes=10))
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, call, turn)
            with contextlib.suppress(PowerCut):
                world.take_in()
                until_it_rests(world)
            reached = disk.reached
        if not reached:
            break
        assert ending(home) == quiet_day, f"{call} {turn}"
    assert turn > 20
