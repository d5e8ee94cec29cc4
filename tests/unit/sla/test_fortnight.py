"""A scripted fortnight of a desk: all that is noted equals what an oracle finds by counting seconds."""

from collections import Counter
from datetime import datetime
from random import Random
from typing import Any

import pytest

from deskwire_shared.contracts.facts import Fact, SlaBreached, SlaMet, SlaWarned
from sla_fortnight import Desk
from sla_oracle import Noted, expected, rules_over_time
from sla_script import START, changes, lives

TICKETS = 2_000


def second_of(moment: datetime) -> int:
    since_start = moment - START
    assert since_start.microseconds == 0
    return int(since_start.total_seconds())


def told(at: datetime, fact: Fact) -> Noted:
    """A fact in the words of the oracle."""
    match fact:
        case SlaWarned():
            what: tuple[str, tuple[Any, ...]] = ("warned", (fact.stage, fact.used, fact.target))
        case SlaBreached():
            what = ("breached", (second_of(fact.due_at), fact.target))
        case SlaMet():
            what = ("met", (fact.used, fact.target, fact.late))
        case _:
            raise AssertionError(fact)
    return what[0], second_of(at), fact.metric, fact.cycle, fact.policy_id, *what[1]


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_warned_missed_and_met_promise_of_a_fortnight_is_the_oracles(
    request: pytest.FixtureRequest,
) -> None:
    random = Random(request.config.getoption("randomly_seed", 1))
    script = lives(TICKETS, random)
    desk = Desk(TICKETS)
    await desk.live(script, changes())
    rules, counted = rules_over_time(changes()), Counter[str]()
    for life in script:
        noted = [told(commit.at, fact) for commit, fact in await desk.noted(life)]
        assert sorted(noted) == sorted(expected(life, rules)), life
        counted.update(one[0] for one in noted)
    assert min(counted[what] for what in ("warned", "breached", "met")) > TICKETS / 2
    assert desk.fired > TICKETS
