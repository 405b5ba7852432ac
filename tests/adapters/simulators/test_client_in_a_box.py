"""The client in a box deals with files as the real one is described, and misbehaves when asked to."""

import zipfile
from pathlib import Path

import pytest

from adapters.carriers.carrier import Parcel
from adapters.carriers.client_boxes import packed
from adapters.simulators.client import BEHAVIOURS, Client, NotUnderstood, asked, load, main

NAME = "CEB311Message_261122120000500001"
WHOLE = packed(Parcel(261122120000500001, "x", "CEB311Message", b"<sealed/>"), "zip")


def box(tmp_path: Path, *behaviours: str) -> Client:
    return Client(tmp_path / "client", tmp_path / "onward", behaviours)


def after(tmp_path: Path, body: bytes, *behaviours: str, name: str = NAME) -> dict[str, list[str]]:
    """Where everything lies when the client has looked once, without the times in the names."""
    client = box(tmp_path, *behaviours)
    (tmp_path / f"client/OutBox/{name}.zip").write_bytes(body)
    client.look()
    found: dict[str, list[str]] = {}
    for file in sorted(tmp_path.rglob("*")):
        if file.is_file():
            stem, dot, ending = file.name.partition(".")
            plain = "_".join(part for part in stem.split("_") if len(part) < 22)
            found.setdefault(file.parent.name, []).append(f"{plain}{dot}{ending}")
    return found


def test_what_is_well_made_is_sent_and_answered(tmp_path: Path) -> None:
    assert after(tmp_path, WHOLE) == {
        "onward": [f"{NAME}.xml"], "SentBox": [f"{NAME}.zip"], "InBox": [f"Successed_{NAME}.xml"],
    }  # fmt: skip
    assert (tmp_path / f"onward/{NAME}.xml").read_bytes() == b"<sealed/>"


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("fails", {"FailBox": [f"{NAME}.zip", f"Failed_{NAME}.xml"]}),
        ("hangs", {"OutBox": [f"{NAME}.zip"]}),
        ("silent", {"onward": [f"{NAME}.xml"], "SentBox": [f"{NAME}.zip"]}),
        ("loses", {}),
        ("vanishes", {"onward": [f"{NAME}.xml"], "InBox": [f"Successed_{NAME}.xml"]}),
        ("refused", {"onward": [f"{NAME}.xml"], "SentBox": [f"{NAME}.zip"], "InBox": [f"Failed_{NAME}.xml"]}),
        (
            "prefixes",
            {
                "onward": [f"{NAME}.xml"],
                "SentBox": [f"Successed_{NAME}.zip"],
                "InBox": [f"Successed_{NAME}.xml"],
            },
        ),
        (
            "half",
            {
                "onward": [f"{NAME}.xml"],
                "SentBox": [f"{NAME}.zip"],
                "InBox": [f"Successed_{NAME}.xml", f"half-Successed_{NAME}.xml.tmp"],
            },
        ),
    ],
)
def test_each_misbehaviour_is_what_it_is_called(tmp_path: Path, behaviour: str, expected: dict[str, list[str]]) -> None:
    assert after(tmp_path, WHOLE, behaviour) == expected


def test_what_is_no_zip_of_one_xml_of_its_name_fails(tmp_path: Path) -> None:
    for number, body in enumerate((b"no zip", packed(Parcel(1, "", "X", b"<a/>"), "zip"), WHOLE[:60])):
        assert after(tmp_path / str(number), body) == {"FailBox": [f"{NAME}.zip", f"Failed_{NAME}.xml"]}
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr(f"{NAME}.xml", "<a/>")
        archive.writestr("b.xml", "<b/>")
    assert after(tmp_path / "3", two.read_bytes()) == {"FailBox": [f"{NAME}.zip", f"Failed_{NAME}.xml"]}


def test_what_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    client = box(tmp_path)
    for name in ("a.tmp", ".b.zip", "~$c.zip"):
        (tmp_path / "client/OutBox" / name).write_bytes(WHOLE)
    assert client.look() == 0


def test_what_is_asked_wrongly_is_not_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("sings", "fails=x"):
        with pytest.raises(NotUnderstood):
            asked([wrong])
    file = tmp_path / "client.toml"
    for text in ("folder = 1 1", 'folder = "a"', 'folder = "a"\nonward = "b"\ncolour = 3'):
        file.write_text(text, "utf-8")
        with pytest.raises(NotUnderstood):
            load(file)
    assert main(["--config", str(file)]) == 2
    assert "colour" in capsys.readouterr().err
    assert all(BEHAVIOURS.values())
