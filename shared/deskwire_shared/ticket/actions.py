"""What the actions of rules and macros come to on a ticket: one vocabulary, turned into the ticket's commands."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, assert_never, get_args

from deskwire_shared.contracts.actions import (
    Action,
    AddFollowers,
    AddTags,
    NotifyAgents,
    OpenFollowUp,
    RaisePriority,
    RemoveFollowers,
    RemoveTags,
    SetAssignee,
    SetField,
    SetPriority,
    SetStatus,
    SetSubject,
    SetTeam,
    SetType,
    Unassign,
    WriteNote,
    WriteReply,
)
from deskwire_shared.contracts.directory import Template
from deskwire_shared.contracts.facts import Priority
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.placeholders import fill
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    AddNote,
    AssignTicket,
    ChangeField,
    ChangeFollowers,
    ChangePriority,
    ChangeStatus,
    ChangeSubject,
    ChangeTags,
    ChangeType,
    LinkTicket,
    OpenTicket,
    RouteTicket,
    SendReply,
    Several,
    SingleCommand,
    UnassignTicket,
)
from deskwire_shared.ticket.state import Ticket

PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
AUTOMATIC: Final = "rule"
"""The channel of tickets that nobody wrote."""
MOST_REPLIES: Final = 5
"""Automatic replies on a ticket before a human has to answer: two machines could talk for ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Staff:
    """What an action can name: teams, active agents, templates."""

    teams: Mapping[str, Team]
    agents: Mapping[str, Agent]
    templates: Mapping[str, Template]


NOBODY: Final = Staff(teams={}, agents={}, templates={})


@dataclass(frozen=True, kw_only=True, slots=True)
class Acting:
    """Who acts for what reason; `key` is what the ids of all that is made derive from."""

    agent_id: str
    strategy: str
    key: tuple[str, ...]
    agent_name: str = ""
    rule_id: str | None = None
    automated: bool = True

    def made_id(self, what: str, number: int) -> str:
        """The id of what the action of a number makes; a repeat makes no other."""
        return derived_id(what, *self.key, str(number))


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUp:
    """A ticket that is to be opened beside this one."""

    ticket_id: str
    action: OpenFollowUp
    message_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Deeds:
    """What actions come to: commands, tickets to be opened along, and in `troubles` what is impossible."""

    commands: tuple[SingleCommand, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    troubles: tuple[str, ...] = ()


def deeds(
    actions: Collection[Action], ticket: Ticket, staff: Staff, acting: Acting, numbers: Mapping[str, int] | None = None
) -> Deeds:
    """Turn actions into commands; `numbers` has those of the follow-ups, by their ids, once they are known.

    An assignee comes last, since a move to another team would take them away.
    """
    numbered = sorted(enumerate(actions), key=lambda one: isinstance(one[1], SetAssignee))
    found = [impossible(action, ticket, staff, automated=acting.automated) for _, action in numbered]
    possible = [one for one, trouble in zip(numbered, found, strict=True) if trouble is None]
    follow_ups = tuple(
        FollowUp(ticket_id=acting.made_id("follow-up", n), action=a, message_id=acting.made_id("message", n))
        for n, a in possible
        if isinstance(a, OpenFollowUp)
    )
    commands = tuple(_Carrying(ticket, staff, acting, numbers or {}).command(n, a) for n, a in possible)
    return Deeds(commands=commands, follow_ups=follow_ups, troubles=tuple(filter(None, found)))


def impossible(action: Action, ticket: Ticket, staff: Staff, *, automated: bool) -> str | None:  # noqa: PLR0911 - one case per action
    """Say why an action cannot be done, whatever the ticket takes."""
    match action:
        case SetTeam(team_id=team_id) if team_id not in staff.teams:
            return f"there is no team {team_id}"
        case SetAssignee(agent_id=agent_id) if agent_id not in staff.agents:
            return f"agent {agent_id} does not exist or is not active"
        case AddFollowers(agent_ids=agent_ids) if not _active(agent_ids, staff):
            return f"no agent of {', '.join(agent_ids)} exists and is active"
        case WriteReply(template_id=str(template_id)) if not _is_answer(staff.templates.get(template_id)):
            return f"there is no template {template_id} for answers"
        case WriteReply() if automated:
            return _talk_of_machines(ticket)
        case OpenFollowUp(team_id=str(team_id)) if team_id not in staff.teams:
            return f"there is no team {team_id}"
        case OpenFollowUp() if automated and ticket.channel == AUTOMATIC:
            return "a ticket that nobody wrote has no follow-up"
        case _:
            return None


def _is_answer(template: Template | None) -> bool:
    return template is not None and template.active and template.purpose == "answer"


def _talk_of_machines(ticket: Ticket) -> str | None:
    """Say why an automatic reply could begin a conversation of machines."""
    spoken = next((said for said in reversed(ticket.messages) if said.kind == "customer"), None)
    if spoken is not None and spoken.machine is not None:
        return "the customer's last message was written by a machine"
    if sum(1 for _ in _automatic_replies(ticket)) >= MOST_REPLIES:
        return f"{MOST_REPLIES} automatic replies were sent since a human answered"
    return None


def _automatic_replies(ticket: Ticket) -> Iterator[str]:
    for message in reversed(ticket.messages):
        if message.answers_the_customer:
            return
        if message.kind == "agent" and message.automated:
            yield message.id


def opening(follow_up: FollowUp, source: Ticket, number: int) -> Several:
    """Write down how a follow-up begins: the customer of the first ticket, the words of the action."""
    action, values = follow_up.action, values_of(source)
    assert source.requester is not None
    opened = OpenTicket(
        message_id=follow_up.message_id,
        channel=AUTOMATIC,
        author=source.requester,
        requester_id=source.requester_id,
        subject=fill(action.subject, values),
        text=fill(action.text, values),
        number=number,
        priority=action.priority,
        tags=action.tags,
        follow_up_of=source.id,
    )
    routed = (RouteTicket(team_id=action.team_id),) if action.team_id else ()
    back = LinkTicket(ticket_id=source.id, number=source.number, kind="follow_up")
    return Several(commands=(opened, back, *routed))


def values_of(ticket: Ticket, *, agent_name: str = "", team: Team | None = None) -> dict[str, str]:
    """What placeholders stand for."""
    return {
        "agent.name": agent_name,
        "customer.name": ticket.requester.name if ticket.requester else "",
        "team.name": team.name if team else "",
        "ticket.number": str(ticket.number),
        "ticket.priority": ticket.priority,
        "ticket.status": ticket.status.replace("_", " "),
        "ticket.subject": ticket.subject,
    }


@dataclass(frozen=True, slots=True)
class _Carrying:
    """A ticket on which somebody acts."""

    ticket: Ticket
    staff: Staff
    acting: Acting
    numbers: Mapping[str, int]

    def command(self, number: int, action: Action) -> SingleCommand:  # noqa: C901, PLR0911, PLR0912 - one case per action
        match action:
            case SetTeam(team_id=team_id):
                return RouteTicket(team_id=team_id, rule_id=self.acting.rule_id)
            case SetAssignee(agent_id=agent_id):
                return AssignTicket(agent_id=agent_id, strategy=self.acting.strategy)
            case Unassign():
                return UnassignTicket()
            case SetPriority(priority=priority):
                return ChangePriority(priority=priority)
            case RaisePriority():
                return ChangePriority(priority=higher(self.ticket.priority))
            case SetType(ticket_type=ticket_type):
                return ChangeType(ticket_type=ticket_type)
            case SetStatus(status=status):
                return ChangeStatus(status=status)
            case SetSubject(subject=subject):
                return ChangeSubject(subject=subject)
            case SetField(name=name, value=value):
                return ChangeField(name=name, value=value)
            case AddTags(tags=tags):
                return ChangeTags(add=tags)
            case RemoveTags(tags=tags):
                return ChangeTags(remove=tags)
            case AddFollowers(agent_ids=agent_ids):
                return ChangeFollowers(add=_active(agent_ids, self.staff))
            case RemoveFollowers(agent_ids=agent_ids):
                return ChangeFollowers(remove=agent_ids)
            case NotifyAgents():
                return self._note(number, action.text or NOTICE, _mentioned(action, self.ticket, self.staff))
            case WriteNote(text=text):
                return self._note(number, text)
            case WriteReply():
                return self._reply(number, action)
            case OpenFollowUp():
                ticket_id = self.acting.made_id("follow-up", number)
                return LinkTicket(ticket_id=ticket_id, number=self.numbers.get(ticket_id, 0), kind="follow_up")
            case _:
                assert_never(action)

    def _note(self, number: int, text: str, mentions: tuple[str, ...] = ()) -> AddNote:
        return AddNote(
            message_id=self.acting.made_id("message", number),
            agent_id=self.acting.agent_id,
            text=self._filled(text),
            mentions=mentions,
        )

    def _reply(self, number: int, action: WriteReply) -> SendReply:
        template = self.staff.templates.get(action.template_id or "")
        return SendReply(
            message_id=self.acting.made_id("message", number),
            agent_id=self.acting.agent_id,
            text=self._filled(action.text or (template.body if template else "")),
            automated=self.acting.automated,
        )

    def _filled(self, text: str) -> str:
        team = self.staff.teams.get(self.ticket.team_id or "")
        return fill(text, values_of(self.ticket, agent_name=self.acting.agent_name, team=team))


NOTICE: Final = "This ticket needs attention."


def higher(priority: Priority) -> Priority:
    """The next higher priority; the highest stays."""
    return PRIORITIES[min(PRIORITIES.index(priority) + 1, len(PRIORITIES) - 1)]


def _active(agent_ids: Collection[str], staff: Staff) -> tuple[str, ...]:
    return tuple(agent_id for agent_id in agent_ids if agent_id in staff.agents)


def _mentioned(action: NotifyAgents, ticket: Ticket, staff: Staff) -> tuple[str, ...]:
    named = [*action.agent_ids, *([ticket.assignee_id] if action.assignee and ticket.assignee_id else ())]
    team = [one for one, agent in staff.agents.items() if action.team and ticket.team_id in agent.team_ids]
    return tuple(dict.fromkeys((*_active(named, staff), *team)))[: limits.MENTIONS]
