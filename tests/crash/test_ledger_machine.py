"""Whatever partners drop, customs answers, operators do and power cuts break, in any order, the ledger's law holds.

No business key and version stands twice; a key is declared again only as a change, or when all before it was refused
or a deletion is closed; a document leaves in one message that is not void; stamps lead by legal moves from nothing to
where the document stands; every file taken in has one acknowledgement and one row; every receipt lies where its
partner finds it.
"""

import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections import Counter as Count
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.carriers.carrier import Carried
from gateway.replaying import Ruling, replay
from gateway.selecting import Selection
from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from gateway.submitting import Counter
from gateway.verbs import Verbs
from spool.states import State, may_move
from tests import samples
from tests.crash.world import PowerCut, Stop, World, chains, contents, fields
from tests.homes import demo_home

RULING = Ruling("why not", "eve")
STEPS = ("claimed", "judged", "sealed", "synced", "writing", "written", "let go")
ORDERS = st.integers(1, 5)
STATUSES = st.sampled_from(["2", "3", "120", "100", "-301010", "777", "?"])


def changed(body: bytes, note: int) -> bytes:
    """The same orders with another remark: the same keys, other content."""
    return body.replace("工作日送货,请勿折叠".encode(), f"备注{note}".encode())


def spoilt(body: bytes, which: int) -> bytes:
    """The message with one order whose sum is wrong."""
    parts = body.split(b"<ceb:discount>5<")
    return (
        b"<ceb:discount>5<".join(parts[: which + 1])
        + b"<ceb:discount>6<"
        + b"<ceb:discount>5<".join(parts[which + 1 :])
    )


class Ledgers(RuleBasedStateMachine):
    """One home, many days."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kouan-machine-"))
        self.home = demo_home(self.folder)
        self.signer = load_signer(self.home / "keys", "shop")
        self.world = World(self.home)
        self.dropped: dict[str, bytes] = {}
        self.carried: dict[int, bytes] = {}
        self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.world.close()
            shutil.rmtree(self.folder)

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}.xml"

    def drop(self, sender: str, kind: str, body: bytes) -> None:
        name = self.name(kind)
        self.dropped[name] = body
        self.world.drop(sender, name, body)

    # what partners do

    @rule(order=ORDERS)
    def drop_an_order(self, order: int) -> None:
        self.drop("shop", "order", samples.order(order))

    @rule(order=ORDERS, note=st.integers(0, 3), app_type=st.sampled_from("123"))
    def drop_other_content(self, order: int, note: int, app_type: str) -> None:
        self.drop("shop", "changed", changed(samples.message("CEB311", 1, start=order, app_type=app_type), note))

    @rule(order=ORDERS, count=st.integers(2, 4), bad=st.none() | st.integers(0, 1))
    def drop_several(self, order: int, count: int, bad: int | None) -> None:
        body = samples.message("CEB311", count, start=order)
        self.drop("shop", "several", body if bad is None else spoilt(body, bad))

    @rule(order=ORDERS)
    def drop_one_order_twice_in_a_message(self, order: int) -> None:
        body = samples.order(order)
        unit = body[body.index(b"<ceb:Order>") : body.index(b"</ceb:Order>") + 12]
        self.drop("shop", "twice", body.replace(unit, unit + unit))

    @rule(order=ORDERS, count=st.integers(1, 2), broken=st.booleans())
    def drop_signed(self, order: int, count: int, broken: bool) -> None:
        signed = sign_message(samples.message("CEB311", count, start=order), self.signer)
        self.drop("shop", "signed", changed(signed, 9) if broken else signed)

    @rule(order=ORDERS, once=st.sampled_from(["", "k1", "k2"]))
    def post(self, order: int, once: str) -> None:
        heard = self.world.post("shop", samples.order(order), once or None)
        assert heard is not None
        assert heard == b"" or json.loads(heard)["documents"]

    @rule(number=ORDERS)
    def drop_an_inventory(self, number: int) -> None:
        self.drop("agent", "inventory", samples.message("CEB621", 1, start=number))

    @rule(body=st.sampled_from([b"", b"<a/>", samples.order(1)[:700], b"\xff\xfe", samples.message("CEB411", 1)]))
    def drop_nonsense(self, body: bytes) -> None:
        self.world.moment += timedelta(seconds=11)
        self.drop("shop", "nonsense", body)

    # what the house does

    @rule()
    def take_in(self) -> None:
        self.world.take_in()
        self.world.moment += timedelta(seconds=11)
        self.world.take_in()

    @rule(step=st.sampled_from(STEPS), count=st.integers(1, 2))
    def the_power_fails(self, step: str, count: int) -> None:
        self.world.clerk._pulse = Stop(step, count)
        with contextlib.suppress(PowerCut):
            self.take_in()
        self.restart()

    @rule()
    def restart(self) -> None:
        self.world.close()
        self.world = World(self.home, moment=self.world.moment)

    @rule()
    def all_that_is_due_leaves(self) -> None:
        self.keep_watch(self.world.carry())

    @rule()
    def customs_is_away(self) -> None:
        self.keep_watch(self.world.carry(lambda one: Carried(one.parcel.number, ok=False, trouble="refused the line")))
        self.world.moment += timedelta(seconds=700)

    @rule()
    def customs_takes_no_such_bytes(self) -> None:
        self.keep_watch(
            self.world.carry(lambda one: Carried(one.parcel.number, ok=False, trouble="413", permanent=True))
        )

    def keep_watch(self, leaving: list) -> None:
        """Each attempt carries the same bytes, and what has gone is not tried again."""
        for one in leaving:
            assert self.carried.setdefault(one.parcel.number, one.parcel.body) == one.parcel.body

    # what customs says

    @rule(order=ORDERS, status=STATUSES, second=st.integers(0, 2))
    def a_receipt_comes(self, order: int, status: str, second: int) -> None:
        self.world.answer(self.name("answer"), "CEB312", "OrderReturn", fields(order, status, second))

    @rule(status=STATUSES)
    def a_receipt_about_several_comes(self, status: str) -> None:
        units = [fields(order, status) for order in (1, 2, 99)]
        self.world.answer(self.name("answer"), "CEB312", "OrderReturn", *units)

    @rule(order=ORDERS, status=st.sampled_from(["120", "800"]), given=st.integers(1, 3))
    def an_inventory_is_given_a_number(self, order: int, status: str, given: int) -> None:
        unit = {
            "guid": samples.guid("R", order), "copNo": samples.trade(order)["copNo"], "returnStatus": status,
            "agentCode": samples.AGENT.code, "invtNo": f"I{given}", "returnTime": "20261121170000000",
        }  # fmt: skip
        self.world.answer(self.name("answer"), "CEB622", "InventoryReturn", unit)

    @rule(given=st.integers(1, 3), serial=st.integers(1, 2), status=st.sampled_from("13"))
    def a_tax_bill_speaks_of_a_number(self, given: int, serial: int, status: str) -> None:
        head = {"returnTime": "20261121180000000", "invtNo": f"I{given}", "taxNo": f"{serial}", "status": status}
        self.world.answer(self.name("answer"), "CEB818", "Tax", {"TaxHeadStatus": head})

    @rule(data=st.data())
    def a_whole_message_is_refused(self, data: st.DataObject) -> None:
        guids = [guid for (guid,) in self.world.rows("SELECT guid FROM message ORDER BY number")]
        unit = {
            "guid": samples.guid("M", 1), "returnStatus": "-999999", "returnInfo": "格式错误",
            "returnTime": "20261121170000000", "oriCopMsgId": data.draw(st.sampled_from([*guids, "nobody"])),
            "oriMessageType": "CEB311Message",
        }  # fmt: skip
        self.world.answer(self.name("answer"), "CEB900", "MessageReturn", unit)

    @rule(data=st.data(), code=st.sampled_from(["0000", "1001"]))
    def the_exchange_node_speaks(self, data: st.DataObject, code: str) -> None:
        guids = [guid for (guid,) in self.world.rows("SELECT guid FROM message ORDER BY number")]
        guid = data.draw(st.sampled_from([*guids, "nobody"]))
        body = f"<DxpRep><Response><ResponseCode>{code}</ResponseCode>"
        body += f"<OriHead><CopMsgId>{guid}</CopMsgId></OriHead></Response></DxpRep>"
        self.world.drop("customs", self.name("answer"), body.encode())

    # what operators do

    @precondition(lambda self: self.world.rows("SELECT 1 FROM document LIMIT 1"))
    @rule(verb=st.sampled_from(["hold", "release", "refuse"]), data=st.data())
    def an_operator_decides(self, verb: str, data: st.DataObject) -> None:
        names = [f"{n}.{o}" for n, o in self.world.rows("SELECT number, ordinal FROM document ORDER BY 1, 2")]
        chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        with Counter(self.home, self.world.now) as counter:
            list(Verbs(counter, RULING).carry_out(verb, Selection(tuple(chosen))))

    @rule()
    def an_operator_releases_everything(self) -> None:
        with Counter(self.home, self.world.now) as counter:
            list(Verbs(counter, RULING).carry_out("release", Selection(states=(State.HELD,))))

    @precondition(lambda self: self.world.rows("SELECT 1 FROM interchange LIMIT 1"))
    @rule(data=st.data())
    def an_operator_replays(self, data: st.DataObject) -> None:
        numbers = [number for (number,) in self.world.rows("SELECT number FROM interchange ORDER BY 1")]
        row = self.world.ledger.one("interchange", data.draw(st.sampled_from(numbers)))
        with Counter(self.home, self.world.now) as counter:
            list(replay(counter, [row], RULING))

    @rule()
    def the_signing_key_is_away(self) -> None:
        key = self.home / "keys/shop/key.pem"
        if key.exists():
            key.rename(self.home / "key.away")
            self.restart()

    @rule()
    def the_signing_key_is_back(self) -> None:
        if (self.home / "key.away").exists():
            (self.home / "key.away").rename(self.home / "keys/shop/key.pem")
            self.restart()
        self.world.moment += timedelta(seconds=31)
        self.world.go_on()

    # what is always true

    @invariant()
    def a_key_is_declared_again_only_as_a_change_or_after_its_end(self) -> None:
        versions: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
        for spec, key, version, app_type, state in self.world.rows(
            "SELECT spec, key, version, app_type, state FROM document WHERE version IS NOT NULL ORDER BY version"
        ):
            versions.setdefault((spec, key), []).append((version, app_type, state))
        for key, told in versions.items():
            assert [version for version, _, _ in told] == list(range(1, len(told) + 1))
            for count, (_, app_type, _) in enumerate(told):
                standing = [one for one in told[:count] if one[2] != State.REFUSED]
                assert app_type in ("2", "3") or not standing or standing[-1][1:] == ("3", "closed"), (key, told)

    @invariant()
    def a_document_leaves_in_one_message(self) -> None:
        void = {number for (number,) in self.world.rows("SELECT message FROM outbox WHERE trouble LIKE 'voided %'")}
        messages = self.world.rows("SELECT number, documents FROM message")
        assert {number for number, _ in messages} == {m for (m,) in self.world.rows("SELECT message FROM outbox")}
        named = {(name, number) for number, names in messages if number not in void for name in names.split()}
        assert len(named) == len({name for name, _ in named})
        rows = self.world.rows("SELECT number, ordinal, message, state FROM document")
        inside = {(f"{n}.{o}", message) for n, o, message, _ in rows if message and message not in void}
        assert inside == named
        left = (State.READY, State.SENT, State.CLOSED)
        assert [row for row in rows if row[3] in left and row[2] is None and not self.only_stands(row[0])] == []
        assert [row for row in rows if row[3] in left and row[2] in void] == []

    def only_stands(self, number: int) -> bool:
        """Whether a document stands for an answer of customs, or for an interchange that was replayed."""
        return self.world.rows("SELECT sender FROM interchange WHERE number = ?", number) == [("customs",)]

    @invariant()
    def stamps_lead_by_legal_moves_to_where_the_document_stands(self) -> None:
        told = chains(
            self.world.rows(
                "SELECT number, ordinal, from_state, to_state FROM stamp ORDER BY number, ordinal, sequence"
            )
        )
        stands = {f"{n}.{o}": s for n, o, s in self.world.rows("SELECT number, ordinal, state FROM document")}
        assert set(told) == set(stands)
        for name, moves in told.items():
            assert moves[0] == ("", "received")
            assert moves[-1][1] == stands[name]
            for (_, stood), (before, after) in itertools.pairwise(moves):
                assert stood == before
                assert before == after or may_move(State(before), State(after))

    @invariant()
    def what_waits_has_a_date_and_what_ended_has_none(self) -> None:
        assert self.world.rows(
            "SELECT number, ordinal, state, due_at FROM document"
            " WHERE (due_at IS NOT NULL) <> (state IN ('received', 'checked', 'filed', 'held'))"
        ) == []  # fmt: skip

    @invariant()
    def every_file_taken_in_has_one_row_and_one_acknowledgement(self) -> None:
        rows = self.world.rows("SELECT number, sender, file, door FROM interchange WHERE sender <> 'customs'")
        files = contents(self.home / "spool/partners")
        acks = sorted(path for path in files if path.endswith(".ack.json"))
        told = [row for row in rows if row[3] != "http"]
        assert acks == sorted(f"{sender}/out/{file}.{number}.ack.json" for number, sender, file, _ in told)
        waiting = {path.rsplit("/", 1)[1] for path in files if path.split("/")[1] == "in"}
        assert Count(file for *_, file, door in rows if door == "folder") == Count(set(self.dropped) - waiting)
        evidence = {path.rsplit("~", 1)[1]: body for path, body in contents(self.home / "spool/store").items()}
        assert {n: evidence.get(n) for n in set(self.dropped) - waiting} == {
            n: body for n, body in self.dropped.items() if n not in waiting
        }

    @invariant()
    def every_receipt_lies_where_its_partner_finds_it(self) -> None:
        seen = set()
        for partner, file, *said in self.world.rows(
            "SELECT partner, file, number, ordinal, status, said_at, info FROM receipt"
        ):
            assert tuple(said) not in seen
            seen.add(tuple(said))
            assert (self.home / "spool/partners" / partner / "out" / file).is_file()
        boxes = [os.listdir(self.home / "spool/partners" / name / "out") for name in ("shop", "agent", "pay", "ship")]
        assert not [name for names in boxes for name in names if name.startswith(".")]

    @invariant()
    def nothing_waits_for_a_number_that_came(self) -> None:
        assert self.world.rows(
            "SELECT e.number FROM numbered_receipt e JOIN document d USING (number, ordinal) JOIN given_number g"
            " ON g.value = e.value AND g.kind = e.kind WHERE d.state IN ('received', 'held')"
        ) == []  # fmt: skip

    @invariant()
    def a_final_word_ends_a_document(self) -> None:
        assert self.world.rows(
            "SELECT r.number, r.ordinal, r.status, d.state FROM receipt r JOIN document d USING (number, ordinal)"
            " WHERE r.outcome <> 'interim' AND d.state IN ('ready', 'sent')"
        ) == []  # fmt: skip

    @invariant()
    def every_answer_has_a_row(self) -> None:
        box = self.home / "spool/authorities/customs/in"
        taken = self.world.rows("SELECT count(*) FROM interchange WHERE sender = 'customs' AND door = 'folder'")[0][0]
        assert taken + len(os.listdir(box)) == self.count - len(self.dropped)


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(
    max_examples=50,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
