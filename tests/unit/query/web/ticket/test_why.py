"""Why something on a ticket is as it is: the panel below a change, and the same in the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from deskwire_query.reading.explanations import explanations, names_in, told
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import (
    Assigned,
    AssignmentDecision,
    Considered,
    PriorityChanged,
    Routed,
    RuleApplied,
    StatusChanged,
)
from deskwire_shared.contracts.staff import Team
from deskwire_shared.eventstore.codec import Codec
from query_desk import ADA, ticket_id
from web_desk import WebDesk, web_desk

BY_RULE = Actor(kind="rule", id="routing")
BY_ROUTING = Actor(kind="system", id="routing")
FIRE = RuleApplied(
    rule_id="r1", rule_name="Fire & smoke", rule_revision=3, trigger="opened",
    conditions=("ticket.subject contains <b>fire</b>",),
)  # fmt: skip
DECISION = AssignmentDecision(
    team_id="support", reason="they have the least work: 1 open, weight 2", candidates=5,
    considered=(
        Considered(agent_id="ada", open_tickets=1, capacity=5, verdict="chosen"),
        Considered(agent_id="bob", open_tickets=7, verdict="able"),
        Considered(agent_id="cid", open_tickets=3, capacity=3, verdict="full"),
        Considered(agent_id="dan", open_tickets=0, verdict="lacks the skill french"),
        Considered(agent_id="eve", open_tickets=0, verdict="away"),
    ),
)  # fmt: skip


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebDesk]:
    """A workspace with a ticket that a rule put into a queue, and routing into hands."""
    async with web_desk(f"sqlite+aiosqlite:///{tmp_path}/desk.db") as built:
        await built.hire()
        built.sign_in()
        await built.desk.directory.put("support", Team(name="Support"), actor=ADA)
        await built.desk.open(7)
        await built.desk.add(7, FIRE, Routed(team_id="support", rule_id="r1"), actor=BY_RULE, because=1)
        assigned = Assigned(agent_id="ada", strategy="least_loaded", decision=DECISION)
        await built.desk.add(7, assigned, actor=BY_ROUTING, because=2)
        await built.desk.add(7, PriorityChanged(before="normal", after="high"), actor=ADA)
        yield built


async def test_whatever_no_human_did_can_be_asked_about(web: WebDesk) -> None:
    page = await web.page("/tickets/7")
    for version in (2, 3, 4):
        assert f'data-why="/tickets/{ticket_id(7)}/why/{version}"' in page
    assert f"/tickets/{ticket_id(7)}/why/5" not in page


async def test_an_assignment_is_explained_down_to_the_mail(web: WebDesk) -> None:
    panel = await web.page(f"/tickets/{ticket_id(7)}/why/4")
    assert "Ada Agent was chosen by least loaded in Support: they have the least work: 1 open, weight 2." in panel
    assert "Ada Agent: chosen, 1 of 5 open tickets." in panel
    for loser in (
        "bob: could have taken it, 7 open tickets against 1.", "cid: full, 3 of 3 open tickets.",
        "dan: lacks the skill french, 0 open tickets.", "eve: away, 0 open tickets.",
    ):  # fmt: skip
        assert loser in panel
    began = panel.index(f'href="#m1-{ticket_id(7)}"')
    assert began < panel.index(f'href="#v2-{ticket_id(7)}"')


async def test_what_is_told_is_text_and_never_mark_up(web: WebDesk) -> None:
    panel = await web.page(f"/tickets/{ticket_id(7)}/why/3")
    assert "Rule “Fire &amp; smoke”, revision 3, because the ticket was opened." in panel
    assert "&lt;b&gt;fire&lt;/b&gt;" in panel


async def test_what_is_no_change_has_nothing_to_explain(web: WebDesk) -> None:
    for address in (f"/tickets/{ticket_id(7)}/why/1", f"/tickets/{ticket_id(7)}/why/99", "/tickets/none/why/2"):
        await web.page(address, status=404)


async def test_who_is_not_signed_in_is_told_nothing(web: WebDesk) -> None:
    web.browser.cookies.clear()
    assert (await web.browser.get(f"/tickets/{ticket_id(7)}/why/4")).status_code in {303, 401}


async def test_the_api_tells_rule_reasons_and_causes_apart(web: WebDesk) -> None:
    await web.desk.add(7, StatusChanged(before="new", after="open"), actor=ADA)
    name = names_in(web.desk.directory)
    found = [told(one, name) for one in await explanations(web.desk.reader, Codec(web.desk.history.keys), ticket_id(7))]
    noted, routed, assigned, by_hand, _ = found
    assert noted.rule is not None
    assert (noted.rule.id, noted.rule.revision, noted.rule.conditions) == ("r1", 3, FIRE.conditions)
    assert routed.rule == noted.rule
    assert [(cause.version, cause.fact) for cause in assigned.causes] == [
        (2, "ticket.rule_applied.v1"),
        (1, "ticket.opened.v1"),
    ]
    assert (by_hand.rule, by_hand.causes, by_hand.reasons) == (None, (), ())
