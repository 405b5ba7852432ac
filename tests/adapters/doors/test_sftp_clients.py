"""The usual clients do their usual things: upload, upload under a temporary name, look again, fetch and delete."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.doors.sftp_home import Home, home, until
from tests.programs import needs


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("clients")) as opened:
        yield opened


@pytest.fixture
def order(tmp_path: Path) -> Path:
    path = tmp_path / "订单 1.xml"
    path.write_bytes(b"<order/>" * 5000)
    return path


def take(door: Home, name: str) -> bytes:
    """What intake does: the file leaves in/."""
    path = door.box("in") / name
    data = path.read_bytes()
    path.unlink()
    return data


def test_openssh_puts_a_file_keeping_its_time_and_it_arrives_once(door: Home, order: Path) -> None:
    done = door.sftp(f'put -p "{order}" /in/openssh.xml\nls -l /in\nchmod 600 /in/openssh.xml\n')
    assert (done.returncode, door.arrivals().count("openssh.xml")) == (0, 1), done.stderr
    assert int((door.box("in") / "openssh.xml").stat().st_mtime) == int(order.stat().st_mtime)
    assert take(door, "openssh.xml") == order.read_bytes()


def test_openssh_renames_a_temporary_name_to_the_final_one(door: Home, order: Path) -> None:
    batch = f'cd in\nput "{order}" o.xml.tmp\nls o.xml.tmp\nrename o.xml.tmp o.xml\n'
    done = door.sftp(batch)
    assert (done.returncode, door.arrivals().count("o.xml"), door.names(".uploading/named")) == (0, 1, []), done.stderr
    assert take(door, "o.xml") == order.read_bytes()


def test_openssh_renames_the_old_way_too_and_over_a_file_that_was_not_taken(door: Home, order: Path) -> None:
    batch = f'cd in\nput "{order}" l.xml\nput "{order}" l.xml.part\nrename -l l.xml.part l.xml\n'
    done = door.sftp(batch)
    assert (done.returncode, door.arrivals().count("l.xml"), door.arrivals().count("l~2.xml")) == (0, 1, 1), done.stderr
    assert take(door, "l.xml") == take(door, "l~2.xml") == order.read_bytes()


def test_openssh_syncs_asks_for_room_fetches_and_deletes(door: Home, order: Path, tmp_path: Path) -> None:
    door.put("out", "r.CEB312.xml", b"<receipt/>")
    done = door.sftp(
        f'put -f "{order}" /in/f.xml\ndf -h\nget /out/r.CEB312.xml {tmp_path}/r.xml\nrm /out/r.CEB312.xml\n'
    )
    assert (done.returncode, (tmp_path / "r.xml").read_bytes(), door.names("out")) == (0, b"<receipt/>", []), (
        done.stderr
    )
    assert take(door, "f.xml") == order.read_bytes()


def test_an_environment_a_shell_and_a_command_are_refused_without_a_traceback(door: Home) -> None:
    ssh = [needs("ssh"), "-p", str(door.port), *door.ssh_options()]
    for words in (["-o", "SetEnv=LANG=zh_CN.UTF-8", "acme@127.0.0.1", "id"], ["-tt", "acme@127.0.0.1"]):
        done = subprocess.run([*ssh, *words], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30)
        assert (done.returncode != 0, done.stdout) == (True, b"")
    assert door.sftp("ls\n", "-o", "SetEnv=LANG=zh_CN.UTF-8").returncode == 0


def test_lftp_mirrors_a_folder_upwards_and_fetches_with_deletion(door: Home, order: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(20):
        (many / f"lftp{number}.xml").write_bytes(order.read_bytes() + b"%d" % number)
    door.put("out", "a.ack.json", b"{}")
    connect = " ".join([needs("ssh"), "-a", "-x", *door.ssh_options()])
    script = (
        f'set sftp:connect-program "{connect}"; set net:max-retries 1; open -u acme,x sftp://127.0.0.1:{door.port};'
        f" mirror -R --parallel=2 {many} in; mirror --Remove-source-files out {tmp_path}/got"
    )
    done = subprocess.run([needs("lftp"), "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, door.names("out")) == (0, []), done.stderr
    assert (tmp_path / "got" / "a.ack.json").read_bytes() == b"{}"
    sent = {f"lftp{number}.xml": order.read_bytes() + b"%d" % number for number in range(20)}
    assert {name: take(door, name) for name in door.names("in") if name.startswith("lftp")} == sent
    assert sorted(name for name in door.arrivals() if name.startswith("lftp")) == sorted(sent)


def test_rclone_copies_and_finds_what_it_sent_though_it_is_taken_at_once(
    door: Home, order: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(12):
        (many / f"rclone{number}.xml").write_bytes(order.read_bytes())
    remote = [
        f"--sftp-{key}={value}"
        for key, value in {"host": "127.0.0.1", "port": door.port, "user": "acme", "key-file": door.key}.items()
    ]
    command = [needs("rclone"), "--config=/dev/null", "copy", "--retries=1", *remote, str(many), ":sftp:/in"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        taken: dict[str, bytes] = {}

        def take_all() -> bool:
            for name in door.names("in"):
                if name.startswith("rclone"):
                    taken[name] = take(door, name)
            return running.poll() is not None

        until(take_all, "rclone ends", 60)
        assert running.stderr is not None
        assert running.returncode == 0, running.stderr.read()
    take_all()
    assert taken == {f"rclone{number}.xml": order.read_bytes() for number in range(12)}


def test_paramiko_puts_with_its_size_check_and_sees_the_file_after_it_was_taken(door: Home, order: Path) -> None:
    with door.client() as client:
        sent = client.put(str(order), "/in/paramiko.xml")
        take(door, "paramiko.xml")
        seen = client.stat("/in/paramiko.xml")
        client.utime("/in/paramiko.xml", (1_700_000_000, 1_700_000_001))
        client.chmod("/in/paramiko.xml", 0o644)
        again = client.stat("/in/paramiko.xml")
        assert (sent.st_size, seen.st_size, again.st_mtime) == (40_000, 40_000, 1_700_000_001)
        assert "paramiko.xml" not in client.listdir("/in")


def test_a_chinese_name_stays_what_it_is(door: Home, order: Path) -> None:
    with door.client() as client:
        client.put(str(order), f"in/{order.name}")
        assert client.listdir("in") == [order.name]
    assert take(door, order.name) == order.read_bytes()


def test_a_partner_added_while_the_door_is_open_comes_in(door: Home, order: Path) -> None:
    door.account("newcomer", keys=[door.key.with_suffix(".pub").read_text()])
    done = door.sftp(f'put "{order}" in/n.xml\n', user="newcomer")
    assert (done.returncode, door.names("in", "newcomer")) == (0, ["n.xml"]), done.stderr
