"""What a partner reads when a document that waited is refused: refused/NUMBER.why.txt, Chinese and English."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.letting_go import Parting, decoded, mailbox_of, why_findings
from spool.mailbox import WHY
from spool.number import CHINA


def let_go_refusal(parting: Parting, home: Path, document: sqlite3.Row, stamp: sqlite3.Row) -> None:
    """The reason is on its way to the partner's refused/; doing it again writes the same file."""
    parting.files.append((str(mailbox_of(home, document["partner"]).refused), *reason_file(document, stamp)))


def reason_file(document: sqlite3.Row, stamp: sqlite3.Row) -> tuple[str, bytes]:
    """Return the name and the words of the file that says why this stamp refused the document."""
    name = f"{document['number']}.{document['ordinal']}"
    found = decoded(stamp["findings"])
    text = told(name, document["spec"], document["key"], stamp["at"], stamp["by"], stamp["reason"] or "", found)
    return f"{name}{WHY}", text.encode()


def told(
    name: str, spec: str, key: str | None, at: str, by: str, reason: str, found: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Return the whole text.

    >>> print(told("261121204432000017.1", "CEB311", "33|YX1", "2026-11-21T12:00:00.000Z", "li", "重复申报"), end="")
    单证 Document: CEB311 33|YX1
    编号 Number: 261121204432000017.1
    结果 Outcome: 人工退回，未继续办理 refused by an operator; it does not go on
    原因 Reason: 重复申报
    时间 When: 2026-11-21 20:00:00 +08:00
    经办 By: li
    办法 Remedy: 请改正后重新发送，主键可以不变。 Mend it and send it again; its key may stay the same.
    """
    when = datetime.fromisoformat(at).astimezone(CHINA)
    if found:
        # It was no person: what was found says why, and how to mend it.
        outcome = "退回，未继续办理 refused; it does not go on"
        head = f"单证 Document: {spec} {key or ''}\n编号 Number: {name}\n结果 Outcome: {outcome}\n"
        return f"{head}时间 When: {when:%Y-%m-%d %H:%M:%S} +08:00\n{''.join(why_findings(found))}"
    return (
        f"单证 Document: {spec} {key or ''}\n"
        f"编号 Number: {name}\n"
        "结果 Outcome: 人工退回，未继续办理 refused by an operator; it does not go on\n"
        f"原因 Reason: {reason}\n"
        f"时间 When: {when:%Y-%m-%d %H:%M:%S} +08:00\n"
        f"经办 By: {by}\n"
        "办法 Remedy: 请改正后重新发送，主键可以不变。 Mend it and send it again; its key may stay the same.\n"
    )
