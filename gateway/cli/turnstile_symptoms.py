"""What `kouan doctor` sees of the authorities: for which nothing leaves, why, until when, and what to do about it."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.symptoms import OK, WARNING, Symptom

if TYPE_CHECKING:
    from gateway.config import House

WORDS: Final = {
    "open": "畅通", "paced": "限速", "paused": "暂停", "maintenance": "维护", "broken": "熔断", "probing": "试探",
}  # fmt: skip
"""The states of an authority in Chinese."""
CURES: Final = {
    "paused": "由操作员暂停；可以发送时恢复。 An operator's word; let it go on:  kouan authority resume {name}",
    "maintenance": "到时自动恢复；时段有误则改 authorities/{name}.toml。"
    " It goes on by itself; wrong hours stand in authorities/{name}.toml.",
    "broken": "先排除故障；恢复后立即试一条，否则到时自动试探。"
    " Mend the road or ask the authority; then try one message at once, else it is tried by itself:"
    "  kouan authority probe {name}",
    "probing": "下一条报文即为试探，成功则恢复。 The next message finds out, and all goes on if it is taken:"
    "  kouan authority show {name}",
}
"""What to do where nothing leaves, by state."""
_HELD: Final = (
    "查明原因后按原因批量放行。 See why (kouan queue), mend it, and let them go by cause:  kouan release --cause CAUSE"
)
_FAR: Final = (
    "下次发送时间过远，本机时钟可能曾经超前。 The next try lies so far ahead that our clock may have been wrong:"
    "  kouan hold, then kouan release, lets them leave at once."
)
_FARTHEST: Final = timedelta(days=2)


def standings(house: "House", now: datetime) -> list[dict[str, Any]]:
    """Return how each authority stands, as `kouan authority list` has it; nothing where the ledger cannot be read."""
    from gateway.authorities import facts
    from spool.ledger import Ledger

    file = house.home / "ledger.sqlite3"
    if not file.exists():
        return []
    try:
        book = Ledger(file, read_only=True)
        told = [facts(book, one, now) for one in house.authorities.values()]
        book.close()
    except sqlite3.Error:
        return []  # the symptom "ledger" tells of it
    return told


def authorities(rows: Sequence[dict[str, Any]], now: datetime) -> Iterator[Symptom]:
    """Yield for each authority whether messages leave, and what is held or waits for a date that cannot be right."""
    from gateway.cli.book import brief, shown

    for row in rows:
        name, state = f"authority {row['name']}", row["state"]
        until = f" 至 until {shown(row['until'], utc=False)}" if row["until"] else ""
        why = f": {brief(row['why'])}" if row["why"] else ""
        seen = f"{WORDS[state]} {state}{until}{why}; 待发 {row['waiting']} waiting"
        status = OK if state in ("open", "paced", "maintenance") else WARNING
        yield Symptom(name, status, seen, CURES.get(state, "").format(name=row["name"]))
        if row["held"]:
            yield Symptom(name, WARNING, f"扣留 {row['held']} messages held", _HELD)
        if row["next_try"] and datetime.fromisoformat(row["next_try"]) - now > _FARTHEST:
            yield Symptom(name, WARNING, f"下次 next try {shown(row['next_try'], utc=False)}", _FAR)
