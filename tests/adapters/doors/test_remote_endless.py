"""A server whose list of names never ends keeps nobody waiting for ever."""

import sys
import threading
from pathlib import Path

import pytest

from adapters.doors.remote import Place, RemoteDoor
from adapters.remote_connection import Access, Lines
from tests.sshd import sshd

_ENDLESS = Path(__file__).with_name("endless_sftp.py")
_PATIENCE = 90.0


@pytest.mark.parametrize("mode", ["nothing", "folders"])
def test_a_list_of_names_without_an_end_ends(tmp_path: Path, mode: str) -> None:
    with sshd(tmp_path / "sshd", f"{sys.executable} {_ENDLESS} {mode}") as server:
        lines = Lines(Access("127.0.0.1", server.port, server.user, (server.host_key,), server.user_key), 1)
        alarm = threading.Timer(_PATIENCE, lines.close)
        alarm.start()
        try:
            assert RemoteDoor(lines, Place("partner:22"), tmp_path).look() == []
        finally:
            alarm.cancel()
            lines.close()
