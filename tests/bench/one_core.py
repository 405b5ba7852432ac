"""The figures of one core that `kouan bench` measures, held against what they must be.

`python -m tests.bench.one_core [MIB]` streams a CSV file of so many MiB, 200 unless told otherwise; ends with 1 when
a figure is not what it must be.
"""

import sys
import tempfile
from pathlib import Path

from gateway import one_core

LEAST = {
    "orders checked": 5_000,
    "orders checked, a wrong sum in each": 5_000,
    "orders checked, broken structure in each": 5_000,
    "orders mapped from CSV": 10_000,
    "orders mapped from xlsx": 4_000,
}
MOST_MIB = 150
MOST_SECONDS = {"schemas written and compiled": 1.0}


def main(mib: int) -> int:
    """The figures stand on stdout; return 1 when one is not what it must be."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="kouan-one-core-") as name:
        for ours, bare in one_core.pairs(Path(name), mib):
            good = ours.rate >= LEAST.get(ours.name, 0) and ours.memory_mib <= MOST_MIB
            good = good and ours.seconds <= MOST_SECONDS.get(ours.name, float("inf"))
            failed += not good
            print(
                f"{ours.name}: {ours.rate:,.0f}/s, {ours.seconds:.3f} s, {ours.memory_mib:.0f} MiB; "
                f"{bare.name}: {bare.rate:,.0f}/s; ratio {ours.rate / bare.rate:.2f}{'' if good else '  NOT ENOUGH'}"
            )
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
