"""The reader of business rules: a rule in a spec's TOML names a verb, the code it says, and where to look.

Every rule is turned into a check once; applying them to a document that is in order costs microseconds.
A rule with `when` and `has` only looks at documents whose head says one of those texts there, so that
fields which depend on the trade mode need no verb of their own.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from message_specs import amounts, fellows, reporting, verbs
from message_specs.catalog import REVISIONS
from message_specs.document import Document
from message_specs.findings import Finding, finding
from message_specs.places import Arguments, Check, Texts, Trouble, places, texts
from message_specs.spec import Rule
from message_specs.tables import table

VERBS: Mapping[str, Callable[[Arguments], Check]] = {
    "sum": amounts.sum_,
    "product": amounts.product,
    "total_of_lines": amounts.total_of_lines,
    "not_above": amounts.not_above,
    "within_limit": amounts.within_limit,
    "pair": fellows.pair,
    "counting": verbs.counting,
    "unique_in_lines": verbs.unique_in_lines,
    "format": verbs.format_,
    "same_as_one": fellows.same_as_one,
    "or_lines": fellows.or_lines,
    "one_of": verbs.one_of,
    "none_of": verbs.none_of,
    "value_is": verbs.value_is,
    "code": verbs.code,
    "check_digit": verbs.check_digit,
    "not_negative": verbs.not_negative,
    "positive": verbs.positive,
    "not_blank": verbs.given,
    "required_when": verbs.given,
    "absent_when": verbs.absent,
    "is_report_number": reporting.is_report_number,
    "report_number": reporting.report_number,
    "not_before_report": reporting.not_before_report,
    "together": reporting.together,
    "parts_within": reporting.parts_within,
    "begins_with": reporting.begins_with,
    "differs_from": reporting.differs_from,
    "needed_by_code": reporting.needed_by_code,
    "needed_beside": reporting.needed_beside,
}

_POSITION = re.compile(r"\[\d+\]")
_compiled: dict[int, tuple[Sequence[Rule], tuple[tuple[Rule, Check], ...]]] = {}


def compiled(rule: Rule) -> Check:
    """The check that the rule asks for; ValueError names a verb that does not exist.

    >>> compiled(Rule("sniff", "C999"))
    Traceback (most recent call last):
    ValueError: no verb is called sniff (rule C999)
    """
    if rule.use not in VERBS:
        raise ValueError(f"no verb is called {rule.use} (rule {rule.says})")
    check = VERBS[rule.use](rule.arguments)
    return _only_when(rule.arguments, check) if "when" in rule.arguments else check


def _only_when(arguments: Arguments, check: Check) -> Check:
    [asked] = places(arguments, "when")
    name, wanted = asked.name, frozenset(texts(arguments, "has"))

    def guarded(head: Texts, lines: Sequence[Texts], today: date) -> Sequence[Trouble]:
        return check(head, lines, today) if head.get(name) in wanted else ()

    return guarded


def _checks(rules: Sequence[Rule]) -> tuple[tuple[Rule, Check], ...]:
    """The checks of these rules, made once for the very same tuple: rules cannot be hashed cheaply."""
    known = _compiled.get(id(rules))
    if known is None or known[0] is not rules:
        known = _compiled[id(rules)] = (rules, tuple((rule, compiled(rule)) for rule in rules))
    return known[1]


def apply(rules: Sequence[Rule], document: Document, today: date) -> Iterator[Finding]:
    """Every finding of these rules in the document; paths are below the document, e.g. `OrderList[2]/price`."""
    head, lines = document.head, document.lines
    for rule, check in _checks(rules):
        for trouble in check(head, lines, today):
            yield _told(rule, trouble, document)


def _told(rule: Rule, trouble: Trouble, document: Document) -> Finding:
    name = trouble.path.rpartition("/")[2]
    titles = _titles(document.spec.root, document.spec.document)
    title = titles.get(_POSITION.sub("", trouble.path), "")
    words: dict[str, Any] = {"name": name, "title": title, "found": trouble.value or "", **trouble.words}
    if "when" in rule.arguments:
        asked = places(rule.arguments, "when")[0].name
        words |= {"when": asked, "has": document.head.get(asked, "")}
    return finding(rule.says, document=document.ordinal, path=trouble.path, value=trouble.value, **words)


@cache
def _titles(root: str, document: str) -> Mapping[str, str]:
    """The Chinese names of every field, by its path below the document."""
    tree = table(root, REVISIONS[-1])
    groups = [unit for unit in tree.children if unit.name == document]
    found = {}
    while groups:
        for node in groups.pop().children:
            found[node.path.removeprefix(f"{document}/")] = node.zh
            groups.append(node)
    return found
