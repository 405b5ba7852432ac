"""Wrapping: what leaves in this batch is sealed, numbered and lies in the store, not yet synced."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.case import Case, Judged
from gateway.config import House, NoRoute
from gateway.intake import SENT
from gateway.sealing import Pack, Sealed, Sealer, fill, store_name
from gateway.settling import iso
from message_specs.findings import finding
from spool.errors import ForOperator
from spool.ledger import NEVER
from spool.number import Numbers
from spool.states import State
from spool.store import Store

_IN_A_MESSAGE = 100
_ON_THEIR_WAY = (State.CHECKED, State.FILED)
_BEYOND = "GHIJKLMNOPQRSTUVWXYZ"
KEY_TROUBLE_WAIT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A sealed message with its number and the place of its evidence."""

    number: int
    pack: Pack
    sealed: Sealed
    place: str


def route_all(judged: Iterable[Judged], sealer: Sealer, house: House, now: datetime) -> None:
    """Every case that may go on knows its authority; what nobody takes is held, what nobody may sign is refused.

    Done before trades are asked: nothing rests on a document that is stopped here, and it uses nothing.
    """
    troubled: dict[tuple[str, str], str] = {}
    for one in judged:
        if one.trouble:
            for case in one.cases:
                case.keyless = one.trouble
            continue
        for case in one.cases:
            if case.first is None and case.state in _ON_THEIR_WAY:
                _route(one, case, sealer, house, now)
                _ask_for_key(one, case, sealer, now, troubled)
        if one.signed:
            _to_one_authority(one)


def wrap_all(judged: Iterable[Judged], sealer: Sealer, store: Store, numbers: Numbers, now: datetime) -> list[Wrapped]:
    """Every case that may leave, and knows where to, is ready in a message; one that may not waits with its reason."""
    ones = list(judged)
    for one in ones:
        for case in one.cases:
            if case.state is State.CHECKED and case.first is None:
                _prepare(one, case, now)
        if one.signed:
            _together(one, now)
    wrapped = []
    for pack in sealer.packs(one for one in ones if not one.trouble):
        if (done := _wrap(pack, sealer, store, numbers, now)) is not None:
            wrapped.append(done)
    return wrapped


def _route(one: Judged, case: Case, sealer: Sealer, house: House, now: datetime) -> None:
    spec = case.document.spec
    try:
        case.authority = house.route(spec.code, case.document.head.get("customsCode", "")).name
    except NoRoute as trouble:
        _wait(case, f"K101 {trouble}", NEVER)
        return
    if not one.signed and spec.signature == "required" and not sealer.key_name(case.partner, case.authority, now):
        found = finding("P201", document=case.ordinal)
        one.add(found)
        case.version = None
        case.move("seal", State.REFUSED, None, (found,))


def _ask_for_key(
    one: Judged, case: Case, sealer: Sealer, now: datetime, troubled: dict[tuple[str, str], str]
) -> None:  # fmt: skip
    """The case knows which trouble of a key keeps it here; `troubled` is what was found out before."""
    if one.signed or not case.authority:
        return
    whose = (case.partner, case.authority)
    if whose not in troubled:
        troubled[whose] = sealer.trouble(*whose, now)
    case.keyless = troubled[whose]


def _to_one_authority(one: Judged) -> None:
    """A signed message leaves to one authority or is refused whole."""
    fresh = [case for case in one.cases if case.first is None and case.state in _ON_THEIR_WAY]
    if len({case.authority for case in fresh}) > 1:
        one.add(found := finding("P309"))
        for case in fresh:
            case.version = None
            case.move("seal", State.REFUSED, None, (found,))


def _prepare(one: Judged, case: Case, now: datetime) -> None:
    if case.keyless:
        # Though the key may be good by now: the fellows of this round were judged without it.
        _wait(case, f"K102 {case.keyless}", iso(now + KEY_TROUBLE_WAIT))
        return
    spec = case.document.spec
    if spec.fill and not one.signed:
        assert one.opened is not None
        fill(case, dict.fromkeys(spec.fill, _own_number(case)), one.opened.revision)
        case.canonical = case.document.canonical()
    if spec.reply_key != spec.key:
        case.reply_key = case.document.reply_key


def _own_number(case: Case) -> str:
    """Return a number of ours for a document that came without one: at most 20 letters, and no other has it.

    A message holds a hundred documents at most and the number two more digits; a table holds more.
    """
    if case.ordinal <= _IN_A_MESSAGE:
        return f"{case.number}{case.ordinal % _IN_A_MESSAGE:02d}"
    beyond, within = divmod(case.ordinal, 1 << 16)
    return f"{_BEYOND[beyond]}{case.number:X}{within:04X}"


def _together(one: Judged, now: datetime) -> None:
    """A signed message leaves whole, or waits whole."""
    fresh = [case for case in one.cases if case.first is None and case.state is not State.REFUSED]
    waiting = [case for case in fresh if case.state is not State.CHECKED or case.due_at is not None]
    if waiting:
        for case in fresh:
            if case not in waiting:
                _wait(case, f"K108 {waiting[0].why}", waiting[0].due_at or iso(now + KEY_TROUBLE_WAIT))


def _wrap(pack: Pack, sealer: Sealer, store: Store, numbers: Numbers, now: datetime) -> Wrapped | None:
    try:
        sealed = sealer.seal(pack, now)
    except ForOperator as trouble:
        due = iso(now + KEY_TROUBLE_WAIT)
        for case in pack.cases:
            _wait(case, f"K102 {trouble}", due)
        return None
    # Two workers number from ranges of their own, and the later version of a key is to have the greater number.
    numbers.go_on_after(max(case.after for case in pack.cases))
    number = numbers.take(1)[0]
    place = store.place(number, SENT + pack.authority, store_name(sealed))
    store.write(place, sealed.body)
    for case in pack.cases:
        case.message = number
        case.due_at = case.why = None
        case.move("seal", State.READY)
    return Wrapped(number, pack, sealed, place)


def _wait(case: Case, why: str, due_at: str) -> None:
    case.due_at = due_at
    case.why = why
    if due_at == NEVER:
        case.move("seal", State.HELD, why)
