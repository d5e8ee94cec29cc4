"""Opening tickets and talking on them."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from deskwire_intake.api import bodies
from deskwire_intake.api.answers import Done, Found
from deskwire_intake.api.asking import Asking, asks
from deskwire_intake.api.bodies import MessageId, TicketPath
from deskwire_intake.api.recording import DoneResponse, TheRecording, done
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.facts import Address
from deskwire_shared.runtime.http_access import requires
from deskwire_shared.ticket.commands import (
    AddNote,
    AssignTicket,
    ChangeField,
    OpenTicket,
    RateTicket,
    RedactMessage,
    RouteTicket,
    SendReply,
    Several,
    SingleCommand,
    WithdrawReply,
)
from deskwire_shared.ticket.refusals import TicketDoesNotExist

router = APIRouter(tags=["tickets"])


@router.post("/tickets", status_code=HTTPStatus.CREATED, response_class=DoneResponse)
async def open_ticket(
    body: bodies.Opening, recording: TheRecording, asking: Annotated[Asking, Depends(asks("tickets:write"))]
) -> Done:
    """Open a ticket on behalf of a customer."""
    recording.require_team(body.team_id)
    recording.require_agent(body.agent_id)
    ticket_id, customers = asking.ticket_id, recording.customers
    requester_id, author = customers.id_of(body.requester.address), _address(body.requester)
    number, known, attachments = await asyncio.gather(
        recording.numbers.take(ticket_id), customers.find(requester_id), recording.attachments(body.attachments)
    )
    message_id = asking.made_id("message")
    opening = OpenTicket(
        message_id=message_id,
        channel=body.channel,
        author=author,
        text=body.text,
        html=body.html,
        subject=body.subject,
        number=number,
        requester_id=requester_id,
        priority=body.priority,
        ticket_type=body.ticket_type,
        tags=body.tags,
        attachments=attachments,
    )
    more = _at_opening(body)
    command = Several(commands=(opening, *more)) if more else opening
    opened = recording.record_new(ticket_id, command, asking)
    outcome = await (opened if known else customers.enter_while(opened, requester_id, author))
    return done(outcome, message_id=message_id)


def _at_opening(body: bodies.Opening) -> tuple[SingleCommand, ...]:
    """What is wished along with the opening."""
    fields = tuple(ChangeField(name=name, value=value) for name, value in body.fields.items())
    routed = (RouteTicket(team_id=body.team_id),) if body.team_id else ()
    assigned = (AssignTicket(agent_id=body.agent_id),) if body.agent_id else ()
    return (*fields, *routed, *assigned)


@router.get("/tickets/by-number/{number}")
async def find_by_number(
    number: Annotated[int, Path(ge=1, le=2**53)],
    recording: TheRecording,
    principal: Annotated[Principal, Depends(requires("tickets:read"))],
) -> Found:
    """Find the id of a ticket by its number."""
    del principal
    ticket_id = await recording.numbers.ticket_of(number)
    ticket = await recording.ticket(ticket_id) if ticket_id is not None else None
    if ticket is None or ticket.number != number:
        raise TicketDoesNotExist(f"number {number}")
    return Found(ticket_id=ticket.id, number=number)


@router.post("/tickets/{ticket_id}/replies", response_class=DoneResponse)
async def reply(
    ticket_id: TicketPath,
    body: bodies.Reply,
    recording: TheRecording,
    asking: Annotated[Asking, Depends(asks("tickets:reply"))],
) -> Done:
    """Answer the customer; without `to` the requester is answered."""
    message_id = asking.made_id("message")
    command = SendReply(
        message_id=message_id,
        agent_id=asking.principal.id,
        text=body.text,
        html=body.html,
        to=_addresses(body.to),
        cc=_addresses(body.cc),
        attachments=await recording.attachments(body.attachments),
        deliver_after=asking.at + timedelta(seconds=body.undo_seconds) if body.undo_seconds else None,
        status=body.status,
    )
    return done(await recording.record(ticket_id, command, asking), message_id=message_id)


@router.delete("/tickets/{ticket_id}/replies/{message_id}", response_class=DoneResponse)
async def withdraw_reply(
    ticket_id: TicketPath,
    message_id: MessageId,
    recording: TheRecording,
    asking: Annotated[Asking, Depends(asks("tickets:reply"))],
) -> Done:
    """Take an answer back that has not left the desk."""
    command = WithdrawReply(message_id=message_id, at=asking.at)
    return done(await recording.record(ticket_id, command, asking), message_id=message_id)


@router.post("/tickets/{ticket_id}/notes", response_class=DoneResponse)
async def add_note(
    ticket_id: TicketPath,
    body: bodies.Note,
    recording: TheRecording,
    asking: Annotated[Asking, Depends(asks("tickets:note"))],
) -> Done:
    """Leave a note that no customer sees."""
    message_id = asking.made_id("message")
    command = AddNote(
        message_id=message_id,
        agent_id=asking.principal.id,
        text=body.text,
        mentions=body.mentions,
        attachments=await recording.attachments(body.attachments),
    )
    return done(await recording.record(ticket_id, command, asking), message_id=message_id)


@router.post("/tickets/{ticket_id}/redactions", response_class=DoneResponse)
async def redact_message(
    ticket_id: TicketPath,
    body: bodies.Redaction,
    recording: TheRecording,
    asking: Annotated[Asking, Depends(asks("tickets:write"))],
) -> Done:
    """Hide the words of a message for good."""
    command = RedactMessage(message_id=body.message_id, agent_id=asking.principal.id, reason=body.reason)
    return done(await recording.record(ticket_id, command, asking), message_id=body.message_id)


@router.post("/tickets/{ticket_id}/rating", response_class=DoneResponse)
async def rate_ticket(
    ticket_id: TicketPath,
    body: bodies.RatingBody,
    recording: TheRecording,
    asking: Annotated[Asking, Depends(asks("tickets:write"))],
) -> Done:
    """Note how it went, in the customer's eyes."""
    return done(await recording.record(ticket_id, RateTicket(score=body.score, comment=body.comment), asking))


def _addresses(people: tuple[bodies.Person, ...]) -> tuple[Address, ...]:
    return tuple(map(_address, people))


def _address(person: bodies.Person) -> Address:
    return Address(address=person.address, name=person.name)
