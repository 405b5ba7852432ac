"""A line between two programs that a test can make deaf one way or the other, without either of them noticing."""

import contextlib
import socket
import threading


class Relay:
    """Listens on the loopback and passes everything on to a port, as long as it is not told to swallow it."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.swallows_words = False
        """What the caller says is not passed on."""
        self.swallows_answers = False
        """What the called answers is not passed on."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Every line through it is over; later ones are passed on whole."""
        self.swallows_words = self.swallows_answers = False
        while self._open:
            one = self._open.pop()
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def end(self) -> None:
        """Nobody listens."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                try:
                    called = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    caller.close()
                    continue
                self._open += [caller, called]
                threading.Thread(target=self._pass, args=(caller, called, "swallows_words"), daemon=True).start()
                threading.Thread(target=self._pass, args=(called, caller, "swallows_answers"), daemon=True).start()

    def _pass(self, here: socket.socket, there: socket.socket, swallows: str) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                if not getattr(self, swallows):
                    there.sendall(data)
        with contextlib.suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)
