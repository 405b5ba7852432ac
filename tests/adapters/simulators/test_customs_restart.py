"""Customs may be killed at any moment: what it said OK to is in its book once, and every stage is answered."""

import random
import select
import signal
import subprocess
import sys

from message_specs.opening import open_message
from tests.adapters.simulators.box import HOME, Box, soon


def test_stages_that_were_due_are_answered_after_a_kill(box: Box) -> None:
    box.configure(delay=1)
    box.start()
    box.tell("CEB621", 2)
    assert [status for _, _, status in box.answered(2)] == ["2", "2"]
    box.kill()
    box.start()
    heard = [status for _, _, status in box.answered(8)]
    assert heard == ["2", "2", "120", "120", "399", "399", "800", "800"]
    assert [line["statuses"] for line in box.book()] == [["2", "120", "399", "800"]] * 2


def test_a_file_that_was_booked_but_not_removed_is_not_told_twice(box: Box) -> None:
    box.start()
    path = box.drop(box.enveloped(box.sealed("CEB311"), "CEB311"), "a.xml")
    kept = box.place / "kept.xml"
    box.answered(2)
    box.kill()
    assert not path.exists()
    # The same inode under the same name is what a crash between booking and removal leaves.
    again = box.drop(box.enveloped(box.sealed("CEB311", 1, 2), "CEB311"), "b.xml")
    kept.hardlink_to(again)
    box.start()
    box.answered(4)
    box.kill()
    kept.rename(again)
    box.start()
    soon(lambda: not again.exists())
    assert [line["times"] for line in box.book()] == [1, 1]


def test_random_kills_lose_nothing_and_double_nothing(box: Box) -> None:
    choice = random.Random(11)
    told = []
    for number in range(30):
        spec = ("CEB311", "CEB411", "CEB511", "CEB621")[number % 4]
        told.append(box.tell(spec, choice.randint(1, 5), 1 + 10 * number))
    for answers in (1, 15, 30, 45, 60):
        box.start()
        soon(lambda least=answers: len(box.files()) >= least)
        box.kill()
    box.start()
    opened = [open_message(data) for data in told]
    expected = [(one.guid, document.spec.code, document.key) for one in opened for document in one.documents]
    soon(lambda: len(box.receipts()) >= sum(4 if spec == "CEB621" else 2 for _, spec, _ in expected))
    book = box.book()
    assert sorted((line["guid"], line["spec"], line["key"]) for line in book) == sorted(expected)
    assert {line["times"] for line in book} == {1}
    assert all(len(line["statuses"]) == (4 if line["spec"] == "CEB621" else 2) for line in book)
    assert len(set(box.receipts())) == len(box.receipts())


def test_a_polite_end_is_an_end_without_error(box: Box) -> None:
    box.start()
    box.tell("CEB311")
    box.answered(2)
    assert box.end(signal.SIGTERM) == 0


PARENT = "import subprocess, sys; subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE).wait()"


def test_a_tied_customs_ends_with_who_started_it(box: Box) -> None:
    box.configure(top="tied = true")
    command = [sys.executable, "-c", PARENT, *box.command()]
    parent = subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert "ready" in parent.stdout.readline()
    parent.kill()
    parent.wait()
    holder = parent.stdout
    ended = soon(lambda: select.select([holder], [], [], 0)[0])
    assert (ended, holder.read()) == ([holder], "")  # the pipe closes when its last holder, the customs, has ended
