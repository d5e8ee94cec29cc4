"""Changes that concern several tickets: merges, splits, links, and one change for many."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends

from deskwire_intake.api import bodies
from deskwire_intake.api.answers import BulkAnswer, Done
from deskwire_intake.api.asking import Asking, asks
from deskwire_intake.api.bodies import TicketPath
from deskwire_intake.api.macros import carry_out, using_of
from deskwire_intake.api.recording import DoneResponse, Recording, TheRecording, done
from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.facts import LinkKind
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.eventstore.recorder import Outcome, Wish
from deskwire_shared.runtime.problems import PROBLEM_TYPE, problem_of
from deskwire_shared.ticket.commands import (
    AssignTicket,
    ChangePriority,
    ChangeStatus,
    ChangeTags,
    ChangeType,
    LinkTicket,
    MergeTicket,
    OpenTicket,
    ReceiveMerge,
    ReceiveReply,
    RouteTicket,
    Several,
    SingleCommand,
    SplitTicket,
    UnassignTicket,
)
from deskwire_shared.ticket.refusals import UnknownMessage
from deskwire_shared.ticket.state import Message, Ticket

AT_ONCE: Final = 16
OTHER_SIDE: Final[dict[LinkKind, LinkKind]] = {"parent": "child", "child": "parent"}

router = APIRouter(tags=["several tickets"])

Merging = Annotated[Asking, Depends(asks("tickets:merge"))]


@router.post("/tickets/{ticket_id}/merge", response_class=DoneResponse)
async def merge_ticket(ticket_id: TicketPath, body: bodies.MergeBody, recording: TheRecording, asking: Merging) -> Done:
    """Let a ticket live on as another one; both learn of it, or neither."""
    source, target = await asyncio.gather(recording.ticket(ticket_id), recording.ticket(body.into))
    merge = MergeTicket(into=target.id, into_number=target.number)

    def receive(_: Ticket) -> SingleCommand:
        participants = tuple(sorted(source.participants))
        return ReceiveMerge(source=source.id, source_number=source.number, participants=participants)

    if source.id == target.id:  # refused as such by the ticket
        return done(await recording.record(ticket_id, merge, asking))
    return done(await recording.record_together(ticket_id, {ticket_id: lambda _: merge, target.id: receive}, asking))


@router.post("/tickets/{ticket_id}/split", response_class=DoneResponse)
async def split_ticket(ticket_id: TicketPath, body: bodies.SplitBody, recording: TheRecording, asking: Merging) -> Done:
    """Make a ticket of its own out of customers' messages."""
    source = await recording.ticket(ticket_id)
    messages = [_customer_message(source, message_id) for message_id in dict.fromkeys(body.message_ids)]
    new_id = asking.ticket_id
    number = await recording.numbers.take(new_id)
    new = Several(commands=_as_new_ticket(source, messages, new_id, number, body.subject))
    split = SplitTicket(message_ids=tuple(one.id for one in messages), into=new_id, into_number=number)
    wishes: dict[str, Wish] = {ticket_id: lambda _: split, new_id: lambda _: new}
    return done(await recording.record_together(ticket_id, wishes, asking), split_off=new_id)


def _customer_message(ticket: Ticket, message_id: str) -> Message:
    """A message that can be split off; agents' words would be sent once more. Raises UnknownMessage."""
    message = ticket.message(message_id)
    if message is None or message.kind != "customer" or message.redacted:
        raise UnknownMessage(message_id)
    return message


def _as_new_ticket(
    source: Ticket, messages: list[Message], new_id: str, number: int, subject: str | None
) -> tuple[SingleCommand, ...]:
    first, *others = messages
    opening = OpenTicket(
        **_words(first, new_id, subject or first.subject or source.subject),
        number=number,
        requester_id=first.author,
        priority=source.priority,
    )
    replies = (ReceiveReply(**_words(one, new_id, one.subject), author_id=one.author) for one in others)
    return (opening, *replies, LinkTicket(ticket_id=source.id, number=source.number, kind="split"))


def _words(message: Message, new_id: str, subject: str) -> dict[str, Any]:
    """What the customer said, as the fields of `CustomerWords`."""
    assert message.address is not None
    return {
        "message_id": derived_id("split off", new_id, message.id),
        "channel": message.channel,
        "channel_id": message.channel_id,
        "conversation": message.conversation,
        "author": message.address,
        "text": message.text,
        "html": message.html,
        "subject": subject,
        "to": message.to,
        "cc": message.cc,
        "internet_message_id": message.internet_message_id,
        "references": message.references,
        "attachments": message.attachments,
        "machine": message.machine,
        "spam": message.spam,
        "protection": message.protection,
        "authentication": message.authentication,
    }


@router.post("/tickets/{ticket_id}/links", response_class=DoneResponse)
async def link_ticket(
    ticket_id: TicketPath,
    body: bodies.LinkBody,
    recording: TheRecording,
    asking: Annotated[Asking, Depends(asks("tickets:write"))],
) -> Done:
    """Say that two tickets have to do with each other; both learn of it, or neither."""
    source, target = await asyncio.gather(recording.ticket(ticket_id), recording.ticket(body.ticket_id))
    there = LinkTicket(ticket_id=target.id, number=target.number, kind=body.kind)
    back = LinkTicket(ticket_id=source.id, number=source.number, kind=OTHER_SIDE.get(body.kind, body.kind))
    if source.id == target.id:  # refused as such by the ticket
        return done(await recording.record(ticket_id, there, asking))
    wishes: dict[str, Wish] = {ticket_id: lambda _: there, target.id: lambda _: back}
    return done(await recording.record_together(ticket_id, wishes, asking))


@router.post("/bulk")
async def change_many(
    body: bodies.Bulk, recording: TheRecording, asking: Annotated[Asking, Depends(asks("tickets:read"))]
) -> list[BulkAnswer]:
    """Change many tickets in the same way, or use a macro on each; each is answered for by itself."""
    change_one = _changing(body.change, recording, asking) if body.change else _using(body.macro_id, recording, asking)
    slots = asyncio.Semaphore(AT_ONCE)
    ids = tuple(dict.fromkeys(body.ticket_ids))
    return list(await asyncio.gather(*(_change_one(ticket_id, change_one, slots) for ticket_id in ids)))


ChangeOne = Callable[[str], Awaitable[Outcome]]


def _changing(change: bodies.BulkChange, recording: Recording, asking: Asking) -> ChangeOne:
    for permission in _permissions(change):
        asking.principal.require(permission)
    recording.require_team(change.team_id)
    recording.require_agent(change.agent_id)
    commands = Several(commands=_commands(change))
    return lambda ticket_id: recording.record(ticket_id, lambda _: commands, asking)


def _using(macro_id: str | None, recording: Recording, asking: Asking) -> ChangeOne:
    assert macro_id is not None
    using_of(macro_id, "", recording, asking)  # nobody is asked about the first ticket when the macro is not there

    def use(ticket_id: str) -> Awaitable[Outcome]:
        return carry_out(using_of(macro_id, ticket_id, recording, asking), ticket_id, recording, asking)

    return use


async def _change_one(ticket_id: str, change: ChangeOne, slots: asyncio.Semaphore) -> BulkAnswer:
    async with slots:
        try:
            outcome = done(await change(ticket_id))
        except Exception as error:  # noqa: BLE001  # what is no known problem is raised again
            described = problem_of(error)
            return BulkAnswer(ticket_id=ticket_id, status=described.status, problem=described.marshal(uri=PROBLEM_TYPE))
    return BulkAnswer(ticket_id=ticket_id, status=HTTPStatus.OK, version=outcome.version, sequence=outcome.sequence)


def _permissions(change: bodies.BulkChange) -> set[Permission]:
    assigning = {"team_id", "agent_id"} & change.model_fields_set
    writing = change.model_fields_set - assigning
    needed: set[Permission] = {"tickets:write"} if writing else set()
    return needed | ({"tickets:assign"} if assigning else set())


def _commands(change: bodies.BulkChange) -> tuple[SingleCommand, ...]:
    named, commands = change.model_fields_set, list[SingleCommand]()
    if change.priority is not None:
        commands.append(ChangePriority(priority=change.priority))
    if "ticket_type" in named:
        commands.append(ChangeType(ticket_type=change.ticket_type))
    if change.add_tags or change.remove_tags:
        commands.append(ChangeTags(add=change.add_tags, remove=change.remove_tags))
    if "team_id" in named:
        commands.append(RouteTicket(team_id=change.team_id))
    if "agent_id" in named:
        commands.append(UnassignTicket() if change.agent_id is None else AssignTicket(agent_id=change.agent_id))
    if change.status is not None:
        commands.append(ChangeStatus(status=change.status))
    return tuple(commands)
