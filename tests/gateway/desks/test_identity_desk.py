"""The desk `identity` decides by the document, the payments of its trade and what was said about the buyer, whole."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.case import Case, Outcome
from gateway.config import Identity, Kouan
from gateway.desks import Needs, Records, hidden_key
from gateway.desks.identity import LOOK_AGAIN, Person, Said, decide, needs, tomorrow
from message_specs.findings import Severity, finding
from message_specs.identity import citizen_check
from message_specs.opening import open_message
from message_specs.trade.marking import mark_of
from message_specs.trade.papers import Paper, kept, marks
from message_specs.verdict import PASSING, Verdict
from spool.states import State
from tests import samples

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SECRET = b"k" * 32
TRADE = samples.trade(7)
BUYER = Person.of(TRADE["buyer"], TRADE["id"])
OTHER = Person.of("苏知夏", samples.citizen(8))
KEY = hidden_key(SECRET, *BUYER.words)
ORDER = mark_of("order", samples.SHOP.code, TRADE["orderNo"])
PASS = Outcome(State.CHECKED)
ALWAYS = Identity(ask="always", url="http://127.0.0.1/verify")


def case(spec: str = "CEB621", *changes: tuple[str, str]) -> Case:
    text = samples.message(spec, 1, start=7).decode()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (document,) = open_message(text.encode()).documents
    return Case(17, 1, "shop", document, document.key, marks=marks(document))


def payment(payer: Person = BUYER, *, number: int = 5, **other: object) -> Paper:
    head = {"payCode": samples.PAY.code, "payTransactionId": TRADE["payNo"], "payerName": payer.name}
    facts = {
        "spec": "CEB411", "kind": "payment", "partner": "pay", "state": "sent", "app_type": "1", "version": 1,
        "status": "", "head": {**head, "payerIdNumber": payer.number}, "lines": (),
    }  # fmt: skip
    return Paper(**{"number": number, "ordinal": 1, **facts, **other})


def records(settings: Identity, *papers: Paper, said: Verdict | None = None, at: datetime = NOW) -> Records:
    values = {} if said is None else {KEY: Said(said, at).text()}
    return Records(NOW, SECRET, Kouan(identity=settings), by_mark={ORDER: list(papers)}, values=values)


def found(code: str, severity: Severity = Severity.ERROR, **words: str) -> object:
    unit = f"/CEB621Message/Inventory[orderNo='{TRADE['orderNo']}']"
    return finding(code, document=1, path=unit, severity=severity, **words)


def held(code: str, **words: str) -> Outcome:
    one = found(code, **words)
    return Outcome(State.HELD, (one,), f"{code} {one.zh} {one.en}")


T401 = finding("T401")
WAITS = Outcome(State.FILED, why=f"T401 {T401.zh} {T401.en}", due=NOW + LOOK_AGAIN, asks=(KEY,))


def test_it_needs_the_papers_of_the_order_and_the_record_about_the_buyer() -> None:
    told = records(Identity())
    assert needs(case(), told) == Needs((ORDER,), ("released|17.1", KEY), paid=True)
    assert needs(case("CEB311"), told).marks == (ORDER, mark_of("payment", samples.PAY.code, TRADE["payNo"]))
    assert needs(case("CEB511"), told) == Needs(paid=True)


@pytest.mark.parametrize("spec", ["CEB311", "CEB511", "CEB621"])
def test_whoever_names_no_buyer_or_a_buyer_who_pays_passes(spec: str) -> None:
    assert decide(case(spec), records(Identity(), payment())) == PASS
    assert decide(case(spec), records(Identity())) == PASS


def test_another_payer_is_refused_held_or_let_pass_with_a_warning_as_the_house_says() -> None:
    told = records(Identity(), payment(OTHER))
    assert decide(case(), told) == Outcome(State.REFUSED, (found("T402", payment="5.1"),))
    told = records(Identity(on_other_payer="hold"), payment(OTHER))
    assert decide(case(), told) == held("T402", payment="5.1")
    told = records(Identity(on_other_payer="pass"), payment(OTHER))
    assert decide(case(), told) == Outcome(State.CHECKED, (found("T402", Severity.WARNING, payment="5.1"),))


def test_one_name_with_another_number_is_another_person_and_a_small_x_is_none() -> None:
    twin = Person(BUYER.name, OTHER.number)
    assert decide(case(), records(Identity(), payment(twin))).state is State.REFUSED
    x = next(n for n in range(1, 99) if samples.citizen(n).endswith("X"))
    small = case("CEB621", (TRADE["id"], samples.citizen(x).lower()))
    assert decide(small, records(Identity(), payment(Person(BUYER.name, samples.citizen(x))))) == PASS


def test_how_a_name_and_a_number_are_written_makes_nobody_another_payer() -> None:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    same = Person(f"{BUYER.name[0]} {BUYER.name[1:]}", BUYER.number.translate(wide))
    assert decide(case(), records(Identity(), payment(same))) == PASS


def test_only_the_newest_payment_that_was_not_refused_or_deleted_counts() -> None:
    papers = (
        payment(OTHER, number=5),
        payment(BUYER, number=6, version=2),
        payment(OTHER, number=7, version=3, state="refused"),
    )
    assert decide(case(), records(Identity(), *papers)) == PASS
    deleted = payment(OTHER, number=8, version=4, app_type="3")
    assert decide(case(), records(Identity(), *papers, deleted)) == PASS
    assert decide(case(), records(Identity(), *reversed(papers))) == PASS


def test_a_payment_that_tells_of_another_order_is_found_through_the_order_that_names_it() -> None:
    order = case("CEB311").document.head
    head = {name: order[name] for name in kept("CEB311").head if name in order}
    paper = Paper(3, 1, "CEB311", "order", "shop", "sent", "1", 1, "", head, ())
    told = records(Identity(), paper)
    told.by_mark[mark_of("payment", samples.PAY.code, TRADE["payNo"])] = [payment(OTHER)]
    assert decide(case(), told) == Outcome(State.REFUSED, (found("T402", payment="5.1"),))


def test_whoever_was_not_asked_about_waits_for_the_answer() -> None:
    assert decide(case(), records(ALWAYS, payment())) == WAITS
    differs = msgspec.structs.replace(ALWAYS, ask="differs")
    assert decide(case(), records(differs, payment())) == PASS
    assert decide(case(), records(differs, payment(OTHER))) == WAITS
    assert decide(case(), records(differs, payment(OTHER), said=Verdict.MATCH)) == PASS


@pytest.mark.parametrize(
    ("said", "code", "words", "setting"),
    [
        (Verdict.MISMATCH, "T403", {}, "on_mismatch"),
        (Verdict.NO_RECORD, "T404", {}, "on_no_record"),
        (Verdict.BAD_INPUT, "T405", {}, "on_bad_input"),
        (Verdict.SERVICE_ERROR, "T406", {"verdict": "SERVICE_ERROR"}, "on_service_error"),
        (Verdict.LIMIT, "T406", {"verdict": "LIMIT"}, "on_service_error"),
    ],
)
def test_each_verdict_has_its_consequence_by_configuration(
    said: Verdict, code: str, words: dict[str, str], setting: str
) -> None:
    outcomes = {
        action: decide(case(), records(msgspec.structs.replace(ALWAYS, **{setting: action}), payment(), said=said))
        for action in ("refuse", "hold", "pass")
    }
    assert outcomes == {
        "refuse": Outcome(State.REFUSED, (found(code, **words),)),
        "hold": held(code, **words),
        "pass": Outcome(State.CHECKED, (found(code, Severity.WARNING, **words),)),
    }


def test_let_pass_is_not_verified_so_another_payer_stays_one() -> None:
    settings = msgspec.structs.replace(ALWAYS, on_no_record="pass")
    told = records(settings, payment(OTHER), said=Verdict.NO_RECORD)
    both = (found("T404", Severity.WARNING), found("T402", payment="5.1"))
    assert decide(case(), told) == Outcome(State.REFUSED, both)


def test_what_an_operator_has_released_is_not_held_again_but_a_refusal_stays() -> None:
    held_both = msgspec.structs.replace(ALWAYS, on_other_payer="hold")
    told = records(held_both, payment(OTHER), said=Verdict.NO_RECORD)
    assert decide(case(), told) == held("T404")
    told.values["released|17.1"] = "T404"
    warned = found("T404", Severity.WARNING)
    other = held("T402", payment="5.1")
    assert decide(case(), told) == Outcome(State.HELD, (warned, *other.findings), other.why)
    told.values["released|17.1"] = "T404 T402"
    both = (warned, found("T402", Severity.WARNING, payment="5.1"))
    assert decide(case(), told) == Outcome(State.CHECKED, both)
    told = records(ALWAYS, payment(OTHER), said=Verdict.NO_RECORD)
    told.values["released|17.1"] = "T404 T402"
    assert decide(case(), told).state is State.REFUSED


def test_a_number_that_fails_its_check_digit_or_is_of_no_card_is_never_asked_about() -> None:
    wrong = case("CEB621", (TRADE["id"], "11204416541220243X"))
    unit = f"/CEB621Message/Inventory[orderNo='{TRADE['orderNo']}']"
    refused = finding("T405", document=1, path=unit)
    assert decide(wrong, records(ALWAYS)) == Outcome(State.REFUSED, (refused,))
    unborn = case("CEB621", (TRADE["id"], "33019920261123001" + citizen_check("33019920261123001")))
    assert decide(unborn, records(ALWAYS)) == Outcome(State.REFUSED, (refused,))
    passport = case("CEB621", ("<ceb:buyerIdType>1<", "<ceb:buyerIdType>2<"))
    assert decide(passport, records(ALWAYS, payment())) == PASS
    assert decide(passport, records(ALWAYS, payment(OTHER))) == Outcome(State.REFUSED, (found("T402", payment="5.1"),))


@pytest.mark.parametrize(
    "value", ["", "?", "{}", '{"verdict":"YES","at":"2026-11-21T08:00:00Z"}', '{"verdict":"MATCH","at":"2026-11-21"}']
)
def test_a_record_that_cannot_be_read_is_none(value: str) -> None:
    told = records(ALWAYS)
    told.values[KEY] = value
    assert decide(case(), told) == WAITS


@given(
    st.sampled_from(Verdict), st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    st.integers(1, 400), st.integers(1, 400),
)  # fmt: skip
def test_what_was_said_today_holds_and_nobody_is_asked_about_before_its_days_are_over(
    verdict: Verdict, ago: timedelta, match_days: int, other_days: int
) -> None:
    settings = msgspec.structs.replace(ALWAYS, match_days=match_days, other_days=other_days)
    told = records(settings, said=verdict, at=NOW - ago)
    days = 1 if verdict in PASSING else match_days if verdict is Verdict.MATCH else other_days
    age = (told.today - Records(NOW - ago).today).days
    outcome = decide(case(), told)
    assert (outcome == WAITS) == (age >= days)
    if age <= 0:
        assert outcome.asks == ()


@given(st.text(), st.text(), st.text(), st.text())
def test_the_key_tells_pairs_apart_and_needs_the_secret(name: str, number: str, other: str, another: str) -> None:
    one, two = Person.of(name, number), Person.of(other, another)
    same = hidden_key(SECRET, *one.words) == hidden_key(SECRET, *two.words)
    assert same == ((one.name, one.number) == (two.name, two.number))
    assert hidden_key(b"x", *one.words) != hidden_key(SECRET, *one.words)


def test_no_outcome_and_no_need_shows_whom_it_is_about() -> None:
    told = records(ALWAYS, payment(OTHER), said=Verdict.MISMATCH)
    shown = [repr(decide(case(), told)), repr(decide(case(), records(ALWAYS))), repr(BUYER), json.dumps(told.values)]
    shown.append(repr(decide(case(), records(Identity(), payment(OTHER)))))
    for text in shown:
        for secret in (BUYER.name, BUYER.number, OTHER.name, OTHER.number):
            assert secret not in text


def test_tomorrow_begins_at_midnight_in_china() -> None:
    assert tomorrow(NOW) == datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    assert tomorrow(datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
