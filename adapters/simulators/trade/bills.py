"""What customs sends unasked: tax bills (816), their states (818), results of aggregation (792)."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.simulators.envelope import text

# The last two are not in the published schema; real bills have them.
_BILL = (
    "guid returnTime invtNo taxNo customsTax valueAddedTax consumptionTax status entDutyNo note assureCode ebcCode "
    "logisticsCode agentCode customsCode orderNo logisticsNo"
)
_BILL_LINE = "gnum gcode taxPrice customsTax valueAddedTax consumptionTax"
_STATUS = "guid returnTime invtNo taxNo status entDutyNo assureCode"
_RESULT = (
    "guid customsCode sumNo opDate declSeqNo decTmpNo decPreNo entryId decState agentCode agentName ebcCode ebcName "
    "declAgentCode declAgentName grossWeight netWeight msgCount msgSeqNo"
)
_RESULT_LINE = "invtNo logisticsNo gseqno gnum gcode"
# In a tax bill customs leaves these empty rather than out.
_EMPTY = ("entDutyNo", "note")


def units(code: str, about: Mapping[str, Mapping[str, Any]], guid: str, stamp: str) -> str:
    """Return the repeated units of one message, of each document that it is about."""
    return "".join(unit for ordinal, one in about.items() for unit in _units(code, one, f"{guid}|{ordinal}", stamp))


def _units(code: str, one: Mapping[str, Any], seed: str, stamp: str) -> Iterator[str]:
    made = {"guid": _guid(seed), "returnTime": stamp, "status": one["returnStatus"]}
    if code == "CEB816":
        yield _unit("Tax", "TaxHeadRd", _BILL, one["head"] | made, "TaxListRd", _BILL_LINE, one["lines"], empty=_EMPTY)
    elif code == "CEB818":
        yield _unit("Tax", "TaxHeadStatus", _STATUS, one["head"] | made)
    else:
        for number, result in enumerate(one["results"], 1):
            head = result["head"] | {
                "guid": _guid(f"{seed}|{number}"), "opDate": stamp, "decState": one["returnStatus"], "msgCount": "1",
                "msgSeqNo": "1",
            }  # fmt: skip
            yield _unit(
                "SummaryResult", "SummaryResultHead", _RESULT, head, "SummaryResultList", _RESULT_LINE, result["lines"]
            )


def _unit(
    name: str, head_name: str, columns: str, head: Mapping[str, str], line_name: str = "",
    line_columns: str = "", lines: Sequence[Mapping[str, str]] = (), *, empty: Sequence[str] = (),
) -> str:  # fmt: skip
    listed = (f"<{line_name}>{_leaves(line_columns, line)}</{line_name}>" for line in lines)
    return f"<{name}><{head_name}>{_leaves(columns, head, empty)}</{head_name}>{''.join(listed)}</{name}>"


def _leaves(columns: str, values: Mapping[str, str], empty: Sequence[str] = ()) -> str:
    return "".join(
        f"<{name}>{text(values.get(name) or '')}</{name}>"
        for name in columns.split()
        if values.get(name) or name in empty
    )


def _guid(seed: str) -> str:
    digits = hashlib.sha256(seed.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
