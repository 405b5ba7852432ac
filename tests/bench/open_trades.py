"""How long people wait for an answer beside a million open trades: `python -m tests.bench.open_trades [TRADES]`.

The ledger is made in a folder of its own: each trade has its order, every second one an inventory that waits, every
third a payment.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway import dossiers, outstanding, statistics
from gateway.reading import queue
from gateway.settling import iso
from message_specs.opening import open_message
from message_specs.trade.papers import marks_of, pack
from spool.ledger import Ledger
from tests import samples

_KINDS = (("CEB311", "order", "shop", 1), ("CEB621", "inventory", "agent", 2), ("CEB411", "payment", "pay", 3))
_AT_ONCE = 20_000
_START = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)


def fill(ledger: Ledger, trades: int) -> None:
    """The ledger has so many open trades."""
    bodies = {}
    for spec, *_ in _KINDS:
        (document,) = open_message(samples.message(spec, 1)).documents
        bodies[spec] = (document, pack(document))
    for first in range(0, trades, _AT_ONCE):
        with ledger.writing():
            for place in range(first, min(first + _AT_ONCE, trades)):
                _one(ledger, place, bodies)


def _one(ledger: Ledger, place: int, bodies: dict[str, tuple[object, bytes]]) -> None:
    at = _START + timedelta(seconds=place)
    china = at + timedelta(hours=8)
    order = f"YX{place:016d}"
    for step, (spec, kind, partner, every) in enumerate(_KINDS):
        if place % every:
            continue
        number = int(f"{china:%y%m%d%H%M%S}") * 1_000_000 + step
        document, body = bodies[spec]
        own = {"orderNo": order, "logisticsNo": f"SD{place}", "payTransactionId": f"P{place}", "copNo": f"K{place}"}
        head = {**document.head, **own}  # type: ignore[attr-defined]
        state = "filed" if kind == "inventory" else "ready"
        row = (number, partner, "folder", "f", 1, b"0" * 32, number, iso(at), "e", spec, "202205", 1)
        ledger.run("add_interchange", *row, None, None, None, None)
        due, why = (iso(at + timedelta(days=3)), "T202 payment waybill") if state == "filed" else (None, None)
        ledger.run("add_document", number, 1, spec, f"E|{order}", 1, partner, "1", b"", None, "customs", None, due, why)
        for after in ("checked", state):
            ledger.conn.execute("UPDATE document SET state = ? WHERE number = ?", (after, number))
        packed = body.replace(document.head["orderNo"].encode(), order.encode())  # type: ignore[attr-defined]
        (mark,) = marks_of("order", spec, head)
        ledger.run("add_paper", number, 1, kind, mark, packed)
        kinds = ("order", "order_no", "payment", "waybill", "declared")
        for one in {one for name in kinds for one in marks_of(name, spec, head)}:
            ledger.run("add_mark", one, number, 1, place)
        ledger.run("open_dossier", mark, head["ebpCode"], order, "", iso(at), iso(at + timedelta(days=7)))


def _measured(name: str, what: Callable[[], object]) -> Iterator[tuple[str, float]]:
    for turn in ("first", "again"):
        before = time.perf_counter()
        what()
        yield f"{name}_{turn}_ms", round((time.perf_counter() - before) * 1000, 1)


def main(trades: int) -> None:
    """The figures stand on stdout as one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        ledger.conn.execute("PRAGMA synchronous = OFF")
        before = time.perf_counter()
        fill(ledger, trades)
        figures: dict[str, object] = {"trades": trades, "filled_s": round(time.perf_counter() - before, 1)}
        now, today = _START + timedelta(days=20), (_START + timedelta(days=20)).date()
        last = f"YX{trades - 1:016d}"
        week = (now - timedelta(days=30)).date(), today
        for name, what in (
            ("dossier", lambda: dossiers.found(ledger, last)),
            ("open_count", lambda: outstanding.count(ledger)),
            ("oldest_1000_trades", lambda: outstanding.groups(outstanding.trades(ledger, today, 1000))),
            ("documents_that_wait", lambda: queue(ledger, now=now, held=False)),
            ("stats_of_a_month", lambda: statistics.counted(ledger, *week, by="mode")),
        ):
            figures |= dict(_measured(name, what))
        figures["rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
