"""The house keeps its own habits: short modules, no leftovers, the folders of the design, every spec with samples."""

import re
from pathlib import Path

import pytest

from message_specs.catalog import REVISIONS, catalog
from tests.drift.documents import ROOT

FLOORS = ("gateway", "adapters", "mapping", "message_specs", "spool")
MODULES = [file for floor in FLOORS for file in sorted((ROOT / floor).rglob("*.py"))]
WRITTEN = [
    *MODULES,
    *(file for name in ("tests", "bin", "conf", "docs") for file in sorted((ROOT / name).rglob("*")) if file.is_file()),
]
FOLDERS = (
    "bin", "conf/partners", "conf/authorities", "docs/decisions", "changes", "message_specs/ceb/samples/good",
    "message_specs/ceb/samples/bad", "message_specs/codes", "message_specs/dxp", "spool/migrations", "adapters/doors",
    "adapters/carriers", "adapters/simulators", "gateway/desks", "gateway/signing", "gateway/cli", "tests/drift",
    "tests/crash",
)  # fmt: skip
LEFTOVER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager", "handler"}


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_has_at_most_three_hundred_lines_and_a_docstring(file: Path) -> None:
    text = file.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    assert not text.strip() or text.startswith(('"""', 'r"""')), "begin with what it is for"


def test_nothing_is_left_to_be_done_later() -> None:
    texts = {file: file.read_text("utf-8") for file in WRITTEN if file.suffix in {".py", ".md", ".toml", ".sh", ""}}
    assert [str(file.relative_to(ROOT)) for file, text in texts.items() if LEFTOVER.search(text)] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert {file.stem for file in MODULES} & FORBIDDEN_NAMES == set()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_the_design_is_there_and_holds_something(folder: str) -> None:
    assert any((ROOT / folder).iterdir())


def test_every_package_with_modules_is_installed() -> None:
    listed = set(
        re.findall(r"^    ((?:gateway|adapters|mapping|message_specs|spool)[\w.]*)$", setup_packages(), re.MULTILINE)
    )
    there = {".".join(file.parent.relative_to(ROOT).parts) for file in MODULES if file.name == "__init__.py"}
    assert listed == there


def setup_packages() -> str:
    return (ROOT / "setup.cfg").read_text("utf-8").partition("packages =")[2].partition("include_package_data")[0]


@pytest.mark.parametrize("code", sorted(catalog().specs))
def test_every_spec_has_a_good_and_a_bad_sample_and_fields_in_the_revisions_that_have_it(code: str) -> None:
    from message_specs.tables import revisions_of, table

    spec = catalog().specs[code]
    samples = ROOT / "message_specs" / spec.family / "samples"
    assert list((samples / "good").glob(f"{code}*.xml"))
    assert list((samples / "bad").glob(f"{code}*.xml"))
    assert revisions_of(spec.root)
    assert set(revisions_of(spec.root)) <= set(REVISIONS)
    for revision in revisions_of(spec.root):
        assert table(spec.root, revision).children


def test_every_finding_code_that_the_code_uses_is_worded() -> None:
    from message_specs.findings import wordings

    used = {code for file in MODULES for code in re.findall(r"finding\(\s*\"([A-Z]\d{3})\"", file.read_text("utf-8"))}
    assert used - set(wordings()) == set()


def test_every_change_is_one_sentence_in_a_file_named_for_its_kind() -> None:
    for file in sorted((ROOT / "changes").glob("*.md")):
        if file.name == "README.md":
            continue
        assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|operators)\.md", file.name), file.name
        assert len(file.read_text("utf-8").strip().splitlines()) == 1, file.name


def test_no_document_or_module_names_a_machine() -> None:
    place = re.compile(r"(?<![\w/])/(?:work|root|home/\w+)/")
    read = [file for file in (*WRITTEN, ROOT / "README.md") if file.suffix in {".py", ".md", ".toml"}]
    assert [str(file.relative_to(ROOT)) for file in read if place.search(file.read_text("utf-8"))] == []
