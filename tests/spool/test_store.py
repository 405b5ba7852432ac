"""Evidence lies under its number, is claimed by one rename, and is found again by its name alone."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spool.store import Evidence, Store, is_of_the_disk

FIRST = 261121204432000017
LATER = 261121204501000000
NEXT_DAY = 261122000000000000
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=250)


def test_a_claimed_file_is_gone_from_where_it_lay_and_stands_in_the_store(tmp_path: Path) -> None:
    (dropped := tmp_path / "ORDERS.xml").write_bytes(b"<a/>")
    store = Store(tmp_path / "store")
    place = store.place(FIRST, "shop", "ORDERS.xml")
    assert store.claim(str(dropped), place)
    assert (place, store.read(place), dropped.exists()) == (
        f"2026/11/21/2044/{FIRST}~shop~ORDERS.xml", b"<a/>", False,
    )  # fmt: skip


def test_a_file_that_another_took_is_not_claimed(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert not store.claim(str(tmp_path / "gone.xml"), store.place(FIRST, "shop", "gone.xml"))


def test_a_store_whose_folder_vanished_says_so_and_leaves_the_file(tmp_path: Path) -> None:
    (dropped := tmp_path / "a.xml").write_bytes(b"<a/>")
    store = Store(tmp_path / "store")
    place = store.place(FIRST, "shop", "a.xml")
    store.path(place).parent.rmdir()
    with pytest.raises(FileNotFoundError):
        store.claim(str(dropped), place)
    assert dropped.exists()


def test_the_store_tells_what_it_holds_from_a_number_on_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number, sender, file in ((NEXT_DAY, "pay", "c~d.xml"), (FIRST, "shop", "a.xml"), (LATER, "+shop", "b.xml")):
        store.write(store.place(number, sender, file), b"<a/>")
    (tmp_path / "2026/11/21/2044/notes.txt").write_text("no evidence")
    all_of_it = [
        Evidence(FIRST, "shop", "a.xml", f"2026/11/21/2044/{FIRST}~shop~a.xml"),
        Evidence(LATER, "+shop", "b.xml", f"2026/11/21/2045/{LATER}~+shop~b.xml"),
        Evidence(NEXT_DAY, "pay", "c~d.xml", f"2026/11/22/0000/{NEXT_DAY}~pay~c~d.xml"),
    ]
    assert list(store.since(0)) == all_of_it
    assert list(store.since(FIRST + 1)) == all_of_it[1:]
    assert list(store.since(LATER)) == all_of_it[1:]
    assert list(store.since(NEXT_DAY)) == all_of_it[2:]
    assert list(store.since(NEXT_DAY + 1)) == []


def test_an_empty_store_holds_nothing(tmp_path: Path) -> None:
    assert list(Store(tmp_path / "none").since(0)) == []


@given(NAMES)
def test_any_name_that_a_partner_can_give_has_a_place_that_is_found_again(tmp_path_factory, name: str) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    place = store.place(FIRST, "shop", name)
    store.write(place, b"<a/>")
    (found,) = store.since(0)
    assert (found.number, found.sender, found.place) == (FIRST, "shop", place)
    assert len(os.fsencode(name)) > 180 or found.file == name
    assert store.read(found.place) == b"<a/>"


def test_what_a_crash_left_under_a_name_is_replaced_and_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    place = store.place(FIRST, "^customs", "CEB311Message.xml")
    store.write(place, b"half")
    store.write(place, b"whole")
    assert store.read(place) == b"whole"
    assert store.path(place).stat().st_mode & 0o777 == 0o440
    store.forget(place)
    store.forget(place)
    with pytest.raises(FileNotFoundError):
        store.read(place)


def test_trouble_of_the_disk_is_told_from_the_trouble_of_one_file() -> None:
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOENT, errno.EACCES)
    assert [is_of_the_disk(OSError(code, "")) for code in codes] == [True, True, True, False, False]


def test_a_full_or_busy_book_is_trouble_of_the_disk_and_a_broken_rule_is_not(tmp_path: Path) -> None:
    book = sqlite3.connect(tmp_path / "book", isolation_level=None, timeout=0)
    book.execute("CREATE TABLE a (b UNIQUE)")
    book.execute(f"PRAGMA max_page_count = {book.execute('PRAGMA page_count').fetchone()[0]}")
    other = sqlite3.connect(tmp_path / "book", isolation_level=None, timeout=0)
    told = [trouble(book, f"INSERT INTO a VALUES ('{'x' * 99_999}')"), trouble(book, "SELECT * FROM missing")]
    book.execute("BEGIN IMMEDIATE")
    told.append(trouble(other, "BEGIN IMMEDIATE"))
    book.execute("INSERT INTO a VALUES (1)")
    told.append(trouble(book, "INSERT INTO a VALUES (1)"))
    assert told == [True, False, True, False]


def trouble(book: sqlite3.Connection, sql: str) -> bool:
    with pytest.raises(sqlite3.Error) as told:
        book.execute(sql)
    return is_of_the_disk(told.value)


def test_what_follows_from_a_full_disk_is_trouble_of_the_disk_too() -> None:
    told = ValueError("no transaction is active")
    told.__context__ = OSError(errno.ENOSPC, "No space left on device")
    assert is_of_the_disk(told)


def test_a_claimed_file_is_given_back_unless_another_stands_there(tmp_path: Path) -> None:
    (dropped := tmp_path / "a.xml").write_bytes(b"<half")
    store = Store(tmp_path / "store")
    place = store.place(FIRST, "shop", "a.xml")
    assert store.claim(str(dropped), place)
    assert store.give_back(place, str(dropped))
    assert (dropped.read_bytes(), store.path(place).exists()) == (b"<half", False)
    assert store.claim(str(dropped), place)
    dropped.write_bytes(b"<another/>")
    assert not store.give_back(place, str(dropped))
    assert (dropped.read_bytes(), store.read(place)) == (b"<another/>", b"<half")


def test_a_copy_of_our_own_that_a_crash_cut_is_known_beside_its_evidence_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for file in ("a.xml", "a.xml.own", "his.own"):
        store.write(store.place(FIRST, "shop", file), b"<a/>")
    assert {one.file: store.is_half_copied(one) for one in store.since(0)} == {
        "a.xml": False, "a.xml.own": True, "his.own": False,
    }  # fmt: skip
