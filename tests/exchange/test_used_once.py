"""What a trade is worth is sold once and bought once, whoever asks, in whatever order, and whatever becomes of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.submitting import Counter
from spool.interchange import BATCH, Claim
from tests.exchange.traded import SHOP, Bank, exchange, house_with, income, line, second


def test_a_change_to_another_order_frees_the_first_when_it_is_taken(tmp_path: Path) -> None:
    bank = Bank(house_with(tmp_path, 1, 2))
    assert bank.hands(exchange(1, "700.00", line((1, "700")))) == ("ready", [])
    bank.hears()
    assert bank.hands(exchange(1, "700.00", line((2, "700")), action="C")) == ("ready", [])
    assert bank.hands(exchange(2, "700.00", line((1, "700")))) == ("held", ["F135"])
    bank.hears()
    assert bank.hands(exchange(3, "700.00", line((1, "700")))) == ("ready", [])
    assert bank.hands(exchange(4, "700.00", line((2, "700")))) == ("held", ["F135"])


def test_a_change_that_is_refused_leaves_the_first_order_used_and_frees_the_second(tmp_path: Path) -> None:
    bank = Bank(house_with(tmp_path, 1, 2))
    bank.hands(exchange(1, "700.00", line((1, "700"))))
    bank.hears()
    bank.hands(exchange(1, "700.00", line((2, "700")), action="C"))
    bank.hears("reject-some=1")
    assert bank.hands(exchange(2, "700.00", line((1, "700")))) == ("held", ["F135"])
    assert bank.hands(exchange(3, "700.00", line((2, "700")))) == ("ready", [])


def test_a_deletion_that_names_no_order_frees_all_of_them_when_it_is_taken(tmp_path: Path) -> None:
    bank = Bank(house_with(tmp_path, 1))
    bank.hands(exchange(1, "700.00", line((1, "700"))))
    bank.hears()
    assert bank.hands(exchange(1, "700.00", action="D")) == ("ready", [])
    assert bank.hands(exchange(2, "700.00", line((1, "700")))) == ("held", ["F135"])
    bank.hears()
    assert bank.hands(exchange(3, "700.00", line((1, "700")))) == ("ready", [])


def test_income_that_was_sold_is_not_sold_again_by_a_settlement(tmp_path: Path) -> None:
    bank = Bank(house_with(tmp_path, 1, 2))
    assert bank.hands(income(1, 750, 600, line((1, "600")))) == ("ready", [])
    assert bank.hands(exchange(1, "200.00", line((1, "200")))) == ("held", ["F145"])
    assert bank.hands(exchange(2, "150.00", line((1, "150")))) == ("ready", [])
    assert bank.hands(exchange(3, "750.00", line((2, "750")))) == ("ready", [])
    assert bank.hands(income(2, 750, 1, line((2, "1")))) == ("held", ["F145"])


def test_an_order_that_is_named_twice_counts_with_both_amounts(tmp_path: Path) -> None:
    bank = Bank(house_with(tmp_path, 1))
    assert bank.hands(exchange(1, "800.00", line((1, "400")), line((1, "400")))) == ("held", ["F144"])
    assert bank.hands(exchange(2, "750.00", line((1, "400")), line((1, "350")))) == ("ready", [])


def test_without_a_platform_a_trade_is_known_by_its_merchant(tmp_path: Path) -> None:
    bank = Bank(house_with(tmp_path, 1, nobody=[1]))
    trade = (1, "700")
    assert bank.hands(exchange(1, "700.00", line(trade, platform="无"))) == ("refused", ["F125"])
    assert bank.hands(exchange(2, "700.00", line(trade, platform="无", merchant="3301961B7T"))) == ("held", ["F132"])
    assert bank.hands(exchange(3, "700.00", line(trade, platform="无", merchant=SHOP.code))) == ("ready", [])
    assert bank.hands(exchange(4, "700.00", line(trade, platform="无", merchant=SHOP.code))) == ("held", ["F135"])


@pytest.mark.parametrize("code", ["F137", "F138"])
def test_what_an_operator_lets_go_goes(tmp_path: Path, code: str) -> None:
    from gateway.replaying import Ruling
    from gateway.selecting import Selection
    from gateway.verbs import Verbs

    house = house_with(tmp_path, 1)
    home = house.home
    house.close()
    text = "code,grade,since,until,note\n" + ("600037341,B,2026-01-01,,\n" if code == "F137" else "")
    (home / "fx-directory.csv").write_text(text, "utf-8")
    again: Any = type(house)(home)
    again.moment = house.moment
    bank = Bank(again)
    assert bank.hands(exchange(1, "700.00", line((1, "700")))) == ("held", [code])
    with Counter(home, clock=again.now) as counter:
        list(Verbs(counter, Ruling("已核实", "li")).carry_out("release", Selection(spec="JSHD")))
    again.resume()
    assert [state for _, state in again.states("JSHD")] == ["ready"]


def two_banks(tmp_path: Path, pulse: Callable[[str], None] = str) -> Any:
    """A house with a closed trade and two banks."""
    house = house_with(tmp_path, 1)
    home = second(house.home)
    house.close()
    again: Any = type(house)(home, pulse=pulse)
    again.moment = house.moment
    return again


def of_other(body: bytes) -> bytes:
    """The same message, of the other bank."""
    body = body.replace(b"91330100MA00000015", b"91330100MA00000023").replace("示例商业".encode(), "听泉商业".encode())
    return body.replace(b"DXPENT0000030009", b"DXPENT0000030019")


def test_two_banks_do_not_settle_one_trade_nor_under_one_number(tmp_path: Path) -> None:
    bank = Bank(two_banks(tmp_path))
    assert bank.hands(exchange(1, "700.00", line((1, "700")))) == ("ready", [])
    assert bank.hands(of_other(exchange(1, "701.00", line((1, "701")))), "other") == ("refused", ["P303"])
    assert bank.hands(of_other(exchange(2, "700.00", line((1, "700")))), "other") == ("held", ["F135"])


@pytest.mark.parametrize("theirs", [exchange(9, "700.00", line((1, "700"))), income(9, 700, 700, line((1, "700")))])
def test_two_banks_at_the_same_moment_do_not_both_settle_one_trade(tmp_path: Path, theirs: bytes) -> None:
    answers: list[Any] = []

    def pulse(step: str) -> None:
        # Between the look at who uses the trade and the writing of it another worker does the whole of his own.
        if step == "sealed" and not answers:
            answers.append(None)
            with Counter(house.home, clock=house.now) as counter:
                answers.extend(counter.hand_in([Claim(0, "other", BATCH, "o.xml", "", of_other(theirs))]))

    house = two_banks(tmp_path, pulse)
    told = Bank(house).hands(exchange(1, "700.00", line((1, "700"))))
    assert answers[1]["documents"][0]["state"] == "ready", answers
    assert told == ("held", ["F135" if b"JSHD" in theirs else "F145"])


def test_a_bank_is_not_told_what_another_house_sold(tmp_path: Path) -> None:
    house = house_with(tmp_path, 1)
    answer = house.take("bank", "1.xml", body=exchange(1, "999.00", line((1, "999"))))
    [found] = answer["findings"]
    assert (found["code"], found["zh"]) == (
        "F144",
        "订单 CK2026000000007001 的金额 999 USD 超过该订单金额 （不予显示 not shown）",
    )
