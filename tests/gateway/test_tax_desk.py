"""The tax desk keeps retail import inside its limits, by the person and the year, and names nobody."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from gateway.case import Case, Outcome
from gateway.config_shapes import Kouan, Tax
from gateway.desks import Needs, Records, desk
from gateway.desks.tax import decide, needs, prediction
from message_specs.findings import Severity, finding
from message_specs.opening import open_message
from message_specs.trade.expected import Expected, ExpectedLine, expected, read_expected
from message_specs.trade.persons import person_mark
from message_specs.trade.quotas import counted, given_back, used
from message_specs.trade.rates import Consumption, Rate, Rates
from message_specs.trade.taxing import Taxes
from spool.states import State
from tests import samples

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SECRET = b"a secret of the home"
HS = "4202210090"
EXPECTED = "expected|261121160000000001.1"
KEY = f"quota|{person_mark(samples.citizen(7), SECRET)}|2026"
TAXES = Taxes(Decimal(0), Decimal(0), Decimal("118.30"))
UNIT = "/CEB621Message/Inventory[orderNo='YX2026000000000007']"


def inventory(*lines: tuple[str, str, str], app_type: str = "1", freight: str = "0") -> Case:
    """A case of one inventory with these lines: code, quantity, total price."""
    (document,) = open_message(samples.message("CEB621", 1, start=7, app_type=app_type)).documents
    document.head["freight"] = freight
    document.head["insuredFee"] = "0"
    document.lines[:] = [
        {"gnum": str(gnum), "gcode": hs, "qty": qty, "totalPrice": price}
        for gnum, (hs, qty, price) in enumerate(lines, 1)
    ]
    return Case(261121160000000001, 1, "agent", document, document.key)


def records(
    used_before: str | None = None, *, now: datetime = NOW, kouan: Kouan | None = None, kept: Mapping[str, str] = {}
) -> Records:
    before = counted(None, "1.1", Decimal(used_before)) if used_before else None
    return Records(now, SECRET, kouan or Kouan(), values=dict(kept) or ({KEY: before} if before else {}))


def test_it_needs_the_buyers_year_by_a_keyed_hash() -> None:
    assert needs(inventory((HS, "1", "100")), records()) == Needs(values=(KEY, EXPECTED))
    assert samples.citizen(7) not in KEY
    new_year = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert needs(inventory((HS, "1", "100")), records(now=new_year)).values[0].endswith("|2027")


def test_a_purchase_inside_the_limits_goes_on_and_counts() -> None:
    case = inventory((HS, "2", "1290"), freight="10.00")
    assert decide(case, records("24700")) == Outcome(
        State.CHECKED,
        keeps={
            KEY: '{"used": {"1.1": "24700", "3301961A2B|YX2026000000000007": "1300.00"}}',
            EXPECTED: expected(prediction(case, records())).written(),
        },
    )
    kept = read_expected(decide(case, records()).keeps[EXPECTED])
    assert kept == Expected(date(2026, 11, 21), (ExpectedLine(1, HS, Decimal("1300.00"), TAXES),), TAXES)


def test_the_worked_year_over_the_yearly_limit_is_refused() -> None:
    said = finding("T306", document=1, path=f"{UNIT}/InventoryHead/buyerIdNumber", found="26100", limit="26000",
                   used="24800")  # fmt: skip
    assert decide(inventory((HS, "2", "1300")), records("24800")) == Outcome(State.REFUSED, (said,))


def test_one_item_over_the_single_limit_is_allowed_and_told() -> None:
    said = finding("T304", document=1, path=f"{UNIT}/InventoryHead", found="5600", limit="5000", lines="1", items="1")
    outcome = decide(inventory((HS, "1", "5600")), records("20000"))
    assert (outcome.state, outcome.findings) == (State.CHECKED, (said,))
    assert used(outcome.keeps[KEY]) == 25600


HALVES = [(HS, "0.5", "2800"), (HS, "0.5", "2800")]


@pytest.mark.parametrize(
    ("lines", "items"),
    [([(HS, "1", "2800"), (HS, "1", "2800")], "2"), ([(HS, "2", "5600")], "2"), (HALVES, "1"),
     ([(HS, "0.5", "5600")], "0.5"), ([(HS, "1", "5600"), (HS, "0", "0")], "1")],
)  # fmt: skip
def test_several_items_over_the_single_limit_are_refused(lines: list[tuple[str, str, str]], items: str) -> None:
    counts = {"lines": str(len(lines)), "items": items}
    said = finding("T305", document=1, path=f"{UNIT}/InventoryHead", found="5600", limit="5000", **counts)
    assert decide(inventory(*lines), records("20000")) == Outcome(State.REFUSED, (said,))


def test_both_limits_are_told_at_once() -> None:
    outcome = decide(inventory((HS, "2", "27000")), records())
    assert [one.code for one in outcome.findings] == ["T305", "T306"]


def test_what_is_less_than_nothing_opens_no_limit() -> None:
    outcome = decide(inventory((HS, "2", "5600"), freight="-600"), records())
    assert [one.code for one in outcome.findings] == ["T305"]
    assert [one.code for one in decide(inventory((HS, "1", "3000"), (HS, "1", "-600")), records("24000")).findings] == [
        "T306"
    ]
    assert used(decide(inventory((HS, "1", "100"), freight="-20000"), records("24000")).keeps[KEY]) == 24100


def test_judging_the_same_case_twice_counts_it_once() -> None:
    case = inventory((HS, "2", "1300"))
    first = decide(case, records("24700"))
    assert decide(case, records(kept={KEY: first.keeps[KEY] or ""})) == first


def test_a_change_counts_in_place_of_the_version_it_changes() -> None:
    case = inventory((HS, "2", "4000"), app_type="2")
    before = '{"used": {"3301961A2B|YX2026000000000007": "24000"}}'
    after = '{"used": {"3301961A2B|YX2026000000000007": "4000"}}'
    assert decide(case, records(kept={KEY: before})).keeps[KEY] == after


def test_a_deletion_uses_and_gives_back_nothing_by_itself() -> None:
    case = inventory((HS, "2", "4000"), app_type="3")
    assert (needs(case, records()), decide(case, records())) == (Needs(), Outcome(State.CHECKED))


def test_what_is_cancelled_or_refunded_opens_the_year_again() -> None:
    kept = decide(inventory((HS, "2", "1300")), records()).keeps[KEY]
    assert given_back(kept, "3301961A2B|YX2026000000000007") is None


def test_a_line_without_a_rate_goes_on_with_a_warning() -> None:
    outcome = decide(inventory((HS, "1", "100"), ("1901101090", "1", "50")), records())
    assert (outcome.state, outcome.findings) == (
        State.CHECKED,
        (finding("T301", document=1, path=f"{UNIT}/InventoryList[2]/gcode", value="1901101090", hs="1901101090",
                 day="2026-11-21"),),
    )  # fmt: skip


def test_the_rates_of_the_home_hold() -> None:
    own = Rate(HS, date(2026, 1, 1), None, Decimal(0), Decimal(9), Consumption.NONE)
    told = prediction(inventory((HS, "1", "100")), Records(NOW, SECRET, rates=Rates((own,))))
    assert told.payable is not None
    assert told.payable.vat == Decimal("6.30")


@pytest.mark.parametrize(
    ("quotas", "needed", "state"), [("released", (KEY, EXPECTED), "refused"), ("never", (EXPECTED,), "checked")]
)
def test_when_quotas_count_is_configured(quotas: str, needed: tuple[str, ...], state: str) -> None:
    kouan = Kouan(tax=msgspec.convert({"quotas": quotas}, Tax))
    case = inventory((HS, "2", "1300"))
    assert needs(case, records(kouan=kouan)).values == needed
    outcome = decide(case, records(kouan=kouan))
    assert (outcome.state, outcome.findings, list(outcome.keeps)) == (State.CHECKED, (), [EXPECTED])
    assert decide(case, records("24800", kouan=kouan)).state == state


def test_the_operator_may_turn_a_refusal_into_a_warning() -> None:
    outcome = decide(inventory((HS, "2", "1300")), records("24800", kouan=Kouan(severity={"T306": "warning"})))
    assert (outcome.state, [one.severity for one in outcome.findings]) == (State.CHECKED, [Severity.WARNING])
    assert used(outcome.keeps[KEY]) == 26100


def test_other_documents_pass_by() -> None:
    (document,) = open_message(samples.order(1)).documents
    case = Case(1, 1, "shop", document, document.key)
    here = desk("tax")
    assert (here.needs(case, records()), here.decide(case, records())) == (Needs(), Outcome(State.CHECKED))
