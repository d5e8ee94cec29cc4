"""What past tickets would have met and missed under a draft."""

from random import Random
from typing import Any

import pytest

from deskwire_shared.contracts.directory import Calendar, Customer
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.subjects import ticket_subject
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.follower import Delivery
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.testing.ticket import CUSTOMER_ID
from deskwire_sla.drafts import Draft, DraftIncomplete
from deskwire_sla.rehearsal import Rehearsal, Rehearsing, TooManyTickets
from sla_fortnight import PEOPLE, Desk
from sla_script import (
    DAY,
    END,
    HOUR,
    MINUTE,
    OFFICE,
    STANDARD,
    Change,
    Happening,
    Life,
    changes,
    lives,
    moment,
    targets,
)

AT_ONCE = [change for change in changes() if change.second == 0]


async def a_desk(script: list[Life], *stored: Change) -> Desk:
    """A desk that has lived through a script under policies that never changed."""
    desk = Desk(len(script))
    await desk.live(script, list(stored))
    return desk


async def deliveries(desk: Desk) -> list[Delivery]:
    """The log as it is followed."""
    codec, found = Codec(MemoryKeyRing()), []
    for sequence, (ticket_id, raw) in enumerate(desk.store._stored, 1):
        commit = await codec.decode(raw, unsealed=False)
        headers = {FACTS_HEADER: ",".join(fact.type for fact in commit.facts)}
        found.append(Delivery(sequence, ticket_subject(ticket_id), raw, headers, 0))
    return found


async def rehearsed(desk: Desk, draft: Draft, **changes: Any) -> Rehearsal:
    usual: dict[str, Any] = {"since": moment(0), "until": moment(END), "now": moment(END), "most_tickets": 10_000}
    codec = Codec(desk.keys)
    rehearsing = Rehearsing(directory=desk.directory, codec=codec, draft=draft, **usual | changes)
    await rehearsing.take(await deliveries(desk))
    return rehearsing.report()


def a_draft(**policies: dict[str, Any]) -> Draft:
    return Draft({policy_id: SlaPolicy.model_validate(document) for policy_id, document in policies.items()})


def total(found: Rehearsal, what: str) -> int:
    return sum(getattr(figures, what) for figures in found.figures)


async def test_the_policies_that_held_change_nothing() -> None:
    desk = await a_desk(lives(200, Random(1)), *AT_ONCE)
    found = await rehearsed(desk, a_draft(standard=STANDARD))
    assert (found.changed, found.first_changed, found.tickets) == (0, (), 200)
    assert (total(found, "kept"), total(found, "missed")) == (total(found, "draft_kept"), total(found, "draft_missed"))
    assert total(found, "kept") > 100
    assert total(found, "missed") > 100


async def test_a_draft_gives_what_would_have_been_noted_had_it_been_the_policy() -> None:
    script = lives(200, Random(2))
    other = {
        **STANDARD,
        "targets": targets(first_response=1, periodic_update=4, resolution=10),
        "pause_on": ["pending"],
    }
    longer_days = {**OFFICE, "hours": {**OFFICE["hours"], "sat": [["10:00", "16:00"]]}}  # type: ignore[dict-item]
    desk = await a_desk(script, *AT_ONCE)
    draft = Draft({"standard": SlaPolicy.model_validate(other)}, {"office": Calendar.model_validate(longer_days)})
    found = await rehearsed(desk, draft)
    one_that_had_it = await a_desk(
        script,
        *(change for change in AT_ONCE if change.id not in {"office", "standard"}),
        Change(0, "calendar", "office", longer_days),
        Change(0, "sla_policy", "standard", other),
    )
    had_it = await rehearsed(one_that_had_it, draft)
    assert had_it.changed == 0
    drafted = {(one.team_id, one.priority, one.metric): (one.draft_kept, one.draft_missed) for one in found.figures}
    recorded = {(one.team_id, one.priority, one.metric): (one.kept, one.missed) for one in had_it.figures}
    assert {key: counts for key, counts in drafted.items() if counts != (0, 0)} == recorded
    assert found.changed > 50


async def test_a_rehearsal_leaves_the_log_and_the_directory_alone() -> None:
    desk = await a_desk(lives(20, Random(3)), *AT_ONCE)
    before, policies = list(desk.store._stored), desk.directory.all(SlaPolicy)
    await rehearsed(desk, a_draft(standard={**STANDARD, "targets": targets(resolution=1)}))
    assert desk.store._stored == before
    assert desk.directory.all(SlaPolicy) == policies


def an_answered_ticket(**changes: Any) -> Life:
    """Opened on Monday at nine in UTC, answered two hours later."""
    opened = 3 * DAY + 9 * HOUR
    return Life(**{"number": 7, "opened": opened, "priority": "normal", "is_vip": False,
                   "happenings": [Happening(opened + 2 * HOUR, "agent answers")], **changes})  # fmt: skip


ALWAYS = {"name": "Always", "targets": targets(first_response=3)}


async def test_a_promise_that_a_draft_would_have_missed_is_named() -> None:
    desk = await a_desk([an_answered_ticket()], Change(0, "sla_policy", "always", ALWAYS))
    found = await rehearsed(desk, a_draft(always={**ALWAYS, "targets": targets(first_response=1)}))
    (change,) = found.first_changed
    assert (change.number, change.metric, change.recorded, change.draft) == (7, "first_response", "kept", "missed")
    (figures,) = found.figures
    assert (figures.kept, figures.missed, figures.draft_kept, figures.draft_missed) == (1, 0, 0, 1)


async def test_a_new_policy_is_rehearsed_beside_those_that_are_there() -> None:
    desk = await a_desk(
        [an_answered_ticket(), an_answered_ticket(number=8, is_vip=True)], Change(0, "sla_policy", "always", ALWAYS)
    )
    vip = {"all": [{"field": "ticket.tags", "op": "contains", "value": "vip"}]}
    found = await rehearsed(
        desk, a_draft(vip={**ALWAYS, "order": 1, "conditions": vip, "targets": targets(first_response=1)})
    )
    assert [(change.number, change.draft) for change in found.first_changed] == [(8, "missed")]


async def test_only_tickets_opened_in_the_span_are_lived_through() -> None:
    script = [an_answered_ticket(), an_answered_ticket(number=8, opened=10 * DAY, happenings=[])]
    desk = await a_desk(script, Change(0, "sla_policy", "always", ALWAYS))
    found = await rehearsed(desk, a_draft(always=ALWAYS), since=moment(9 * DAY), until=moment(11 * DAY))
    assert (found.tickets, total(found, "kept"), total(found, "missed")) == (1, 0, 1)


async def test_a_promise_that_ends_after_the_span_counts_all_the_same() -> None:
    desk = await a_desk([an_answered_ticket()], Change(0, "sla_policy", "always", ALWAYS))
    opened = an_answered_ticket().opened
    found = await rehearsed(desk, a_draft(always=ALWAYS), since=moment(opened), until=moment(opened + MINUTE))
    assert total(found, "draft_kept") == 1


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"field": "message.text", "op": "contains", "value": "?"}, True),
        ({"field": "message.text", "op": "contains", "value": "erased"}, False),
        ({"field": "ticket.requester", "op": "is", "value": "cora@example.org"}, True),
        ({"field": "customer.locale", "op": "is", "value": "de"}, True),
        ({"field": "customer.locale", "op": "is", "value": "fr"}, False),
        ({"field": "ticket.channel", "op": "is", "value": "email"}, True),
    ],
)
async def test_a_draft_may_ask_about_words_and_customers(condition: dict[str, Any], holds: bool) -> None:
    desk = await a_desk([an_answered_ticket()])
    await desk.directory.put(CUSTOMER_ID, Customer(address="cora@example.org", locale="de"), actor=PEOPLE)
    found = await rehearsed(desk, a_draft(new={**ALWAYS, "conditions": {"all": [condition]}}))
    assert (total(found, "draft_kept") == 1) == holds


async def test_escalations_of_a_draft_are_not_acted_out() -> None:
    desk = await a_desk([an_answered_ticket()])
    escalations = [{"when": "breached", "actions": [{"do": "set_priority", "priority": "urgent"}]}]
    found = await rehearsed(
        desk, a_draft(new={**ALWAYS, "targets": targets(first_response=1), "escalations": escalations})
    )
    assert [(one.priority, one.draft_missed) for one in found.figures] == [("normal", 1)]


async def test_a_draft_without_its_calendar_is_refused() -> None:
    desk = await a_desk([])
    with pytest.raises(DraftIncomplete, match="the policy standard needs the calendar office, which does not exist"):
        await rehearsed(desk, a_draft(standard=STANDARD))
    with pytest.raises(DraftIncomplete, match="no policy uses the calendar moon"):
        await rehearsed(desk, Draft({}, {"moon": Calendar.model_validate(OFFICE)}))


async def test_more_tickets_than_the_limit_are_refused() -> None:
    desk = await a_desk([an_answered_ticket(), an_answered_ticket(number=8)])
    with pytest.raises(TooManyTickets, match="more than 1 tickets"):
        await rehearsed(desk, a_draft(always=ALWAYS), most_tickets=1)
