"""A RabbitMQ of the test's own: Debian's program, on loopback, below a folder that goes with the test.

It has its own ports, its own epmd, its own cookie and no plugin; Debian's service is neither needed nor touched.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pika

from tests.ports import free_port
from tests.programs import needs

_PATIENCE = 90.0
USER, PASSWORD = "kouan", "a password of the tests"


def _server() -> str:
    """The program behind Debian's wrapper, which would have it run as the user `rabbitmq`."""
    needs("rabbitmq-server")
    real = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return str(real) if real.is_file() else needs("rabbitmq-server")


class RabbitMQ:
    """A broker that can be killed and started again over the same queues."""

    def __init__(self, folder: Path, *, tls: tuple[Path, Path] | None = None, settings: str = "") -> None:
        """`tls` are the files of a certificate and its key; `settings` are further lines of rabbitmq.conf."""
        self._server = _server()
        self.folder = folder
        self.port, self.tls_port, self._dist, self._epmd_port = (free_port() for _ in range(4))
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"listeners.tcp.1 = 127.0.0.1:{self.port}", f"default_user = {USER}", f"default_pass = {PASSWORD}"]
        if tls:
            lines += [
                f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}", f"ssl_options.certfile = {tls[0]}",
                f"ssl_options.keyfile = {tls[1]}", f"ssl_options.cacertfile = {tls[0]}",
                "ssl_options.verify = verify_none", "ssl_options.fail_if_no_peer_cert = false",
            ]  # fmt: skip
        (folder / "rabbitmq.conf").write_text("\n".join([*lines, settings, ""]), "utf-8")
        (folder / "plugins").write_text("[].\n", "utf-8")
        (folder / "env").write_text("", "utf-8")
        self._environment = {
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"kouan{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
        }
        self._epmd: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "RabbitMQ":
        """It answers."""
        words = (self.folder / "words").open("ab")
        with words:
            if self._epmd is None:
                command = [shutil.which("epmd") or "epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port)]
                self._epmd = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words)
            self._process = subprocess.Popen(
                [self._server], env=self._environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=words,
                stderr=words, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _PATIENCE
        while not self.answers():
            assert self._process.poll() is None, self.words()
            assert time.monotonic() < deadline, self.words()
            time.sleep(0.1)
        return self

    def answers(self) -> bool:
        """Whether somebody can log in."""
        try:
            self.connection().close()
        except (pika.exceptions.AMQPError, OSError):
            return False
        return True

    def words(self) -> str:
        """What it said last."""
        return (self.folder / "words").read_text("utf-8", "replace")[-3000:]

    def kill(self) -> None:
        """It is dead, without a word of warning; its queues lie on the disk as they were."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def end(self) -> None:
        """Nothing of it runs."""
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(20)
            self._epmd = None

    def connection(self, *, password: str = PASSWORD) -> pika.BlockingConnection:
        """A line of pika's own plain client."""
        credentials = pika.PlainCredentials(USER, password)
        return pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", self.port, credentials=credentials, socket_timeout=20)
        )

    def declare(self, *queues: str, **arguments: Any) -> None:
        """These queues are there and outlive the broker's death."""
        with self.connection() as line:
            channel = line.channel()
            for queue in queues:
                channel.queue_declare(queue, durable=True, arguments=arguments or None)

    def keep(self, *queues: str) -> None:
        """These queues are there and outlive even a kill at this moment.

        The broker answers before its table of queues is on the disk: a kill within seconds takes the queue along.
        """
        self.declare(*queues)
        ask = [str(Path(self._server).with_name("rabbitmqctl")), "eval", "mnesia:sync_log()."]
        subprocess.run(ask, env=self._environment, check=True, capture_output=True, timeout=60)

    def delete(self, queue: str) -> None:
        """This queue is not there."""
        with self.connection() as line:
            line.channel().queue_delete(queue)

    def purge(self, queue: str) -> None:
        """This queue is empty."""
        with self.connection() as line:
            line.channel().queue_purge(queue)

    def publish(self, queue: str, *messages: tuple[str | None, bytes]) -> None:
        """Each message, as its id and its body, lies in the queue, confirmed."""
        with self.connection() as line:
            channel = line.channel()
            channel.confirm_delivery()
            for message_id, body in messages:
                properties = pika.BasicProperties(message_id=message_id, delivery_mode=2)
                channel.basic_publish("", queue, body, properties, mandatory=True)

    def depth(self, queue: str) -> int:
        """How many messages of the queue nobody holds."""
        with self.connection() as line:
            return int(line.channel().queue_declare(queue, passive=True).method.message_count)

    def take(self, queue: str) -> list[tuple[str | None, bytes]]:
        """Every message of the queue, taken out of it."""
        found = []
        with self.connection() as line:
            channel = line.channel()
            while True:
                method, properties, body = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    return found
                found.append((properties.message_id, body))
