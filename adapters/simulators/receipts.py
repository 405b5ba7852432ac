"""Receipts in customs' own form: default namespace, standalone, no BaseTransfer, no signature.

A receipt is a pure function of rows in the book, so it can be made again,
byte for byte, after a crash or for a message told twice.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from adapters.simulators.envelope import plain, text, wrap
from adapters.simulators.judging import receipt_of
from adapters.simulators.law import ACCEPTED, EXAMINED, FORMAT, RETURNED, words
from adapters.simulators.settings import Settings
from adapters.simulators.trade import bills
from adapters.simulators.trade.papers import CEB
from message_specs.catalog import catalog
from message_specs.tables import table

CHINA = ZoneInfo("Asia/Shanghai")
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_INFO_MOST = 1000
_FORMAT_MOST = 5000


@dataclass(frozen=True, slots=True)
class Due:
    """An answer that is due: which stage of which message, its guid, the time it gives (ms), the copy it is."""

    id: int
    message: int
    stage: int
    status: str
    guid: str
    moment: int
    copy: int
    tries: int
    code: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """An answer to come: at which stage, in which turn of its chain it leaves, the time it gives, when it is due (ms).

    `about` says of single documents what they hear; `code` names a message of customs' own, such as CEB816.
    """

    stage: int
    turn: int
    status: str
    guid: str
    moment: int
    copy: int
    due: int
    chain: int = 0
    code: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """A message as it stands in the book, with what its answers need."""

    id: int
    guid: str
    spec: str
    standing: str
    sender: str
    message_id: str
    message_type: str
    channel: str
    told_at: int
    reason: str
    body: bytes
    documents: Sequence[tuple[int, str, str]]  # ordinal, verdict, values as JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """A file or a request to send: a name that no other answer has, and the bytes."""

    name: str
    body: bytes


def answered(stage: int, status: str, verdict: str) -> str | None:
    """Return what a document of this verdict hears at this stage, None when nothing.

    >>> [answered(stage, status, "100") for stage, status in enumerate(("2", "120", "800"))]
    ['2', '100', None]
    """
    if not verdict:
        return status
    if verdict == RETURNED:
        return (status, RETURNED, None)[min(stage, 2)]
    return verdict if stage == 0 else None


def heard(stage: int, status: str, verdict: str, own: Mapping[str, str] | None) -> str | None:
    """Return what a document hears of an answer; `own` is what stands there of it alone, if documents are told apart.

    >>> heard(1, "120", "", {"returnStatus": "100"}), heard(1, "120", "", {}), heard(1, "120", "", None)
    ('100', None, '120')
    """
    if own is None or stage == 0:
        return answered(stage, status, verdict)
    return own.get("returnStatus")


def inventory_number(spec: str, customs_code: str, message: int, ordinal: int, told_at: int) -> str:
    """Return the number that customs gives an inventory or list: office, year, I or E, nine digits.

    >>> inventory_number("CEB621", "2910", 7, 1, 1_795_000_000_000)
    '29102026I000000700'
    """
    year = _day(told_at)[:4]
    return f"{customs_code or '0000':0>4.4}{year}{'I' if spec == 'CEB621' else 'E'}{_serial(message, ordinal):09d}"


@lru_cache(maxsize=4096)
def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / 1000, CHINA):%Y%m%d}"


def _serial(message: int, ordinal: int) -> int:
    return (message * 100 + ordinal - 1) % 10**9


def guid_of(*parts: object) -> str:
    """Return a lower-case guid that the same parts always give again."""
    digits = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def make(due: Due, booked: Booked, settings: Settings) -> Answer:
    """Return the answer that is due, wrapped for its enterprise where the settings ask for it."""
    moment = datetime.fromtimestamp(due.moment / 1000, CHINA)
    stamp = f"{moment:%Y%m%d%H%M%S}{due.moment % 1000:03d}"
    if booked.standing == "refused":
        code, units = "CEB900", _format_unit(due, booked, stamp)
    elif due.code:
        code, units = due.code, bills.units(due.code, json.loads(due.about), due.guid, stamp)
    else:
        code, units = _receipt_code(booked.spec), _units(due, booked, stamp, settings)
    guid = due.guid.upper()
    message = f'{_HEAD}<{code}Message guid="{guid}" version="1.0" xmlns="{CEB}">{units}</{code}Message>'.encode()
    name = f"{code}_{guid}{f'.{due.copy}' if due.copy else ''}.xml"
    if not settings.wrap_answers or not 0 < len(booked.sender) <= 16:
        return Answer(name, message)
    return Answer(
        name,
        wrap(message, guid=guid, sender=settings.dxp_id, receiver=booked.sender,
             message_type=f"{code}Message", moment=moment),
    )  # fmt: skip


def nonsense(kind: str, due: Due) -> Answer:
    """Return an answer that nobody can take: no XML, an unknown root, or a document nobody declared."""
    guid = guid_of("nonsense", kind, due.guid, due.copy)
    if kind == "text":
        body = "系统繁忙，请稍后再试 <<<".encode()
    elif kind == "root":
        body = f'{_HEAD}<CEB999Message guid="{guid.upper()}" version="1.0" xmlns="{CEB}"/>'.encode()
    else:
        body = (
            f'{_HEAD}<CEB312Message guid="{guid.upper()}" version="1.0" xmlns="{CEB}"><OrderReturn><guid>{guid}</guid>'
            f"<ebpCode>0000000000</ebpCode><ebcCode>0000000000</ebcCode><orderNo>{guid}</orderNo><returnStatus>2"
            "</returnStatus><returnTime>20260101000000000</returnTime><returnInfo>无此单证</returnInfo></OrderReturn>"
            "</CEB312Message>"
        ).encode()
    return Answer(f"NONSENSE_{guid}.xml", body)


def _units(due: Due, booked: Booked, stamp: str, settings: Settings) -> str:
    element, columns = _shape(booked.spec, settings.revision)
    about = json.loads(due.about) if due.about else {}
    parts = []
    for ordinal, verdict, values in booked.documents:
        own = about.get(str(ordinal), {})
        status = heard(due.stage, due.status, verdict, own if due.about else None)
        if status is not None:
            told = json.loads(values)
            told |= _made(booked, ordinal, status, told)
            told |= {"guid": guid_of(due.guid, ordinal), "returnTime": stamp} | own | {"returnStatus": status}
            told["returnInfo"] = f"{told['returnInfo']}{own.get('warning', '')}"[:_INFO_MOST]
            leaves = (f"<{name}>{text(told[name])}</{name}>" for name in columns if told.get(name))
            parts.append(f"<{element}>{''.join(leaves)}</{element}>")
    return "".join(parts)


def _made(booked: Booked, ordinal: int, status: str, told: Mapping[str, str]) -> dict[str, str]:
    """What customs adds of its own: the text, and its numbers, which stay the same at every stage."""
    day = _day(booked.told_at)
    serial = _serial(booked.id, ordinal)
    made = {
        "preNo": told.get("preNo") or f"{_PRE.get(booked.spec, 'B')}{day}{serial:09d}",
        "returnInfo": words(booked.spec, status, told)[:_INFO_MOST],
    }
    office = told.get("customsCode", "0000")
    early = not status.isdecimal() or status in _EARLY
    # The schema asks for it in every receipt of a list.
    if booked.spec == "CEB603" or (booked.spec == "CEB621" and not early):
        made["invtNo"] = inventory_number(booked.spec, office, booked.id, ordinal, booked.told_at)
    elif booked.spec == "CEB701" and status == EXAMINED:
        made["sumNo"] = f"{office:0>4.4}{day[:4]}{serial:010d}"
    return made


_PRE = {"CEB621": "B", "CEB623": "C", "CEB625": "T", "CEB711": "R", "CEB213": "T", "CEB215": "o"}
_EARLY = ("1", ACCEPTED, "3", RETURNED)


def _format_unit(due: Due, booked: Booked, stamp: str) -> str:
    original = plain(booked.body.decode("utf-8", "replace")).replace("]]>", "]]]]><![CDATA[>")
    return (
        f"<MessageReturn><guid>{guid_of(due.guid, 1)}</guid><returnStatus>{FORMAT}</returnStatus>"
        f"<returnInfo>{text(booked.reason)[:_FORMAT_MOST]}</returnInfo><returnTime>{stamp}</returnTime>"
        f"<oriCopMsgId>{text(booked.message_id)}</oriCopMsgId>"
        f"<oriMessageType>{text(booked.message_type[:15]) or 'Unknown'}</oriMessageType>"
        f"<oriBizMessage><![CDATA[{original}]]></oriBizMessage></MessageReturn>"
    )


@cache
def _receipt_code(code: str) -> str:
    spec = catalog().specs[code]
    return receipt_of(spec).code


@cache
def _shape(code: str, revision: str) -> tuple[str, tuple[str, ...]]:
    unit = table(receipt_of(catalog().specs[code]).root, revision).children[0]
    return unit.name, tuple(node.name for node in unit.children)
