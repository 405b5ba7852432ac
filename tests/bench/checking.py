"""Orders checked in a second by one core, good and bad, and what knowing every spec costs at the start.

`python -m tests.bench.checking`
"""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import message_specs
from message_specs.catalog import catalog
from message_specs.check import check
from message_specs.opening import open_message
from message_specs.schema import compiled
from message_specs.tables import revisions_of
from tests import samples

TODAY = date(2026, 11, 21)
SAMPLES = Path(message_specs.__file__).parent / "ceb" / "samples" / "good"
START = "from message_specs import catalog, tables; catalog.catalog(); tables.table('{}', '202205')"
ROUNDS = 15


def hundred(code: str) -> bytes:
    """A message of a hundred documents, all like the one of the good sample."""
    data = (SAMPLES / f"{code}.xml").read_bytes()
    unit = catalog().specs[code].document.encode()
    found = re.search(rb"<ceb:%s>.*</ceb:%s>" % (unit, unit), data, re.DOTALL)
    assert found is not None
    return data.replace(found[0], found[0] * 100)


def seconds(what: Callable[[], object]) -> float:
    """The best of several times, which is the one that nothing else disturbed."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        what()
        times.append(time.perf_counter() - start)
    return min(times)


def checked(data: bytes) -> tuple[int, float]:
    """How many findings there are, and how many documents a second."""
    found = check(open_message(data), today=TODAY)
    return len(found), 100 / seconds(lambda: check(open_message(data), today=TODAY))


def main() -> None:
    """The figures stand on stdout."""
    order = samples.message("CEB311", 100)
    cases = {
        "CEB311, good": order,
        "CEB311, a warning in every order": order.replace(b"<ceb:unit>140", b"<ceb:unit>999"),
        "CEB311, a wrong sum in every order": order.replace(b"<ceb:acturalPaid>", b"<ceb:acturalPaid>9"),
        "CEB311, broken structure in every order": order.replace(b"<ceb:goodsValue>", b"<ceb:goodsValue>x"),
        "CEB621, good": samples.message("CEB621", 100),
        **{f"{code}, good": hundred(code) for code in ("CEB303", "CEB403", "CEB505", "CEB603", "CEB625")},
    }
    for name, data in cases.items():
        findings, speed = checked(data)
        print(f"{name}: {len(data) // 1024} KB, {findings} findings, {speed:,.0f} documents a second")
    begun = time.perf_counter()
    for spec in catalog().specs.values():
        for revision in revisions_of(spec.root):
            compiled(spec.root, revision, unsigned_allowed=True)
    print(f"every schema of both revisions compiled: {time.perf_counter() - begun:.3f} s")
    for what, code in (("Python and nothing", ""), ("all specs and the field tables", START.format("CEB311Message"))):
        took = seconds(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True))  # type: ignore[misc]
        print(f"start of a process with {what}: {took:.3f} s")


if __name__ == "__main__":
    main()
