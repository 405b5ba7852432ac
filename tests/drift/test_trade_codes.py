"""Every code of a trade is told by the real clerk in a story, or in a test of gateway or commands."""

import re
from pathlib import Path

from message_specs.findings import wordings

ROOT = Path(__file__).parents[1]
UNREACHED = {
    "T140": "a waybill is chosen by its logisticsNo, so the chosen one never has another; T153 tells of it",
    "T141": "a waybill is chosen by its logisticsCode too",
    "T162": "the payment of an export is chosen by orderNo",
}
"""Codes of the law that no document can provoke through the clerk today, each with its reason."""


def told() -> set[str]:
    """The codes that stories tell, and those that tests of the gateway and of the commands name."""
    stories = [*ROOT.glob("stories/**/told.txt"), *ROOT.glob("stories/codes/cases.txt")]
    tests = [*ROOT.glob("gateway/**/*.py"), *ROOT.glob("cli/*.py"), *ROOT.glob("crash/*.py")]
    return {code for file in (*stories, *tests) for code in re.findall(r"\bT\d{3}\b", file.read_text("utf-8"))}


def test_every_code_of_a_trade_is_told_by_the_real_clerk_or_it_says_why_not() -> None:
    assert {code for code in wordings() if code.startswith("T")} - told() == set(UNREACHED)
