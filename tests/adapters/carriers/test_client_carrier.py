"""A client's boxes tell what became of a parcel; nothing is given twice, and what failed can be given again."""

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from adapters.carriers.carrier import Carried, Parcel
from adapters.carriers.client_boxes import Boxes, Rules, base_of, packed

AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
GIVEN = "2026-11-22T03:59:30.000Z"
PARCEL = Parcel(261122120000500001, "x", "CEB311Message", b"<sealed/>")
NAME = "CEB311Message_261122120000500001"
WAITS = Carried(PARCEL.number, ok=False, trouble="it lies in OutBox; the client has not taken it yet", given=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for box in ("OutBox", "SentBox", "FailBox", "InBox"):
        (tmp_path / box).mkdir()
    return tmp_path


def carry(folder: Path, *, given: bool = True, later: float = 0, rules: Rules | None = None) -> Carried:
    """What the carrier says of the parcel now, having been told since when it lies with the client."""
    boxes = Boxes(folder, rules or Rules(), lambda: AT + timedelta(seconds=later))
    (said,) = boxes.carry([Parcel(PARCEL.number, "x", "CEB311Message", PARCEL.body, GIVEN if given else "")])
    return said


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_parcel_is_a_zip_of_one_xml_of_the_same_name_whole_and_always_the_same(folder: Path) -> None:
    assert carry(folder, given=False) == WAITS
    assert files(folder) == [f"OutBox/{NAME}.zip"]
    with zipfile.ZipFile(folder / f"OutBox/{NAME}.zip") as archive:
        assert [(one.filename, archive.read(one)) for one in archive.infolist()] == [(f"{NAME}.xml", b"<sealed/>")]
    assert (folder / f"OutBox/{NAME}.zip").read_bytes() == packed(PARCEL, "zip")
    assert zipfile.ZipFile(BytesIO(packed(PARCEL, "zip"))).testzip() is None
    assert base_of(PARCEL) == NAME


def test_a_client_that_wants_xml_gets_it_as_it_is(folder: Path) -> None:
    carry(folder, given=False, rules=Rules(pack="xml"))
    assert (folder / f"OutBox/{NAME}.xml").read_bytes() == PARCEL.body


def test_what_lies_in_the_outbox_waits_for_as_long_as_the_client_stands_still(folder: Path) -> None:
    carry(folder, given=False)
    stands = WAITS.__class__(
        PARCEL.number, False, "", f"it lies in OutBox/{NAME}.zip; the client has not taken it yet", given=True
    )
    assert carry(folder, later=7 * 3600) == stands
    assert carry(folder, given=False) == stands  # a crash between the giving and the note of it
    assert files(folder) == [f"OutBox/{NAME}.zip"]


@pytest.mark.parametrize(
    "name", [f"{NAME}.zip", f"Successed_{NAME}.zip", f"{NAME}_2026112212000012345678.zip", f"{NAME}.xml"]
)
@pytest.mark.parametrize("given", [True, False])
def test_what_lies_in_the_sentbox_has_left(folder: Path, name: str, given: bool) -> None:
    (folder / "SentBox" / name).write_bytes(b"")
    assert carry(folder, given=given) == Carried(PARCEL.number, ok=True, acknowledgement=f"SentBox/{name}")


@pytest.mark.parametrize("name", [f"{NAME}.zip", f"Failed_{NAME}_20261122120000123456789.zip"])
def test_what_lies_in_the_failbox_failed_for_good_with_the_clients_words(folder: Path, name: str) -> None:
    (folder / "FailBox" / name).write_bytes(b"")
    plainly = f"the client could not send it and put it into FailBox/{name}"
    assert carry(folder) == Carried(PARCEL.number, ok=False, trouble=plainly, permanent=True)
    (folder / "FailBox" / f"Failed_{NAME}_20261122120001123456789.xml").write_text("<a><b>卡未插入</b></a>", "utf-8")
    assert carry(folder) == Carried(PARCEL.number, ok=False, trouble=f"{plainly}: 「卡未插入」", permanent=True)


def test_what_failed_and_is_released_is_given_again_and_may_be_sent_or_fail_again(folder: Path) -> None:
    failed = f"Failed_{NAME}_20261122120001123456789.xml"
    (folder / "FailBox" / f"{NAME}.zip").write_bytes(b"old")
    (folder / "FailBox" / failed).write_bytes(b"<a/>")
    assert carry(folder, given=False) == WAITS
    assert files(folder) == [f"FailBox-again/{NAME}.zip", f"FailBox-again/{failed}", f"OutBox/{NAME}.zip"]
    (folder / f"OutBox/{NAME}.zip").rename(folder / f"FailBox/{NAME}.zip")
    assert carry(folder).permanent
    assert carry(folder, given=False) == WAITS
    (folder / f"OutBox/{NAME}.zip").rename(folder / f"SentBox/{NAME}.zip")
    assert carry(folder).ok


def test_what_lies_nowhere_is_waited_for_a_while_and_then_an_operators_matter(folder: Path) -> None:
    assert carry(folder) == Carried(PARCEL.number, ok=False, trouble="the client has it in hand", given=True)
    gone = carry(folder, later=31)
    assert (gone.ok, gone.permanent, gone.given) == (False, True, False)
    assert files(folder) == []


def test_other_files_and_half_files_of_the_client_mislead_nobody(folder: Path) -> None:
    for box in ("SentBox", "FailBox"):
        for name in ("CEB311Message_261122120000500002.zip", f"{NAME}x.zip", f"x{NAME}.zip", f".{NAME}.zip", "~$a"):
            (folder / box / name).write_bytes(b"")
    assert carry(folder, given=False) == WAITS


@pytest.mark.parametrize("breaks", [lambda f: (f / "OutBox").rmdir(), lambda f: (f / "SentBox").rmdir()])
def test_a_box_that_is_not_there_raises_and_gives_nothing(folder: Path, breaks: Callable[[Path], None]) -> None:
    breaks(folder)
    with pytest.raises(FileNotFoundError):
        carry(folder, given=False)
    assert files(folder) == []
