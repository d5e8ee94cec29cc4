"""Holds what the sla service noted in a scripted fortnight beside what an oracle finds by counting seconds."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from deskwire_shared.contracts.facts import Fact, SlaBreached, SlaMet, SlaWarned
from sla_fortnight import Desk
from sla_oracle import Noted, expected, rules_over_time
from sla_script import START, Life, changes, lives


@dataclass
class Compared:
    """How often what was noted, how many timers fired, and the tickets on which desk and oracle differ."""

    counted: Counter[str] = field(default_factory=Counter)
    fired: int = 0
    differing: list[tuple[Life, set[Noted]]] = field(default_factory=list)


async def compare(tickets: int, random: Random) -> Compared:
    """Live through a fortnight with so many tickets."""
    script = lives(tickets, random)
    desk = Desk(tickets)
    await desk.live(script, changes())
    rules, found = rules_over_time(changes()), Compared(fired=desk.fired)
    for life in script:
        noted = [_told(commit.at, fact) for commit, fact in await desk.noted(life)]
        wanted = expected(life, rules)
        if sorted(noted) != sorted(wanted):
            found.differing.append((life, {*noted} ^ {*wanted}))
        found.counted.update(one[0] for one in noted)
    return found


def _told(at: datetime, fact: Fact) -> Noted:
    """A fact in the words of the oracle."""
    match fact:
        case SlaWarned():
            what: tuple[str, tuple[Any, ...]] = ("warned", (fact.stage, fact.used, fact.target))
        case SlaBreached():
            what = ("breached", (_second_of(fact.due_at), fact.target))
        case SlaMet():
            what = ("met", (fact.used, fact.target, fact.late))
        case _:
            raise AssertionError(fact)
    return what[0], _second_of(at), fact.metric, fact.cycle, fact.policy_id, *what[1]


def _second_of(moment: datetime) -> int:
    since_start = moment - START
    assert since_start.microseconds == 0
    return int(since_start.total_seconds())
