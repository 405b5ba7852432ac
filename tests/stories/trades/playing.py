"""How a story of a trade is played: lines of a script, one after the other, on the real clerk and the real customs.

    # words                            what the story is about
    setting FILE<TAB>old<TAB>new       before it begins: another text in the configuration
    shop order 1 freight=9             a partner drops a document (tests/stories/trades/documents.py)
    go                                 both sides speak until nobody has anything to say
    go 3                               the same for so many seconds
    wait 4                             so many days pass; negative, the clock has been turned back
    goods agent SHOP,SKU1,…            a partner has filed these goods, a row of his table (docs/drawing.md)
    customs review inspect=2           customs behaves like this from here on
    says CEB816 Tax/TaxHeadRd a=1 …    a message of customs that its book knows nothing of
    keep CEB622 …                      what customs says from here on in these kinds is under way and does not arrive
    bring                              what was kept arrives, and nothing is kept any more
    again                              everything that customs has said arrives once more

`{invtNo:1}` in a value is the number that customs gave the inventory of trade 1.
"""

import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway import dossiers
from gateway.telling import tell
from message_specs import writing
from message_specs.dxp.envelope import unwrap
from message_specs.limits import Limits
from message_specs.trade.goods import COLUMNS
from spool.number import CHINA
from tests import samples
from tests.crash.world import Placeholders, World
from tests.stories.trades import telling
from tests.stories.trades.books import differences
from tests.stories.trades.box import Customs
from tests.stories.trades.documents import Asked, asked, made
from tests.stories.trades.privacy import Persons

BEGINS = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DIFFER = "the books differ:"
_QUIET_SECONDS = 6
_ANSWERS_LEFT = """
SELECT d.spec, d.key, d.state FROM document d JOIN interchange i USING (number)
WHERE i.sender = 'customs' AND d.state NOT IN ('closed', 'sent') ORDER BY d.number, d.ordinal
"""
_NUMBER = re.compile(r"\{invtNo:(\d+)\}")


class Story:
    """One story being played in a home; `lines` is what has been seen so far."""

    def __init__(self, home: Path, script: str) -> None:
        self._script = [line for line in script.splitlines() if line.strip()]
        for line in self._of("setting "):
            _set(home, line)
        self.world = World(home, moment=BEGINS)
        self.customs = Customs(home)
        self.persons = Persons()
        self.lines: list[str] = []
        self._seen: set[str] = set()
        self._said: list[tuple[str, bytes]] = []
        self._given: list[bytes] = []
        self._keeps: set[str] = set()
        self._kept: list[tuple[str, bytes]] = []
        self._answers = 0

    def play(self) -> str:
        """Everything that could be seen, in the order in which it happened, and how both books stand at the end."""
        for line in self._script:
            if line.startswith("setting "):
                continue
            if line.startswith("#"):
                self.lines.append(line)
                continue
            self.lines.append(f"> {line}")
            self._happen(shlex.split(_NUMBER.sub(lambda found: self._invt_no(int(found[1])), line)))
        self._end()
        self.world.close()
        self.customs.close()
        return Placeholders(self._given)("\n".join(self.lines).encode()).decode() + "\n"

    def _of(self, verb: str) -> list[str]:
        return [line for line in self._script if line.startswith(verb)]

    def _happen(self, words: list[str]) -> None:
        happening: dict[str, Callable[[list[str]], None]] = {
            "go": lambda rest: self._go(int(rest[0]) if rest else None),
            "wait": lambda rest: self._wait(int(rest[0])),
            "customs": lambda rest: self.customs.behave(*rest),
            "says": self._says,
            "keep": self._keeps.update,
            "bring": lambda _: self._bring(),
            "again": lambda _: self._arrive(list(self._said)),
            "goods": self._file,
        }
        if words[0] in happening:
            happening[words[0]](words[1:])
        else:
            self._drop(asked(words))

    def _file(self, words: list[str]) -> None:
        """The rows of a partner stand in the place of those that name the same goods, and the house is read anew."""
        partner, *rows = words
        table = self.world.home / f"goods/{partner}.csv"
        table.parent.mkdir(exist_ok=True)
        before = table.read_text("utf-8").splitlines()[1:] if table.is_file() else []
        kept = [one for one in before if not any(one.split(",")[:2] == row.split(",")[:2] for row in rows)]
        table.write_text("\n".join([",".join(COLUMNS), *kept, *rows]) + "\n", "utf-8")
        self.world.reload()
        self._live()

    def _drop(self, one: Asked) -> None:
        body = made(one)
        self._given.append(body)
        self.persons.sent(one.partner, body)
        self.world.drop(one.partner, f"{one.told}.xml", body)
        self._take_in()

    def _take_in(self) -> None:
        self.world.moment = self.world.moment.replace(microsecond=0) + timedelta(seconds=1)
        self.world.take_in()
        self._live()

    def _live(self) -> None:
        """What the daemon sees to every second has been done until it changes nothing more."""
        for _ in range(20):
            moved = self.world.go_on() + self.world.clerk.look()
            tell(self.world.home, self.world.ledger)
            if not moved:
                break
        self._look()

    def _go(self, seconds: int | None) -> None:
        quiet, turns = 0, 0
        while turns < seconds if seconds is not None else quiet < _QUIET_SECONDS:
            self.world.moment = self.world.moment.replace(microsecond=0) + timedelta(seconds=1)
            self._live()
            leaving = self.world.carry()
            for one in leaving:
                self.lines.append(f"  to customs: {_left(one.parcel.body)}")
            if leaving:
                self.customs.hear([one.parcel.body for one in leaving], self.world.moment)
            said = self.customs.say(self.world.moment)
            self._said += said
            self._kept += [one for one in said if one[0] in self._keeps]
            self._arrive([one for one in said if one[0] not in self._keeps])
            turns += 1
            quiet = 0 if leaving or said else quiet + 1

    def _bring(self) -> None:
        kept, self._kept = self._kept, []
        self._keeps.clear()
        self._arrive(kept)

    def _arrive(self, said: list[tuple[str, bytes]]) -> None:
        for code, body in said:
            self._answers += 1
            self._given.append(body)
            self.world.drop("customs", f"{self._answers:05d}.{code}.xml", body)
        if said:
            self.world.take_in()
            self._live()

    def _wait(self, days: int) -> None:
        for _ in range(abs(days)):
            self.world.moment += timedelta(days=1 if days > 0 else -1)
            self._live()

    def _says(self, words: list[str]) -> None:
        code, unit, *values = words
        when = f"{self.world.moment.astimezone(CHINA):%Y%m%d%H%M%S}000"
        told = dict(one.split("=", 1) for one in values)
        if "returnStatus" in told:
            told = {"guid": samples.guid("R", self._answers), "returnTime": when, **told}
        self._arrive([(code, writing.receipt(f"{code}Message", "", [(unit, told)]))])

    def _look(self) -> None:
        for path, body in self.world.files().items():
            if path not in self._seen and "/in/" not in path:
                self._seen.add(path)
                as_it_came = f"  {'/'.join(path.split('/')[:2])} {path.split('/')[-1]} as it came"
                self.lines += [as_it_came] if body in self._given else telling.told(path, body)
                assert not (told := self.persons.shown(path.split("/")[0], body)), (path, told)

    def _invt_no(self, number: int) -> str:
        order = samples.trade(number)["orderNo"]
        told = [one["invtNo"] for one in self.customs.trades(self.world.moment) if one["order"].endswith(order[-6:])]
        return str(next((one for one in told if one), None) or "29102026I999999999")

    def _end(self) -> None:
        self.lines.append("=")
        house, today = self.world.clerk.house, self.world.moment.astimezone(CHINA).date()
        for row in self.world.rows("SELECT DISTINCT platform, order_no FROM dossier ORDER BY order_no, platform"):
            for facts in dossiers.found(self.world.ledger, "|".join(row), house=house, on=today):
                self.lines += telling.trade(facts)
        self.lines += [f"from customs {spec} {key}: {state}" for spec, key, state in self.world.rows(_ANSWERS_LEFT)]
        self.lines += [telling.booked(one) for one in self.customs.trades(self.world.moment)]
        self.lines += [f"{DIFFER} {one}" for one in differences(self.world, self.customs)]


def _left(envelope: bytes) -> str:
    opened = unwrap(envelope, Limits())
    assert opened is not None
    return f"{opened.message_type.removesuffix('Message')} from {opened.sender}"


def _set(home: Path, line: str) -> None:
    file, old, new = line.removeprefix("setting ").split("\t")
    text = (home / file).read_text("utf-8")
    assert old in text, f"{file} does not hold {old}"
    (home / file).write_text(text.replace(old, new), "utf-8")
