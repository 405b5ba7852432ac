"""What `kouan doctor` looks at: each look is a function that yields symptoms and changes nothing."""

import contextlib
import ctypes
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config import House

OK, WARNING, ERROR = "ok", "warning", "error"
EXPIRY_DAYS = (60, 30, 14, 7, 1)
PAIR = "import lxml.etree as e, xmlsec as x; print(e.__version__, '.'.join(map(str, e.LIBXML_VERSION)), x.__version__)"
PAIR_CURE = (
    "They must share one libxml2:  .venv/bin/pip install --force-reinstall --only-binary lxml,xmlsec"
    " -c constraints.txt lxml xmlsec   (or --no-binary lxml,xmlsec for BOTH)."
)
TIME_ERROR = 5


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing looked at: how it is, what was seen, what to do."""

    name: str
    status: str
    seen: str
    cure: str = ""


def programs() -> Iterator[Symptom]:
    """Yield how Python, SQLite, and the pair lxml and xmlsec are; a pair that crashes takes only a child with it."""
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield Symptom("python", OK if good else ERROR, version, "" if good else "Python 3.11 or later is needed.")
    good = sqlite3.sqlite_version_info >= (3, 35)
    yield Symptom("sqlite", OK if good else ERROR, sqlite3.sqlite_version, "" if good else "3.35 or later is needed.")
    child = subprocess.run([sys.executable, "-P", "-c", PAIR], capture_output=True, text=True, check=False)
    if child.returncode == 0:
        lxml, libxml2, xmlsec = child.stdout.split()
        yield Symptom("lxml and xmlsec", OK, f"lxml {lxml}, libxml2 {libxml2}, xmlsec {xmlsec}")
    else:
        said = (child.stderr.strip().splitlines() or [f"ended with {child.returncode}"])[-1]
        yield Symptom("lxml and xmlsec", ERROR, said, PAIR_CURE)


def sm2() -> Iterator[Symptom]:
    """Yield whether libcrypto can make an SM2 signature."""
    from gateway.signing import libcrypto
    from spool.errors import ForOperator

    try:
        libcrypto.new_private_key()
        yield Symptom("SM2", OK, "libcrypto of OpenSSL 3")
    except (ForOperator, libcrypto.Refused, OSError) as error:
        yield Symptom("SM2", WARNING, str(error), "Needed for SM2 keys only:  apt-get install libssl3")


def clock() -> Iterator[Symptom]:
    """Yield whether the kernel holds its clock for right; signatures and receipts carry times."""
    now = datetime.now(UTC)
    if now.year < 2026:
        yield Symptom("clock", ERROR, now.isoformat(), "Set the clock; start a time service (chrony).")
        return
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    if answer == TIME_ERROR:
        yield Symptom("clock", WARNING, "not synchronised", "Start a time service:  apt-get install chrony")
    else:
        yield Symptom("clock", OK, now.isoformat(timespec="seconds"))


def system(partners: int) -> Iterator[Symptom]:
    """Yield whether inotify and open files suffice for so many partners."""
    for name, need in (("max_user_watches", 3 * partners + 100), ("max_user_instances", 8)):
        file = Path("/proc/sys/fs/inotify") / name
        have = int(file.read_text()) if file.exists() else 0
        cure = f"sysctl fs.inotify.{name}={max(need, 8192)}; until then folders are found by the full scan only."
        yield Symptom(f"inotify {name}", OK if have >= need else WARNING, str(have), "" if have >= need else cure)
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    good = soft == resource.RLIM_INFINITY or soft >= 1024 + 16 * partners
    cure = "" if good else f"ulimit -n {1024 + 16 * partners}, or LimitNOFILE= of the service."
    yield Symptom("open files", OK if good else WARNING, str(soft), cure)


def disk(house: "House") -> Iterator[Symptom]:
    """Yield how full the disk of the home is, against the mark at which intake stops."""
    facts = os.statvfs(house.home)
    free, percent = facts.f_bavail * facts.f_frsize, 100 * facts.f_bavail / max(facts.f_blocks, 1)
    limits = house.kouan.limits
    seen = f"{free / 1024**3:.1f} GiB free, {percent:.0f} %"
    if free < limits.disk_free_bytes or percent < limits.disk_free_percent:
        yield Symptom("disk", ERROR, seen, "Intake is stopped. Free some space or move spool/ to a larger disk.")
    elif free < 2 * limits.disk_free_bytes or percent < 2 * limits.disk_free_percent:
        yield Symptom("disk", WARNING, seen, "Intake stops soon. Free some space.")
    else:
        yield Symptom("disk", OK, seen)


def keys(house: "House", now: datetime) -> Iterator[Symptom]:
    """Yield every key and certificate: can it sign, until when, who else can read it."""
    from gateway.secret import KeyLost, lost
    from gateway.signing.certificates import NoCertificate, facts, from_pem
    from gateway.signing.keys import list_keys

    sftp = house.kouan.sftp
    gone_ones: list[KeyLost] = []
    with contextlib.suppress(sqlite3.Error):  # the symptom "ledger" tells of it
        gone_ones += lost(house.home, sftp.host_key if sftp.listen else None)
    for gone in gone_ones:
        yield Symptom("keys", ERROR, f"{gone.file} 不见了 is gone, and the ledger depends on it", gone.cure)
    for key in list_keys(house.home / "keys", now):
        if key.trouble:
            cure = f"kouan key new NAME --suite …, in place of {key.name}."
            yield Symptom(f"key {key.name}", ERROR, key.trouble, cure)
        elif key.days_left is not None:
            yield _expiry(f"key {key.name}", key.days_left)
        secret = house.home / "keys" / key.name / "key.pem"
        if secret.exists() and secret.stat().st_mode & 0o077:
            yield Symptom(f"key {key.name}", ERROR, "others can read it", f"chmod 600 {secret}")
    for partner in house.partners.values():
        for file in partner.certificates:
            name = f"certificate {file} of {partner.name}"
            try:
                yield _expiry(name, (facts(from_pem((house.home / file).read_bytes())).not_after - now).days)
            except (OSError, NoCertificate) as error:
                yield Symptom(name, ERROR, str(error), "Put his certificate there, as PEM.")


def _expiry(name: str, days: int) -> Symptom:
    """Return how near the end is; the marks at which it gets louder are 60, 30, 14, 7 and 1 days."""
    passed = [mark for mark in EXPIRY_DAYS if days <= mark]
    if not passed:
        return Symptom(name, OK, f"{days} days left")
    status = ERROR if passed[-1] == EXPIRY_DAYS[-1] else WARNING
    return Symptom(name, status, f"{days} days left (mark: {passed[-1]})", "Replace it, and tell whoever trusts it.")


def ledger(house: "House") -> Iterator[Symptom]:
    """Yield how the book is kept, where there is one."""
    file = house.home / "ledger.sqlite3"
    if not file.exists():
        yield Symptom("ledger", OK, "none yet; made at the first start")
        return
    try:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        connection.close()
    except sqlite3.Error as error:
        yield Symptom("ledger", ERROR, str(error), "Stop the daemon and look at ledger.sqlite3; keep a copy first.")
        return
    if _is_behind(file):
        cure = "Start the daemon; it brings the ledger up to date, and needs as much free disk as the ledger is long."
        yield Symptom("ledger", WARNING, "written by an earlier Kouan", cure)
        return
    good = mode == "wal"
    seen = f"journal mode {mode}, {file.stat().st_size / 1024**2:.0f} MiB"
    yield Symptom("ledger", OK if good else ERROR, seen, "" if good else "Start the daemon once; it sets WAL.")


def _is_behind(file: Path) -> bool:
    from spool.ledger import Ledger

    with contextlib.closing(Ledger(file, read_only=True)) as book:
        return book.is_behind()


def unanswered(house: "House", now: datetime) -> Iterator[Symptom]:
    """Yield how many documents an authority has had for long without a word about them."""
    from gateway import reading
    from spool.ledger import Ledger

    file = house.home / "ledger.sqlite3"
    if not file.exists():
        return
    try:
        book = Ledger(file, read_only=True)
        rows = reading.unanswered(book, now)
        book.close()
    except sqlite3.Error:
        return  # the symptom "ledger" tells of it
    for row in rows:
        seen = f"{row['documents']} documents of {row['partner']} sent, no receipt for {row['hours']} hours"
        seen += f", since {row['oldest']}, first of {row['oldest_number']}"
        cure = "Look into its answers folder; ask it to send its receipts again. See kouan queue."
        yield Symptom(f"receipts of {row['authority']}", WARNING, seen, cure)
    if not rows:
        yield Symptom("receipts", OK, f"nothing sent waits longer than {reading.SILENT_HOURS} hours for a first one")


def identity(house: "House") -> Iterator[Symptom]:
    """Yield who is asked about buyers, who can read the token, and which questions wait for an answer."""
    from spool.ledger import Ledger

    settings = house.kouan.identity
    if settings.ask == "never":
        yield Symptom("identity", OK, "no verification service is asked")
        return
    if (house.home / settings.token_file).stat().st_mode & 0o077:
        yield Symptom("identity", ERROR, "others can read the token", f"chmod 600 {house.home / settings.token_file}")
    file = house.home / "ledger.sqlite3"
    if not file.exists():
        yield Symptom("identity", OK, f"{settings.ask} asked of {settings.url}")
        return
    try:
        book = Ledger(file, read_only=True)
        row = book.one("questions_open")
        book.close()
    except sqlite3.Error:
        return  # the symptom "ledger" tells of it
    assert row is not None
    seen = f"{settings.ask} asked of {settings.url}, {row['questions']} open"
    if row["trouble"]:
        yield Symptom("identity", WARNING, f"{seen}, next {row['next']}: {row['trouble']}", "Look at the service.")
    else:
        yield Symptom("identity", OK, seen)


def configuration(home: Path) -> tuple["House | None", list[Symptom]]:
    """Return the house, or None, and a symptom for each thing wrong with its configuration."""
    from gateway.config import NoHome, inspect_house

    try:
        house, problems = inspect_house(home)
    except NoHome:
        return None, [Symptom("home", WARNING, f"no home in {home}", "kouan init DIR, or --home DIR")]
    found = []
    for one in problems:
        seen = str(one).removesuffix(f" {one.cure}")
        found.append(Symptom("configuration", one.severity, seen, one.cure))
    return house, found or [Symptom("configuration", OK, str(home))]
