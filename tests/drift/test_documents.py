"""The documents say what the code does: every table that follows from it is in step, every name in them exists."""

import re

import pytest

from tests.drift.documents import BLOCK, DOCS, MANUALS, PHRASES, ROOT, blocks, commands, options, rewritten
from tests.drift.spec_pages import FOLDER, pages

OPERATIONS = (DOCS / "for-operations.md").read_text("utf-8")
ENTERPRISES = (DOCS / "for-enterprises.md").read_text("utf-8")
SYSTEMS = (DOCS / "for-partner-systems.md").read_text("utf-8")
COMMANDS = dict(commands())


def sources(*folders: str) -> list[str]:
    return [file.read_text("utf-8") for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("file", MANUALS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_generated_table_is_as_the_code_has_it(file) -> None:
    text = file.read_text("utf-8")
    assert rewritten(text) == text, "run: .venv/bin/python -m tests.drift.documents"


def test_every_table_there_is_stands_in_some_document() -> None:
    written = {found["name"] for file in MANUALS for found in BLOCK.finditer(file.read_text("utf-8"))}
    assert written == set(blocks())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_manual(name: str) -> None:
    heading = re.search(rf"^### `{re.escape(name)}[ `].*?(?=^##|\Z)", OPERATIONS, re.MULTILINE | re.DOTALL)
    assert heading, f"{name} is not in docs/for-operations.md"
    missing = [flag for option in options(COMMANDS[name]) for flag in option.opts if f"{flag}" not in heading[0]]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_every_option_what_it_means(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert [option.name for option in options(command) if not option.help] == []


def test_a_command_that_the_documents_show_exists() -> None:
    call = re.compile(r"(?:^|`)(?:bin/)?kouan ([a-z][a-z-]+(?: [a-z]+)?)", re.MULTILINE)
    shown = {match[1] for file in MANUALS for match in call.finditer(file.read_text("utf-8"))}
    names = {name.removeprefix("kouan ") for name in COMMANDS}
    groups = {name.split()[0] for name in names}
    assert {words for words in shown if words not in names and words.split()[0] not in groups} == set()


def test_every_state_has_a_phrase_in_chinese_and_no_other_has() -> None:
    from spool.states import PROMISES, State

    assert set(PHRASES) == set(State) == set(PROMISES)


def test_the_ledger_knows_the_same_moves_as_the_code() -> None:
    from spool.ledger import statements
    from spool.states import MOVES

    moves: set[tuple[str, str]] = set()
    for file in sorted((ROOT / "spool/migrations").glob("*.sql")):
        for statement in statements(file.read_text("utf-8")):
            if "INTO legal_move" in statement:
                moves |= set(re.findall(r"\('(\w+)', '(\w+)'\)", statement))
    assert moves == {(str(before), str(after)) for before, afters in MOVES.items() for after in afters}


def test_every_finding_is_worded_in_both_languages_with_a_remedy() -> None:
    from message_specs.findings import wordings

    chinese = re.compile("[\u4e00-\u9fff]")
    for code, one in wordings().items():
        assert re.fullmatch(r"[SCPGKMTXFD]\d{3}", code)
        assert one.mender in ("partner", "operator"), code
        assert chinese.search(one.zh), code
        assert one.en.strip(), code
        assert not chinese.search(one.en), code
        remedy = re.fullmatch(r"(.*[\u4e00-\u9fff].*)。 (.+)\.", one.hint)
        assert remedy, code
        assert not chinese.search(remedy[2]), code


def test_every_route_of_the_door_is_described_and_documented() -> None:
    from adapters.doors.http import HttpDoor

    routes = {f"{route.method.decode()} {route.template}" for route in HttpDoor(hall=None).routes}  # type: ignore[arg-type]
    assert routes == set(re.findall(r"^\| `((?:GET|POST) /[^`]*)`", SYSTEMS, re.MULTILINE))


def test_every_metric_is_in_the_manual_and_no_other() -> None:
    figures = {
        name
        for text in sources("gateway", "adapters")
        for name in re.findall(r"\"(?:# TYPE )?(kouan_[a-z_]+)\"?[: ]", text)
    }
    assert figures - {"kouan_home"} == set(re.findall(r"^\| `(kouan_[a-z_]+)`", OPERATIONS, re.MULTILINE))


def test_every_log_event_is_in_the_manual_and_no_other() -> None:
    events = {
        name
        for text in sources("gateway", "adapters/doors", "adapters/carriers")
        for name in re.findall(r"\blog\.(?:info|warning|error|debug)\(\s*\"([\w.]+)\"", text)
    }
    told = OPERATIONS.partition("## Log events")[2].partition("## Exit codes")[0]
    assert events == set(re.findall(r"`(\w+\.\w+)`", told))


def test_every_exit_code_is_in_the_manual() -> None:
    from gateway.cli import talk

    told = OPERATIONS.partition("## Exit codes")[2].partition("## Commands")[0]
    codes = {talk.DONE, talk.FAILED, talk.USAGE, talk.SOME_FAILED, talk.NOT_FOUND, talk.LOCKED, talk.NOT_REACHABLE}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", told, re.MULTILINE)} == codes | {talk.INTERRUPTED}


def test_every_key_of_an_acknowledgement_a_document_and_a_receipt_is_explained() -> None:
    from gateway.letting_go import Acknowledgement
    from message_specs.findings import finding

    told = Acknowledgement(1, "", "", b"", "", None, [], []).as_facts()
    keys = {*told, *finding("S001").as_dict()}
    assert {key for key in keys if f"`{key}`" not in SYSTEMS} == set()


def test_every_key_of_a_trade_is_explained() -> None:
    import json

    from adapters.doors.http_api import OPENAPI

    told = json.loads(OPENAPI.read_text("utf-8"))["components"]["schemas"]["Dossier"]["properties"]
    section = SYSTEMS.partition("### A trade")[2].partition("### Receipts")[0]
    assert {key for key in told if f"`{key}`" not in section} == set()


def test_every_state_that_an_acknowledgement_can_show_is_told_to_enterprises() -> None:
    shown = {"ready", "filed", "checked", "refused", "held", "sent", "closed"}
    assert {state for state in shown if f"`{state}`" not in ENTERPRISES} == set()


def test_every_page_about_a_spec_is_as_the_tables_have_it() -> None:
    assert {file: file.read_text("utf-8") for file in FOLDER.glob("*.md")} == pages(), (
        "run: .venv/bin/python -m tests.drift.documents"
    )


@pytest.mark.parametrize("file", [*MANUALS, *pages()], ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(file) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        aim = (file.parent / path).resolve() if path else file
        assert aim.exists(), target
        if anchor:
            assert anchor in anchors(aim.read_text("utf-8")), target


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", MANUALS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_of_ours_that_a_document_names_exists(file) -> None:
    named = re.findall(
        r"`((?:spool|gateway|adapters|message_specs|conf|tests|bin|changes|docs)/[\w./-]*\w\.(?:py|csv|toml|sql|json|md|xml))`",
        file.read_text("utf-8"),
    )
    ours = [name for name in named if not re.search(r"[A-Z]{4}|0002", name)]
    assert [name for name in ours if not (ROOT / name).exists()] == []


def test_the_table_of_decisions_lists_every_decision() -> None:
    folder = DOCS / "decisions"
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text("utf-8")))
    assert listed == {file.name for file in folder.glob("*.md")} - {"README.md"}
