"""The words that stand for codes are those that customs' own tables and brokers use."""

import pytest

from mapping.codebook import codebook


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("电子商务", "9610"), ("保税电商", "1210"), ("保税电商A", "1239"), ("跨境电商B2B直接出口", "9710"),
        ("跨境电商出口海外仓", "9810"),
    ],
)  # fmt: skip
def test_a_trade_mode_may_be_named_as_customs_shortens_it(word: str, code: str) -> None:
    modes = codebook("trade_mode")
    assert modes is not None
    assert modes.find(word) == code
