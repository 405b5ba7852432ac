"""The data of the catalog agrees with itself: keys exist, receipts answer, codes have wordings."""

from pathlib import Path

import pytest

import message_specs
from message_specs.catalog import catalog
from message_specs.findings import wordings
from message_specs.spec import Rule, Spec
from message_specs.tables import Node, revisions_of, table

SPECS = catalog().specs
ROLES = {"platform", "merchant", "payment", "logistics", "agent", "courier", "operator", "bank"}
TABLES = {file.stem for file in (Path(message_specs.__file__).parent / "codes").glob("*.csv")}
PLACES = ("that", "when")
RECKONING = ("sum", "product", "total_of_lines", "not_above")
PUBLISHED = [(spec, revision) for spec in SPECS.values() for revision in revisions_of(spec.root)]


def paths(spec: Spec, revision: str) -> set[str]:
    tree = table(spec.root, revision)
    unit = next(child for child in tree.children if child.name == spec.document)
    found: set[str] = set()
    open_nodes: list[Node] = list(unit.children)
    while open_nodes:
        node = open_nodes.pop()
        found.add(node.path.removeprefix(f"{spec.document}/"))
        open_nodes.extend(node.children)
    return found


def named(rule: Rule) -> set[str]:
    """The paths in a rule: formulas hold several."""
    given = [rule.arguments[word] for word in PLACES if word in rule.arguments]
    given += [rule.arguments["is"]] if rule.use in RECKONING else []
    texts = " ".join(" ".join(map(str, one)) if isinstance(one, list) else str(one) for one in given)
    return set(texts.split()) - {"+", "-", "*"}


@pytest.mark.parametrize(("spec", "revision"), PUBLISHED, ids=lambda one: getattr(one, "code", one))
def test_every_path_a_spec_names_exists_in_its_field_table(spec: Spec, revision: str) -> None:
    wanted = {*spec.key, *spec.reply_key, *spec.echo, *spec.fill, *([spec.status] if spec.echo else ())}
    wanted |= {path for rule in spec.rules for path in named(rule)}
    assert wanted - paths(spec, revision) == set()


def test_every_message_of_the_system_is_known_in_the_revisions_that_have_it() -> None:
    imports = "311 312 411 412 511 512 513 514 621 622 623 624 625 626 711 712 816 818 900"
    exports = "303 304 403 404 505 506 507 508 509 510 603 604 605 606 607 608 701 702 792"
    since_2022 = "213 214 215 216"
    known = {spec.code: revisions_of(spec.root) for spec in SPECS.values()}
    assert known == {
        **{f"CEB{number}": ("2018", "202205") for number in f"{imports} {exports}".split()},
        **{f"CEB{number}": ("202205",) for number in since_2022.split()},
        **{
            f"{code}{end}": ("2018", "202205")
            for code in ["BOPA", "BOPB", "BOPG", "BOPH", "JSHD", "JSHE", "JSHF", "JSHG"]
            for end in ("", "R")
        },
        **dict.fromkeys(("DxpMsg", "DxpMsgSv", "DxpRep"), ("2018", "202205")),
        **{f"TAX{number}": ("202205",) for number in ["101", "102", "111", "121", "201", "202"]},
    }


@pytest.mark.parametrize("spec", [spec for spec in SPECS.values() if spec.follows], ids=lambda spec: spec.code)
def test_what_customs_sends_unasked_names_a_number_that_an_earlier_receipt_gave(spec: Spec) -> None:
    earlier = SPECS[spec.follows or ""]
    assert spec.answers is None
    assert {path.rpartition("/")[2] for path in spec.echo} <= paths(earlier, "202205")


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_declaration_and_its_receipt_name_each_other(spec: Spec) -> None:
    assert set(spec.senders) <= ROLES
    if spec.receipt:
        answer = SPECS[spec.receipt]
        assert answer.answers == spec.code
        assert [path.rpartition("/")[2] for path in spec.reply_key] == list(answer.echo)
        assert spec.senders
        assert spec.signature in ({"none"} if spec.family == "fx" else {"optional", "required"})
    else:
        assert (spec.senders, spec.signature) == ((), "none")


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_rule_says_a_code_that_has_a_wording_and_asks_tables_that_exist(spec: Spec) -> None:
    for rule in spec.rules:
        assert rule.says in wordings()
        assert rule.arguments.get("table", "unit") in TABLES


def test_every_finding_has_a_severity_a_mender_and_words_in_both_languages() -> None:
    for wording in wordings().values():
        assert wording.mender in {"partner", "operator"}, wording.code
        assert any("\u4e00" <= letter <= "\u9fff" for letter in wording.zh), wording.code
        assert any("\u4e00" <= letter <= "\u9fff" for letter in wording.hint), wording.code
        assert wording.en.isprintable(), wording.code
        assert wording.en, wording.code
        assert wording.hint.rstrip().endswith("."), wording.code


def test_few_rules_are_errors_and_they_are_these() -> None:
    said = {rule.says for spec in SPECS.values() if spec.family != "fx" for rule in spec.rules}
    assert {code for code in said if wordings()[code].severity == "error"} == {
        "C101", "C102", "C103", "C108", "C119", "C210", "C240", "C253", "X204",
    }  # fmt: skip
