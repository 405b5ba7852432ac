"""The state of an inventory as customs tells it, in whatever order its receipts arrive.

A life is the set of what was said; its state follows from the set alone, so late, repeated and reversed receipts
end in the same life.  The receipt with the latest returnTime decides; of several at one moment that of the highest
rank (120 and 399 are often said together).  A version that was refused with a negative code leaves the one before it
where it stood (-621012).  A receipt that only says a copy was sent twice never moves a state.
Unknown positive codes are kept and shown.  Sources: import receipts 3, 4 and 6, export receipts 2 and 3.

Known limits: a receipt without a readable returnTime counts as the earliest of all; the schema asks for one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from message_specs.codes import official_error
from message_specs.trade.papers import table

_CHINA: Final = ZoneInfo("Asia/Shanghai")
_SHOWS: Final = {"CEB622": "inventory", "CEB604": "inventory", "CEB624": "cancel", "CEB606": "cancel"}
_ACCEPTED: Final = "399"
_RELEASED: Final = frozenset({"800", "899"})


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """What one receipt says: when, which status, of which document (a cancel is another than its inventory)."""

    time: str
    status: str
    spec: str
    of: str = ""
    info: str = ""
    invt_no: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """One row of life.csv: what a status means, and what it allows on which side of the border."""

    status: str
    zh: str
    en: str
    rank: int
    phase: str
    correct: frozenset[str]
    cancel: frozenset[str]
    refund: frozenset[str]
    uses_fellows: bool
    known: bool = True


@cache
def _states() -> dict[str, State]:
    return {
        row["status"]: State(
            row["status"],
            row["zh"],
            row["en"],
            int(row["rank"]),
            row["phase"],
            frozenset(row["correct"].split()),
            frozenset(row["cancel"].split()),
            frozenset(row["refund"].split()),
            row["fellows"] == "used",
        )
        for row in table("life.csv")
    }


_BEFORE: Final = State(
    "", "尚未申报", "not declared yet", -1, "open", frozenset(), frozenset(), frozenset(), uses_fellows=False
)


def state_of(status: str) -> State:
    """What a status of an inventory means; "" is one of which customs has said nothing.

    >>> state_of("800").zh, state_of("-621005").zh, state_of("777").zh, state_of("").zh
    ('已放行', '处理异常（-621005 金额超过单次交易限值）', '其他状态（777）', '尚未申报')
    """
    status = status.strip()
    if not status:
        return _BEFORE
    if status in _states() and status not in ("<0", "*"):
        return _states()[status]
    negative = status.startswith("-")
    error = official_error(status) if negative else None
    row = _states()["<0" if negative else "*"]
    meaning = f" {error.zh}" if error else ""
    return replace(
        row,
        status=status,
        zh=f"{row.zh}（{status}{meaning}）",
        en=error.en if error else f"{row.en} ({status})",
        known=negative,
    )


@dataclass(frozen=True, slots=True)
class Life:
    """All that customs has said of one inventory and its cancels, sorted; its state follows from it."""

    side: str
    said: tuple[Said, ...] = ()

    @property
    def deciding(self) -> Said | None:
        """The receipt that decides the state; None before the first."""
        mine = list(self._declared_anew()) or [one for one in self.said if _SHOWS.get(one.spec) == "inventory"]
        telling = [one for one in mine if not _is_repeat(one)] or mine
        last: dict[str, Said] = {}
        for one in telling:
            last[one.of] = max(last.get(one.of, one), one, key=_weight)
        standing = [one for one in last.values() if not one.status.startswith("-")]
        return max(standing or last.values(), key=_weight, default=None)

    @property
    def state(self) -> State:
        """What customs says of the inventory at last."""
        deciding = self.deciding
        return state_of(deciding.status if deciding else "")

    @property
    def invt_no(self) -> str:
        """The number that customs gave it, the latest where there are several."""
        return max((one for one in self.said if one.invt_no), default=Said("", "", "")).invt_no

    @property
    def released_on(self) -> date | None:
        """The day on which it was released, while it is released or closed."""
        if self.state.status not in _RELEASED:
            return None
        released = [one for one in self.said if _SHOWS.get(one.spec) == "inventory" and one.status.strip() in _RELEASED]
        days = [day for one in released if (day := day_of(one.time))]
        return min(days, default=None)

    @property
    def closed_on(self) -> date | None:
        """The day on which it was closed."""
        closed = [one for one in self.said if _SHOWS.get(one.spec) == "inventory" and one.status.strip() == "899"]
        days = [day for one in closed if (day := day_of(one.time))]
        return min(days, default=None) if self.state.status == "899" else None

    @property
    def cancelled(self) -> bool:
        """Whether customs has accepted a cancel of it, and it was not declared anew."""
        return self._cancelled_at is not None and not self._declared_anew()

    @property
    def cancelling(self) -> bool:
        """Whether a cancel of it is under way."""
        under_way = (one for one in self._last_of_cancels() if one.status.strip() != _ACCEPTED)
        return any(state_of(one.status).phase != "open" for one in under_way) and not self.cancelled

    @property
    def _cancelled_at(self) -> str | None:
        accepted = (one.time for one in self._last_of_cancels() if one.status.strip() == _ACCEPTED)
        return max(accepted, default=None)

    def _declared_anew(self) -> tuple[Said, ...]:
        """What was said of versions of which customs spoke only after it had accepted the cancel of those before."""
        cancelled_at = self._cancelled_at
        if cancelled_at is None:
            return ()
        mine = [one for one in self.said if _SHOWS.get(one.spec) == "inventory"]
        before = {one.of for one in mine if one.time <= cancelled_at}
        return tuple(one for one in mine if one.of not in before) if before else ()

    def _last_of_cancels(self) -> list[Said]:
        last: dict[str, Said] = {}
        for one in self.said:
            if _SHOWS.get(one.spec) == "cancel" and not _is_repeat(one):
                other = last.get(one.of)
                last[one.of] = one if other is None else max(one, other, key=_weight)
        return list(last.values())

    @property
    def phase(self) -> str:
        """Where the trade stands: open, declared, released, closed or void."""
        return "void" if self.cancelled else self.state.phase

    @property
    def zh(self) -> str:
        """The state as a person reads it."""
        if self.cancelled:
            return "已撤销"
        return f"{self.state.zh}，撤销办理中" if self.cancelling else self.state.zh

    @property
    def en(self) -> str:
        """The state as a person reads it, in English."""
        if self.cancelled:
            return "cancelled"
        return f"{self.state.en}, a cancel is under way" if self.cancelling else self.state.en

    @property
    def may_correct(self) -> bool:
        """Whether it may be corrected and declared again: after 100, a negative code, or when it was never sent."""
        return not self.cancelled and self.side in self.state.correct

    @property
    def may_cancel(self) -> bool:
        """Whether a cancel may be applied for."""
        return not self.cancelled and not self.cancelling and self.side in self.state.cancel

    @property
    def may_refund(self) -> bool:
        """Whether a return of goods may be applied for."""
        return not self.cancelled and self.side in self.state.refund

    @property
    def uses_fellows(self) -> bool:
        """Whether order, payment and waybill may no longer be changed or deleted (-301011, -401008, -504016)."""
        return not self.cancelled and self.state.uses_fellows


def life_after(current: Life, said: Said) -> Life:
    """The life with one receipt more; the same receipt again changes nothing."""
    kept = _plain(said)
    return current if kept in current.said else replace(current, said=tuple(sorted((*current.said, kept))))


def life_of(side: str, said: Iterable[Said]) -> Life:
    """The life that all these receipts tell, in any order."""
    return Life(side, tuple(sorted(set(map(_plain, said)))))


def stays(phase: str, said: Said) -> bool:
    """Whether a trade of which no cancel was accepted stands in this phase still when this is said too.

    What is said of an inventory either decides or changes nothing, so one that says the phase again moves none,
    however late it comes.  False is no word about what follows: the whole life tells.

    >>> stays("declared", Said("", "399", "CEB622")), stays("declared", Said("", "800", "CEB622"))
    (True, False)
    """
    if _SHOWS.get(said.spec) != "inventory" or phase == "void" or _is_repeat(said):
        return False
    state = state_of(said.status)
    return not state.status.startswith("-") and state.phase == phase


def _plain(said: Said) -> Said:
    return Said(moment(said.time), said.status.strip(), said.spec, said.of, said.info, said.invt_no)


def _weight(one: Said) -> tuple[str, int, Said]:
    return one.time, state_of(one.status).rank, one


def _is_repeat(one: Said) -> bool:
    refused = one.status.startswith("-") or one.status == "100"
    return refused and any(word in one.info or word == one.status for word in _repeats())


@cache
def _repeats() -> tuple[str, ...]:
    return tuple(row["word"] for row in table("repeats.csv"))


@lru_cache(maxsize=4096)
def moment(digits: str) -> str:
    """A returnTime as 17 digits: 14 are filled up, 13 are milliseconds since 1970, anything else comes first ("").

    >>> moment("20261121120506"), moment("1795233906789"), moment("2026-11-21T12:05:06.789+08:00"), moment("soon")
    ('20261121120506000', '20261121120506789', '20261121120506789', '')
    """
    digits = "".join(one for one in digits.partition("+")[0] if one.isdigit())
    if len(digits) == 13:
        when = datetime.fromtimestamp(int(digits) // 1000, _CHINA)
        return f"{when:%Y%m%d%H%M%S}{digits[-3:]}"
    return digits.ljust(17, "0") if len(digits) in (14, 17) else ""


def day_of(time: str) -> date | None:
    """The day of a returnTime; None where it tells none.

    >>> day_of("20261121120506789"), day_of(""), day_of("20190387041959000")
    (datetime.date(2026, 11, 21), None, None)
    """
    try:
        return datetime.strptime(time[:8], "%Y%m%d").replace(tzinfo=_CHINA).date()
    except ValueError:
        return None
