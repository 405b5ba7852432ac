"""Our book against customs': what was declared, how far each document is, and where the trades stand."""

from typing import Any

from message_specs.trade.life import state_of
from message_specs.trade.papers import NOBODY, unpack
from tests.crash.world import World
from tests.stories.trades.box import Customs

_DOCUMENTS = """
SELECT d.spec, d.key, d.number, d.ordinal, d.version, d.state, d.status FROM document d
WHERE d.message IS NOT NULL AND d.number NOT IN (SELECT number FROM interchange WHERE sender = 'customs')
ORDER BY d.version
"""

_DOSSIERS = """
SELECT platform, order_no, (SELECT body FROM paper WHERE dossier = mark AND kind IN ('order', 'inventory') LIMIT 1),
       phase FROM dossier
"""


def differences(world: World, customs: Customs) -> list[str]:
    """Return every document and trade of which the two books do not say the same; nothing when they agree."""
    ours: dict[tuple[str, str], list[str]] = {}
    for spec, key, *_, status in world.rows(_DOCUMENTS):
        ours.setdefault((spec, key), []).append(status or "")
    theirs: dict[tuple[str, str], list[str]] = {}
    for line in customs.documents():
        last = max(line["statuses"], key=lambda status: state_of(status).rank, default="")
        theirs.setdefault((line["spec"], line["key"]), []).append(last)
    odd = [f"{' '.join(name)}: ours {ours.get(name)}, theirs {theirs.get(name)}"
           for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]  # fmt: skip
    return odd + _trades(world, customs)


def _trades(world: World, customs: Customs) -> list[str]:
    phases = {_order(*row): phase for *row, phase in world.rows(_DOSSIERS)}
    # Where a list was cancelled and another followed it, the last one tells how the trade stands.
    last = {line["order"]: line for line in customs.trades(world.moment)}
    return [
        f"{line['order']}: ours {phases.get(line['order'])}, theirs {line['state']}"
        for line in last.values()
        if not _agree(phases.get(line["order"]), line)
    ]


def _order(platform: str, order: str, body: bytes) -> str:
    """Return how customs names a trade: by its merchant too where there is no platform."""
    return f"{platform}|{unpack(body)[0]['ebcCode']}|{order}" if platform == NOBODY else f"{platform}|{order}"


def _agree(phase: str | None, line: dict[str, Any]) -> bool:
    state = line["state"]
    if line["inventory"] is None or state.startswith("-") or state == "100":
        return phase == "open"
    return phase == {"void": "void", "700": "void", "800": "released", "899": "closed"}.get(state, "declared")
