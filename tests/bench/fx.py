"""How fast files of foreign exchange are built, and in how much memory: `python -m tests.bench.fx [RECORDS]`.

A home takes a table of records in and seals them; then a process of its own writes the batch, by the real register
and the real store.  The memory is the largest of that process, for a tenth of the records and for all of them: flat
is what does not grow.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from adapters.carriers.batch import write_batch
from gateway.clerk import clerk_at
from gateway.config import load_house
from gateway.fx_files import FileRegister
from spool.ledger import Ledger
from spool.store import Store
from tests.exchange.house import House
from tests.exchange.office import BASIC, reporting
from tests.homes import demo_home

WANTED = 5_000
_LETTERS = "NOPQRST"


def main(records: int) -> None:
    """The figures are printed; the exit says whether the files are built fast enough and in flat memory."""
    figures = [_measured(max(1, records // 10)), _measured(records)]
    small, whole = (figure["peak_mib"] for figure in figures)
    for figure in figures:
        print(json.dumps(figure))
    rate = figures[-1]["built_per_second"]
    print(f"built {rate:.0f} records/s (wanted {WANTED}); memory {small:.0f} MiB for a tenth, {whole:.0f} MiB for all")
    if rate < WANTED or whole > small * 1.25:
        raise SystemExit(1)


def _measured(records: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        home = reporting(demo_home(Path(place)), records=records)
        house = House(home)
        started = time.perf_counter()
        house.drop("BOPA-1.csv", *(_row(n) for n in range(records)))
        taken_in = time.perf_counter() - started
        house.close()
        command = [sys.executable, "-m", "tests.bench.fx", "build", str(home)]
        built = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return {"records": records, "taken_in_per_second": records / taken_in, **built}


def _row(n: int) -> dict[str, str]:
    letter, serial = _LETTERS[n // 999 % 7], n % 999 + 1
    bank = f"{n // 6993:04d}"
    return BASIC | {"申报号码": f"330100{bank}01261122{letter}{serial:03d}", "银行业务编号": f"BANK{n:08d}"}


def _build(home: Path) -> None:
    authority = load_house(home).authority("safe")
    store = Store(home / "spool/store")
    ledger = Ledger(clerk_at(home))
    register = FileRegister(ledger, store, authority, lambda: datetime.now(UTC))
    messages = [row["message"] for row in ledger.all("fx_waiting", "safe")]
    folder = home / "spool/authorities/safe/send"
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    gathered = register.gather(messages)
    for batch in gathered.batches:
        write_batch(folder, batch)
    seconds = time.perf_counter() - started
    count = sum(file.records for batch in gathered.batches for file in batch.files)
    size = sum(file.stat().st_size for file in folder.rglob("*.XML"))
    # Not ru_maxrss, which a process inherits from whoever started it.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"built": count, "built_per_second": count / seconds, "mib": size / 2**20, "peak_mib": peak}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["build"]:
        _build(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
