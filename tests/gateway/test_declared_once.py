"""Each export and each invoice is declared once, whoever wrote the declaration and whoever comes first."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.clerk import clerk_at
from gateway.exemptions import draw as draw_exemption
from gateway.refunds import book, draw, uses_of
from gateway.submitting import Counter
from gateway.tax_files import install
from spool.interchange import Claim
from spool.ledger import Ledger
from tests.gateway.border import Border
from tests.gateway.test_refunds import BAGS, LATER, UNTIL, booked, drawn, loads, sent, state, verdict
from tests.taxpayers import BAG, SHIRT, TAXPAYER, invoice, with_tax

SHIRTS = invoice(1, qty="120", base="6000", tax="780")


@pytest.fixture
def border(home: Path, tmp_path: Path) -> Iterator[Border]:
    """Two trades of flag A that customs has closed; it is the next January."""
    one = Border(with_tax(home), tmp_path / "customs")
    one.closes(1, 2, CEB603={"statisticsFlag": "A"})
    one.world.moment = LATER
    yield one
    one.close()


def comes(border: Border, *bodies: bytes) -> list[dict[str, Any]]:
    """The partner himself sends these declarations, in one batch."""
    with Counter(border.world.home, lambda: border.world.moment) as counter:
        return counter.hand_in([
            Claim(0, "shop", "folder", f"own-{place}.xml", body=body) for place, body in enumerate(bodies)
        ])  # fmt: skip


def anew(body: bytes, batch: str) -> bytes:
    """The same declaration as another batch of the month."""
    body = body.replace(b"sbpc>001<", f"sbpc>{batch}<".encode()).replace(b"202701001", f"202701{batch}".encode())
    return re.sub(rb'guid="\w{8}', f'guid="00000{batch}'.encode(), body, count=1)


def codes(told: dict[str, Any]) -> list[str]:
    return [one["code"] for one in told["findings"]]


def test_what_a_partner_declared_himself_is_not_drawn_up_again(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    [told] = comes(border, drawn(border).body)
    assert ([one["state"] for one in told["documents"]], codes(told)) == (["ready"], [])
    again = drawn(border)
    assert (again.key[-3:], again.forms.exports, again.forms.purchases) == ("002", (), ())


def test_a_partner_cannot_declare_again_what_was_drawn_up_here(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    declared = booked(border)
    sent(border)
    [told] = comes(border, anew(declared.body, "009"))
    assert codes(told) == ["X107"] * 4 + ["X141"] * 2
    assert [one["path"].rpartition("/Refund")[2].partition("]/")[2] for one in told["findings"]] == [
        *(f"ExportList[{row}]/ckhwbgdh" for row in (1, 2, 3, 4)), *(f"PurchaseList[{row}]/jhpzh" for row in (1, 2)),
    ]  # fmt: skip
    assert told["findings"][-1]["zh"] == "凭证 26332000000012340001/1 共申报 240，发票只有 120"
    assert state(border) == [("ready", ""), ("refused", "")]


def test_of_two_that_come_together_the_first_is_declared(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    declared = drawn(border)
    first, second = comes(border, declared.body, anew(declared.body, "002"))
    assert (codes(first), sorted(set(codes(second)))) == ([], ["X107", "X141"])
    assert state(border) == [("ready", ""), ("refused", "")]


def test_of_two_that_are_judged_at_one_moment_by_two_workers_one_is_declared(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    declared = drawn(border)
    others: list[dict[str, Any]] = []
    with Counter(border.world.home, lambda: border.world.moment) as counter:

        def meanwhile(step: str) -> None:
            if step == "sealed" and not others:
                others.append(json.loads(border.world.post("shop", declared.body) or b""))

        counter.clerk._pulse = meanwhile
        [told] = counter.hand_in([Claim(0, "shop", "folder", "mine.xml", body=anew(declared.body, "002"))])
    assert [codes(one) for one in others] == [[]]
    assert sorted(set(codes(told))) == ["X107", "X141"]
    assert sorted(one for one, _ in state(border)) == ["ready", "refused"]


def test_a_verdict_on_a_batch_that_nobody_declared_is_held_and_changes_nothing(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    booked(border)
    sent(border)
    verdict(border, "3", "077")
    rows = border.world.rows("SELECT key, state, why FROM document WHERE spec = 'TAX102'")
    assert [(key.endswith("202701|077"), state) for key, state, _ in rows] == [(True, "held")]
    assert "K103" in rows[0][2]
    assert state(border) == [("ready", "")]
    assert border.world.rows("SELECT count(*) FROM tax_use WHERE freed_at IS NULL") == [(6,)]


def test_what_the_office_refused_may_be_declared_anew(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    declared = drawn(border)
    comes(border, declared.body)
    verdict(border, "4", info="单证不齐")
    assert state(border) == [("refused", "4")]
    [told] = comes(border, anew(declared.body, "002"))
    assert codes(told) == []
    assert [one for one, _ in state(border)] == ["refused", "ready"]


def test_an_invoice_that_nobody_loaded_stands_in_one_declaration_alone(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    declared = drawn(border)
    strange = declared.body.replace(b"2633200000001234", b"9933200000001234")
    other = re.sub(rb"(ckhwbgdh>)\d", rb"\g<1>8", anew(strange, "002"))
    first, second = comes(border, strange, other)
    assert (codes(first), codes(second)) == ([], ["X107", "X107"])


def test_a_part_of_an_invoice_may_follow_in_the_next_declaration(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    half = next(row for row in drawn(border).forms.exports if row.export.hs == SHIRT)
    comes(border, _only(border, half.export.number))
    rest = drawn(border)
    assert [(row.export.hs, row.amount) for row in rest.forms.exports if row.export.hs == SHIRT] == [
        (SHIRT, Decimal(60)),
    ]  # fmt: skip
    assert [(row.purchase.used, row.amount, row.base) for row in rest.forms.purchases if row.purchase.hs == SHIRT] == [
        (Decimal(60), Decimal(60), Decimal("3000.00")),
    ]  # fmt: skip
    [told] = comes(border, rest.body)
    assert codes(told) == []


def _only(border: Border, number: str) -> bytes:
    """The declaration as it would be drawn up of one export alone."""
    from dataclasses import replace

    from gateway.refunds import purchases
    from gateway.tax_forms import body_of
    from message_specs.tax.linking import link
    from message_specs.tax.rebating import Law

    whole = drawn(border)
    [one] = [row.export for row in whole.forms.exports if row.export.number == number]
    law = Law(({"hs": SHIRT, "valid_from": "2026-01-01", "valid_to": "", "rate": "13"},), (), "202701", "001")
    forms = link([replace(one)], list(purchases(border.world.ledger, TAXPAYER, {})), law)
    head = {**whole.head, "exportCount": "1", "purchaseCount": "1", "baseTotal": f"{forms.base:.2f}",
            "refundTotal": f"{forms.refund:.2f}"}  # fmt: skip
    return body_of(whole.key, head, forms, border.world.clerk.house.partner("shop"))


def test_two_workers_that_draw_at_one_moment_book_one_declaration(border: Border) -> None:
    loads(border, SHIRTS, BAGS)
    world = border.world
    with closing(Ledger(clerk_at(world.home))) as other:
        shop = world.clerk.house.partner("shop")
        mine = drawn(border)
        theirs = draw(other, world.home, shop, TAXPAYER, "202702", world.moment, UNTIL)
        assert (mine.key[-3:], theirs.key.split("|")[2], len(theirs.forms.exports)) == ("001", "202702", 4)
        book(world.ledger, mine, "shop", "refund", uses_of(mine.forms))
        with pytest.raises(sqlite3.IntegrityError, match="more of this is used than there is"):
            book(other, theirs, "shop", "refund", uses_of(theirs.forms))
        # Of two that share a part of an invoice alone, the second is refused too.
        uses = {"purchase|26332000000012340001|1": (1, 120 * 100_000)}
        with pytest.raises(sqlite3.IntegrityError, match="more of this is used than there is"):
            book(other, theirs, "shop", "refund", uses)
    assert world.rows("SELECT key FROM tax_drawn") == [(mine.key,)]


def test_a_registration_of_a_partner_is_held_to_the_same(border: Border) -> None:
    world = border.world
    row = f"3301961A2B,{TAXPAYER},杭州云栖优选电子商务有限公司,exempt,杭州,2910,2026-01-01\n"
    install(world.home, "enterprises", ("code,taxpayer,name,scheme,zone,customs,since\n" + row).encode())
    shop = world.clerk.house.partner("shop")

    def made() -> Any:
        return draw_exemption(world.ledger, world.home, shop, TAXPAYER, "202701", world.moment, UNTIL)

    body = made().declared.body
    wrong = anew(body, "008").replace(b"amountTotal>1500.00<", b"amountTotal>1500.01<")
    [told] = comes(border, wrong)
    assert codes(told) == ["X120"]
    [good] = comes(border, body)
    assert codes(good) == []
    assert (made().records, made().declared.key[-3:]) == ((), "002")
    [again] = comes(border, anew(body, "002"))
    assert codes(again) == ["X107"] * 4


def test_the_scheme_of_the_day_of_export_holds_and_not_that_of_the_declaration(border: Border) -> None:
    world = border.world
    loads(border, SHIRTS, BAGS)
    firm = f"3301961A2B,{TAXPAYER},杭州云栖优选电子商务有限公司"
    rows = f"{firm},exempt,杭州,2910,2026-01-01,2026-12-31\n{firm},refund,,,2027-01-01,\n"
    install(world.home, "enterprises", ("code,taxpayer,name,scheme,zone,customs,since,until\n" + rows).encode())
    shop = world.clerk.house.partner("shop")
    refund = draw(world.ledger, world.home, shop, TAXPAYER, "202701", world.moment, date(2027, 1, 5))
    assert (refund.forms.exports, refund.forms.findings) == ((), ())
    exempt = draw_exemption(world.ledger, world.home, shop, TAXPAYER, "202701", world.moment, date(2027, 1, 5))
    assert {one.hs for one in exempt.records} == {SHIRT, BAG}
    assert exempt.declared.head["zone"] == "杭州"
