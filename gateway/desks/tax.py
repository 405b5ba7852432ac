"""The desk `tax`: an inventory of retail import stays inside its limits, and its tax is predicted.

Over the single limit with several items, or over the buyer's yearly limit, it is refused: that is general trade.
What a purchase uses of the year stands in the record `quota|PERSON|YEAR`, PERSON being a keyed hash, by the mark of
its order, so that counting one twice, or its change, changes nothing. `message_specs.trade.quotas` gives back what
was cancelled or refused. What customs is expected to levy stands in the record `expected|NUMBER.ORDINAL`, by the
rates and the rounding of the day on which the inventory goes on; its bill is held against that (gateway.bills).

**Known limits.** The ledger sees this home's purchases alone; the true total sits with customs, so this is an early
warning. A change counts in place of the version it changes as soon as it is declared; a deletion gives back only
when customs has accepted it, which is not this desk's to know.
"""

from dataclasses import replace

from gateway.case import Case, Outcome, is_error
from gateway.desks import Needs, Records
from message_specs.amounts import number
from message_specs.findings import Finding, finding
from message_specs.reader import named
from message_specs.trade import quotas
from message_specs.trade.expected import expected
from message_specs.trade.limits import Standing, limits_on, over_year
from message_specs.trade.persons import person_mark
from message_specs.trade.taxing import Prediction, Terms, predict
from spool.states import State

_SPEC = "CEB621"
_DELETED = "3"


def quota_key(case: Case, records: Records) -> str | None:
    """Return the key of the buyer's year, by the day in China; None where nothing is counted for this case."""
    number = (case.document.head.get("buyerIdNumber") or "").strip()
    if case.document.spec.code != _SPEC or records.kouan.tax.quotas == "never" or not number:
        return None
    return f"quota|{person_mark(number, records.secret)}|{records.today.year}"


def expected_key(number: int, ordinal: int) -> str:
    """Return the key under which stands what customs is expected to levy on an inventory."""
    return f"expected|{number}.{ordinal}"


def needs(case: Case, records: Records) -> Needs:
    """Return what the buyer has used of this year and what is expected of this inventory; nothing of a deletion."""
    if case.document.spec.code != _SPEC or case.document.app_type == _DELETED:
        return Needs()
    key = quota_key(case, records)
    mine = expected_key(case.number, case.ordinal)
    return Needs(values=(key, mine) if key else (mine,))


def prediction(case: Case, records: Records) -> Prediction:
    """Return what customs is expected to levy on this inventory today, with every figure."""
    today = records.today
    terms = Terms(today, records.rates, limits_on(today), records.kouan.tax.of_amounts())
    return predict(case.document.head, case.document.lines, terms)


def decide(case: Case, records: Records) -> Outcome:
    """Refuse an inventory over a limit; pass every other on, with its purchase counted and what customs will levy."""
    if case.document.spec.code != _SPEC or case.document.app_type == _DELETED:
        return Outcome(State.CHECKED)
    predicted = prediction(case, records)
    purchase = predicted.purchase
    key = quota_key(case, records)
    before = _without_earlier(case, records.value(key)) if key else None
    told = (*_limits(predicted, key, before), *predicted.findings)
    found = tuple(_said(one, case, records) for one in told)
    if any(is_error(one) for one in found):
        return Outcome(State.REFUSED, found)
    keeps: dict[str, str | None] = {expected_key(case.number, case.ordinal): expected(predicted).written()}
    if key is not None and records.kouan.tax.quotas == "declared":
        keeps[key] = quotas.counted(before, _name(case), purchase.value)
    return Outcome(State.CHECKED, found, keeps=keeps)


def _name(case: Case) -> str:
    """Return under which name its purchase is counted: that of the order, whichever version of the inventory it is."""
    return str(next(iter(case.marks.get("order", ())), case.key))


def _without_earlier(case: Case, value: str | None) -> str | None:
    # Neither the case itself, looked at again, nor what a change stands in place of is used twice.
    return quotas.given_back(value, _name(case)) if value else None


def _limits(predicted: Prediction, key: str | None, before: str | None) -> list[Finding]:
    purchase, limits = predicted.purchase, predicted.limits
    value = purchase.value
    found = []
    if purchase.standing is not Standing.INSIDE:
        code = "T304" if purchase.standing is Standing.ONE_ITEM else "T305"
        limit, items = number(limits.single), number(purchase.items)
        lines = str(len(predicted.lines))
        found.append(finding(code, path="InventoryHead", found=number(value), limit=limit, lines=lines, items=items))
    used = quotas.used(before)
    if key is not None and over_year(used, value, limits):
        total, limit = number(used + value), number(limits.yearly)
        place = "InventoryHead/buyerIdNumber"
        found.append(finding("T306", path=place, found=total, limit=limit, used=number(used)))
    return found


def _said(one: Finding, case: Case, records: Records) -> Finding:
    """The finding as the partner reads it: with its document, its whole path, and the operator's severity."""
    document = case.document
    unit = f"/{document.spec.root}/{named(document.spec, document.element, document.ordinal)}"
    severity = records.severity(one.code) or one.severity
    return replace(one, document=document.ordinal, path=f"{unit}/{one.path}", severity=severity)
