"""However arrivals, failures, pauses, probes, kills and time are shuffled, the turnstile keeps its word.

A model beside it knows only what was tried and what came of it.  In no minute more leaves than agreed; nothing leaves
while paused, shut or broken but the one probe that an operator asked for; after a break one message at a time finds
out; a partner's messages keep their order; what was taken is never tried again; and at the end everything has left.
"""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from twisted.internet.defer import Deferred, succeed

from adapters.carriers.carrier import Carried, Fault, Parcel
from gateway import authorities
from gateway.config import Authority
from gateway.config_authorities import Breaker, Maintenance, Pace, Retry
from gateway.dispatch import Outgoing
from gateway.rounds import Dispatcher
from gateway.settling import iso
from gateway.standing import standing
from gateway.turnstile import Turnstile
from spool.ledger import Ledger
from spool.store import Store
from tests.crash.world import PowerCut
from tests.gateway.test_dispatch import AtOnce, HereAndNow

START = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)  # midnight in China
A_MINUTE = 6
LAW = Breaker(failures=2, first_seconds=7, most_seconds=20)
AUTHORITY = Authority(
    "customs", "海关", retry=Retry(first_seconds=1, factor=1, most_seconds=1, jitter=0),
    pace=Pace(messages_a_minute=A_MINUTE, order="partner"), breaker=LAW,
    maintenance=(Maintenance(daily="00:05-00:07"),),
)  # fmt: skip
FATES = st.sampled_from(["ok", "ok", "away", "away", "chokes", "cut"])


class Customs:
    """A carrier whose line does what the script says, parcel by parcel, and which remembers."""

    together = 64
    side_by_side = 1

    def __init__(self) -> None:
        self.script: list[str] = []
        self.tried: list[Parcel] = []
        self.has: set[int] = set()

    def carry(self, parcels: Sequence[Parcel]) -> "Deferred[list[Carried]]":
        self.tried += parcels
        return succeed([self._one(parcel) for parcel in parcels])

    def _one(self, parcel: Parcel) -> Carried:
        fate = self.script.pop(0) if self.script else "ok"
        if fate == "cut":
            raise PowerCut
        if fate == "ok":
            self.has.add(parcel.number)
        fault: Fault = "road" if fate == "away" else "doubt"
        return Carried(parcel.number, ok=fate == "ok", acknowledgement="OK", trouble=fate, fault=fault)


class TurnstileMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="kouan-turnstile-")
        self.path = Path(self.folder.name) / "ledger.sqlite3"
        self.store = Store(Path(self.folder.name) / "store")
        self.store.path("x").parent.mkdir(parents=True)
        self.store.path("x").write_bytes(b"<sealed/>")
        self.clock = HereAndNow()
        self.customs = Customs()
        self.count = 0
        self.paused_until: datetime | None = None
        self.rest_until: datetime | None = None
        self.failures = 0
        self.doubted: set[int] = set()
        self.wait = 0.0
        self.left_at: list[datetime] = []
        self.start()

    def start(self) -> None:
        self.ledger = Ledger(self.path)
        turnstile = Turnstile(self.ledger, Outgoing(self.ledger, self.store, AUTHORITY), AUTHORITY)
        self.dispatcher = Dispatcher(self.clock, AtOnce(), turnstile, self.customs, self.now)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    @rule(partner=st.sampled_from(["shop", "pay", "ship"]), count=st.integers(1, 8))
    def messages_are_sealed(self, partner: str, count: int) -> None:
        with self.ledger.writing():
            for _ in range(count):
                self.count += 1
                number, at = 261122000000500000 + self.count, iso(self.now())
                self.ledger.run(
                    "add_message", number, f"G{number}", "CEB311", partner, "customs", "", "none", "", at, "x", 9,
                    bytes(32),
                )  # fmt: skip
                self.ledger.run("add_outbox", number, "customs", partner, at)

    @rule(seconds=st.sampled_from([0.2, 1, 1, 1, 3, 10, 61]))
    def time_goes_by(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(minutes=st.one_of(st.none(), st.integers(1, 5)))
    def an_operator_pauses(self, minutes: int | None) -> None:
        until = self.now() + timedelta(minutes=minutes) if minutes else None
        authorities.pause(self.ledger, "customs", self.now(), until, by="li", why="x")
        self.paused_until = until or datetime.max.replace(tzinfo=UTC)

    @rule()
    def an_operator_resumes(self) -> None:
        authorities.resume(self.ledger, "customs", self.now(), by="li", why="")
        self.paused_until = None

    @rule(script=st.lists(FATES, max_size=6))
    def a_round_goes(self, script: list[str]) -> None:
        self.round(script, probe=False)

    @rule(seconds=st.integers(5, 40), dead=st.booleans())
    def the_house_looks_each_second(self, seconds: int, dead: bool) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.round(["away"] * (3 * dead), probe=False)

    @rule(script=st.lists(FATES, min_size=1, max_size=1))
    def an_operator_probes(self, script: list[str]) -> None:
        authorities.ask_probe(self.ledger, "customs", self.now(), by="li")
        before, has = len(self.customs.tried), set(self.customs.has)
        self.round(script, probe=True)
        said = standing(self.ledger, "customs").probe_said
        if script == ["cut"] and len(self.customs.tried) > before:
            assert not said
            self.customs.script = []
            self.round([], probe=True)
            said = standing(self.ledger, "customs").probe_said
        assert said.startswith(("taken", "failed", "nothing"))
        if len(self.customs.tried) == before:
            assert said.startswith("nothing")
            assert self.customs.has == has

    @rule()
    def the_power_goes(self) -> None:
        self.ledger.close()
        self.start()

    def round(self, script: list[str], *, probe: bool) -> None:
        """What is tried is what the model allows, look by look; the model learns what came of it."""
        self.customs.script = list(script)
        before = len(self.customs.tried)
        ended: list[Any] = []
        self.dispatcher.round().addBoth(ended.append)
        tried = [one.number for one in self.customs.tried[before:]]
        power_went = ended[0] is not None and not isinstance(ended[0], int)
        fates = [*script[: len(tried)], *["ok"] * (len(tried) - len(script))]
        if tried and not probe:
            assert not self.is_shut()
        if tried and self.rest_until is not None and not probe:
            assert self.now() >= self.rest_until
            assert len(tried) == 1 or fates[0] == "ok"
        self.left_at += [self.now()] * (len(tried) - probe if tried else 0)
        if power_went:
            self.ledger.close()
            self.start()
            return
        self.learn(fates, tried)

    def learn(self, fates: list[str], tried: list[int]) -> None:
        if not fates:
            return
        if "ok" in fates:
            # A taken probe mends; what the same round tries afterwards may fail, in its group and for itself.
            self.failures, self.wait, self.rest_until, self.doubted = 0, 0.0, None, set()
        stands = standing(self.ledger, "customs").breaker
        if "ok" not in fates:
            doubted = {number for number, fate in zip(tried, fates, strict=True) if fate == "chokes"} - self.doubted
            self.doubted |= doubted
            counted = fates.count("away") + len(doubted)
            self.failures += counted
            if self.rest_until is not None or (counted and self.failures >= LAW.failures):
                self.wait = min(LAW.most_seconds, self.wait * 2) if self.rest_until is not None else LAW.first_seconds
                self.rest_until = self.now() + timedelta(seconds=self.wait)
                self.doubted = set()
            assert (stands.failures, stands.wait) == (self.failures, self.wait)
            assert stands.retry_at == self.rest_until
        elif stands.state == "closed":
            self.failures, self.doubted = stands.failures, set(stands.failing)
        else:
            self.failures, self.wait, self.rest_until = stands.failures, stands.wait, stands.retry_at
            self.doubted = set()

    def is_shut(self) -> bool:
        china = (self.now() + timedelta(hours=8)).time()
        maintenance = china.hour == 0 and 5 <= china.minute < 7
        return maintenance or (self.paused_until is not None and self.now() < self.paused_until)

    @invariant()
    def in_no_minute_more_leaves_than_agreed(self) -> None:
        if not hasattr(self, "left_at"):
            return
        for moment in self.left_at[-200:]:
            minute = [one for one in self.left_at if moment <= one < moment + timedelta(seconds=60)]
            assert len(minute) <= A_MINUTE

    @invariant()
    def a_partners_messages_keep_their_order_and_none_leaves_twice(self) -> None:
        if not hasattr(self, "ledger"):
            return
        rows = self.ledger.conn.execute("SELECT message, partner, state FROM outbox ORDER BY message").fetchall()
        for partner in ("shop", "pay", "ship"):
            states = [row["state"] for row in rows if row["partner"] == partner]
            assert states == sorted(states)  # gone before waiting
        gone = {row["message"] for row in rows if row["state"] == "gone"}
        assert gone <= self.customs.has

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.an_operator_resumes()
            for _ in range(12 * self.count + 500):
                self.clock.advance(1)
                self.dispatcher.round()
            assert self.ledger.conn.execute("SELECT count(*) FROM outbox WHERE state <> 'gone'").fetchone()[0] == 0
            self.ledger.close()
            self.folder.cleanup()


TestTurnstileMachine = TurnstileMachine.TestCase
TestTurnstileMachine.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
