"""The real daemon answers the real caller in a box: asked, 10000, uploaded, verified, kept; a kill makes no second data."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.raw_payments import file
from spool.ledger import Ledger
from tests import samples
from tests.adapters.simulators.payment_box import PaymentBox
from tests.crash.daemon import ask, quiet_home, running, until
from tests.homes import demo_home, now, take_in, with_trades
from tests.payments import asked_home, free_port, raws

SESSIONS = "SELECT state, attempts, trouble FROM payment_inquiry ORDER BY asked_at"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[PaymentBox]:
    (tmp_path / "box").mkdir()
    made = PaymentBox(tmp_path / "box")
    yield made
    made.end()


def words(home: Path) -> str:
    return (home / "run.log").read_text("utf-8", "replace")


def traded(
    tmp_path: Path, box: PaymentBox, *behaviours: str, filed: bool = True, key: str = "shop", **more: str
) -> Path:
    """A home with one whole trade, and customs that knows where to ask."""
    home = with_trades(quiet_home(demo_home(tmp_path), workers=1))
    if key != "shop":
        file_ = home / "partners/shop.toml"
        file_.write_text(file_.read_text("utf-8").replace('\n[[keys]]\nname = "shop"', f'\n[[keys]]\nname = "{key}"'))
    port = free_port()
    box.start(*behaviours, url=f"http://127.0.0.1:{port}/platDataOpen/shop", certificate=home / f"keys/{key}/cert.pem")
    asked_home(home, box.url, port=port, **more)
    for sender, spec in (("shop", "CEB311"), ("pay", "CEB411")):
        take_in(home, sender, f"{spec}.xml", samples.message(spec, 1))
    if filed:
        filing(home)
    return home


def filing(home: Path) -> None:
    from gateway.config import load_house

    ledger = Ledger(home / "ledger.sqlite3")
    assert file(ledger, load_house(home).partner("pay"), raws(1), now(), 3)
    ledger.close()


ORDER = samples.trade(1)["orderNo"]


@pytest.mark.parametrize(("key", "suite"), [("shop", "rsa-sha1"), ("agent", "sm2-sm3")])
def test_a_trade_is_asked_for_and_its_data_arrives_verified(
    tmp_path: Path, box: PaymentBox, key: str, suite: str
) -> None:
    home = traded(tmp_path, box, key=key)
    with running(home, "run", ends="stop"):
        (said,) = box.ask(ORDER)
        assert json.loads(said["said"])["code"] == "10000"
        until(lambda: ask(home, SESSIONS) == [("answered", 1, None)], 15, lambda: words(home))
    (one,) = box.book()
    assert (one["code"], one["orders"], one["transaction"]) == ("10000", [ORDER], samples.trade(1)["payNo"])
    assert one["total"] == samples.trade(1)["paid"]
    assert ask(home, "SELECT suite, guid, cert_no FROM payment_upload") == [(suite, one["guid"], one["cert"])]
    ((body,),) = ask(home, "SELECT body FROM payment_answer")
    assert json.loads(body)["message"] == "上传成功"
