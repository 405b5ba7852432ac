"""The same trades through the real daemon and the real process of customs: files in, receipts out, both books."""

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.home import make_home
from tests.crash.daemon import KOUAN, ROOT, ask, quiet_home, running, until
from tests.stories.trades.documents import asked, made

_STANDS = "SELECT spec, version, state, status FROM document WHERE version IS NOT NULL ORDER BY number, ordinal"


@pytest.fixture(scope="module")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = make_home(tmp_path_factory.mktemp("made") / "home", datetime.now(UTC) - timedelta(days=1), demo=True)
    quiet_home(home)
    settings = home / "simulators/customs.toml"
    settings.write_text(settings.read_text("utf-8").replace('["prompt"]', "[]"), "utf-8")
    return home


@contextlib.contextmanager
def house(made_home: Path, tmp_path: Path, *behaviours: str) -> Iterator[Path]:
    """A home whose daemon runs beside a customs that behaves like this."""
    home = Path(shutil.copytree(made_home, tmp_path / "home"))
    settings = home / "simulators/customs.toml"
    settings.write_text(settings.read_text("utf-8").replace("= []", f"= {json.dumps(behaviours)}", 1), "utf-8")
    with running(home, "simulate", "customs"), running(home, "run"):
        yield home


def drop(home: Path, line: str) -> None:
    """The partner has put the file of this line into his folder."""
    one = asked(line.split())
    aside = home / f".{one.told}.xml"
    aside.write_bytes(made(one))
    aside.rename(home / f"spool/partners/{one.partner}/in/{one.told}.xml")


def stands(home: Path, *lines: str) -> None:
    """Every document stands like this soon: `CEB621 1 closed 800`."""

    def so() -> bool:
        return sorted(" ".join(map(str, row)) for row in ask(home, _STANDS)) == sorted(lines)

    until(so, 30, lambda: f"{ask(home, _STANDS)}")


def told(home: Path, partner: str) -> list[str]:
    """The receipts and notices that lie in a partner's out/, by kind."""
    names = (path.name for path in (home / f"spool/partners/{partner}/out").iterdir())
    return sorted(match[1] for name in names if (match := re.search(r"\.(CEB\d{3}|T\d{3})\.", name)))


def trades(home: Path) -> list[tuple[str, str | None]]:
    """State and tax of each trade by customs' own book."""
    command = [*KOUAN, "simulate", "customs", "--book", "--trades", "--json", "--home", str(home)]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.splitlines()
    return [(one["state"], one["tax"] and one["tax"]["status"]) for one in map(json.loads, lines)]


def phases(home: Path) -> list[str]:
    """Where the trades stand by our own book."""
    return [phase for (phase,) in ask(home, "SELECT phase FROM dossier ORDER BY order_no")]


FELLOWS = ("CEB311 1 closed 120", "CEB411 1 closed 120", "CEB511 1 closed 120")


def test_a_whole_import_is_released_and_taxed(made_home: Path, tmp_path: Path) -> None:
    with house(made_home, tmp_path) as home:
        for line in ("agent inventory", "ship waybill", "pay payment", "shop order"):
            drop(home, line)
        stands(home, *FELLOWS, "CEB621 1 closed 800")
        until(lambda: told(home, "agent") == sorted(["CEB622"] * 4 + ["CEB816", "CEB818"]), 20)
        assert (phases(home), trades(home)) == (["released"], [("800", "2")])
        assert [told(home, one) for one in ("shop", "pay", "ship")] == [["CEB312"] * 2, ["CEB412"] * 2, ["CEB512"] * 2]


def test_a_payment_that_differs_is_mended_and_then_all_goes_on(made_home: Path, tmp_path: Path) -> None:
    with house(made_home, tmp_path) as home:
        for line in ("shop order", "pay payment amountPaid=1.00", "ship waybill", "agent inventory"):
            drop(home, line)
        stands(home, "CEB311 1 sent 2", "CEB411 1 sent 2", "CEB511 1 sent 2", "CEB621 1 filed None")
        assert "T101" in told(home, "shop")
        drop(home, "pay payment appType=2 as=payment-mended")
        mended = ("CEB311 1 closed 120", "CEB411 1 sent 2", "CEB411 2 closed 120", "CEB511 1 closed 120")
        stands(home, *mended, "CEB621 1 closed 800")
        assert (phases(home), trades(home)[0][0]) == (["released"], "800")


def test_an_inventory_is_cancelled_and_declared_anew(made_home: Path, tmp_path: Path) -> None:
    with house(made_home, tmp_path, "silent-after=120") as home:
        for line in ("shop order", "pay payment", "ship waybill", "agent inventory"):
            drop(home, line)
        stands(home, *FELLOWS, "CEB621 1 sent 120")
        [(number,)] = ask(home, "SELECT value FROM given_number WHERE kind = 'invtNo'")
        drop(home, f"agent cancel invtNo={number}")
        stands(home, *FELLOWS, "CEB621 1 sent 120", "CEB623 1 closed 399")
        assert (phases(home), trades(home)) == (["void"], [("void", None)])
        drop(home, "agent inventory copNo=KA2600000000000002 as=inventory-again")
        stands(home, *FELLOWS, "CEB621 1 sent 120", "CEB623 1 closed 399", "CEB621 2 sent 120")
        assert (phases(home), trades(home)) == (["declared"], [("120", None)])
