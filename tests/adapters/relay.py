"""A relay on loopback between a client and a real server, that can cut the line or fall silent."""

import contextlib
import socket
import threading


class Relay:
    """Hands bytes on; after `most` bytes of the server it cuts, or falls silent."""

    def __init__(self, port: int, most: int, *, silent: bool = False) -> None:
        self._server = port
        self.most = most
        self._silent = silent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Nothing listens, every line is cut."""
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._open += [client, server]
                threading.Thread(target=self._hand_on, args=(client, server, 2**60), daemon=True).start()
                threading.Thread(target=self._hand_on, args=(server, client, self.most), daemon=True).start()

    def _hand_on(self, source: socket.socket, sink: socket.socket, most: int) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if (most := most - len(data)) < 0:
                    if not self._silent:
                        break
                    continue
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
