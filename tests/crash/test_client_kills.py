"""Through an official client, with the daemon killed at any moment: each message is sent once and answered to the end.

Daemon, client and customs are processes of their own; what the client makes of each file is stamped.
"""

import os
import time
from pathlib import Path

import pytest

from tests import samples
from tests.crash.daemon import Process, ask, quiet_home, running, until
from tests.homes import demo_home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose customs is reached through a client's boxes, behind which stands a customs in a box."""
    home = quiet_home(demo_home(tmp_path))
    file = home / "authorities/customs.toml"
    text = file.read_text("utf-8").replace('kind = "folder"', 'kind = "client"')
    text = text.replace('"spool/authorities/customs/out"', '"client/Ceb"').replace(
        "look_seconds = 2.0", "look_seconds = 0.2"
    )
    text = text.replace('folder = "spool/authorities/customs/in"', "")
    file.write_text(text.replace("vanished_seconds = 60.0", "vanished_seconds = 3.0"), "utf-8")
    (home / "simulators/client.toml").write_text(
        'folder = "../client/Ceb"\nonward = "../spool/onward"\nlook_seconds = 0.05\n', "utf-8"
    )
    file = home / "simulators/customs.toml"
    text = file.read_text("utf-8").replace("../spool/authorities/customs/out", "../spool/onward")
    file.write_text(text.replace("../spool/authorities/customs/in", "../client/Ceb/InBox"), "utf-8")
    for box in ("OutBox", "SentBox", "FailBox", "InBox"):
        (home / "client/Ceb" / box).mkdir(parents=True)
    return home


def drop(home: Path, *orders: int) -> None:
    folder = home / "spool/partners/shop/in"
    for order in orders:
        (folder / f".{order}").write_bytes(samples.order(order))
        os.rename(folder / f".{order}", folder / f"{order}.xml")


def states(home: Path) -> list[str]:
    found = ask(home, "SELECT state FROM document WHERE partner = 'shop' ORDER BY number, ordinal")
    return [state for (state,) in found]


def reasons(home: Path) -> list[str]:
    return [str(why) for (why,) in ask(home, "SELECT why FROM document WHERE state = 'held' ORDER BY number")]


def command(home: Path, *arguments: str) -> int:
    return Process(home, *arguments).wait_for_end()


def test_killed_again_and_again_everything_is_sent_once_and_answered(home: Path) -> None:
    with running(home, "simulate", "customs"), running(home, "simulate", "client"):
        orders = iter(range(1, 100))
        for pause in (0.3, 0.7, 1.1, 1.6, 2.3):
            with running(home, "run"):
                drop(home, next(orders), next(orders), next(orders))
                time.sleep(pause)  # the moment of the kill; whatever it cuts must not matter
        with running(home, "run", ends="stop"):
            until(lambda: len(states(home)) == 15 and set(states(home)) == {"closed"}, 40, lambda: str(states(home)))
    assert reasons(home) == []
    sent = os.listdir(home / "client/Ceb/SentBox")
    assert len(sent) == len(set(sent)) == ask(home, "SELECT count(*) FROM message")[0][0]
    assert set(ask(home, "SELECT state FROM outbox")) == {("gone",)}
    answers = {said.partition("/")[0] for (said,) in ask(home, "SELECT answer FROM outbox")}
    assert answers <= {"SentBox", "ClientAnswer"}


def test_what_the_client_cannot_send_is_held_with_its_words_and_a_release_gives_it_again(home: Path) -> None:
    with running(home, "run", ends="stop"), running(home, "simulate", "customs"):
        with running(home, "simulate", "client", "--behaviour", "fails"):
            drop(home, 1, 2)
            until(lambda: states(home) == ["held", "held"], 15, lambda: str(states(home)))
        # For who asks; the log has their place only.
        logged = (home / "run.log").read_text("utf-8")
        assert ("读卡器" in logged, "「…」" in logged) == (False, True)
        assert all(why.endswith("读卡器中没有卡 -1」") and "FailBox/CEB311Message_" in why for why in reasons(home))
        with running(home, "simulate", "client"):
            assert command(home, "release", "--cause", "the client could not send it", "--reason", "card is back") == 0
            until(lambda: states(home) == ["closed", "closed"], 15, lambda: str((states(home), reasons(home))))
    assert len(os.listdir(home / "client/Ceb/SentBox")) == 2


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [("prefixes", "closed"), ("silent", "closed"), ("half", "closed"), ("vanishes", "closed"), ("loses", "held")],
)
def test_a_client_of_odd_habits_is_understood_or_an_operator_is_told(home: Path, behaviour: str, expected: str) -> None:
    odd = ("simulate", "client", "--behaviour", behaviour)
    with running(home, "run", ends="stop"), running(home, "simulate", "customs"), running(home, *odd):
        drop(home, 1)
        until(lambda: states(home) == [expected], 20, lambda: str((states(home), reasons(home))))
    told = ["it lies in none of the client's boxes any more: see in the client whether it was sent"]
    assert reasons(home) == (told if expected == "held" else [])


def test_what_the_platform_refuses_after_it_was_sent_is_held(home: Path) -> None:
    with running(home, "run", ends="stop"), running(home, "simulate", "client", "--behaviour", "refused"):
        drop(home, 1)
        until(lambda: states(home) == ["held"], 15, lambda: str(states(home)))
    assert reasons(home)[-1].startswith("K112 ClientAnswer Failed")


def test_a_client_that_stands_still_is_waited_for(home: Path) -> None:
    with running(home, "run", ends="stop"), running(home, "simulate", "customs"):
        with running(home, "simulate", "client", "--behaviour", "hangs"):
            drop(home, 1)
            until(lambda: bool(os.listdir(home / "client/Ceb/OutBox")), 10)
            late = "SELECT 1 FROM outbox WHERE given_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-4 seconds')"
            until(lambda: bool(ask(home, late)), 10)  # longer than vanished_seconds
            assert states(home) == ["ready"]
            assert ask(home, "SELECT attempts FROM outbox") == [(0,)]
        with running(home, "simulate", "client"):
            until(lambda: states(home) == ["closed"], 15, lambda: str(states(home)))
