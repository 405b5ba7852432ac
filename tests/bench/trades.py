"""What matching costs a document, and that it costs the same however many trades are open.

`python -m tests.bench.trades [--scattered] [--quick] [OPEN …]`: so many open trades, 10,000, 100,000 and 1,000,000
unless told otherwise; ends with 1 when matching costs a document more than it must, or with many open trades more
than with few.  `--scattered`: the numbers of orders, payments and waybills are not given one after the other, but come
from anywhere, which is the worst for a ledger.  `--quick`: only what matching costs, in files of a hundred.

Two clerks share one ledger and take in the same number of trades in turn, the one with the journey `check` alone,
the other with `check match`, a third with `tax` and `identity` too; what one takes more than the other is the cost.
Processor time, user and system, of the process, so that other work on the machine counts little.
"""

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway import drill
from gateway.clerk import Clerk, clerk_at
from gateway.config import load_house
from gateway.home import SAMPLE, make_home
from gateway.worker import sweep_seldom
from spool.interchange import Batch, Claim
from spool.ledger import Ledger
from spool.number import Numbers
from tests.bench.open_dossiers import FIRST, fill

OPEN = (10_000, 100_000, 1_000_000)
EACH = 100
ROUNDS = 20
MUST = 60.0
GROWS = 1.1
"""With the most open trades a document may cost so much more than with the fewest: so much the machine alone makes."""
ALONE = "mode,kind,desks,note\n*,*,check,\n"
MATCHED = ALONE + "".join(f"*,{spec},check match,\n" for spec in drill.SENDERS)
JOURNEYS = {"check": ALONE, "match": MATCHED, "all": (SAMPLE / "journeys.csv").read_text("utf-8")}


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of a processor a document, by spec, for each journey."""

    by_spec: dict[str, dict[str, float]]

    def more(self, journey: str) -> dict[str, float]:
        """What a journey costs more than `check` alone, by spec."""
        return {spec: each[journey] - each["check"] for spec, each in self.by_spec.items()}


class Bench:
    """A home with a ledger, and a clerk for each journey."""

    def __init__(self, home: Path, journeys: Collection[str], *, scattered: bool = False) -> None:
        """The home is made and its ledger empty."""
        self.journeys = tuple(journeys)
        self._scattered = scattered
        make_home(home, now(), demo=True)
        self.ledger = Ledger(clerk_at(home))
        self.numbers = Numbers(now)
        self._next = 1
        self.clerks: dict[str, Clerk] = {}
        for name in self.journeys:
            (home / "journeys.csv").write_text(JOURNEYS[name], "utf-8")
            numbers = Numbers(now, first=500_000 + 100_000 * len(self.clerks))
            self.clerks[name] = Clerk(load_house(home), self.ledger, now=now, numbers=numbers)

    def cost(self, each: int, rounds: int = ROUNDS) -> Cost:
        """What a document costs in files of so many, a hundred to a batch; the best round, as nothing disturbed it."""
        taken: dict[str, dict[str, list[float]]] = {
            spec: {name: [] for name in self.journeys} for spec in drill.SENDERS
        }
        for turn in range(rounds + 1):
            for name in self._in_turn(turn):
                first, self._next = self._next, self._next + EACH
                for spec in drill.SENDERS:
                    seconds = self._take_in(self.clerks[name], spec, first, each)
                    if turn:
                        taken[spec][name].append(1e6 * seconds / EACH)
        return Cost({s: {name: min(told) for name, told in by.items()} for s, by in taken.items()})

    def _in_turn(self, turn: int) -> Iterable[str]:
        first = turn % len(self.journeys)
        return self.journeys[first:] + self.journeys[:first]

    def _take_in(self, clerk: Clerk, spec: str, first: int, each: int) -> float:
        taken = self.numbers.take(EACH // each)
        bodies = (self._body(spec, first + at * each, each) for at in range(len(taken)))
        claims = tuple(
            Claim(number, drill.SENDERS[spec], "http", f"{number}.xml", body=body)
            for number, body in zip(taken, bodies, strict=True)
        )
        begun = time.process_time()
        clerk.take_in(Batch(taken[0], taken[-1], taken[0], claims))
        return time.process_time() - begun

    def _body(self, spec: str, first: int, each: int) -> bytes:
        body = drill.message(spec, first, each)
        return scattered(body, first, each) if self._scattered else body


def scattered(body: bytes, first: int, count: int) -> bytes:
    """The message with other numbers in place of these, far from each other; no two trades have the same."""
    others = {}
    for number in range(first, first + count):
        other = number * 30_902_017 % FIRST
        others[b"%08d" % number] = b"%08d" % other
        others[b"%012X" % number] = b"%012X" % other
    return re.sub(b"(?:" + b"|".join(others) + rb")(?![0-9A-F])", lambda found: others[found[0]], body)


def now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


def told(cost: Cost, journey: str) -> tuple[str, float]:
    """The figures of a journey as text, and their mean."""
    more = cost.more(journey)
    mean = statistics.mean(more.values())
    return ", ".join(f"{spec[3:]} {value:+.0f}" for spec, value in more.items()) + f"; mean {mean:+.0f} µs", mean


def main(sizes: tuple[int, ...], *, scattered: bool = False, quick: bool = False) -> int:
    """The figures stand on stdout; return 1 when one is not what it must be."""
    means: list[float] = []
    sweep_seldom()
    with tempfile.TemporaryDirectory(prefix="kouan-bench-trades-") as place:
        bench = Bench(Path(place) / "home", ("check", "match") if quick else JOURNEYS, scattered=scattered)
        have = 0
        for size in sizes:
            seconds = fill(bench.ledger, size - have, now(), after=have)
            have = size
            told_size = clerk_at(Path(place) / "home").stat().st_size >> 20
            print(f"{size:,} open trades (written in {seconds:.0f} s, {told_size:,} MiB)", flush=True)
            for each in (EACH,) if quick else (EACH, 1):
                cost = bench.cost(each)
                alone = ", ".join(f"{spec[3:]} {by['check']:.0f}" for spec, by in cost.by_spec.items())
                print(f"  {each} a file: check alone {alone} µs a document")
                for journey in bench.journeys[1:]:
                    line, mean = told(cost, journey)
                    print(f"    {journey}: {line}", flush=True)
                    if journey == "match" and each == EACH:
                        means.append(mean)
    print(f"the mean must be {MUST:.0f} µs at most, and at the last at most {GROWS} of the first")
    return int(max(means) > MUST or means[-1] > GROWS * means[0])


if __name__ == "__main__":
    flags = {word.removeprefix("--"): True for word in sys.argv[1:] if word in ("--scattered", "--quick")}
    numbers = tuple(int(word) for word in sys.argv[1:] if not word.startswith("--"))
    sys.exit(main(numbers or OPEN, **flags))
