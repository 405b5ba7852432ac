"""Records of a bank become files of the office, and what the office says of each comes back to the bank."""

from pathlib import Path

from tests.crash.daemon import ask, quiet_home, running, until
from tests.exchange.office import BASIC, office, report, reporting, table, told
from tests.homes import demo_home


def states(home: Path) -> list[tuple[str, str]]:
    return ask(home, "SELECT key, state FROM document WHERE spec = 'BOPA' ORDER BY key")


def test_records_of_a_table_are_declared_and_answered_one_by_one(tmp_path: Path) -> None:
    home = reporting(quiet_home(demo_home(tmp_path)))
    rows = [BASIC | {"申报号码": report(n), "银行业务编号": f"BANK{n:04d}"} for n in range(1, 6)]
    with office(home, "reject-some=5"), running(home, "run"):
        box = home / "spool/partners/bank"
        (box / "in/.a").write_bytes(table(*rows))
        (box / "in/.a").rename(box / "in/BOPA-1.csv")
        until(lambda: len(list((box / "out").glob("*.BOPAR.xml"))) == 1, 30, lambda: str(states(home)))
    assert states(home) == [*((report(n), "closed") for n in range(1, 5)), (report(5), "refused")]
    assert [one["report"] for one in told(home)] == [report(n) for n in range(1, 6)]
    (receipt,) = (box / "out").glob("*.BOPAR.xml")
    text = receipt.read_text("utf-8")
    assert text.count("<returnStatus>0</returnStatus>") == 4
    assert f"<RPTNO>{report(5)}</RPTNO><returnStatus>1</returnStatus>" in text
    assert "TXAMT TXAMT 抽查退回" in text
