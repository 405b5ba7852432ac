"""The book can be read at any time, and the settings say at once what is wrong with them."""

import subprocess

import pytest

from adapters.simulators import settings
from tests import samples
from tests.adapters.simulators.box import HOME, Box, soon


def test_the_book_is_read_while_customs_runs_and_after_it(box: Box) -> None:
    box.start()
    box.tell("CEB311", 3)
    box.answered(6)
    running = box.book()
    box.end()
    assert box.book() == running
    keys = ["guid", "spec", "key", "ordinal", "app_type", "when", "times", "sha256", "message_sha256", "message_id",
            "sender", "verdict", "statuses", "refused", "reason"]  # fmt: skip
    assert [list(line) for line in running] == [keys] * 3
    assert len({line["sha256"] for line in running}) == 3


def test_the_book_is_shown_to_people_too(box: Box) -> None:
    box.start()
    box.tell("CEB311")
    box.answered(2)
    shown = subprocess.run(box.command("--book"), cwd=HOME, capture_output=True, text=True, check=True).stdout
    assert samples.trade(1)["orderNo"] in shown
    assert "2,120" in shown


def test_no_book_yet_is_said_and_is_not_an_empty_book(box: Box) -> None:
    box.configure()
    asked = subprocess.run(box.command("--book", "--json"), cwd=HOME, capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stdout) == (4, "")
    assert "no book" in asked.stderr


def test_an_enterprise_written_into_the_file_is_known_from_then_on(box: Box) -> None:
    box.configure(samples.SHOP)
    box.start()
    box.tell("CEB411")
    soon(lambda: box.book() and box.book()[0]["statuses"] == ["-999999"])
    box.configure()
    box.tell("CEB411", 2)
    assert [line["spec"] for line in soon(lambda: [line for line in box.book() if line["key"]])] == ["CEB411"] * 2


def test_a_broken_file_leaves_the_enterprises_as_they_were(box: Box) -> None:
    box.start()
    box.tell("CEB311")
    box.answered(2)
    (box.place / "customs.toml").write_text("state = [")
    box.tell("CEB311", 1, 2)
    assert [status for _, _, status in box.answered(4)] == ["2", "120"] * 2
    box.configure()


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("[folder]", "state is missing"),
        ('state = "s"\ncolour = 1', "unknown key colour"),
        ('state = "s"\n[http]\nlisten_to = "x"', "listen_to"),
        ('state = "s"\n[[enterprises]]\ncode = "1"', "dxp_id"),
        ('state = "s"\n[[enterprises]]\ncode = "1"\ndxp_id = "2"\ncertificates = ["none.pem"]', "none.pem"),
        ("state = ", "customs.toml"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_before_anything_starts(box: Box, text: str, because: str) -> None:
    (box.place / "customs.toml").write_text(text)
    with pytest.raises(settings.NotUnderstood, match=because):
        settings.load(box.place / "customs.toml")
    asked = subprocess.run(box.command(), cwd=HOME, capture_output=True, text=True, check=False)
    assert (asked.returncode, because in asked.stderr) == (2, True)
