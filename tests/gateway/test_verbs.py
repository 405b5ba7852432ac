"""Hold, release and refuse move documents as an operator says, and never let anything be declared twice or parted."""

import fcntl
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.carriers.carrier import Carried
from adapters.carriers.http import AT_ONCE as SIDE_BY_SIDE
from gateway.config import load_house
from gateway.dispatch import AT_ONCE, Outgoing
from gateway.replaying import Ruling
from gateway.selecting import Selection
from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from gateway.submitting import Counter
from gateway.verbs import Result, Verbs
from spool.ledger import NEVER
from tests import homes, samples

RULING = Ruling("客户来电 by telephone", "li")
SENT = {"guid": "1", "ebpCode": samples.SHOP.code, "returnTime": "20261121120000000", "returnInfo": "ok"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return homes.demo_home(tmp_path)


@pytest.fixture
def running(home: Path) -> Iterator[None]:
    """The lock of a daemon is held, so any message that is due may be in its carrier's hands."""
    file = os.open(home / "kouan.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    yield
    os.close(file)


def do(home: Path, verb: str, *numbers: str, dry_run: bool = False, **filters: object) -> list[Result]:
    with Counter(home) as counter:
        verbs = Verbs(counter, RULING, dry_run=dry_run)
        return list(verbs.carry_out(verb, Selection(numbers, **filters)))  # type: ignore[arg-type]


def moves(results: list[Result]) -> list[tuple[str, str, bool]]:
    return [(one.before, one.after, one.done) for one in results]


def orders(home: Path, count: int, start: int = 1) -> list[str]:
    """The numbers of the documents of one file of orders, ready."""
    told = homes.take_in(home, "shop", f"orders{start}.xml", samples.message("CEB311", count, start=start))
    return [one["number"] for one in told["documents"]]


def states(home: Path, *names: str) -> list[str]:
    book = homes.book(home)
    found = [book.one("document", *map(int, name.split("."))) for name in names]
    book.close()
    return [row["state"] for row in found if row is not None]


def outbox(home: Path) -> list[tuple[str, int]]:
    """Each message's state in the outbox, and how many documents it names."""
    rows = homes.book(home).conn.execute(
        "SELECT o.state, m.documents FROM outbox o JOIN message m ON m.number = o.message ORDER BY m.number"
    )
    return [(row[0], len(row[1].split())) for row in rows]


def test_a_held_ready_document_keeps_its_whole_message_from_leaving(home: Path) -> None:
    first, *others = names = orders(home, 3)
    (held,) = do(home, "hold", first)
    assert moves([held]) == [("ready", "held", True)]
    assert all(one in held.note for one in others)
    assert homes.carry(home) == 0
    assert states(home, *names) == ["held", "ready", "ready"]
    row = homes.book(home).one("document", *map(int, first.split(".")))
    assert row is not None
    assert (row["due_at"], row["why"]) == (NEVER, RULING.reason)


def test_the_stamp_says_who_and_why(home: Path) -> None:
    (name,) = orders(home, 1)
    do(home, "hold", name)
    stamp = homes.book(home).all("stamps_of", *map(int, name.split(".")))[-1]
    assert [stamp[column] for column in ("desk", "from_state", "to_state", "by", "reason")] == [
        "operator", "ready", "held", "li", RULING.reason,
    ]  # fmt: skip


def test_a_message_leaves_when_the_last_of_its_documents_is_released(home: Path) -> None:
    first, second, third = orders(home, 3)
    do(home, "hold", first, second)
    (released,) = do(home, "release", first)
    assert moves([released]) == [("held", "ready", True)]
    assert second in released.note
    assert homes.carry(home) == 0
    do(home, "release", second)
    assert homes.carry(home) == 1
    assert states(home, first, second, third) == ["sent", "sent", "sent"]


def test_the_same_bytes_leave_after_a_hold_as_would_have_before(home: Path) -> None:
    (name,) = orders(home, 1)
    before = homes.book(home).conn.execute("SELECT number, sha256 FROM message").fetchall()
    do(home, "hold", name)
    do(home, "release", name)
    homes.carry(home)
    assert [tuple(row) for row in homes.book(home).conn.execute("SELECT number, sha256 FROM message")] == [
        tuple(row) for row in before
    ]


def test_a_sent_document_is_held_and_released_to_sent(home: Path) -> None:
    (name,) = orders(home, 1)
    homes.carry(home)
    assert moves(do(home, "hold", name)) == [("sent", "held", True)]
    assert moves(do(home, "release", name)) == [("held", "sent", True)]


@pytest.mark.parametrize(("status", "end"), [("2", "sent"), ("120", "closed"), ("-302007", "refused")])
def test_what_customs_decided_meanwhile_holds_on_release(home: Path, status: str, end: str) -> None:
    (name,) = orders(home, 1)
    homes.carry(home)
    do(home, "hold", name)
    homes.answer(home, "CEB312", "OrderReturn", SENT | {"orderNo": samples.trade(1)["orderNo"], "returnStatus": status})
    assert states(home, name) == ["held"]
    assert moves(do(home, "release", name)) == [("held", end, True)]
    assert states(home, name) == [end]


def test_a_document_held_while_its_message_was_carried_is_released_to_sent(home: Path) -> None:
    (name,) = orders(home, 1)
    clerk = homes.clerk(home)
    outgoing = Outgoing(clerk.ledger, clerk.store, clerk.house.authority("customs"))
    leaving = outgoing.due(homes.now())
    do(home, "hold", name)
    outgoing.told(leaving, [Carried(one.parcel.number, True) for one in leaving], homes.now())
    assert states(home, name) == ["held"]
    assert moves(do(home, "release", name)) == [("held", "sent", True)]
    assert outbox(home) == [("gone", 1)]


def test_a_resting_document_is_held_and_goes_on_after_its_release(home: Path) -> None:
    (home / "keys/shop/key.pem").rename(home / "key.aside")
    (name,) = orders(home, 1)
    assert states(home, name) == ["checked"]
    do(home, "hold", name)
    (home / "key.aside").rename(home / "keys/shop/key.pem")
    assert homes.go_on(home, clock=lambda: homes.now() + timedelta(hours=1)) == 0
    assert moves(do(home, "release", name)) == [("held", "checked", True)]
    assert homes.go_on(home) == 1
    assert states(home, name) == ["ready"]


def test_a_document_without_a_route_goes_on_once_there_is_one(home: Path) -> None:
    routes = (home / "routes.csv").read_text("utf-8")
    (home / "routes.csv").write_text(routes.replace("*,*,customs", "CEB621,*,customs"), "utf-8")
    (name,) = orders(home, 1)
    assert states(home, name) == ["held"]
    (home / "routes.csv").write_text(routes, "utf-8")
    assert moves(do(home, "release", name)) == [("held", "checked", True)]
    homes.go_on(home)
    assert states(home, name) == ["ready"]


def test_a_refused_ready_document_never_leaves_and_the_rest_is_sealed_again(home: Path) -> None:
    first, *others = names = orders(home, 3)
    (refused,) = do(home, "refuse", first)
    assert moves([refused]) == [("ready", "refused", True)]
    assert homes.carry(home) == 0
    assert states(home, *names) == ["refused", "checked", "checked"]
    assert homes.go_on(home) == 2
    assert outbox(home) == [("held", 3), ("waiting", 2)]
    assert homes.carry(home) == 1
    assert states(home, *others) == ["sent", "sent"]


def test_a_partner_reads_why_in_chinese_and_english(home: Path) -> None:
    (name,) = orders(home, 1)
    do(home, "refuse", name)
    file = home / f"spool/partners/shop/refused/{name}.why.txt"
    text = file.read_text("utf-8")
    for part in ("单证 Document: CEB311", name, "人工退回", "refused by an operator", RULING.reason, "li"):
        assert part in text
    file.unlink()
    assert moves(do(home, "refuse", name)) == [("refused", "refused", False)]
    assert file.read_text("utf-8") == text


def test_a_key_is_free_again_after_a_refusal(home: Path) -> None:
    (name,) = orders(home, 1)
    do(home, "refuse", name)
    told = homes.take_in(home, "shop", "again.xml", samples.order(1))
    assert [one["state"] for one in told["documents"]] == ["ready"]
    assert told["duplicate_of"] is None


def test_all_documents_of_a_message_are_refused_together(home: Path) -> None:
    names = orders(home, 3)
    assert moves(do(home, "refuse", *names)) == [("ready", "refused", True)] * 3
    assert homes.go_on(home) == 0
    assert outbox(home) == [("held", 3)]


def test_selected_documents_of_one_message_are_never_sealed_again_between_slices(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.selecting.SLICE", 1)
    files = [("a.xml", samples.message("CEB311", 2, start=1)), ("b.xml", samples.message("CEB311", 2, start=3))]
    names = together(home, files)
    assert outbox(home) == [("waiting", 4)]
    results = do(home, "refuse", partner="shop")
    assert sorted(one.number for one in results if one.done) == sorted(names)
    assert states(home, *names) == ["refused"] * 4
    assert homes.go_on(home) == 0


def together(home: Path, files: list[tuple[str, bytes]]) -> list[str]:
    """The files are taken in as one batch, so that their documents are packed together."""
    from spool.interchange import Claim

    with Counter(home) as counter:
        told = counter.hand_in([Claim(0, "shop", "submit", name, body=body) for name, body in files])
    return [one["number"] for each in told for one in each["documents"]]


def test_a_document_held_with_others_is_sealed_again_after_its_message_was_voided(home: Path) -> None:
    first, second = orders(home, 2)
    do(home, "hold", second)
    do(home, "refuse", first)
    assert states(home, first, second) == ["refused", "held"]
    assert moves(do(home, "release", second)) == [("held", "checked", True)]
    homes.go_on(home)
    assert homes.carry(home) == 1
    assert states(home, second) == ["sent"]


def signed(home: Path, count: int) -> bytes:
    return sign_message(samples.message("CEB311", count), load_signer(home / "keys", "shop"))


def test_of_a_signed_message_all_is_refused_or_nothing(home: Path) -> None:
    told = homes.take_in(home, "shop", "signed.xml", signed(home, 2))
    first, second = [one["number"] for one in told["documents"]]
    (alone,) = do(home, "refuse", first)
    assert not alone.done
    assert second in alone.note
    assert moves(do(home, "refuse", first, second)) == [("ready", "refused", True)] * 2
    assert homes.carry(home) == 0


def test_a_resting_signed_message_is_held_and_released_whole(home: Path) -> None:
    bytes_ = signed(home, 2)
    (home / "routes.csv").write_text("spec,area,authority,note\nCEB621,*,customs,\n", "utf-8")
    told = homes.take_in(home, "shop", "signed.xml", bytes_)
    first, second = [one["number"] for one in told["documents"]]
    assert states(home, first, second) == ["held", "held"]
    assert moves(do(home, "release", first)) == [("held", "held", False)]
    assert moves(do(home, "release", first, second)) == [("held", "checked", True)] * 2
    assert moves(do(home, "hold", second)) == [("checked", "checked", False)]
    assert moves(do(home, "refuse", second)) == [("checked", "checked", False)]
    assert moves(do(home, "hold", first, second)) == [("checked", "held", True)] * 2


@pytest.mark.usefixtures("running")
def test_what_may_be_on_its_way_is_not_refused(home: Path) -> None:
    (name,) = orders(home, 1)
    assert moves(do(home, "refuse", name)) == [("ready", "ready", False)]
    (held,) = do(home, "hold", name)
    assert "under way" in held.note
    assert moves(do(home, "refuse", name)) == [("held", "held", False)]
    load = load_house(home).authority("customs").carrier.timeout_seconds
    whole_round = load * AT_ONCE / SIDE_BY_SIDE
    for seconds, done in ((load + 20, False), (whole_round - 1, False), (whole_round + 20, True)):
        later = homes.now() + timedelta(seconds=seconds)
        with Counter(home, lambda later=later: later) as counter:
            assert [one.done for one in Verbs(counter, RULING).carry_out("refuse", Selection((name,)))] == [done]


@pytest.mark.usefixtures("running")
def test_what_waits_for_its_next_try_is_refused_at_once(home: Path) -> None:
    (name,) = orders(home, 1)
    clerk = homes.clerk(home)
    with clerk.ledger.writing() as ledger:
        later = (homes.now() + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        number = ledger.conn.execute("SELECT number FROM message").fetchone()[0]
        ledger.run("outbox_postpone", later, later, "away", number, "customs")
    assert moves(do(home, "refuse", name)) == [("ready", "refused", True)]


def test_refusing_what_is_sent_says_that_the_authority_has_it(home: Path) -> None:
    (name,) = orders(home, 1)
    homes.carry(home)
    (refused,) = do(home, "refuse", name)
    assert refused.done
    assert "customs has it" in refused.note


def test_an_early_answer_is_settled_on_release(home: Path) -> None:
    early = homes.answer(
        home, "CEB312", "OrderReturn", SENT | {"orderNo": samples.trade(1)["orderNo"], "returnStatus": "120"}
    )
    (name,) = orders(home, 1)
    homes.carry(home)
    (released,) = do(home, "release", partner="customs")
    assert moves([released]) == [("held", "closed", True)]
    assert states(home, name, f"{early['number']}.1") == ["closed", "closed"]


def test_an_answer_that_fits_nothing_is_refused_and_nobody_is_told(home: Path) -> None:
    homes.answer(home, "CEB312", "OrderReturn", SENT | {"orderNo": "nobody's", "returnStatus": "120"})
    assert moves(do(home, "refuse", partner="customs")) == [("held", "refused", True)]
    assert not (home / "spool/partners/customs").exists()


def test_what_an_operator_put_aside_stays_so_when_its_fellow_is_released(home: Path) -> None:
    units = [SENT | {"orderNo": samples.trade(n)["orderNo"], "returnStatus": "120"} for n in (1, 2)]
    early = homes.answer(home, "CEB312", "OrderReturn", *units)
    first, second = f"{early['number']}.1", f"{early['number']}.2"
    assert moves(do(home, "refuse", first)) == [("held", "refused", True)]
    one, other = [orders(home, 1, start)[0] for start in (1, 2)]
    homes.carry(home)
    assert moves(do(home, "release", second)) == [("held", "closed", True)]
    assert states(home, first, second, one, other) == ["refused", "closed", "sent", "closed"]
    assert [row["desk"] for row in homes.book(home).all("stamps_of", int(early["number"]), 1)] == [
        "door", "settle", "operator",
    ]  # fmt: skip


def kept_from_leaving(home: Path) -> None:
    """The other side has refused, for good, whatever was due; so it is held."""
    clerk = homes.clerk(home)
    outgoing = Outgoing(clerk.ledger, clerk.store, clerk.house.authority("customs"))
    leaving = outgoing.due(homes.now())
    refused = [Carried(one.parcel.number, ok=False, trouble="403", permanent=True) for one in leaving]
    outgoing.told(leaving, refused, homes.now())
    clerk.ledger.close()


def test_a_message_whose_documents_have_ended_does_not_wait_or_leave_again(home: Path) -> None:
    first, second = orders(home, 2)
    kept_from_leaving(home)
    for number in (1, 2):
        unit = SENT | {"orderNo": samples.trade(number)["orderNo"], "returnStatus": "120"}
        homes.answer(home, "CEB312", "OrderReturn", unit)
    assert moves(do(home, "release", first)) == [("held", "closed", True)]
    assert outbox(home) == [("held", 2)]
    (last,) = do(home, "release", second)
    assert "does not leave again" in last.note
    assert outbox(home) == [("gone", 2)]
    assert homes.carry(home) == 0


def test_a_message_of_which_customs_has_spoken_is_not_taken_apart(home: Path) -> None:
    first, second = orders(home, 2)
    unit = SENT | {"orderNo": samples.trade(1)["orderNo"], "returnStatus": "120"}
    homes.answer(home, "CEB312", "OrderReturn", unit)
    assert states(home, first, second) == ["closed", "ready"]
    (refused,) = do(home, "refuse", second)
    assert refused.done
    assert "customs has it already" in refused.note
    assert states(home, first, second) == ["closed", "refused"]
    assert (outbox(home), homes.carry(home)) == ([("gone", 2)], 0)


@pytest.mark.parametrize("verb", ["hold", "release", "refuse"])
def test_a_dry_run_shows_the_exact_numbers_and_changes_nothing(home: Path, verb: str) -> None:
    names = orders(home, 2)
    if verb == "release":
        do(home, "hold", *names)
    before = "\n".join(homes.book(home).conn.iterdump())
    shown = do(home, verb, dry_run=True, partner="shop")
    assert [one.number for one in shown] == names
    assert "\n".join(homes.book(home).conn.iterdump()) == before
    assert list((home / "spool/partners/shop/refused").iterdir()) == []
    assert [(one.number, one.after) for one in do(home, verb, partner="shop")] == [
        (one.number, one.after) for one in shown
    ]


def test_what_is_over_cannot_be_moved(home: Path) -> None:
    (name,) = orders(home, 1)
    homes.carry(home)
    homes.answer(home, "CEB312", "OrderReturn", SENT | {"orderNo": samples.trade(1)["orderNo"], "returnStatus": "120"})
    for verb in ("hold", "release", "refuse"):
        assert moves(do(home, verb, name)) == [("closed", "closed", False)]
        assert do(home, verb, partner="shop") == []


def test_long_selections_go_in_committed_slices(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [*orders(home, 2, 1), *orders(home, 2, 3), *orders(home, 2, 5)]
    monkeypatch.setattr("gateway.selecting.SLICE", 2)
    with Counter(home) as counter:
        results = Verbs(counter, RULING).carry_out("hold", Selection(partner="shop"))
        assert [next(results).number, next(results).number] == names[:2]
        assert states(home, *names) == ["held", "held", "ready", "ready", "ready", "ready"]
        assert [one.number for one in results] == names[2:]
    assert states(home, *names) == ["held"] * 6


def test_what_lies_with_a_client_is_not_made_void_while_it_may_send_it(home: Path) -> None:
    (name,) = orders(home, 1)
    clerk = homes.clerk(home)
    outgoing = Outgoing(clerk.ledger, clerk.store, clerk.house.authority("customs"))
    (one,) = outgoing.due(homes.now())
    outgoing.told([one], [Carried(one.parcel.number, False, trouble="it lies in OutBox", given=True)], homes.now())
    assert outgoing.due(homes.now() + timedelta(days=1)) == []
    assert outgoing.given_count() == 1
    (refused,) = do(home, "refuse", name)
    assert (refused.done, "lies with the client of customs since" in refused.note) == (False, True)
    (held,) = do(home, "hold", name)
    assert (held.done, "which may send it" in held.note) == (True, True)
    assert [refused.done for refused in do(home, "refuse", name)] == [False]
    do(home, "release", name)
    (again,) = outgoing.given(homes.now())
    assert bool(again.parcel.given_at)
    nowhere = Carried(one.parcel.number, False, trouble="it lies in none of the boxes", permanent=True)
    outgoing.told([again], [nowhere], homes.now())
    assert states(home, name) == ["held"]
    assert moves(do(home, "refuse", name)) == [("held", "refused", True)]
    assert outgoing.given_count() == 0
    stamps = homes.book(home).all("stamps_of", *map(int, name.split(".")))
    given = [(one["from_state"], one["to_state"], one["desk"]) for one in stamps if " given: " in (one["reason"] or "")]
    assert given == [("ready", "ready", "dispatch")]
