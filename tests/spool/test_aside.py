"""What we write appears whole or not at all, and the trouble of one file is not the trouble of the others."""

import os
import threading
from pathlib import Path

import pytest

from spool import aside


def test_a_reader_sees_the_old_or_the_new_and_never_a_part(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    bodies = {bytes([letter]) * 300_000 for letter in b"xyz"}
    aside.put(file, b"x" * 300_000)
    seen = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.add(file.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(60):
        aside.put(file, b"xyz"[turn % 3 : turn % 3 + 1] * 300_000)
    over.set()
    reader.join()
    assert seen <= bodies
    assert os.listdir(tmp_path) == ["a.xml"]


def test_a_group_stands_under_its_names_with_nothing_left_aside(tmp_path: Path) -> None:
    copied = tmp_path / "evidence"
    copied.write_bytes(b"as it came")
    for folder in ("out", "refused"):
        (tmp_path / folder).mkdir()
    out, refused = str(tmp_path / "out"), str(tmp_path / "refused")
    files = [(out, "a", b"1"), (refused, "b", copied), (out, "c", b"")]
    assert aside.put_all(files, tmp_path) == []
    assert {str(file.relative_to(tmp_path)): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == {
        "evidence": b"as it came", "out/a": b"1", "out/c": b"", "refused/b": b"as it came",
    }  # fmt: skip


def test_of_two_files_of_one_name_the_later_stands(tmp_path: Path) -> None:
    assert aside.put_all([(str(tmp_path), "a", b"1"), (str(tmp_path), "a", b"2")], tmp_path) == []
    assert (tmp_path / "a").read_bytes() == b"2"


def test_what_cannot_be_written_is_told_and_the_rest_is_there(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    troubles = aside.put_all(
        [(str(tmp_path / "missing"), "a", b"1"), (str(tmp_path), "b", b"2"), (str(tmp_path), "taken", b"3")], tmp_path
    )
    assert len(troubles) == 2
    assert "missing" in troubles[0]
    assert (tmp_path / "b").read_bytes() == b"2"


def test_evidence_is_never_written_over(tmp_path: Path) -> None:
    aside.write_new(str(tmp_path / "a"), b"first")
    with pytest.raises(FileExistsError):
        aside.write_new(str(tmp_path / "a"), b"second")
    assert (tmp_path / "a").read_bytes() == b"first"


def test_a_file_system_that_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        aside.sync_filesystem(tmp_path / "missing")


def test_one_descriptor_of_a_file_system_stays_open_so_that_no_write_error_is_missed(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    kept = aside.keep_watch(tmp_path)
    before = sorted(os.listdir("/proc/self/fd"))
    for folder in (tmp_path, tmp_path / "store", str(tmp_path)):
        aside.sync_filesystem(folder)
        assert aside.keep_watch(folder) == kept
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert os.fstat(kept).st_dev == tmp_path.stat().st_dev


def test_of_files_that_go_together_none_appears_when_one_cannot_be_written(tmp_path: Path) -> None:
    files = [(str(tmp_path), "a", b"1"), (str(tmp_path / "missing"), "b", b"2"), (str(tmp_path), "c", b"3")]
    assert len(aside.put_all(files, tmp_path, together=True)) == 1
    assert os.listdir(tmp_path) == []
    assert aside.put_all([files[0], files[2]], tmp_path, together=True) == []
    assert sorted(os.listdir(tmp_path)) == ["a", "c"]
