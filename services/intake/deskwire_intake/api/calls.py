"""Phone calls that agents tell of: a call opens a ticket, or is noted on one with the time it took."""

from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints, model_validator

from deskwire_intake.api.answers import Done
from deskwire_intake.api.asking import Asking, asks
from deskwire_intake.api.bodies import MOST, Body, DocumentId, Line, ShortLine, TicketId
from deskwire_intake.api.recording import DoneResponse, Recording, TheRecording, done
from deskwire_intake.channels.phone import (
    LONGEST_CALL,
    PHONE,
    Direction,
    activity,
    call_note,
    call_subject,
    caller_of,
)
from deskwire_intake.ledger.entering import decision_of
from deskwire_shared.contracts.document import Tag
from deskwire_shared.contracts.facts import Priority
from deskwire_shared.contracts.intake_ledger import LedgerEntry
from deskwire_shared.eventstore.recorder import Outcome
from deskwire_shared.ticket.commands import AddNote, LogTime, OpenTicket, RouteTicket, Several, SingleCommand

PhoneNumber = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()./-]{1,30}$", strip_whitespace=True)]

router = APIRouter(tags=["calls"])


class Caller(Body):
    """The other end of a call."""

    number: PhoneNumber
    name: ShortLine = ""


class Call(Body):
    """A call; with `ticket_id` it is noted there, else it opens a ticket."""

    caller: Caller
    direction: Direction = "inbound"
    notes: Annotated[str, StringConstraints(min_length=1)]
    seconds: Annotated[int, Field(ge=0, le=LONGEST_CALL)] = 0
    ticket_id: TicketId | None = None
    subject: Line | None = None
    priority: Priority = "normal"
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST)] = ()
    team_id: DocumentId | None = None

    @model_validator(mode="after")
    def _opens_or_continues(self) -> Self:
        if self.ticket_id is not None and self.model_fields_set & {"subject", "priority", "tags", "team_id"}:
            raise ValueError("a call that is noted on a ticket changes nothing else of it")
        return self


@router.post("/calls", status_code=HTTPStatus.CREATED, response_class=DoneResponse)
async def log_call(
    body: Call, recording: TheRecording, asking: Annotated[Asking, Depends(asks("tickets:write"))]
) -> Done:
    """Tell of a phone call; it is in the ledger of intake before this is answered."""
    asking.principal.require("tickets:note")
    recording.require_team(body.team_id)
    message_id = asking.made_id("message")
    if body.ticket_id is None:
        outcome = await _open(body, message_id, recording, asking)
    else:
        commands = (_note(body, message_id, asking), *_time(body, asking))
        outcome = await recording.record(body.ticket_id, lambda _: Several(commands=commands), asking)
    await recording.ledger.enter(_ledger_entry(body, outcome, asking))
    return done(outcome, message_id=message_id)


async def _open(body: Call, message_id: str, recording: Recording, asking: Asking) -> Outcome:
    ticket_id, customers = asking.ticket_id, recording.customers
    caller = caller_of(body.caller.number, body.caller.name)
    requester_id = customers.id_of(caller.address)
    number, known = await recording.numbers.take(ticket_id), await customers.find(requester_id)
    opening = OpenTicket(
        message_id=message_id,
        channel=PHONE,
        author=caller,
        text=body.notes,
        subject=body.subject or call_subject(caller, body.direction),
        number=number,
        requester_id=requester_id,
        priority=body.priority,
        tags=body.tags,
    )
    routed = (RouteTicket(team_id=body.team_id),) if body.team_id else ()
    opened = recording.record_new(ticket_id, Several(commands=(opening, *routed, *_time(body, asking))), asking)
    return await (opened if known else customers.enter_while(opened, requester_id, caller))


def _note(body: Call, message_id: str, asking: Asking) -> AddNote:
    caller = caller_of(body.caller.number, body.caller.name)
    text = call_note(caller, body.direction, body.seconds, body.notes)
    return AddNote(message_id=message_id, agent_id=asking.principal.id, text=text)


def _time(body: Call, asking: Asking) -> tuple[SingleCommand, ...]:
    if body.seconds == 0:
        return ()
    return (LogTime(agent_id=asking.principal.id, seconds=body.seconds, activity=activity(body.direction)),)


def _ledger_entry(body: Call, outcome: Outcome, asking: Asking) -> LedgerEntry:
    return LedgerEntry(
        at=asking.at,
        via="phone",
        source=asking.cause.command_id,
        size=len(body.notes.encode("utf-8", "surrogatepass")),
        content_digest=asking.request_id,
        decision=decision_of(outcome),
        ticket_id=outcome.ticket.id,
        number=outcome.ticket.number,
    )
