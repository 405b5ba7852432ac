"""Where the messages of `kouan map` go: stdout, one file, several beside it, or a folder."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mapping.apply import MappedFile
    from mapping.judging import Judged
    from mapping.reckoning import Facts
    from message_specs.findings import Finding


class Outlet:
    """Where messages go: stdout, one file, several beside it, or a folder."""

    def __init__(self, output: Path | None, run: "MappedFile", facts: "Facts", *, silent: bool) -> None:
        self._output = output
        self._run = run
        self._facts = facts
        self._silent = silent
        self._texts: list[str] = []
        self.messages = 0

    def take(self, judged: "Judged") -> "tuple[Finding, ...]":
        """The good documents of the batch are on their way; return its findings."""
        bad = judged.bad
        if not any(found.document is None and found.severity == "error" for found in judged.findings):
            self._texts += [one.text for one in judged.mapped if one.ordinal not in bad]
        while len(self._texts) >= 100:
            self._write(self._texts[:100])
            self._texts = self._texts[100:]
        return judged.findings

    def close(self) -> None:
        """The last message is written."""
        if self._texts:
            self._write(self._texts)

    def _write(self, texts: list[str]) -> None:
        from mapping.judging import message_of, transfer_of

        self.messages += 1
        if self._silent:
            return
        body = b'<?xml version="1.0" encoding="UTF-8"?>\n'
        body += message_of(self._run, texts, transfer_of(self._facts.partner)) + b"\n"
        if self._output is None:
            sys.stdout.buffer.write(body)
            return
        self._place().write_bytes(body)

    def _place(self) -> Path:
        output = self._output
        assert output is not None
        if output.is_dir():
            return output / f"{self._run.map.spec.code}.{self.messages}.xml"
        if self.messages == 1:
            return output
        return output.with_name(f"{output.stem}.{self.messages}{output.suffix}")
