"""Ports of the loopback for servers of the tests."""

import random
import socket
from typing import Final

_BELOW: Final = (15_000, 32_000)
"""Below what the kernel gives to lines that go out: a server that takes seconds to start still finds its port free."""


def free_port() -> int:
    """A port that nobody has at this moment, and that no line going out will be given."""
    while True:
        port = random.SystemRandom().randint(*_BELOW)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
