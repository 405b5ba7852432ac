"""What a shape cannot say about drawing arrangements: the map, its values, and that no two claim one merchant.

Each check yields problems and changes nothing.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.config_files import Problem, Source, near
from gateway.config_shapes import Draw, Partner
from spool.errors import ForOperator

if TYPE_CHECKING:
    from mapping.table import Map

_OURS = ("tradeMode",)
_ANY = "*"


def of_draws(source: Source, partner: Partner, home: Path) -> Iterator[Problem]:
    """Yield what is wrong with the arrangements in one partner's file."""
    if not partner.draws:
        return
    # Most homes have no arrangement, and their commands begin without what is imported here.
    from message_specs.catalog import catalog
    from message_specs.codes import table

    for index, draw in enumerate(partner.draws):
        way = ("draws", index)
        spec = catalog().specs[draw.spec]
        if draw.spec not in partner.specs or not set(spec.senders) & set(partner.roles):
            senders = ", ".join(spec.senders)
            cure = f"Add {draw.spec} to specs and one of {senders} to roles: it is declared in his name."
            yield source.problem((*way, "spec"), f"this partner may not send {draw.spec}", cure)
        if draw.mode not in table("trade_mode"):
            what = f'unknown trade mode "{draw.mode}"'
            yield source.problem((*way, "mode"), what, near(draw.mode, tuple(table("trade_mode"))))
        if not draw.merchants:
            yield source.problem((*way, "merchants"), "no merchant is named", 'Write their codes, or ["*"] for all.')
        yield from _map(source, draw, way, home)


def _map(source: Source, draw: Draw, way: tuple[str | int, ...], home: Path) -> Iterator[Problem]:
    from gateway.maps import house_map

    try:
        used = house_map(home, draw.map_name)
    except ForOperator as trouble:
        yield source.problem((*way, "map"), str(trouble), f"See: kouan map check {draw.map_name}")
        return
    if used.spec.code != draw.spec:
        what = f"the map {draw.map_name} makes {used.spec.code}"
        yield source.problem((*way, "map"), what, f"Name a map that makes {draw.spec}, or leave map out.")
        return
    known = agent_columns(used)
    for name in draw.values:
        if name not in known or name in _OURS:
            what = f'the map {draw.map_name} takes no value "{name}"'
            yield source.problem((*way, "values"), what, near(name, tuple(sorted(known - set(_OURS)))))
    for path in _unfilled(used, draw):
        what = f"nothing fills {path}"
        yield source.problem((*way, "values"), what, f"Add to values: {path.rpartition('/')[2]} = …")


def agent_columns(used: "Map") -> frozenset[str]:
    """Return the names of the values that a map takes from its arrangement."""
    names = (name for line in used.lines for name in line.columns)
    return frozenset(name.removeprefix("agent.") for name in names if name.startswith("agent."))


def _unfilled(used: "Map", draw: Draw) -> Iterator[str]:
    """Yield the required fields that neither the join, nor a value, nor a formula can fill."""
    from mapping.plan import shape_of
    from mapping.reckoning import DRAFT_VERBS
    from message_specs.trade.joining import columns

    there = {*columns(draw.spec), *[f"agent.{name}" for name in (*draw.values, *_OURS)]}
    shape = shape_of(used.spec.root, used.spec.document, "202205")
    for path, node in shape.paths():
        lines = used.by_path.get(path, ())
        if node.minimum and not any(line.verb in DRAFT_VERBS or there & set(line.columns) for line in lines):
            yield path


def shared_draws(partners: Mapping[str, Partner]) -> Iterator[Problem]:
    """Yield where two arrangements would draw up the same inventory; a merchant's own wins over one for all.

    Exports of one merchant may have an arrangement for each type of order: retail, between enterprises, warehouse.
    """
    owners: dict[tuple[str, str, str], str] = {}
    for name, partner in sorted(partners.items()):
        for draw in partner.draws:
            for merchant in dict.fromkeys(draw.merchants):
                claims = [(draw.spec, merchant, kind) for kind in _kinds(draw)]
                first = next((owners[one] for one in claims if one in owners), None)
                owners |= {one: name for one in claims if one not in owners}
                if first is not None:
                    whom = "every merchant" if merchant == _ANY else merchant
                    what = f"{draw.spec} of {whom} is drawn up by {first} already"
                    yield Problem(f"partners/{name}.toml", None, what, "Leave the merchant to one arrangement.")


def _kinds(draw: Draw) -> tuple[str, ...]:
    from gateway.draws import kinds_of

    return kinds_of(draw)
