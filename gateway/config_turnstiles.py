"""What a shape cannot say about when and how much may leave for an authority."""

from collections.abc import Iterator

from gateway.config_authorities import Authority, Maintenance
from gateway.config_files import Problem, Source
from gateway.maintenance import china, hours


def of_turnstile(source: Source, authority: Authority) -> Iterator[Problem]:
    """Yield what is wrong with pace, breaker, maintenance and client of one authority."""
    pace, breaker, client = authority.pace, authority.breaker, authority.carrier.client
    if not 0 <= pace.messages_a_minute <= 1_000_000:
        cure = "0 (as many as come) to 1000000 messages in a minute."
        yield source.problem(("pace", "messages_a_minute"), f"{pace.messages_a_minute} is out of range", cure)
    if not 1 <= pace.at_once <= 64:
        yield source.problem(("pace", "at_once"), f"{pace.at_once} is out of range", "1 to 64 messages at once.")
    if breaker.failures < 0 or not 0 < breaker.first_seconds <= breaker.most_seconds:
        cure = "failures from 0 (never), first_seconds above 0, most_seconds not below first_seconds."
        yield source.problem(("breaker",), "this breaker cannot be followed", cure)
    for index, row in enumerate(authority.maintenance):
        yield from _row(source, index, row)
    if authority.carrier.kind == "client":
        if not authority.carrier.folder:
            cure = "Add: folder = the client's folder in which its OutBox, SentBox, FailBox and InBox stand."
            yield source.problem(("carrier",), "the carrier has no folder", cure)
        if client.look_seconds <= 0 or client.vanished_seconds < client.look_seconds:
            cure = "look_seconds above 0, vanished_seconds not below it."
            yield source.problem(("carrier", "client"), "the client cannot be watched like this", cure)


def _row(source: Source, index: int, row: Maintenance) -> Iterator[Problem]:
    way = ("maintenance", index)
    if row.daily:
        try:
            hours(row.daily)
        except ValueError:
            cure = 'Write hours of China as "02:00-04:00" or, over midnight, "23:00-05:00"; all day is "00:00-24:00".'
            yield source.problem((*way, "daily"), f'"{row.daily}" is no span of hours', cure)
        if row.begins or row.ends:
            yield source.problem(way, "a row is daily or one span, not both", "Write two rows.")
        if row.since and row.until and row.until < row.since:
            yield source.problem(way, "it ends before it begins", "until must not be before since.")
    elif not row.begins or not row.ends:
        cure = 'Write daily = "02:00-04:00", or begins and ends as 2026-11-28T22:00:00 (China time).'
        yield source.problem(way, "nobody can tell when it is shut", cure)
    elif china(row.ends) <= china(row.begins):
        yield source.problem(way, "it ends before it begins", "ends must be after begins.")
    elif row.since or row.until:
        yield source.problem(way, "since and until belong to daily hours", "Take them out.")
