"""What a shape cannot say about the configuration: names, addresses, tokens, and who knows whom.

Each check yields problems and changes nothing.  An `error` keeps the house shut;
a `warning` is for `kouan doctor` and for start-up, which goes on.
"""

import base64
import binascii
import ipaddress
import pkgutil
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from gateway.config_authorities import Answers, Authority, RevisionSince
from gateway.config_files import Problem, Source, near
from gateway.config_names import NAME, ROLES
from gateway.config_payment_checks import of_payment_data
from gateway.config_shapes import Identity, Kouan, Partner
from gateway.config_tables import ANY, Journey, Route
from gateway.config_turnstiles import of_turnstile
from spool.errors import ForOperator

TOKEN = re.compile(r"[0-9a-f]{64}")
DXP_ID = re.compile(r"[0-9A-Za-z_]{1,16}")
CODE = re.compile(r"[0-9A-Z]{1,18}")
KEY_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
WARNING = "warning"
FORMS = ("xml", "csv", "xlsx")


_FIXED: Final = ("S", "P", "G", "K", "D")
"""The schema knows no warnings, and what is no business of a document's contents is no matter of degree."""


def address_of(listen: str) -> tuple[str, int]:
    """Return the host and the port of a `listen` value; ValueError says that it is none.

    >>> address_of("127.0.0.1:2222"), address_of("[::1]:0")
    (('127.0.0.1', 2222), ('::1', 0))
    """
    host, colon, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError(listen)
    ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    return host, int(port)


def of_kouan(source: Source, kouan: Kouan, findings: Mapping[str, object], home: Path) -> Iterator[Problem]:
    """Yield what is wrong in kouan.toml beyond its shape."""
    for door, listen in (("sftp", kouan.sftp.listen), ("http", kouan.http.listen)):
        try:
            if listen:
                address_of(listen)
        except ValueError:
            cure = 'Write an address of this machine and a port, as "127.0.0.1:2222", or "" to keep the door shut.'
            yield source.problem((door, "listen"), f'"{listen}" is no address to listen on', cure)
    yield from _ranges(source, kouan)
    yield from _identity(source, kouan.identity, home)
    yield from of_payment_data(source, kouan.payment_data, home)
    tolerance = kouan.tax.tolerance
    if not tolerance.is_finite() or not 0 <= tolerance <= 1000:
        yield source.problem(("tax", "tolerance"), f"{tolerance} is out of range", "Write yuan from 0 to 1000.")
    for code in kouan.severity:
        if findings and code not in findings:
            yield source.problem(("severity", code), f'no finding has the code "{code}"', near(code, tuple(findings)))
        elif code[:1] in _FIXED:
            cure = "Leave it out; the severity of codes that begin with C, M or T can be changed."
            yield source.problem(("severity", code), f'"{code}" keeps its severity', cure, "warning")


def _ranges(source: Source, kouan: Kouan) -> Iterator[Problem]:
    limits, workers, folder, identity = kouan.limits, kouan.workers, kouan.folder, kouan.identity
    for way, value, least, most in (
        (("workers", "count"), workers.count, 1, 8),
        (("workers", "group_files"), workers.group_files, 1, 10_000),
        (("workers", "pace_seconds"), workers.pace_seconds, 0, 1),
        (("workers", "group_bytes"), workers.group_bytes, 1, 256 * 1024**2),
        (("limits", "message_bytes"), limits.message_bytes, 1, 256 * 1024**2),
        (("limits", "depth"), limits.depth, 4, 256),
        (("limits", "documents"), limits.documents, 1, 100),
        (("limits", "text_bytes"), limits.text_bytes, 1, 10_000_000),
        (("limits", "table_bytes"), limits.table_bytes, 1, 4 * 1024**3),
        (("limits", "workbook_bytes"), limits.workbook_bytes, 1, 256 * 1024**2),
        (("limits", "workbook_cells"), limits.workbook_cells, 1, 8_000_000),
        (("limits", "table_documents"), limits.table_documents, 1, 1_000_000),
        (("limits", "disk_free_bytes"), limits.disk_free_bytes, 0, 2**60),
        (("limits", "disk_free_percent"), limits.disk_free_percent, 0, 90),
        (("folder", "scan_seconds"), folder.scan_seconds, 0.01, 3600),
        (("folder", "looks"), folder.looks, 1, 100),
        (("folder", "look_seconds"), folder.look_seconds, 0.01, 3600),
        (("folder", "unfinished_seconds"), folder.unfinished_seconds, 0, 86400),
        (("sftp", "sessions_per_partner"), kouan.sftp.sessions_per_partner, 1, 1000),
        (("sftp", "quota_bytes"), kouan.sftp.quota_bytes, 1, 2**60),
        (("sftp", "quota_files"), kouan.sftp.quota_files, 1, 10**9),
        (("sftp", "idle_seconds"), kouan.sftp.idle_seconds, 1, 86400),
        (("tax", "places"), kouan.tax.places, 0, 5),
        (("http", "body_bytes"), kouan.http.body_bytes, 1, 256 * 1024**2),
        (("identity", "timeout_seconds"), identity.timeout_seconds, 0.1, 300),
        (("identity", "at_once"), identity.at_once, 1, 64),
        (("identity", "attempts"), identity.attempts, 1, 1000),
        (("identity", "first_seconds"), identity.first_seconds, 0.1, 86400),
        (("identity", "most_seconds"), identity.most_seconds, identity.first_seconds, 604_800),
        (("identity", "match_days"), identity.match_days, 1, 36500),
        (("identity", "other_days"), identity.other_days, 1, 36500),
    ):
        if not least <= value <= most:
            yield source.problem(way, f"{value} is out of range", f"Write a number from {least} to {most}.")


def _identity(source: Source, identity: Identity, home: Path) -> Iterator[Problem]:
    from adapters.identity_dialects import dialects

    if identity.dialect not in dialects():
        what = f'no service speaks "{identity.dialect}"'
        yield source.problem(("identity", "dialect"), what, near(identity.dialect, dialects()))
    if identity.ask == "never":
        return
    if not re.match(r"https?://[^/]", identity.url):
        yield source.problem(("identity", "url"), "the service has no url", "Add: url = https://…")
    if not (home / identity.token_file).is_file():
        what = f"there is no file {identity.token_file}"
        cure = "Put the token of the verification service into it, readable by its owner alone."
        yield source.problem(("identity", "token_file"), what, cure)


def of_partner(source: Source, partner: Partner, specs: Mapping[str, object], home: Path) -> Iterator[Problem]:
    """Yield what is wrong in one partner's file beyond its shape."""
    yield from _name(source, partner.name)
    for way, value, form, cure in (
        ("code", partner.code, CODE, "Write the customs registration code (10) or the credit code (18)."),
        *(("also_codes", code, CODE, "Write his other codes, 10 or 18 characters.") for code in partner.also_codes),
        ("dxp_id", partner.dxp_id, DXP_ID, "Write the identity that customs gave him, as DXPENT0000030001."),
    ):
        if not form.fullmatch(value) and not (partner.suspended and not value):
            yield source.problem((way,), f'"{value}" is no {way}', cure)
    if not 1 <= len(partner.title) <= 100:
        yield source.problem(("title",), "the title is empty or longer than 100 characters", "It becomes copName.")
    for role in partner.roles:
        if role not in ROLES:
            yield source.problem(("roles",), f'unknown role "{role}"', near(role, ROLES))
    for spec in partner.specs:
        if specs and spec not in specs:
            yield source.problem(("specs",), f'unknown spec "{spec}"', near(spec, tuple(specs)))
    if partner.receipts not in FORMS:
        what = f'receipts = "{partner.receipts}" is not offered'
        yield source.problem(("receipts",), what, f"Write one of {', '.join(FORMS)}.")
    yield from _proofs(source, partner)
    yield from _keys(source, partner, home)
    yield from _maps(source, partner, home)


def _proofs(source: Source, partner: Partner) -> Iterator[Problem]:
    for token in partner.tokens:
        if not TOKEN.fullmatch(token):
            cure = "Write 64 hex digits in lower case: printf %s TOKEN | sha256sum"
            yield source.problem(("token_sha256",), "this is no SHA-256 of a token", cure)
    for line in partner.ssh_keys:
        parts = line.split()
        if len(parts) < 2 or parts[0] not in KEY_KINDS or not _is_key(parts[0], parts[1]):
            cure = "Write the one line of his .pub file: ssh-ed25519 AAAA… comment"
            yield source.problem(("ssh_keys",), "this is no public key of OpenSSH", cure)


def _is_key(kind: str, blob: str) -> bool:
    try:
        return base64.b64decode(blob, validate=True)[4 : 4 + len(kind)] == kind.encode()
    except binascii.Error:
        return False


def _keys(source: Source, partner: Partner, home: Path) -> Iterator[Problem]:
    for index, use in enumerate(partner.keys):
        if use.since and use.until and use.until < use.since:
            yield source.problem(("keys", index, "until"), "until is before since", "Write the later day in until.")
        if not (home / "keys" / use.name / "key.pem").exists():
            cure = f"Make it with: kouan key new {use.name} --suite rsa|sm2 — his unsigned messages wait until then."
            yield source.problem(("keys", index), f"there is no key {use.name} in keys/", cure, WARNING)
    for file in partner.certificates:
        if not (home / file).is_file():
            cure = "Put his certificate there (PEM); what he signs himself is refused until then."
            yield source.problem(("certificates",), f"there is no file {file}", cure, WARNING)


def _maps(source: Source, partner: Partner, home: Path) -> Iterator[Problem]:
    if not partner.maps:
        return
    from gateway.maps import house_map

    for index, use in enumerate(partner.maps):
        name = use if isinstance(use, str) else use.map
        try:
            house_map(home, name)
        except ForOperator as trouble:
            yield source.problem(("maps", index), str(trouble), f"See: kouan map check {name}")


def of_authority(source: Source, authority: Authority) -> Iterator[Problem]:
    """Yield what is wrong in one authority's file beyond its shape."""
    yield from _name(source, authority.name)
    carrier, retry = authority.carrier, authority.retry
    if isinstance(authority.revision, tuple):
        yield from _revisions(source, authority.revision)
    if not 1 <= authority.pack <= 100:
        yield source.problem(("pack",), f"{authority.pack} is out of range", "A message holds 1 to 100 documents.")
    if not 1 <= len(authority.dxp_id) <= 16:
        yield source.problem(("dxp_id",), "a receiver's identity has 1 to 16 characters", "Shorten it.")
    if carrier.kind == "folder" and not carrier.folder:
        yield source.problem(("carrier",), "the carrier has no folder", 'Add: folder = "spool/authorities/NAME/out"')
    if carrier.kind == "http" and not re.match(r"https?://[^/]", carrier.url):
        yield source.problem(("carrier", "url"), "the carrier has no url", "Add: url = https://…")
    if authority.answers.token_sha256 and not TOKEN.fullmatch(authority.answers.token_sha256):
        cure = "Write 64 hex digits in lower case: printf %s TOKEN | sha256sum"
        yield source.problem(("answers", "token_sha256"), "this is no SHA-256 of a token", cure)
    if authority.answers == Answers() and carrier.kind != "client":
        cure = "Add folder, token_sha256 or [answers.fetch…] below [answers]; without them no receipt comes home."
        yield source.problem(("answers",), "its answers have no way in", cure)
    if retry.first_seconds <= 0 or retry.factor < 1 or retry.most_seconds < retry.first_seconds:
        cure = "first_seconds above 0, factor from 1, most_seconds not below first_seconds."
        yield source.problem(("retry",), "this plan of repeats cannot be followed", cure)
    yield from of_turnstile(source, authority)
    if not 0 <= retry.jitter <= 1 or retry.attempts < 0:
        yield source.problem(("retry",), "jitter or attempts is out of range", "jitter 0 to 1, attempts 0 or more.")


def _revisions(source: Source, lines: tuple[RevisionSince, ...]) -> Iterator[Problem]:
    days = [one.since or date.min for one in lines]
    if not lines or days != sorted(set(days)):
        cure = 'The earliest first: [{ code = "2018" }, { code = "202205", since = 2022-05-01 }]'
        yield source.problem(("revision",), "the revisions do not follow each other by their days", cure)


def _name(source: Source, name: str) -> Iterator[Problem]:
    stem = Path(source.file).stem
    if not NAME.fullmatch(name):
        yield source.problem(("name",), f'"{name}" is no name', "Use 1 to 32 of a-z, 0-9, - and _.")
    elif name != stem:
        yield source.problem(("name",), f'the file is named {stem}, but says name = "{name}"', "Make the two agree.")


def of_all(
    partners: Mapping[str, Partner],
    authorities: Mapping[str, Authority],
    routes: tuple[Route, ...],
    journeys: tuple[Journey, ...],
    specs: Mapping[str, object],
) -> Iterator[Problem]:
    """Yield what the files say against one another."""
    for name in sorted(partners.keys() & authorities.keys()):
        cure = "Rename one of the two, the file and the name in it."
        yield Problem(f"partners/{name}.toml", None, f'"{name}" is also the name of an authority', cure)
    yield from _shared_tokens(partners, authorities)
    for route in routes:
        if route.authority not in authorities:
            what = f'no file in authorities/ names "{route.authority}"'
            yield Problem("routes.csv", route.line, what, near(route.authority, tuple(authorities)))
        if specs and route.spec not in (ANY, *specs):
            what = f'unknown spec "{route.spec}"'
            yield Problem("routes.csv", route.line, what, near(route.spec, tuple(specs)))
    yield from _journeys(journeys)
    for name, partner in sorted(partners.items()):
        for use in partner.keys:
            if use.authority not in (ANY, *authorities):
                what = f'a key is meant for "{use.authority}", which no file in authorities/ names'
                yield Problem(f"partners/{name}.toml", None, what, near(use.authority, tuple(authorities)))


def _journeys(journeys: tuple[Journey, ...]) -> Iterator[Problem]:
    known = desks()
    for journey in journeys:
        for desk in journey.desks:
            if known and desk not in known:
                yield Problem("journeys.csv", journey.line, f'there is no desk "{desk}"', near(desk, known))
        if journey.desks and journey.desks[0] in known and journey.desks[0] != "check":
            cure = "Write check first: it refuses what the specification and the rules do not allow."
            yield Problem("journeys.csv", journey.line, "the journey does not begin with check", cure)
        if len(set(journey.desks)) < len(journey.desks):
            yield Problem("journeys.csv", journey.line, "a desk stands twice in the journey", "Name each desk once.")


def _shared_tokens(partners: Mapping[str, Partner], authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    shown = [(f"partners/{name}.toml", partner.tokens) for name, partner in sorted(partners.items())]
    shown += [(f"authorities/{name}.toml", (one.answers.token_sha256,)) for name, one in sorted(authorities.items())]
    for file, tokens in shown:
        for token in filter(None, tokens):
            if owners.setdefault(token, file) != file:
                cure = "Give each its own token; kouan partner new makes one."
                yield Problem(file, None, f"its token is also that of {owners[token]}", cure)


def desks() -> tuple[str, ...]:
    """Return the names of all desks there are."""
    import gateway.desks

    return tuple(module.name for module in pkgutil.iter_modules(gateway.desks.__path__))
