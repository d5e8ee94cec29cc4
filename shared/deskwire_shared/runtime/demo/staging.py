"""Puts the demo desk on stage: every history is recorded in memory by real commands, then imported whole.

So the services see finished histories, in which they have nothing left to do, and no mail leaves.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.directory import Customer, Organisation
from deskwire_shared.contracts.ids import derived_id, new_id, person_id
from deskwire_shared.contracts.staff import Team
from deskwire_shared.contracts.subjects import NUMBER_SUBJECT, NUMBERS
from deskwire_shared.directory.jetstream import JetStreamDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.memory import MemoryEventStore
from deskwire_shared.eventstore.recorder import Cause, Outcome, Recorder
from deskwire_shared.runtime.demo.files import keep_file
from deskwire_shared.runtime.demo.furniture import demo_id, furniture
from deskwire_shared.runtime.demo.hindsight import Hindsight, hindsights
from deskwire_shared.runtime.demo.plots import Cast, Draft, Ending, opening_time, plot
from deskwire_shared.runtime.demo.stories import Person, Story, customers, stories
from deskwire_shared.runtime.desk import Desk

SEED: Final = 20
TICKETS: Final[dict[Ending, int]] = {"new": 16, "open": 44, "pending": 34, "on_hold": 12, "solved": 52, "closed": 42}
PAST: Final = timedelta(days=21)
SOON: Final = timedelta(seconds=1)
BY_DEMO: Final = Actor(kind="system", id="demo")

Told = Callable[[], None]
"""Called after each thing that was put on stage."""


async def is_whole(desk: Desk) -> bool:
    """Whether everything stands on stage already."""
    if desk.directory.get(Team, demo_id("team", "technical")) is None:
        return False
    return all([(await desk.store.tip(draft.ticket_id)).version for draft in _drafts(desk.clock.now())])


def how_much() -> int:
    """How many things are put on stage."""
    return len(list(furniture())) + len(customers()) + sum(TICKETS.values())


async def stage(desk: Desk, told: Told) -> None:
    """Put everything on stage; what is there already stays as it is."""
    now = desk.clock.now()
    directory = JetStreamDirectory(desk.connection, desk.keys, lambda: now - PAST)
    await directory.start()
    try:
        await _furnish(directory, told)
        ids = await _enter_customers(desk, directory, told)
        services = hindsights(directory)
        for draft in _drafts(now):
            if not (await desk.store.tip(draft.ticket_id)).version:
                cast = await _cast(desk, draft, ids[draft.customer])
                await desk.store.append_history(await _recorded(desk, cast, services, now))
            told()
    finally:
        await directory.stop()


async def _furnish(directory: JetStreamDirectory, told: Told) -> None:
    for document_id, document in furniture():
        if not directory.revision(type(document), document_id):
            await directory.put(document_id, document, actor=BY_DEMO)
        told()


async def _enter_customers(desk: Desk, directory: JetStreamDirectory, told: Told) -> dict[Person, str]:
    key = await desk.secrets.site_key()
    domains = {domain: i for i, one in directory.all(Organisation).items() for domain in one.domains}
    ids = {person: person_id(person.address, key) for person in customers()}
    for person, customer_id in ids.items():
        if await directory.fetch(Customer, customer_id) is None:
            organisation_id = domains.get(person.address.rpartition("@")[2])
            document = Customer(
                address=person.address, name=person.name, organisation_id=organisation_id, locale=person.language
            )
            await directory.put(customer_id, document, actor=BY_DEMO)
        told()
    return ids


def _drafts(now: datetime) -> list[Draft]:
    """Every ticket that is to be, the oldest first; the same ones each time."""
    dice = random.Random(SEED)  # noqa: S311  # nothing secret
    endings = [ending for ending, count in TICKETS.items() for _ in range(count)]
    dice.shuffle(endings)
    told = _in_turns(stories(), dice)
    drafts = [
        _draft(index, story, ending, now, dice)
        for index, (story, ending) in enumerate(zip(told, endings, strict=False))
    ]
    return sorted(drafts, key=lambda draft: draft.opened_at)


def _draft(index: int, story: Story, ending: Ending, now: datetime, dice: random.Random) -> Draft:
    return Draft(
        ticket_id=derived_id("demo", "ticket", str(index)),
        story=story,
        customer=dice.choice([person for person in customers() if person.language == story.language]),
        ending=ending,
        opened_at=opening_time(ending, now, dice),
    )


def _in_turns(told: Sequence[Story], dice: random.Random) -> Iterator[Story]:
    """Every story again and again, in another order each time."""
    while True:
        yield from dice.sample(told, len(told))


async def _cast(desk: Desk, draft: Draft, customer_id: str) -> Cast:
    body = json.dumps({"ticket_id": draft.ticket_id}).encode()
    number = (await desk.js.publish(NUMBER_SUBJECT, body, stream=NUMBERS)).seq
    file = draft.story.attachment
    attachments = (await keep_file(desk.objects, file),) if file else ()
    return Cast(draft=draft, number=number, customer_id=customer_id, attachments=attachments)


async def _recorded(desk: Desk, cast: Cast, services: list[Hindsight], now: datetime) -> Sequence[Commit]:
    """Record a history in memory, step by step, with what the services would have done in between."""
    store = MemoryEventStore(Codec(desk.keys))
    recorder = Recorder(store)
    ticket_id = cast.draft.ticket_id
    steps = plot(cast, now=now, dice=random.Random(ticket_id))  # noqa: S311  # nothing secret
    commits: list[str | None] = []
    for step, end in zip(steps, [*(step.at for step in steps[1:]), now], strict=True):
        because = None if step.because is None else commits[step.because]
        correlation_id = derived_id("demo", ticket_id, str(len(commits) if step.because is None else step.because))
        cause = Cause(step.command_id, step.actor, step.at, correlation_id, because)
        outcome = await recorder.record(ticket_id, step.wish, cause)
        commits.append(outcome.recorded.commit.commit_id if outcome.recorded else None)
        for service in services:
            await _look_back(recorder, outcome, replace(cause, causation_id=commits[-1]), service, until=end)
    return (await store.load(ticket_id)).commits


async def _look_back(
    recorder: Recorder, outcome: Outcome, cause: Cause, service: Hindsight, *, until: datetime
) -> None:
    """Record what a service would have done between two steps."""
    ticket = outcome.ticket
    at: datetime | None = cause.at + SOON
    while at is not None and at < until:
        looking = replace(cause, command_id=new_id(), actor=service.actor, at=at)
        ticket = (await recorder.record(ticket.id, await service.wish(ticket, at), looking)).ticket
        at = service.next_look(ticket, at)
