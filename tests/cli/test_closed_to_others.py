"""What the daemon and the commands write holds people's names and numbers: nobody but our group can read it."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.home import make_home
from spool.ledger import Ledger
from tests import samples
from tests.crash.daemon import ROOT, quiet_home, running, until
from tests.homes import book, now


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return quiet_home(make_home(tmp_path / "home", now(), demo=True))


def open_to_others(home: Path) -> dict[str, str]:
    """What somebody outside our group can do something with, or our group more than read, but for public keys."""
    found = {}
    for path in [home, *home.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        allowed = 0o750 if path.is_dir() else 0o640
        if mode & ~allowed and path.suffix not in (".pub", ".log") and path.name not in ("cert.pem", "key.toml"):
            found[str(path.relative_to(home))] = oct(mode)
    return found


def kouan(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments, "--home", str(home)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, umask=0o022,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_what_a_running_daemon_and_the_commands_leave_is_closed_to_others(home: Path) -> None:
    before = os.umask(0o022)
    try:
        with running(home, "run", ends="stop"):
            box = home / "spool/partners/shop"
            (box / ".1").write_bytes(samples.order(1))
            (box / ".1").chmod(0o666)
            (box / ".1").rename(box / "in/1.xml")
            until(lambda: any(box.joinpath("out").iterdir()), 20)
            until(lambda: any(home.joinpath("spool/authorities/customs/out").iterdir()), 20)
            assert kouan(home, "submit", "--partner", "pay", str(samples_file(home))).returncode in (0, 1)
            assert open_to_others(home) == {}
            names = {path.name for path in home.glob("ledger.sqlite3*")}
            assert names == {"ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"}
    finally:
        os.umask(before)
    assert book(home).one("document_counts") is not None


def samples_file(home: Path) -> Path:
    file = home.parent / "2.xml"
    file.write_bytes(samples.order(2))
    return file


def test_a_ledger_that_was_open_to_others_is_closed_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    Ledger(path).close()
    path.chmod(0o664)
    Ledger(path).close()
    assert oct(stat.S_IMODE(path.stat().st_mode)) == "0o640"
    path.chmod(0o600)
    Ledger(path).close()
    assert oct(stat.S_IMODE(path.stat().st_mode)) == "0o600"


def test_a_daemon_whose_secret_is_gone_says_so_and_does_not_start(home: Path) -> None:
    ledger = Ledger(home / "ledger.sqlite3")
    with ledger.writing():
        ledger.run("keep_record", "identity|00", "match", 0)
    ledger.close()
    shutil.rmtree(home / "keys/secret", ignore_errors=True)
    said = kouan(home, "run")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("kouan: 密钥文件不见了，而台账依赖它，不另生成 A key file is gone that ")
    assert f"{home}/keys/secret. 请从备份恢复。" in said.stderr
    assert not (home / "keys/secret").exists()
