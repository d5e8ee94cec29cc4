"""Rules that open another ticket."""

from deskwire_shared.contracts.facts import Linked, Opened, Routed, RuleApplied
from deskwire_shared.testing.ticket import TICKET_ID
from deskwire_shared.ticket.commands import ChangeTags
from deskwire_shared.ticket.limits import SUBJECT_LENGTH
from routing_desk import a_rule, a_team, another_replica, opening, routing_desk

OPEN = opening(message_id="m1")
CALL = {"do": "open_follow_up", "subject": "Call {{ customer.name }}", "text": "They asked for it.", "tags": ["call"]}


async def test_a_follow_up_is_opened_with_the_note_of_why_or_not_at_all() -> None:
    desk = await routing_desk(r1=a_rule(CALL, conditions=from_mail()))
    ticket = await desk.after(OPEN)
    (link,) = ticket.links
    assert await desk.facts() == [Opened, RuleApplied, Linked]
    follow_up = await desk.ticket(link.ticket_id)
    assert (follow_up.subject, follow_up.number, follow_up.tags) == ("Call Cora Customer", link.number, ("call",))
    assert [one.ticket_id for one in follow_up.links] == [TICKET_ID]
    (ruled,) = [commit for commit in await desk.commits() if commit.actor.kind == "rule"]
    (opened,) = await desk.commits(link.ticket_id)
    assert (opened.causation_id, opened.correlation_id) == (ruled.causation_id, ruled.correlation_id)


async def test_rules_find_a_place_for_a_follow_up_but_open_none_for_it() -> None:
    desk = await routing_desk(
        call=a_rule(CALL), place=a_rule({"do": "set_team", "team_id": "support"}), support=a_team(assignment="manual")
    )
    ticket = await desk.after(OPEN)
    assert await desk.facts(ticket.links[0].ticket_id) == [Opened, Linked, RuleApplied, Routed]


async def test_a_follow_up_told_of_twice_is_opened_once() -> None:
    desk = await routing_desk(r1=a_rule(CALL, conditions=from_mail()))
    await desk.after(OPEN)
    last = desk.store.last
    desk.heard = 0
    await desk.settle()
    assert desk.store.last == last


def from_mail() -> dict[str, object]:
    return {"all": [{"field": "ticket.channel", "op": "is", "value": "email"}]}


async def test_a_customer_with_the_longest_of_subjects_gets_a_follow_up_too() -> None:
    desk = await routing_desk(r1=a_rule({**CALL, "subject": "Call: {{ ticket.subject }}"}, conditions=from_mail()))
    ticket = await desk.after(opening(message_id="m1", subject="x" * SUBJECT_LENGTH))
    assert (await desk.ticket(ticket.links[0].ticket_id)).subject == f"Call: {'x' * (SUBJECT_LENGTH - 6)}"


async def test_a_follow_up_that_no_ticket_could_be_is_not_opened_and_keeps_nothing_else_from_being_done() -> None:
    text = "{{ ticket.subject }}" * 300
    desk = await routing_desk(
        r1=a_rule({**CALL, "text": text}, conditions=from_mail(), order=1),
        r2=a_rule({"do": "add_tags", "tags": ["seen"]}, order=2),
    )
    ticket = await desk.after(opening(message_id="m1", subject="x" * SUBJECT_LENGTH))
    assert (ticket.links, ticket.tags) == ((), ("seen",))


async def test_a_follow_up_that_rules_wish_for_only_once_the_ticket_has_changed_is_opened_with_a_number() -> None:
    tagged = {"all": [{"field": "ticket.tags", "op": "contains", "value": "call"}]}
    desk = await routing_desk(r1=a_rule({"do": "add_tags", "tags": ["seen"]}), r2=a_rule(CALL, conditions=tagged))
    elsewhere = another_replica(desk.store, desk.directory, desk.clock, desk.claims, desk.timers)
    await desk.do(OPEN)
    await elsewhere.do(ChangeTags(add=("call",)))
    await desk.settle()
    (link,) = (await desk.ticket()).links
    assert (await desk.ticket(link.ticket_id)).number == link.number > 0
