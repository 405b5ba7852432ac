"""`kouan rates` takes a file without a mistake or nothing, and lists what holds on a day."""

from pathlib import Path
from typing import Any

import pytest

from gateway.cli import ended

HEAD = "hs,valid_from,valid_to,duty,vat,ct_type,ct_rate,ct_threshold,ct_per,unit1,unit2,name,source\n"
BAG = "4202210090,2027-01-01,,6,9,none,,,,035,007,手提包,公告\n"
OURS = {
    "hs": "4202210090", "valid_from": "2020-01-01", "valid_to": "", "duty": "6", "vat": "13", "ct_type": "none",
    "ct_rate": "", "ct_threshold": "", "ct_per": "", "unit1": "035", "unit2": "007",
    "name": "其他以皮革或再生皮革作面的手提包", "source": "税则 2020-01",
}  # fmt: skip
NEW = OURS | {"valid_from": "2027-01-01", "vat": "9", "name": "手提包", "source": "公告"}


def file_of(folder: Path, text: str) -> Path:
    file = folder / "table.csv"
    file.write_text(text, "utf-8")
    return file


def test_a_dry_run_shows_the_changes_and_writes_nothing(home: Path, told: Any, tmp_path: Path) -> None:
    file = file_of(tmp_path, HEAD + BAG)
    change = {"hs": "4202210090", "since": "2027-01-01", "before": OURS, "after": NEW}
    assert told("rates", "load", file, "--dry-run") == [change]
    assert not (home / "rates.csv").exists()
    assert told("rates", "load", file) == [change]
    assert (home / "rates.csv").read_text("utf-8") == HEAD + BAG
    assert told("rates", "load", file) == []


def test_a_file_with_a_mistake_is_refused_whole(home: Path, told: Any, tmp_path: Path) -> None:
    told("rates", "load", file_of(tmp_path, HEAD + BAG))
    found = told("rates", "load", file_of(tmp_path, HEAD + BAG.replace(",9,", ",9%,") + BAG[1:]), ends=1)
    assert [(one["code"], one["row"], one["path"], one["value"]) for one in found] == [
        ("T324", 2, "vat", "9%"), ("T322", 3, "hs", "202210090"),
    ]  # fmt: skip
    assert (home / "rates.csv").read_text("utf-8") == HEAD + BAG


def test_loading_mends_a_table_that_was_broken_by_hand(home: Path, told: Any, tmp_path: Path) -> None:
    (home / "rates.csv").write_text("nonsense")
    assert [one["after"] for one in told("rates", "load", file_of(tmp_path, HEAD + BAG))] == [NEW]


def test_the_list_is_that_of_a_day_and_says_whose_a_rate_is(told: Any, tmp_path: Path) -> None:
    told("rates", "load", file_of(tmp_path, HEAD + BAG))
    assert told("rates", "list", "--hs", "4202210090", "--on", "2026-12-31") == [OURS | {"of": "kouan"}]
    assert told("rates", "list", "--hs", "4202210090", "--on", "2027-01-01") == [NEW | {"of": "home"}]
    assert len(told("rates", "list", "--hs", "330499")) == 8
    assert told("rates", "list", "--hs", "99999") == []


def test_people_read_tables(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert ended(["rates", "load", str(file_of(tmp_path, HEAD + BAG))]) == 0
    printed = capsys.readouterr()
    assert "duty 6, VAT 13, consumption 0, until …" in printed.out
    assert "1 rows; 1 changed." in printed.err
    assert ended(["rates", "list", "--hs", "3304990029", "--on", "2026-11-21"]) == 0
    assert "15 from 10 CNY/g" in capsys.readouterr().out
    assert ended(["rates", "load", str(file_of(tmp_path, HEAD + BAG[1:]))]) == 1
    printed = capsys.readouterr()
    assert "T322" in printed.out
    assert "1 mistakes. Nothing was changed." in printed.err


def test_without_a_home_nothing_is_loaded(tmp_path: Path) -> None:
    assert ended(["--home", str(tmp_path / "none"), "rates", "load", str(file_of(tmp_path, HEAD + BAG))]) == 4


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"hs,\xff", "T320"), (b'hs,"vat\n1', "T321"), (b"hs\n1\n", "T328"),
        (HEAD.replace("vat", "rate").encode(), "T329"),
        ((HEAD + BAG.replace("4202210090,", "4202210090,never", 1)).encode(), "T323"),
        ((HEAD + BAG + BAG).encode(), "T327"), ((HEAD + BAG.rstrip() + ",x\n").encode(), "T330"),
        ((HEAD + BAG.replace("none", "some")).encode(), "T325"), ((HEAD + BAG.replace("035", "kg")).encode(), "T326"),
    ],
)  # fmt: skip
def test_every_mistake_of_a_table_has_a_code_and_nothing_is_loaded(
    home: Path, told: Any, tmp_path: Path, text: bytes, code: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(text)
    assert code in [one["code"] for one in told("rates", "load", file, ends=1)]
    assert not (home / "rates.csv").exists()
