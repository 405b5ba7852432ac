"""Opening: bytes in, cases or findings out.  Nothing here writes or asks the clock.

A partner's message is parsed once, held against its specification, its rules
and the partner's own rights.  An authority's answer is taken out of its
envelope and read tolerantly.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from gateway import fx_feedback
from gateway.case import Arrival, Case, Judged, is_error
from gateway.config import Authority, House, Partner
from gateway.desks import Records, desk
from gateway.draws import Arrangements
from gateway.said import Said, said
from gateway.secret import secret_of
from gateway.signing.certificates import from_pem
from gateway.signing.verify import verify
from gateway.tables import LongTable, Piece, Table, Tables, is_table_file
from message_specs.check import check
from message_specs.client_answer import CLIENT, open_client_answer
from message_specs.document import Document
from message_specs.dxp.envelope import REPLY, open_reply, unwrap
from message_specs.findings import Finding, Severity, finding
from message_specs.opening import Opened, open_message, open_receipt
from message_specs.trade.rates import Rates
from spool.errors import ForOperator
from spool.states import State


class CertificateUnreadable(ForOperator):
    """A certificate that a partner entrusted to us cannot be read"""


class Opener:
    """Opens arrivals by one reading of the configuration."""

    def __init__(self, house: House, certificates: "TrustedCertificates") -> None:
        section = house.kouan.limits
        self._house = house
        self._trusted = certificates
        self._journeys: dict[tuple[str, str], tuple[str, ...]] = {}
        self._modes = frozenset(row.mode for row in house.journeys)
        self._severities = {code: Severity(word) for code, word in house.kouan.severity.items()}
        self._limits = section.of_messages()
        self._rates = Rates(house.rates)
        self._draws = Arrangements(house.partners)
        self.secret = secret_of(house.home)
        self._tables = Tables(house, self._severities, self._limits)

    def records(self, now: datetime) -> Records:
        """Return what desks may know before anything is fetched for them."""
        house = self._house
        exchange, tax = house.exchange, house.tax
        return Records(now, self.secret, house.kouan, self._rates, self._draws, house.codes, exchange, tax)

    def open(self, arrival: Arrival, now: datetime) -> Judged:
        """Return the arrival opened, by whoever sent it; LongTable where it is a table of more than one piece."""
        sender = arrival.claim.sender
        if authority := self._house.authorities.get(sender):
            return self.open_answer(arrival, authority)
        return self.open_declaration(arrival, self._house.partner(sender), now)

    def open_declaration(self, arrival: Arrival, partner: Partner, now: datetime) -> Judged:
        """Return a partner's message as cases: each checked or refused, with every finding at once."""
        if is_table_file(arrival.claim.file, arrival.data):
            return self._open_table(arrival, partner, now)
        if arrival.size > len(arrival.data):
            return Judged(arrival, None, (_too_big(arrival, self._limits.message_bytes),))
        revision_of = partial(self._house.revision, on=arrival.came_at(now).date())
        opened = open_message(arrival.data, revision_of=revision_of, limits=self._limits)
        found = self._found(opened, partner, now.date())
        judged = Judged(arrival, opened, found, signed=opened.signed)
        if opened.spec is None or opened.fatal:
            return judged
        self._signature(judged, partner, now)
        found = judged.findings
        whole_bad = any(one.document is None and is_error(one) for one in found)
        records = self.records(now)
        judged.cases = tuple(self._case(judged, partner, document, found, records) for document in opened.documents)
        if whole_bad:
            reasons = tuple(one for one in found if one.document is None)
            _refuse_rest(judged.cases, reasons)
        elif any(case.state is State.REFUSED for case in judged.cases):
            self._together(judged, partner)
        return judged

    def _open_table(self, arrival: Arrival, partner: Partner, now: datetime) -> Judged:
        table = self.table(arrival, partner, now)
        if isinstance(table, Judged):
            return table
        pieces = table.pieces()
        first = next(pieces)
        if not first.is_last:
            raise LongTable(table, pieces, first)
        judged = self.open_piece(table, first, partner)
        if partner.all_or_nothing and any(is_error(one) for one in judged.findings):
            self.spoil(judged)
        return judged

    def table(self, arrival: Arrival, partner: Partner, now: datetime) -> Table | Judged:
        """Return a partner's table, open, or why there is none."""
        if arrival.size > (most := self._tables.most_bytes(arrival)):
            return Judged(arrival, None, (_too_big(arrival, most),))
        revision_of = partial(self._house.revision, on=arrival.came_at(now).date())
        table = self._tables.open(arrival, partner, revision_of, now)
        if isinstance(table, Finding):
            opened = Opened(None, self._house.kouan.revision, findings=(table,), fatal=True)
            return Judged(arrival, opened, (table,))
        return table

    def open_some(self, arrival: Arrival, keys: Mapping[int, str], now: datetime) -> Judged:
        """Return a table again with those documents alone, each only if it still has the key it had."""
        partner = self._house.partner(arrival.claim.sender)
        table = self.table(arrival, partner, now)
        if isinstance(table, Judged):
            return table
        found = Judged(arrival, None)
        for piece in table.pieces(after=min(keys) - 1, number=1):
            piece.documents = [one for one in piece.documents if one.ordinal in keys]
            if piece.documents:
                one = self.open_piece(table, piece, partner)
                found.opened = found.opened or one.opened
                found.findings = (*found.findings, *one.findings)
                found.cases = (*found.cases, *(case for case in one.cases if case.key == keys[case.ordinal]))
            if piece.last >= max(keys):
                break
        table.source.close()
        return found

    def open_piece(self, table: Table, piece: Piece, partner: Partner) -> Judged:
        """Return a piece of a table as cases: each checked or refused; a row that is none refuses no other."""
        opened = table.opened(piece)
        rights = [] if opened.fatal else _rights(opened, partner)
        judged = Judged(table.arrival, opened, (*opened.findings, *rights))
        if opened.fatal:
            return judged
        of: dict[int | None, list[Finding]] = {}
        for one in opened.findings:
            of.setdefault(one.document, []).append(one)
        records = self.records(table.came)
        judged.cases = tuple(
            self._case(judged, partner, document, tuple(of.get(document.ordinal, ())), records)
            for document in opened.documents
        )
        if reasons := tuple(one for one in rights if is_error(one)):
            _refuse_rest(judged.cases, reasons)
        return judged

    @staticmethod
    def spoil(judged: Judged) -> None:
        """Nothing of it goes, for the partner wants all or nothing and not all is good."""
        judged.add(reason := finding("P305"))
        _refuse_rest(judged.cases, (reason,))

    def _found(self, opened: Opened, partner: Partner, today: date) -> tuple[Finding, ...]:
        if opened.spec is None or opened.fatal:
            return tuple(check(opened, severities=self._severities, today=today))
        found = list(check(opened, severities=self._severities, today=today))
        found += _rights(opened, partner)
        return tuple(found)

    def _signature(self, judged: Judged, partner: Partner, now: datetime) -> None:
        opened = judged.opened
        assert opened is not None
        if not opened.signed or opened.root is None:
            return
        try:
            verdict = verify(opened.root, self._trusted.of(partner), now)
        except ForOperator as trouble:
            judged.trouble = str(trouble)
            return
        if verdict.finding is not None:
            judged.add(replace(verdict.finding, path=verdict.finding.path or f"/{opened.root_name}/Signature"))

    def _case(
        self, judged: Judged, partner: Partner, document: Document, found: tuple[Finding, ...], records: Records
    ) -> Case:
        mine = tuple(one for one in found if one.document == document.ordinal) if found else ()
        case = Case(judged.arrival.claim.number, document.ordinal, partner.name, document, document.key, mine)
        first, *rest = self._journey(document)
        outcome = desk(first).decide(case, records)
        case.move(first, outcome.state, None, outcome.findings)
        case.journey = tuple(rest)
        return case

    def _journey(self, document: Document) -> tuple[str, ...]:
        mode = document.head.get("tradeMode", "")
        # A mode that no row names is nobody's journey; what partners write is not remembered here.
        mark = (document.spec.code, mode if mode in self._modes else "")
        if mark not in self._journeys:
            self._journeys[mark] = self._house.journey(*mark) or ("check",)
        return self._journeys[mark]

    @staticmethod
    def _together(judged: Judged, partner: Partner) -> None:
        code = "P304" if judged.signed else "P305" if partner.all_or_nothing else ""
        if code:
            judged.add(reason := finding(code))
            _refuse_rest(judged.cases, (reason,))

    def open_answer(self, arrival: Arrival, authority: Authority) -> Judged:
        """Return an authority's answer as cases of its receipts; no cases when it is nonsense."""
        if arrival.size > len(arrival.data):
            return Judged(arrival, None, (_too_big(arrival, self._limits.message_bytes),), answer_to=authority.name)
        if authority.dialect == "fx":
            return fx_feedback.opened(arrival, authority.name, self._limits)
        by_client = authority.carrier.kind == "client"
        opened = open_client_answer(arrival.claim.file, arrival.data, self._limits) if by_client else None
        opened = opened or open_reply(arrival.data, self._limits)
        if opened is None:
            envelope = unwrap(arrival.data, self._limits)
            data = arrival.data if envelope is None else envelope.data
            opened = open_receipt(data, limits=self._limits)
        judged = Judged(arrival, opened, tuple(opened.findings), answer_to=authority.name)
        if opened.spec is None or opened.fatal:
            return judged
        judged.cases = tuple(
            Case(arrival.claim.number, unit.ordinal, authority.name, unit, unit.reply_key, told=_told(unit))
            for unit in opened.documents
        )
        return judged


def _told(unit: Document) -> Said | None:
    """What a receipt says; what the exchange node or a client says is none.

    All that settling asks of it is read here, where no lock on the ledger is held.
    """
    if unit.spec is REPLY or unit.spec is CLIENT:
        return None
    return said(unit)


class TrustedCertificates:
    """The certificates entrusted to each partner; files are read once a configuration."""

    def __init__(self, house: House) -> None:
        self._home = house.home
        self._known: dict[str, tuple[bytes, ...]] = {}

    def of(self, partner: Partner) -> tuple[bytes, ...]:
        """Return the partner's certificates in DER: his own, and those of keys he entrusted to us.

        A file that cannot be read is our trouble, not the partner's: CertificateUnreadable.
        """
        if partner.name not in self._known:
            files = [self._home / name for name in partner.certificates]
            files += [self._home / "keys" / use.name / "cert.pem" for use in partner.keys]
            self._known[partner.name] = tuple(_certificate(file) for file in files)
        return self._known[partner.name]


def _certificate(file: Path) -> bytes:
    try:
        return from_pem(file.read_bytes())
    except (OSError, ValueError) as trouble:
        raise CertificateUnreadable(f"{file}: {trouble}") from trouble


def _too_big(arrival: Arrival, most: int) -> Finding:
    return finding("S004", found=str(arrival.size), limit=str(most))


def _rights(opened: Opened, partner: Partner) -> list[Finding]:
    spec = opened.spec
    assert spec is not None
    path = f"/{opened.root_name}/BaseTransfer"
    found = []
    if spec.family == "dxp":
        # It has no BaseTransfer to be compared.
        return [finding("P106", path=f"/{opened.root_name}", spec=spec.code)]
    if not spec.receipt:
        found.append(finding("P105", path=f"/{opened.root_name}", spec=spec.code))
    elif spec.code not in partner.specs or not set(spec.senders) & set(partner.roles):
        found.append(finding("P101", path=f"/{opened.root_name}", spec=spec.code, partner=partner.name))
    if partner.suspended:
        found.append(finding("P102", partner=partner.name))
    for field, code, expected in (("copCode", "P103", partner.code), ("dxpId", "P104", partner.dxp_id)):
        told = opened.transfer.get(field, "")
        if expected and told != expected:
            found.append(finding(code, path=f"{path}/{field}", value=told, found=told, expected=expected))
    return found


def _refuse_rest(cases: tuple[Case, ...], reasons: tuple[Finding, ...]) -> None:
    for case in cases:
        if case.state is State.CHECKED:
            case.steps.pop()
            case.state = State.RECEIVED
            case.move("check", State.REFUSED, None, reasons)
