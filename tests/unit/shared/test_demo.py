"""The demo desk is believable: its stories are whole, its rules hold, its past is past and every step is granted."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from deskwire_shared.contracts.facts import AgentReplied, Opened, ReplyDelivered
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Team
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.memory import MemoryEventStore, MemoryKeyRing
from deskwire_shared.eventstore.port import History
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.demo.furniture import TEAMS, furniture
from deskwire_shared.runtime.demo.plots import Cast, Draft, Ending, opening_time, plot, team_of
from deskwire_shared.runtime.demo.staging import TICKETS
from deskwire_shared.runtime.demo.stories import Story, customers, details, staff, stories
from deskwire_shared.ticket.decider import fold

NOW = datetime(2026, 3, 4, 11, 30, tzinfo=UTC)
"""A Wednesday."""


def a_cast(story: Story, ending: Ending, dice: random.Random, now: datetime = NOW) -> Cast:
    customer = next(person for person in customers() if person.language == story.language)
    draft = Draft(
        ticket_id=new_id(), story=story, customer=customer, ending=ending, opened_at=opening_time(ending, now, dice)
    )
    return Cast(draft=draft, number=1, customer_id=new_id(), attachments=())


async def played(story: Story, ending: Ending, *, seed: int, now: datetime = NOW) -> History:
    dice = random.Random(seed)
    cast = a_cast(story, ending, dice, now)
    store = MemoryEventStore(Codec(MemoryKeyRing()))
    recorder = Recorder(store)
    for step in plot(cast, now=now, dice=dice):
        await recorder.record(cast.draft.ticket_id, step.wish, Cause(step.command_id, step.actor, step.at))
    return await store.load(cast.draft.ticket_id)


@pytest.mark.parametrize("ending", get_args(Ending))
async def test_every_story_can_end_in_every_way(ending: Ending) -> None:
    for seed, story in enumerate(stories()):
        history = await played(story, ending, seed=seed)
        assert fold(history.ticket_id, history.commits).status == ending, story.subject


@pytest.mark.parametrize("now", [NOW, NOW + timedelta(days=3, hours=15), NOW - timedelta(days=1, hours=11)])
async def test_everything_happened_in_the_past_and_in_order(now: datetime) -> None:
    for seed, story in enumerate(stories()):
        for ending in TICKETS:
            times = [commit.at for commit in (await played(story, ending, seed=seed, now=now)).commits]
            assert times == sorted(times)
            assert times[-1] < now
            assert times[0] > now - timedelta(days=21)


async def test_no_mail_of_a_demo_ticket_is_left_to_be_sent() -> None:
    for seed, story in enumerate(stories()):
        history = await played(story, "closed", seed=seed)
        ticket = fold(history.ticket_id, history.commits)
        facts = [fact for commit in history.commits for fact in commit.facts]
        assert ticket.acknowledged
        assert sum(isinstance(fact, AgentReplied) for fact in facts) == sum(
            isinstance(f, ReplyDelivered) for f in facts
        )


async def test_the_gaps_of_a_story_are_filled() -> None:
    for seed, story in enumerate(stories()):
        history = await played(story, "solved", seed=seed)
        (opened,) = [fact for commit in history.commits for fact in commit.facts if isinstance(fact, Opened)]
        said = [opened.subject, *(message.text for message in fold(history.ticket_id, history.commits).messages)]
        assert not [text for text in said if "{" in text or "}" in text]


def test_the_rules_find_one_team_for_each_story_and_work_for_each_team() -> None:
    teams = Counter(
        team_of(story.subject.format(**details(story, customers()[0], random.Random(1)))) for story in stories()
    )
    assert set(teams) == set(TEAMS)


def test_every_team_has_somebody_who_answers() -> None:
    answering = {team for member in staff() if member.role != "light_agent" for team in member.teams}
    assert answering == set(TEAMS)


def test_the_desk_is_of_a_believable_size() -> None:
    documents = [document for _, document in furniture()]
    assert sum(TICKETS.values()) == 200
    assert len(staff()) == 12
    assert sum(isinstance(document, Team) for document in documents) == 4
    assert sum(isinstance(document, SlaPolicy) for document in documents) == 2
    assert sum(isinstance(document, Rule) for document in documents) == 5
    assert len({story.language for story in stories()}) >= 8


def test_nobody_of_the_demo_desk_has_an_address_that_could_exist() -> None:
    addresses = [person.address for person in (*customers(), *(member.person for member in staff()))]
    assert all(address.endswith(".example") for address in addresses)
    assert len(set(addresses)) == len(addresses)


def test_ids_are_the_same_each_time() -> None:
    assert [document_id for document_id, _ in furniture()] == [document_id for document_id, _ in furniture()]
    assert len({document_id for document_id, _ in furniture()}) == len(list(furniture()))
