"""Sealing: checked documents become signed messages, once.

A message that arrived signed is carried on byte for byte.  Unsigned documents
of one partner, one spec and one authority are packed together, up to what the
authority takes, and signed with the key that the partner has entrusted to us.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from adapters import customs, tax
from gateway.case import Case, Judged
from gateway.config import Authority, House
from gateway.signing.keys import load_signer
from gateway.signing.seal import seal, sign_message
from gateway.signing.signer import Signer
from message_specs import writing
from message_specs.document import Element
from message_specs.tables import table
from spool.errors import ForOperator

_NEW = "1"
_PLAIN = frozenset({"copCode", "copName", "dxpMode", "dxpId"})


@dataclass(frozen=True, slots=True)
class Pack:
    """Cases that leave in one message, in order."""

    partner: str
    authority: str
    cases: tuple[Case, ...]
    judged: Judged


@dataclass(frozen=True, slots=True)
class Sealed:
    """One message as it leaves: the envelope's bytes, never changed again."""

    guid: str
    root: str
    body: bytes
    suite: str
    key_name: str


class Sealer:
    """Seals by one reading of the configuration; keys are loaded once an hour."""

    def __init__(self, house: House, *, guid: Callable[[], str] = lambda: str(uuid.uuid4()).upper()) -> None:
        self._house = house
        self._guid = guid
        self._signers: dict[str, tuple[str, Signer]] = {}

    def packs(self, judged: Iterable[Judged]) -> Iterator[Pack]:
        """Yield the checked cases as they leave together; signed and extended messages go alone.

        What holds an earlier version of a document comes before what holds the later one.
        """
        open_packs: dict[object, list[Case]] = {}
        owner: dict[object, Judged] = {}
        sizes: Counter[object] = Counter()
        for one in judged:
            cases = [case for case in one.cases if _may_leave(case)]
            if not cases:
                continue
            if leaves_whole(one) or _extended(one):
                for mark in _earlier(cases, open_packs):
                    yield _pack(open_packs.pop(mark), owner.pop(mark))
                    del sizes[mark]
                for authority in dict.fromkeys(case.authority for case in cases):
                    mine = tuple(case for case in cases if case.authority == authority)
                    yield Pack(cases[0].partner, authority, mine, one)
                continue
            assert one.opened is not None
            together = tuple(sorted(one.opened.transfer.items()))
            for case in cases:
                key = (case.partner, case.authority, case.document.spec.code, together)
                pack = open_packs.get(key, [])
                ended = [key] if pack and self._is_another_version(case, pack) else []
                for mark in ended or (_earlier([case], open_packs, key) if case.version != 1 else ()):
                    yield _pack(open_packs.pop(mark), owner.pop(mark))
                    del sizes[mark]
                pack = open_packs.setdefault(key, [])
                owner.setdefault(key, one)
                pack.append(case)
                sizes[key] += len(case.canonical)
                if self._is_full(pack, sizes[key]):
                    yield _pack(open_packs.pop(key), owner.pop(key))
                    del sizes[key]
        for mark, cases in open_packs.items():
            yield _pack(cases, owner[mark])

    def _is_full(self, pack: list[Case], size: int) -> bool:
        most = self._house.authority(pack[0].authority).pack
        return len(pack) >= most or size > self._house.kouan.limits.message_bytes

    def _is_another_version(self, case: Case, pack: list[Case]) -> bool:
        """Tell whether an exchange office could not say which of two versions in one file it means."""
        is_exchange = self._house.authority(case.authority).dialect == "fx"
        return is_exchange and case.document.app_type != _NEW and any(one.key == case.key for one in pack)

    def seal(self, pack: Pack, now: datetime) -> Sealed:
        """Return the pack signed and wrapped; ForOperator when a key of ours is in trouble."""
        authority = self._house.authority(pack.authority)
        spec = pack.cases[0].document.spec
        guid = self._guid()
        body, suite, key_name = self._signed(pack, authority, guid, now)
        if authority.dialect == "fx":
            # The file in which it travels is built when the batch is gathered.
            return Sealed(guid, spec.root, body, suite, key_name)
        partner = self._house.partner(pack.partner)
        if authority.dialect == "tax":
            return Sealed(guid, spec.root, tax.wrap(body), suite, key_name)
        wrapped = customs.wrap(
            body,
            form=authority.form,
            message_id=guid,
            sender=partner.dxp_id,
            receiver=authority.dxp_id,
            message_type=spec.root,
            created=now,
        )
        return Sealed(guid, spec.root, wrapped, suite, key_name)

    def key_name(self, partner: str, authority: str, now: datetime) -> str | None:
        """Return the name of the key that the partner has entrusted to us for this authority today, or None."""
        use = self._house.partner(partner).key_for(authority, now.date())
        return use.name if use else None

    def trouble(self, partner: str, authority: str, now: datetime) -> str:
        """Return what is wrong with the key that signs for the partner there today, "" where nothing is."""
        name = self.key_name(partner, authority, now)
        if name is None or self._house.authority(authority).dialect == "tax":
            return ""
        try:
            self._signer(name, now)
        except ForOperator as trouble:
            return str(trouble)
        return ""

    def _signed(self, pack: Pack, authority: Authority, guid: str, now: datetime) -> tuple[bytes, str, str]:
        if pack.judged.signed:
            return pack.judged.arrival.data, "as received", ""
        text = _assembled(pack, guid)
        name = self.key_name(pack.partner, authority.name, now)
        if name is None or authority.dialect == "tax":
            return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text, "unsigned", ""
        signer = self._signer(name, now)
        whole = sign_message(text, signer) if _extended(pack.judged) else seal(text, signer)
        return whole, signer.suite, name

    def _signer(self, name: str, now: datetime) -> Signer:
        """Return the key, looked at anew each hour: one that has expired or was exchanged does not sign on."""
        hour = f"{now:%Y%m%d%H}"
        if name not in self._signers or self._signers[name][0] != hour:
            self._signers[name] = (hour, load_signer(self._house.home / "keys", name, now))
        return self._signers[name][1]


def _pack(cases: Sequence[Case], judged: Judged) -> Pack:
    return Pack(cases[0].partner, cases[0].authority, tuple(cases), judged)


def _earlier(cases: Iterable[Case], packs: Mapping[object, Sequence[Case]], into: object = None) -> list[object]:
    """Return which other packs hold an earlier version of one of these, which comes into that pack."""
    later = {(case.document.spec.code, case.key) for case in cases if case.version != 1}
    if not later:
        return []
    held = {mark: {(one.document.spec.code, one.key) for one in pack} for mark, pack in packs.items() if mark != into}
    return [mark for mark, keys in held.items() if not keys.isdisjoint(later)]


def leaves_whole(judged: Judged) -> bool:
    """Tell whether the message cannot be taken apart: it was signed by whoever declares it."""
    return judged.signed


def _may_leave(case: Case) -> bool:
    return case.state == "checked" and case.first is None and case.due_at is None


def _extended(judged: Judged) -> bool:
    opened = judged.opened
    if opened is None or opened.root is None:
        return False
    return bool(opened.transfer.keys() - _PLAIN) or len(opened.root) > len(opened.documents) + 1 + judged.signed


def _assembled(pack: Pack, guid: str) -> bytes:
    opened = pack.judged.opened
    assert opened is not None
    spec = pack.cases[0].document.spec
    parts = (case.canonical for case in pack.cases)
    extra = b"".join(_tails(opened.root)) if _extended(pack.judged) and opened.root is not None else b""
    return writing.message(spec.root, guid, parts, opened.transfer, extra=extra, family=spec.family)


def _tails(root: Element) -> Iterator[bytes]:
    for child in root.iterchildren():
        if etree.QName(child).localname in ("BaseSubscribe", "ExtendMessage"):
            yield etree.tostring(child, method="c14n", exclusive=True, with_comments=False)


def fill(case: Case, values: Mapping[str, str], revision: str) -> None:
    """Each path that the document lacks, or has empty, holds its value, at its place in the specification's order."""
    for path, value in values.items():
        if case.document.text(path):
            continue
        parent_path, _, name = path.rpartition("/")
        parent = case.document.at(parent_path)
        if parent is None:
            continue
        element = case.document.at(path)
        if element is None:
            element = etree.SubElement(parent, f"{{{writing.CEB}}}{name}")
            parent.remove(element)
            parent.insert(_position(case, parent, path, revision), element)
        element.text = value
        case.document.forget()


def _position(case: Case, parent: Element, path: str, revision: str) -> int:
    spec = case.document.spec
    node = table(spec.root, revision)
    for step in (spec.document, *path.split("/")[:-1]):
        node = next(child for child in node.children if child.name == step)
    order = [child.name for child in node.children]
    before = set(order[: order.index(path.rpartition("/")[2])])
    return sum(1 for child in parent if etree.QName(child).localname in before)


def store_name(sealed: Sealed) -> str:
    """Return the file name under which a sealed message is kept and carried.

    >>> store_name(Sealed("G", "CEB311Message", b"", "", ""))
    'CEB311Message.xml'
    """
    return f"{sealed.root}.xml"
