"""A partner sees his three folders and nothing else, does in each what it is for, and keeps within his room."""

import os
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from paramiko.sftp import CMD_OPEN, CMD_STAT

from tests.adapters.doors.sftp_home import Home, home, new_key, until


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("jail")) as opened:
        (opened.home / "secret.xml").write_text("secret")
        opened.account("other", keys=[new_key(opened.home / "other")])
        opened.put("out", "hers.xml", b"hers", "other")
        yield opened


@pytest.fixture
def client(door: Home) -> Iterator[paramiko.SFTPClient]:
    with door.client() as opened:
        yield opened


def send(client: paramiko.SFTPClient, name: str | bytes, data: bytes = b"<order/>") -> None:
    with client.open(name, "w") as file:
        file.write(data)


def test_the_root_holds_three_folders_and_staging_is_not_seen(client: paramiko.SFTPClient) -> None:
    assert sorted(client.listdir("/")) == ["in", "out", "refused"]
    for path in ("/.uploading", "/.uploading/open", "in/../.uploading/named"):
        with pytest.raises(FileNotFoundError):
            client.listdir(path)


@pytest.mark.parametrize(
    "path",
    [
        "/../../secret.xml",
        "../secret.xml",
        "/in/../../secret.xml",
        "/out/../../other/out/hers.xml",
        "/out/../../../partners/other/out/hers.xml",
        "/etc/passwd",
        "/out/sub/x.xml",
        "/out/./../../../../../../etc/passwd",
    ],
)
def test_no_path_leads_out(client: paramiko.SFTPClient, path: str) -> None:
    with pytest.raises(OSError):
        client.stat(path)
    with pytest.raises(OSError):
        client.open(path).read()
    with pytest.raises(OSError):
        send(client, path)


def test_the_real_path_is_the_path_he_may_have_meant(client: paramiko.SFTPClient) -> None:
    found = [client.normalize(path) for path in (".", "in/..", "/in/./a", "../../../out")]
    assert found == ["/", "/", "/in/a", "/out"]


def test_links_and_folders_inside_a_mailbox_are_not_there(door: Home, client: paramiko.SFTPClient) -> None:
    (door.box("out") / "link.xml").symlink_to(door.home / "secret.xml")
    (door.box("out") / "sub").mkdir()
    (door.box("in") / "link.xml").symlink_to(door.home / "secret.xml")
    assert (client.listdir("out"), "link.xml" in client.listdir("in")) == ([], False)
    for name in ("out/link.xml", "out/sub"):
        with pytest.raises(FileNotFoundError):
            client.stat(name)
        with pytest.raises(FileNotFoundError):
            client.open(name).read()
    send(client, "in/link.xml")
    assert ((door.home / "secret.xml").read_text(), (door.box("in") / "link.xml").is_symlink()) == ("secret", False)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (b"/in/a\x00b.xml", "control characters"),
        (b"/in/a\nb.xml", "control characters"),
        (b"/in/a\x1b[2J.xml", "control characters"),
        (b"/in/\xb6\xa9\xb5\xa5.xml", "UTF-8"),
        (b"/in/" + b"a" * 201, "200 bytes"),
        (b"/in/" + b"a/" * 3000, "200 bytes"),
        (b"/in/" + "订".encode() * 67, "200 bytes"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_the_reason(client: paramiko.SFTPClient, name: bytes, says: str) -> None:
    with pytest.raises(OSError, match=says):
        client._request(CMD_STAT, name)
    with pytest.raises(OSError, match=says):
        client._request(CMD_OPEN, name, 0x1A, paramiko.SFTPAttributes())


def test_the_longest_name_is_taken(door: Home, client: paramiko.SFTPClient) -> None:
    name = "订" * 65 + ".xml"
    send(client, f"in/{name}")
    assert name in door.names("in")


@pytest.mark.parametrize("name", ["in/a/b.xml", "in/a/../../b.xml", "x.xml", "in", "/"])
def test_a_file_is_written_in_in_and_nowhere_else(client: paramiko.SFTPClient, name: str) -> None:
    with pytest.raises(OSError):
        send(client, name)


def test_out_and_refused_are_read_and_cleared_but_not_written(door: Home, client: paramiko.SFTPClient) -> None:
    for folder in ("out", "refused"):
        door.put(folder, "a.xml", b"<receipt/>")
        with pytest.raises(PermissionError, match="only /in"):
            send(client, f"{folder}/b.xml")
        with pytest.raises(PermissionError, match="temporary name"):
            client.rename(f"{folder}/a.xml", f"{folder}/c.xml")
        client.utime(f"{folder}/a.xml", (1, 1))
        assert client.open(f"{folder}/a.xml").read() == b"<receipt/>"
        client.remove(f"{folder}/a.xml")
        assert "a.xml" not in door.names(folder)


def test_what_is_still_written_aside_in_out_is_not_seen(door: Home, client: paramiko.SFTPClient) -> None:
    door.put("out", ".0.77.writing", b"<rec")
    assert client.listdir("out") == []
    with pytest.raises(FileNotFoundError):
        client.open("out/.0.77.writing").read()


def test_a_delivered_file_is_not_read_renamed_cut_or_taken_back(door: Home, client: paramiko.SFTPClient) -> None:
    send(client, "in/mine.xml")
    refusals = (
        lambda: client.open("in/mine.xml").read(),
        lambda: client.remove("in/mine.xml"),
        lambda: client.rename("in/mine.xml", "in/yours.xml"),
        lambda: client.truncate("in/mine.xml", 1),
        lambda: client.posix_rename("in/mine.xml", "out/mine.xml"),
    )
    for refusal in refusals:
        with pytest.raises(PermissionError):
            refusal()
    with pytest.raises(OSError, match="send it whole"):
        client.open("in/mine.xml", "a")
    assert (door.box("in") / "mine.xml").read_bytes() == b"<order/>"


def test_a_file_sent_again_stands_beside_the_first_not_taken_yet(door: Home, client: paramiko.SFTPClient) -> None:
    send(client, "in/twice.xml", b"one")
    send(client, "in/twice.xml", b"two")
    told = {name: (door.box("in") / name).read_bytes() for name in door.arrivals() if name.startswith("twice")}
    assert told == {"twice.xml": b"one", "twice~2.xml": b"two"}
    assert client.stat("in/twice.xml").st_size == 3


def test_an_exclusive_upload_does_not_replace(client: paramiko.SFTPClient) -> None:
    send(client, "in/once.xml")
    with pytest.raises(OSError, match="already there"):
        client.open("in/once.xml", "wx")


def test_an_unfinished_file_is_removed_by_its_sender(door: Home, client: paramiko.SFTPClient) -> None:
    send(client, "in/u.xml.part")
    client.remove("in/u.xml.part")
    assert (client.listdir("in").count("u.xml.part"), "u.xml.part" in door.names(".uploading/named")) == (0, False)


def test_folders_and_links_are_neither_made_nor_removed(client: paramiko.SFTPClient) -> None:
    with pytest.raises(PermissionError):
        client.mkdir("/in/sub")
    with pytest.raises(PermissionError):
        client.rmdir("/out")
    with pytest.raises(OSError, match="already there"):
        client.mkdir("/in")
    with pytest.raises(OSError, match="no links"):
        client.symlink("/etc/passwd", "/in/l.xml")
    with pytest.raises(OSError, match="no links"):
        client.readlink("/in/l.xml")


def test_a_full_disk_refuses_writes_with_the_reason_and_goes_on_reading(
    door: Home, client: paramiko.SFTPClient
) -> None:
    door.put("out", "still.xml", b"there")
    file = client.open("in/long.xml", "w")
    file.write(b"x" * 100_000)
    file.flush()
    (door.home / "full").touch()
    try:
        with pytest.raises(OSError, match="disk is nearly full"):
            send(client, "in/new.xml")
        with pytest.raises(OSError, match="disk is nearly full"):
            file.write(b"x" * 2_000_000)
        file.close()
        assert client.open("out/still.xml").read() == b"there"
    finally:
        (door.home / "full").unlink()
        client.remove("out/still.xml")
    assert {"new.xml", "long.xml"} & {*door.names("in"), *door.arrivals()} == set()
    assert {"new.xml", "long.xml"} <= {event["name"] for event in door.events("refused")}


def test_room_is_counted_in_files_and_comes_back_when_files_are_taken(door: Home) -> None:
    door.account("few", keys=[door.key.with_suffix(".pub").read_text()], quota_files=3)
    with door.client("few") as client:
        for number in range(2):
            send(client, f"in/{number}.xml")
        send(client, "in/2.xml.part")
        for name in ("in/3.xml", "in/3.xml.part"):
            with pytest.raises(OSError, match=r"full \(files\)"):
                send(client, name)
        client.rename("in/2.xml.part", "in/2.xml")
        for name in door.names("in", "few"):
            (door.box("in", "few") / name).unlink()

        def again() -> bool:  # a count is believed for two seconds
            try:
                send(client, "in/4.xml")
            except OSError:
                return False
            return True

        until(again, "room after the files are taken")
    assert door.names("in", "few") == ["4.xml"]


def test_an_upload_beyond_the_room_in_bytes_is_not_delivered_cut(door: Home) -> None:
    door.account("small", keys=[door.key.with_suffix(".pub").read_text()], quota_bytes=100_000)
    with door.client("small") as client:
        send(client, "in/fits.xml", b"x" * 60_000)
        with pytest.raises(OSError, match=r"full \(bytes\)"):
            send(client, "in/over.xml", b"x" * 60_000)
        with client.open("in/far.xml", "w") as file:
            file.seek(1 << 50)
            with pytest.raises(OSError, match=r"full \(bytes\)"):
                file.write(b"x")
        assert client.listdir("in") == ["fits.xml"]
        send(client, "in/fits2.xml", b"x" * 40_000)
    arrived = [event["name"] for event in door.events("arrived") if event["partner"] == "small"]
    assert (door.names(".uploading/open", "small"), arrived) == ([], ["fits.xml", "fits2.xml"])


def test_an_account_that_may_not_write_reads(door: Home) -> None:
    door.account("reader", keys=[door.key.with_suffix(".pub").read_text()], may_write=False)
    door.put("out", "r.xml", b"<receipt/>", "reader")
    with door.client("reader") as client:
        with pytest.raises(PermissionError, match="may not write"):
            send(client, "in/w.xml")
        assert client.open("out/r.xml").read() == b"<receipt/>"


def test_a_partner_does_not_see_another(door: Home) -> None:
    with door.client("other", door.home / "other") as client:
        assert client.listdir("out") == ["hers.xml"]
    with pytest.raises(paramiko.AuthenticationException), door.client("other"):
        pass


def test_more_than_128_open_files_are_refused_and_closed_ones_make_room(client: paramiko.SFTPClient) -> None:
    files = [client.open(f"in/h{number}.xml", "w") for number in range(128)]
    with pytest.raises(OSError, match="too many files"):
        client.open("in/h.xml", "w")
    for file in files:
        file.close()
    send(client, "in/h.xml")


def test_a_request_that_cannot_be_read_is_answered_and_the_session_goes_on(client: paramiko.SFTPClient) -> None:
    for body in ((b"\xff\xff\xff\xff",), (), (b"nohandle",)):
        for kind in (4, 5, 6, 8, 9, 10, 12):
            with pytest.raises(OSError):
                client._request(kind, *body)
    with pytest.raises(OSError, match="not offered"):
        client._request(99, b"x")
    with pytest.raises(OSError, match="not offered"):
        client._request(200, b"hardlink@openssh.com", b"a", b"b")
    assert "in" in client.listdir("/")


def test_the_host_key_is_made_once_and_is_ours_alone(door: Home) -> None:
    path: Path = door.home / "keys" / "sftp_host_ed25519"
    assert (oct(path.stat().st_mode & 0o777), path.read_bytes().startswith(b"-----BEGIN OPENSSH")) == ("0o600", True)
    with door.line() as line:
        assert line.get_remote_server_key().fingerprint == door.ready["fingerprint"]
    assert os.stat(door.box("in")).st_mode & 0o777 == 0o750
