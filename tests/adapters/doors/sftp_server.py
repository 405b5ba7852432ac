"""An SFTP door in a process of its own, for tests: `sftp_server.py HOME` prints its port as JSON.

HOME/accounts.json says who may come in and is read at each login; arrivals,
refusals and log events are appended to HOME/events.jsonl; while HOME/full
exists the disk is full.
"""

import json
import os
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.logger import LogLevel, globalLogPublisher

from adapters.doors.sftp import SftpAccount, sftp_service


class House:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.events = (home / "events.jsonl").open("a", buffering=1, encoding="utf-8")

    def find(self, name: str) -> SftpAccount | None:
        found = json.loads((self.home / "accounts.json").read_text(encoding="utf-8")).get(name)
        if found is None:
            return None
        keys = tuple(key.encode() for key in found.pop("keys"))
        return SftpAccount(name=name, mailbox=self.home / "partners" / name, keys=keys, **found)

    def arrived(self, partner: str, name: str) -> None:
        self.tell("arrived", partner=partner, name=name)

    def refused(self, partner: str, name: str, reason: str) -> None:
        self.tell("refused", partner=partner, name=name, reason=reason)

    def may_take(self) -> bool:
        return not os.path.exists(self.home / "full")

    def info(self, event: str, **facts: object) -> None:
        self.tell(event, **facts)

    warning = info

    def trouble(self, event: dict[str, object]) -> None:
        if event.get("log_level") in (LogLevel.error, LogLevel.critical):
            self.tell("twisted.trouble", text=str(event.get("log_format")))

    def tell(self, event: str, **facts: object) -> None:
        self.events.write(json.dumps({"event": event, **facts}, ensure_ascii=False) + "\n")


def main() -> None:
    home = Path(sys.argv[1])
    house = House(home)
    globalLogPublisher.addObserver(house.trouble)
    service = sftp_service(
        listen="127.0.0.1:0",
        host_key=home / "keys" / "sftp_host_ed25519",
        accounts=house,
        arrivals=house,
        guard=house,
        refusals=house,
        reactor=reactor,
        log=house,
        idle_seconds=float(os.environ.get("IDLE_SECONDS", "60")),
    )
    service.startListening()
    print(json.dumps({"port": service.port, "fingerprint": service.fingerprint}), flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
