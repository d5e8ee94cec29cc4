"""What the actions of rules, macros and escalations come to on a ticket: one vocabulary, turned into its commands."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never, get_args

from deskwire_shared.contracts.actions import (
    Action,
    AddFollowers,
    AddTags,
    CallWebhook,
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
from deskwire_shared.contracts.facts import Priority
from deskwire_shared.contracts.placeholders import fill
from deskwire_shared.contracts.staff import Team
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.acting import Acting, Staff
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
    RequestWebhook,
    RouteTicket,
    SendReply,
    Several,
    SingleCommand,
    UnassignTicket,
)
from deskwire_shared.ticket.hindrances import AUTOMATIC, hindrance
from deskwire_shared.ticket.state import Ticket

PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)


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
    found = [hindrance(action, ticket, staff, acting) for _, action in numbered]
    possible = [one for one, trouble in zip(numbered, found, strict=True) if trouble is None]
    follow_ups = tuple(
        FollowUp(ticket_id=acting.made_id("follow-up", n), action=a, message_id=acting.made_id("message", n))
        for n, a in possible
        if isinstance(a, OpenFollowUp)
    )
    translation = Translation(ticket=ticket, staff=staff, acting=acting, numbers=numbers or {})
    commands = tuple(translation.of(a, n) for n, a in possible)
    return Deeds(commands=commands, follow_ups=follow_ups, troubles=tuple(filter(None, found)))


def opening(follow_up: FollowUp, source: Ticket, number: int) -> Several:
    """Write down how a follow-up begins: the customer of the first ticket, the words of the action.

    The customer's own subject may stand in the new one, which is cut to what a ticket takes.
    """
    action, values = follow_up.action, values_of(source)
    assert source.requester is not None
    opened = OpenTicket(
        message_id=follow_up.message_id,
        channel=AUTOMATIC,
        author=source.requester,
        requester_id=source.requester_id,
        subject=fill(action.subject, values)[: limits.SUBJECT_LENGTH],
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """Turns what somebody does to a ticket into commands; `numbers` has those of follow-ups, by their ids."""

    ticket: Ticket
    staff: Staff
    acting: Acting
    numbers: Mapping[str, int] = field(default_factory=dict)

    def of(self, action: Action, number: int) -> SingleCommand:  # noqa: C901, PLR0911, PLR0912 - one case per action
        """Turn the action of a number into a command."""
        match action:
            case SetTeam(team_id=team_id):
                return RouteTicket(team_id=team_id, rule_id=self.acting.rule_id, reason=self.acting.reason)
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
                return ChangeFollowers(add=self.staff.active(agent_ids))
            case RemoveFollowers(agent_ids=agent_ids):
                return ChangeFollowers(remove=agent_ids)
            case NotifyAgents():
                return self._note(number, self._notice(action), _mentioned(action, self.ticket, self.staff))
            case WriteNote(text=text):
                return self._note(number, text)
            case WriteReply():
                return self._reply(number, action)
            case OpenFollowUp():
                ticket_id = self.acting.made_id("follow-up", number)
                return LinkTicket(ticket_id=ticket_id, number=self.numbers.get(ticket_id, 0), kind="follow_up")
            case CallWebhook(webhook_id=webhook_id):
                return self._call(number, webhook_id)
            case _:
                assert_never(action)

    def _notice(self, action: NotifyAgents) -> str:
        reason = self.acting.reason
        sentence = f"{reason[0].upper()}{reason[1:]}." if reason else ""
        return "\n\n".join(filter(None, (sentence, action.text))) or NOTICE

    def _call(self, number: int, webhook_id: str) -> RequestWebhook:
        webhook = self.staff.webhooks.get(webhook_id)
        return RequestWebhook(
            request_id=self.acting.made_id("webhook", number),
            webhook_id=webhook_id,
            webhook_name=webhook.name if webhook else "",
            asked_by=self.acting.asked_by,
            asker_id=self.acting.asker_id,
            asker_name=self.acting.asker_name,
        )

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


def _mentioned(action: NotifyAgents, ticket: Ticket, staff: Staff) -> tuple[str, ...]:
    named = [*action.agent_ids, *([ticket.assignee_id] if action.assignee and ticket.assignee_id else ())]
    team = [one for one, agent in staff.agents.items() if action.team and ticket.team_id in agent.team_ids]
    return tuple(dict.fromkeys((*staff.active(named), *team)))[: limits.MENTIONS]
