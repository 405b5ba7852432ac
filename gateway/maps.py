"""The maps of a home: those that come with Kouan, and those in HOME/maps, where a partner's own lines stand."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway.config import Partner, near
from mapping.map_check import load_map
from mapping.reckoning import Facts
from mapping.table import Map, fetch_shipped, shipped
from spool.errors import ForOperator


class UnknownMap(ForOperator):
    """No map of this name comes with Kouan or stands in maps/"""


class BadMap(ForOperator):
    """A map cannot be used; kouan map check tells more"""


def fetch_from(home: Path) -> Callable[[str], str | None]:
    """Return what finds the text of a map by its name: the home's own before ours."""

    def fetch(name: str) -> str | None:
        file = home / "maps" / f"{name}.csv"
        if name == Path(name).name and file.is_file():
            return file.read_text("utf-8-sig", errors="replace")
        return fetch_shipped(name)

    return fetch


def text_of(home: Path, name: str) -> str:
    """Return the text of a map by its name or its file; UnknownMap where there is neither."""
    if (found := fetch_from(home)(name)) is not None:
        return found
    file = Path(name)
    if file.suffix == ".csv" and file.is_file():
        return file.read_text("utf-8-sig", errors="replace")
    own = tuple(one.stem for one in sorted((home / "maps").glob("*.csv")))
    raise UnknownMap(f"{name}. {near(name, (*own, *shipped()))}".strip())


def house_map(home: Path, name: str) -> Map:
    """Return a map that may be used; BadMap where its lines are wrong."""
    used, findings = load_map(Path(name).stem, text_of(home, name), fetch_from(home))
    if used is None:
        told = "; ".join(f"line {one.line}: {one.en}" if one.line else one.en for one in findings[:5])
        raise BadMap(f"{name}: {told}")
    return used


def facts_of(partner: Partner, now: datetime) -> Facts:
    """Return what maps may know of a partner."""
    known = {"code": partner.code, "title": partner.title, "dxp_id": partner.dxp_id, "name": partner.name}
    return Facts(now, known)
