"""A mailbox is three folders, and the names that clients use while they write are never taken."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spool import mailbox
from spool.mailbox import Mailbox

WRITING = [
    "ORDERS.xml.filepart",  # WinSCP
    "ORDERS.xml.part",  # Firefox, FileZilla servers
    "ORDERS.xml.partial",
    "ORDERS.xml.b7bd8374.partial",  # rclone
    ".ORDERS.xml.Xa81kd",  # rsync
    ".in.ORDERS.xml.",  # ProFTPD
    ".ORDERS.xml",
    "ORDERS.xml.tmp",
    "ORDERS.xml.TMP",
    "ORDERS.xml.temp",
    "ORDERS.xml.writing",
    "ORDERS.xml.swp",
    "ORDERS.xml~",
    "~$ORDERS.xml",
    "ORDERS.xml.crdownload",
    "ORDERS.xml.uploading",
    "ORDERS.xml.ocTransferId1983847.part",  # ownCloud
    "lftp-pget-status",
]
WHOLE = ["ORDERS.xml", "订单.xml", "part.xml", "tmp", "ORDERS.xml.1", "partial-order.xml", "a~b.xml", "Orders (1).xml"]
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=300)
RAW = st.binary(min_size=1, max_size=255).map(os.fsdecode)


@pytest.mark.parametrize("name", WRITING)
def test_a_name_used_while_writing_is_left_alone(name: str) -> None:
    assert mailbox.is_temporary(name)


@pytest.mark.parametrize("name", WHOLE)
def test_an_ordinary_name_is_not(name: str) -> None:
    assert not mailbox.is_temporary(name)


@given(NAMES | RAW, st.integers(10**17, 10**18 - 1))
def test_an_acknowledgement_has_a_name_that_a_file_system_holds(file: str, number: int) -> None:
    name = mailbox.acknowledgement_name(file, number)
    assert len(name.encode("utf-8", "surrogateescape")) <= 255
    assert name.endswith(f".{number}.ack.json")


def test_what_we_write_aside_is_taken_by_nobody() -> None:
    assert mailbox.is_temporary(".7.4711.writing")


def test_the_folders_are_closed_to_others_and_making_them_again_changes_nothing(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "shop")
    box.make()
    (box.out / "a").write_text("kept")
    box.make()
    assert sorted(folder.name for folder in box.root.iterdir()) == ["in", "out", "refused"]
    assert {folder.stat().st_mode & 0o007 for folder in box.root.iterdir()} == {0}
    assert (box.out / "a").read_text() == "kept"
