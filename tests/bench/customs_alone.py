"""How fast the customs in a box is by itself: `python -m tests.bench.customs_alone [TRADES] [PACK] [BEHAVIOUR …]`.

Whole trades are signed first and lie in its folder when it starts; the clock
stops when the last answer stands in the other folder, delays apart.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.adapters.simulators.box import Box

DRAWN = ("CEB311", "CEB411", "CEB511", "CEB621")


def main(trades: int, pack: int, asked: list[str]) -> None:
    """The figure is printed."""
    with tempfile.TemporaryDirectory() as place:
        box = Box(Path(place))
        for first in range(1, trades + 1, pack):
            for spec in DRAWN:
                count = min(pack, trades + 1 - first)
                box.drop(box.enveloped(box.sealed(spec, count, first), spec), f"{first:08d}.{spec}.xml")
        settings = box.configure
        settings(delay=0)
        started = time.perf_counter()
        box.start(*asked, trades=True)
        booked = 0.0
        # 818 is the last thing said of a trade; under `prompt` it is the 800 of its inventory.
        last = "CEB622" if "prompt" in asked else "CEB818"
        wanted = -(-trades // pack) * (4 if "prompt" in asked else 1)
        while sum(path.name.startswith(last) for path in box.files()) < wanted:
            if not booked and not any(box.inbox.iterdir()):
                booked = time.perf_counter() - started
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        box.end()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = asked or "as customs does"
    print(f"{trades} trades, {pack} a message, {told}: {seconds:.1f} s, {trades / seconds:.0f}/s; "
          f"booked after {booked or seconds:.1f} s, {trades / (booked or seconds):.0f}/s; "
          f"{1e6 * (used.ru_utime + used.ru_stime) / trades:.0f} µs of a core a trade")  # fmt: skip


if __name__ == "__main__":
    many, each, *misbehaviours = [*sys.argv[1:], *("2000", "100")[len(sys.argv) - 1 :]]
    main(int(many), int(each), misbehaviours)
