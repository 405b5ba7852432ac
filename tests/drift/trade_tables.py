"""The law of trades as tables of docs/trades.md: the CSV files themselves, row by row, under headings for people."""

import csv
from pathlib import Path

_LAW = Path(__file__).resolve().parents[2] / "message_specs"
_FILES = {
    "trade-match": "ceb/match.csv",
    "trade-waiting": "trade/waiting.csv",
    "trade-silence": "trade/silence.csv",
    "trade-windows": "trade/windows.csv",
    "trade-life": "trade/life.csv",
    "trade-limits": "trade/limits.csv",
    "trade-exchange": "trade/exchange.csv",
    "trade-grouping": "trade/grouping.csv",
}
_HEADINGS = {
    "code": "code 代码", "kinds": "of 单证", "modes": "modes 模式", "left": "left 左", "right": "right 右",
    "how": "how 比法",
    "tolerance": "tolerance 容差", "when": "only when 条件", "together": "added up by 合计", "shown": "shown 可见",
    "mends": "mends 更正方", "severity": "severity 级别", "confidence": "confidence 可信度", "since": "since 起",
    "until": "until 止", "note": "source 依据", "kind": "waits for 等待", "need": "need 要求", "days": "days 天数",
    "again": "again 再次",
    "name": "window 期限", "amount": "amount 数", "unit": "unit 单位", "source": "source 依据",
    "status": "status 状态", "zh": "中文", "en": "English", "rank": "rank 次序", "phase": "phase 阶段",
    "correct": "correct 可改单", "cancel": "cancel 可撤销", "refund": "return 可退货", "fellows": "fellows 三单",
    "what": "limit 限值", "value": "value 值", "valid_from": "from 起", "valid_to": "to 止",
    "place": "place 位置", "field": "field 字段",
    "currency": "currency 币制", "least": "least 至少", "most": "most 至多",
}  # fmt: skip
_CODES = frozenset({"code", "field", "kinds", "modes", "left", "right", "when", "status", "name", "what", "currency"})


def columns_and_rows(name: str) -> tuple[list[str], list[list[str]]]:
    """Return one table by its name: its headings, and its rows as they stand in the file."""
    with (_LAW / _FILES[name]).open(encoding="utf-8", newline="") as source:
        reader = csv.DictReader(source)
        columns = list(reader.fieldnames or ())
        rows = [[_cell(column, row[column]) for column in columns] for row in reader]
    return [_HEADINGS[column] for column in columns], rows


def _cell(column: str, text: str) -> str:
    if not text:
        return "–"
    return f"`{text}`" if column in _CODES else text


NAMES = tuple(_FILES)
