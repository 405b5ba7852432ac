"""Only a partner's own key opens the door, only strong algorithms are spoken, and nobody stays for nothing."""

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import paramiko
import pytest

from tests.adapters.doors.sftp_home import Home, home, new_key, until
from tests.programs import needs


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("login")) as opened:
        yield opened


def talk(door: Home, user: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        needs("ssh"),
        "-v",
        "-p",
        str(door.port),
        *door.ssh_options()[:-2],
        *options,
        "-s",
        f"{user}@127.0.0.1",
        "sftp",
    ]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)


def sayings(done: subprocess.CompletedProcess[str], user: str) -> list[str]:
    """What the server's side of a failed log-in looks like."""
    lines = [line for line in done.stderr.splitlines() if re.search("Authentications|Offering|accepts|denied", line)]
    return [line.replace(user, "USER") for line in lines]


def test_an_unknown_name_a_wrong_key_and_a_suspended_partner_look_alike(door: Home, tmp_path: Path) -> None:
    wrong = new_key(tmp_path / "wrong")
    door.account("stranger", keys=[wrong])
    door.account("stopped", keys=[door.key.with_suffix(".pub").read_text()], suspended=True)
    seen = {user: sayings(talk(door, user), user) for user in ("nobody", "stranger", "stopped", "../acme", "")}
    assert seen["nobody"]
    assert [seen[user] for user in ("stranger", "stopped", "../acme")] == [seen["nobody"]] * 3


def test_a_suspension_and_its_end_need_no_restart(door: Home) -> None:
    door.account("wavering", keys=[door.key.with_suffix(".pub").read_text()])
    codes = []
    for suspended in (False, True, False):
        door.account("wavering", suspended=suspended)
        codes.append(door.sftp("ls\n", user="wavering").returncode)
    assert codes == [0, 255, 0]


def test_a_client_that_takes_its_leave_is_no_trouble(door: Home) -> None:
    before = len(door.events("sftp.logout"))
    assert door.sftp("ls\n").returncode == 0
    until(lambda: len(door.events("sftp.logout")) > before, "the client has left")
    assert door.events("twisted.trouble") == []


def test_only_public_keys_are_offered(door: Home) -> None:
    done = talk(door, "nobody", "-o", "PreferredAuthentications=password,keyboard-interactive")
    assert re.findall(r"Authentications that can continue: (.*)", done.stderr) == ["publickey"]


@pytest.mark.parametrize(
    ("kind", "options", "algorithm"),
    [
        ("rsa", ("-b", "2048"), "rsa-sha2-512"),
        ("rsa", ("-b", "3072"), "rsa-sha2-256"),
        ("ecdsa", ("-b", "256"), "ecdsa-sha2-nistp256"),
        ("ecdsa", ("-b", "521"), "ecdsa-sha2-nistp521"),
    ],
)
def test_rsa_and_ecdsa_keys_come_in(
    door: Home, tmp_path: Path, kind: str, options: tuple[str, ...], algorithm: str
) -> None:
    user = f"{kind}{options[1]}"
    door.account(user, keys=["# our key", new_key(tmp_path / "key", kind, *options)])
    done = door.sftp("ls\n", "-i", str(tmp_path / "key"), "-o", f"PubkeyAcceptedAlgorithms={algorithm}", user=user)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("kind", "options", "accepted"),
    [("rsa", ("-b", "2048"), "ssh-rsa"), ("rsa", ("-b", "1024"), "rsa-sha2-512")],
)
def test_weak_keys_and_sha1_signatures_stay_out(
    door: Home, tmp_path: Path, kind: str, options: tuple[str, ...], accepted: str
) -> None:
    door.account("weak", keys=[new_key(tmp_path / "key", kind, *options)])
    own = ("-i", str(tmp_path / "key"), "-o", f"PubkeyAcceptedAlgorithms={accepted}", "-o", "RequiredRSASize=1024")
    assert door.sftp("ls\n", *own, user="weak").returncode == 255


def test_sha1_signatures_stay_out_though_the_client_insists(door: Home, tmp_path: Path) -> None:
    door.account("insisting", keys=[new_key(tmp_path / "key", "rsa", "-b", "2048")])
    disabled = {"pubkeys": ["rsa-sha2-256", "rsa-sha2-512"]}
    transport = paramiko.Transport(("127.0.0.1", door.port), disabled_algorithms=disabled, server_sig_algs=False)
    with pytest.raises(paramiko.SSHException):
        transport.connect(username="insisting", pkey=paramiko.RSAKey.from_private_key_file(str(tmp_path / "key")))
    transport.close()


def test_six_attempts_end_the_line(door: Home, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", door.port)) as sock:
        transport = paramiko.Transport(sock)
        transport.start_client(timeout=20)
        key = paramiko.PKey.from_path(door.key)
        for _ in range(5):
            with pytest.raises(paramiko.AuthenticationException):
                transport.auth_publickey("nobody", key)
        with pytest.raises(paramiko.SSHException):
            transport.auth_publickey("nobody", key)
        until(lambda: not transport.is_active(), "the line is cut")
        transport.close()


def test_who_is_in_cannot_log_in_again_over_the_same_line(door: Home) -> None:
    with door.line() as line:
        with pytest.raises((paramiko.SSHException, OSError)):
            line.auth_publickey("acme", paramiko.PKey.from_path(door.key))
        until(lambda: not line.is_active(), "the line is cut")
    until(lambda: len(door.events("sftp.login")) == len(door.events("sftp.logout")), "his session is over")


def test_only_strong_algorithms_are_offered_and_strict_key_exchange_is_spoken(door: Home) -> None:
    done = talk(door, "acme", "-vv")
    offers = done.stderr.split("peer server KEXINIT proposal")[1]
    offer = {
        line.split(": ")[1]: line.split(": ")[2] for line in offers.splitlines() if re.match(r"debug2: [^:]*: ", line)
    }
    assert offer["KEX algorithms"].split(",") == [
        "mlkem768x25519-sha256",
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "kex-strict-s-v00@openssh.com",
        "ext-info-s",
    ]
    assert (offer["host key algorithms"], offer["ciphers ctos"], offer["MACs ctos"], offer["compression ctos"]) == (
        "ssh-ed25519",
        "aes256-ctr,aes192-ctr,aes128-ctr",
        "hmac-sha2-256,hmac-sha2-512",
        "none",
    )
    assert "will use strict KEX ordering" in done.stderr


@pytest.mark.parametrize("weak", ["KexAlgorithms=diffie-hellman-group14-sha1", "Ciphers=aes128-cbc", "MACs=hmac-sha1"])
def test_a_client_that_speaks_only_weak_algorithms_stays_out(door: Home, weak: str) -> None:
    assert door.sftp("ls\n", "-o", weak).returncode == 255


def test_keys_are_changed_in_the_middle_of_a_transfer(door: Home, tmp_path: Path) -> None:
    data = bytes(range(256)) * 8192
    (tmp_path / "big.xml").write_bytes(data)
    done = door.sftp(f"put {tmp_path}/big.xml in/rekeyed.xml\n", "-o", "RekeyLimit=200K")
    assert (done.returncode, (door.box("in") / "rekeyed.xml").read_bytes() == data) == (0, True), done.stderr
    door.put("out", "rekeyed.xml", data)
    done = door.sftp(f"get out/rekeyed.xml {tmp_path}/back.xml\n", "-o", "RekeyLimit=200K")
    assert (done.returncode, (tmp_path / "back.xml").read_bytes() == data) == (0, True), done.stderr


def test_one_session_more_than_allowed_is_told_why(door: Home) -> None:
    door.account("busy", keys=[door.key.with_suffix(".pub").read_text()], sessions=2)
    with door.client("busy"), door.client("busy"):
        refused = door.sftp("ls\n", user="busy")
        assert (refused.returncode, "2 sessions are open already" in refused.stderr) == (255, True)
    until(lambda: door.sftp("ls\n", user="busy").returncode == 0, "room after the others left")


def test_forwarding_and_a_ninth_channel_are_refused(door: Home) -> None:
    with door.line() as line:
        with pytest.raises(paramiko.ChannelException):
            line.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1))
        with pytest.raises(paramiko.SSHException):
            line.request_port_forward("127.0.0.1", 0)
        channels = [line.open_session() for _ in range(8)]
        with pytest.raises(paramiko.ChannelException):
            line.open_session()
        assert len(channels) == 8


def test_a_mailbox_that_cannot_be_had_keeps_its_partner_out_and_is_written_down(door: Home) -> None:
    door.account("linked", keys=[door.key.with_suffix(".pub").read_text()])
    door.box("", "linked").mkdir(parents=True)
    door.box("in", "linked").symlink_to(door.home)
    assert door.sftp("ls\n", user="linked").returncode == 255
    assert [event["partner"] for event in door.events("sftp.mailbox_broken")] == ["linked"]


def test_bytes_that_are_no_ssh_cut_the_line_and_hurt_nobody(door: Home) -> None:
    for rubbish in (
        b"GET / HTTP/1.0\r\n\r\n" * 400,
        b"SSH-2.0-x\r\n" + b"\x00" * 64,
        b"SSH-2.0-x\r\n\x00\x00\x00\x0c\x04\x14abc1234567",
    ):
        with socket.create_connection(("127.0.0.1", door.port)) as sock:
            sock.sendall(rubbish)
            sock.settimeout(20)
            with suppress(ConnectionResetError):
                while sock.recv(4096):
                    pass
    assert door.sftp("ls\n").returncode == 0


def test_a_session_that_does_nothing_is_ended(tmp_path: Path) -> None:
    with home(tmp_path, IDLE_SECONDS="1") as opened, opened.line() as line:
        line.open_sftp_client()
        until(lambda: not line.is_active(), "the idle line is cut")
        assert len(opened.events("sftp.silent")) == 1


def test_an_address_that_fails_again_and_again_is_not_listened_to(tmp_path: Path) -> None:
    with home(tmp_path) as opened:
        for _ in range(11):
            with socket.create_connection(("127.0.0.1", opened.port)) as sock:
                transport = paramiko.Transport(sock)
                transport.start_client(timeout=20)
                for _ in range(6):
                    with pytest.raises(paramiko.SSHException):
                        transport.auth_publickey("nobody", paramiko.PKey.from_path(opened.key))
                transport.close()
        assert opened.sftp("ls\n").returncode == 255
        until(lambda: opened.events("sftp.turned_away"), "the address is turned away")
