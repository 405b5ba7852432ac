"""Logs: past facts with data, never prose; for people on a terminal, JSON for programs.

Twisted's own events go the same way.  Nothing here or elsewhere logs identity
numbers, names or telephones.  What authorities answer stands between 「 and 」
(`adapters.carriers.carrier.quoted`) and is left out: `kouan queue` shows it.
What brokers, servers and the system say of a line or a file is logged in their
words, so numbers of persons are taken out of every text.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, cast

import structlog
from twisted.logger import ILogObserver, LogLevel, globalLogBeginner

log: Any = structlog.get_logger("kouan")
_BORN: Final = r"(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_OF_ANOTHER: Final = re.compile("「[^」]*(?:」|$)")
_OF_A_PERSON: Final = re.compile(rf"(?<!\d)(?:[1-9]\d{{5}}{_BORN}\d{{3}}[\dXx]|1[3-9]\d{{9}})(?!\d)")


def configure(level: str, form: str) -> None:
    """Events of this level and above go to stderr, in that form: json, console, or auto by the terminal."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    last: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_persons,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    observer = cast("ILogObserver", _from_twisted)
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)


def _from_twisted(event: dict[str, Any]) -> None:
    level = event.get("log_level", LogLevel.info)
    if level in (LogLevel.debug, LogLevel.info):
        return
    failure = event.get("log_failure")
    text = failure.getTraceback() if failure is not None else str(event.get("log_format") or event.get("message"))
    log.error("twisted.trouble", namespace=event.get("log_namespace"), text=text)


def without_persons(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event without identity numbers and telephones in its texts, and without what stands in 「」.

    >>> without_persons(None, "", {"trouble": "broker says: 330199195106108017 (13800000000)", "number": 7})
    {'trouble': 'broker says: *** (***)', 'number': 7}
    >>> without_persons(None, "", {"trouble": "customs answered 400: 「苏知夏 is not the buyer」; 「and so"})
    {'trouble': 'customs answered 400: 「…」; 「…」'}
    """
    return {key: _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _OF_A_PERSON.sub("***", _OF_ANOTHER.sub("「…」", value))
    return [_masked(one) for one in value] if isinstance(value, list | tuple) else value
