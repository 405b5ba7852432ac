"""Orders checked in a second by one core, good and bad, and what knowing every spec costs at the start.

`python -m tests.bench.checking`; ends with 1 when a message of a hundred orders is checked slower than it must be.
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
MUST = 5_000


def hundred(code: str) -> bytes:
    """A message of a hundred documents, all like the one of the good sample."""
    data = (SAMPLES / f"{code}.xml").read_bytes()
    unit = catalog().specs[code].document.encode()
    found = re.search(rb"<ceb:%s>.*</ceb:%s>" % (unit, unit), data, re.DOTALL)
    assert found is not None
    return data.replace(found[0], found[0] * 100)


def seconds(what: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """The best of several times, which is the one that nothing else disturbed; processor time unless told otherwise."""
    times = []
    for _ in range(ROUNDS):
        start = clock()
        what()
        times.append(clock() - start)
    return min(times)


def checked(data: bytes) -> tuple[int, float]:
    """How many findings there are, and how many documents a second."""
    found = check(open_message(data), today=TODAY)
    return len(found), 100 / seconds(lambda: check(open_message(data), today=TODAY))


def cases() -> dict[str, bytes]:
    """Messages of a hundred documents, by what is said about them."""
    order = samples.message("CEB311", 100)
    return {
        "CEB311, good": order,
        "CEB311, a warning in every order": order.replace(b"<ceb:unit>140", b"<ceb:unit>999"),
        "CEB311, a wrong sum in every order": order.replace(b"<ceb:acturalPaid>", b"<ceb:acturalPaid>9"),
        "CEB311, broken structure in every order": order.replace(b"<ceb:goodsValue>", b"<ceb:goodsValue>x"),
        "CEB311, a field missing in every order": re.sub(rb"<ceb:orderNo>.*?</ceb:orderNo>", b"", order),
        "CEB311, an unknown field in every order": order.replace(b"<ceb:freight>", b"<ceb:fright/><ceb:freight>"),
        "CEB311, two fields exchanged in every order": re.sub(
            rb"(<ceb:freight>.*?</ceb:freight>)(\s*)(<ceb:discount>.*?</ceb:discount>)", rb"\3\2\1", order
        ),
        "CEB311, eight wrong values in every order": order.replace(b"<ceb:currency>", b"<ceb:currency>X"),
        "CEB311, broken structure in one order": order.replace(b"<ceb:goodsValue>", b"<ceb:goodsValue>x", 1),
        "CEB621, good": samples.message("CEB621", 100),
        **{f"{code}, good": hundred(code) for code in ("CEB303", "CEB403", "CEB505", "CEB603", "CEB625")},
    }


def main() -> int:
    """The figures stand on stdout; return 1 when one is below what it must be."""
    slowest = float("inf")
    for name, data in cases().items():
        findings, speed = checked(data)
        slowest = min(slowest, speed)
        print(f"{name}: {len(data) // 1024} KB, {findings} findings, {speed:,.0f} documents a second")
    begun = time.perf_counter()
    for spec in catalog().specs.values():
        for revision in revisions_of(spec.root):
            compiled(spec.root, revision, unsigned_allowed=True)
    print(f"every schema of both revisions compiled: {time.perf_counter() - begun:.3f} s")
    for what, code in (("Python and nothing", ""), ("all specs and the field tables", START.format("CEB311Message"))):
        took = seconds(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True), time.perf_counter)  # type: ignore[misc]
        print(f"start of a process with {what}: {took:.3f} s")
    print(f"slowest: {slowest:,.0f} documents a second, must be {MUST:,}")
    return int(slowest < MUST)


if __name__ == "__main__":
    sys.exit(main())
