"""The house as its home folder describes it, read once and whole.

`load_house` gives a `House` that has passed every check, or raises with all that
is wrong, file and line.  `fingerprint` is cheap enough to ask every second, so a
new partner needs no restart.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway import config_checks as checks
from gateway.config_authorities import Answers, Authority, Carrier, Retry, RevisionSince
from gateway.config_brokers import of_authority_roads, of_partner_roads, of_shared_queues
from gateway.config_draws import of_draws, shared_draws
from gateway.config_environment import home_from, origins, with_environment
from gateway.config_files import Problem, Source, WrongConfiguration, near, read_toml, shaped
from gateway.config_remotes import of_remotes, of_shared_folders
from gateway.config_shapes import (
    Draw,
    Folder,
    Http,
    Identity,
    KeyUse,
    Kouan,
    LimitsSection,
    Logging,
    Partner,
    Sftp,
    Tax,
    Workers,
    settings,
)
from gateway.config_tables import Journey, Route, journey_for, read_journeys, read_routes, route_for
from gateway.exchange_tables import read_tables
from gateway.goods import FOLDER as GOODS
from gateway.goods import filed_goods
from gateway.rates import own_rates
from gateway.tax_files import FOLDER as TAX
from gateway.tax_files import tax_tables
from message_specs.catalog import revision_on
from message_specs.exchange import Tables
from message_specs.tax.laws import Row
from message_specs.trade.goods import Good
from message_specs.trade.rates import Rate
from spool.errors import ForOperator, UnknownAuthority, UnknownPartner

__all__ = [
    "Answers",
    "Authority",
    "Carrier",
    "Draw",
    "Folder",
    "House",
    "Http",
    "Identity",
    "Journey",
    "KeyUse",
    "Kouan",
    "LimitsSection",
    "Logging",
    "NoHome",
    "NoRoute",
    "Partner",
    "Problem",
    "Retry",
    "RevisionSince",
    "Route",
    "Sftp",
    "Tax",
    "Workers",
    "WrongConfiguration",
    "fingerprint",
    "home_from",
    "inspect_house",
    "load_house",
    "near",
    "revision_of",
    "settings",
]

Shape = TypeVar("Shape", Partner, Authority)


class NoHome(ForOperator):
    """This folder holds no kouan.toml; make a home with `kouan init DIR`, or name one with --home or KOUAN_HOME"""


class NoRoute(ForOperator):
    """No row of routes.csv says which authority takes this"""


@dataclass(frozen=True, slots=True)
class House:
    """The whole configuration: who is who, what goes where, which desks."""

    home: Path
    kouan: Kouan
    partners: Mapping[str, Partner]
    authorities: Mapping[str, Authority]
    routes: tuple[Route, ...]
    journeys: tuple[Journey, ...]
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[Problem, ...] = ()
    rates: tuple[Rate, ...] = ()
    goods: Mapping[str, tuple[Good, ...]] = field(default_factory=dict, repr=False)
    exchange: Tables = field(default_factory=Tables, repr=False)
    _by_token: Mapping[str, str] = field(default_factory=dict, repr=False)
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    """Under which codes each partner is registered, by his name."""
    tax: Mapping[str, tuple[Row, ...]] = field(default_factory=dict, repr=False)
    """The tax tables that hold in this home, each by its name."""

    def partner(self, name: str) -> Partner:
        """Return this partner; UnknownPartner when no file names him."""
        try:
            return self.partners[name]
        except KeyError:
            raise UnknownPartner(name) from None

    def authority(self, name: str) -> Authority:
        """Return this authority; UnknownAuthority when no file names it."""
        try:
            return self.authorities[name]
        except KeyError:
            raise UnknownAuthority(name) from None

    def partner_by_token(self, sha256: str) -> Partner | None:
        """Return the partner whose token has this SHA-256 (hex), suspended ones too; None when there is none."""
        return self.partners.get(self._by_token.get(sha256, ""))

    def authority_by_token(self, sha256: str) -> Authority | None:
        """Return the authority that shows a token of this SHA-256 at our HTTP door, or None."""
        return next((one for one in self.authorities.values() if sha256 and one.answers.token_sha256 == sha256), None)

    def route(self, spec: str, area: str = "") -> Authority:
        """Return the authority that takes this spec from this area; NoRoute when no row fits, or not its dialect."""
        name = route_for(self.routes, spec, area)
        if name is None:
            raise NoRoute(f"{spec} {area}".strip())
        authority = self.authority(name)
        if authority.dialect != _dialect_of(spec):
            raise NoRoute(f"{spec}: {name} speaks the dialect {authority.dialect}")
        return authority

    def journey(self, spec: str, mode: str = "") -> tuple[str, ...]:
        """Return the desks that a document of this spec and mode visits, in order."""
        return journey_for(self.journeys, mode, spec)

    def revision(self, spec: str, on: date) -> str:
        """Return the revision in which the authority that takes this spec was declared to on that day."""
        try:
            said = self.route(spec).revision
        except ForOperator:
            said = None
        return revision_of(said, on) or revision_of(self.kouan.revision, on) or revision_on(on)


def revision_of(said: str | tuple[RevisionSince, ...] | None, on: date) -> str | None:
    """Return the revision that a setting means on a day; None where it leaves that to others.

    >>> lines = (RevisionSince("2018"), RevisionSince("202205", date(2022, 7, 1)))
    >>> revision_of(lines, date(2022, 6, 30)), revision_of(lines, date(2022, 7, 1)), revision_of("dated", date.min)
    ('2018', '202205', None)
    """
    if said is None or isinstance(said, str):
        return None if said == "dated" else said
    holding = [one.code for one in said if one.since is None or one.since <= on]
    return holding[-1] if holding else None


def load_house(home: Path) -> House:
    """Return the house of this home; a ForOperator with every mistake, file and line, when it cannot be used."""
    house, problems = inspect_house(home)
    if house is None:
        raise WrongConfiguration(tuple(problem for problem in problems if problem.severity == "error"))
    return house


def inspect_house(home: Path, environ: Mapping[str, str] = os.environ) -> tuple[House | None, tuple[Problem, ...]]:
    """Return the house, or None when an error keeps it shut, and everything that is wrong with it."""
    home = home.absolute()
    if not (home / "kouan.toml").is_file():
        raise NoHome(str(home))
    specs, finding_codes = _known()
    problems: list[Problem] = []
    source = with_environment(read_toml(home, "kouan.toml"), Kouan, environ)
    places = origins(source, Kouan, "", environ)
    kouan = shaped(source, Kouan, problems) or Kouan()
    problems += checks.of_kouan(source, kouan, finding_codes, home)
    partners: dict[str, Partner] = {}
    for source, partner in _folder(home, "partners", Partner, problems, places):
        problems += checks.of_partner(source, partner, specs, home)
        problems += of_draws(source, partner, home)
        problems += of_partner_roads(source, partner, home)
        problems += of_remotes(source, partner, home)
        partners[partner.name] = partner
    authorities: dict[str, Authority] = {}
    for source, authority in _folder(home, "authorities", Authority, problems, places):
        problems += checks.of_authority(source, authority)
        problems += of_authority_roads(source, authority, home)
        problems += of_remotes(source, authority, home)
        authorities[authority.name] = authority
    routes, journeys = read_routes(home, problems), read_journeys(home, problems)
    rates = own_rates(home, problems)
    goods = {name: filed_goods(home, name, problems) for name, partner in partners.items() if partner.draws}
    exchange = read_tables(home, partners, problems)
    tables = tax_tables(home, problems)
    problems += shared_draws(partners)
    problems += of_shared_queues(partners, authorities)
    problems += of_shared_folders(partners, authorities)
    problems += checks.of_all(partners, authorities, routes, journeys, specs)
    told = tuple(problems)
    if any(problem.severity == "error" for problem in told):
        return None, told
    kouan = msgspec.structs.replace(kouan, home=home)
    tokens = {token: name for name, partner in partners.items() for token in partner.tokens}
    codes = {name: frozenset((partner.code, *partner.also_codes)) for name, partner in partners.items()}
    house = House(
        home,
        kouan,
        partners,
        authorities,
        routes,
        journeys,
        places,
        told,
        rates,
        goods,
        exchange,
        tokens,
        codes,
        tables,
    )
    return house, told


def _folder(
    home: Path, folder: str, shape: type[Shape], problems: list[Problem], places: dict[str, str]
) -> list[tuple[Source, Shape]]:
    """Return every file of the folder in its shape; the name of the file stands in for a missing `name`."""
    found = []
    if not (home / folder).is_dir():
        problems.append(Problem(folder, None, "this folder is missing", f"Make it again:  mkdir {home / folder}"))
    for path in sorted((home / folder).glob("*.toml")):
        source = read_toml(home, f"{folder}/{path.name}")
        if not source.problems:
            source.raw.setdefault("name", path.stem)
        value = shaped(source, shape, problems)
        if value is not None:
            places.update(origins(source, shape, f"{folder}.{path.stem}.", {}))
            found.append((source, value))
    return found


def _dialect_of(spec: str) -> str:
    """Return the dialect of whoever can be told a document of this spec."""
    from message_specs.catalog import catalog

    known = catalog().by_code(spec)
    return known.family if known is not None and known.family in ("tax", "fx") else "customs"


def _known() -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return the specs and the finding codes there are."""
    from message_specs.catalog import catalog
    from message_specs.findings import wordings

    return catalog().specs, wordings()


def fingerprint(home: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return what changes whenever a file of the configuration changes, comes or goes."""
    seen = []
    for folder in ("", "partners", "authorities", GOODS, TAX):
        try:
            with os.scandir(home / folder) as entries:
                for entry in entries:
                    if entry.name.endswith((".toml", ".csv")):
                        stat = entry.stat()
                        seen.append((f"{folder}/{entry.name}", stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except FileNotFoundError:
            continue
    return tuple(sorted(seen))
