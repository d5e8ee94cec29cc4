"""Changing what a ticket is about, where it stands and who works on it."""

from typing import Annotated

from fastapi import APIRouter, Depends

from deskwire_intake.api import bodies
from deskwire_intake.api.answers import Done
from deskwire_intake.api.asking import Asking, asks
from deskwire_intake.api.bodies import MessageId, TicketPath
from deskwire_intake.api.recording import DoneResponse, Recording, TheRecording, done
from deskwire_shared.ticket.commands import (
    AddTask,
    AssignTicket,
    ChangeField,
    ChangeFollowers,
    ChangePriority,
    ChangeRequester,
    ChangeStatus,
    ChangeSubject,
    ChangeTags,
    ChangeType,
    CompleteTask,
    LogTime,
    RouteTicket,
    Several,
    SingleCommand,
    SnoozeTicket,
    UnassignTicket,
    WakeTicket,
)

router = APIRouter(tags=["changes"])

Writing = Annotated[Asking, Depends(asks("tickets:write"))]
Assigning = Annotated[Asking, Depends(asks("tickets:assign"))]


@router.patch("/tickets/{ticket_id}", response_class=DoneResponse)
async def change_ticket(ticket_id: TicketPath, body: bodies.Changes, recording: TheRecording, asking: Writing) -> Done:
    """Change properties of a ticket, all of them or none."""
    commands = (*_property_changes(body), *await _requester_change(body, recording))
    return done(await recording.record(ticket_id, lambda _: Several(commands=commands), asking))


def _property_changes(body: bodies.Changes) -> tuple[SingleCommand, ...]:
    commands: list[SingleCommand] = []
    if body.subject is not None:
        commands.append(ChangeSubject(subject=body.subject))
    if body.priority is not None:
        commands.append(ChangePriority(priority=body.priority))
    if "ticket_type" in body.model_fields_set:
        commands.append(ChangeType(ticket_type=body.ticket_type))
    if body.add_tags or body.remove_tags:
        commands.append(ChangeTags(add=body.add_tags, remove=body.remove_tags))
    return (*commands, *(ChangeField(name=name, value=value) for name, value in body.fields.items()))


async def _requester_change(body: bodies.Changes, recording: Recording) -> tuple[SingleCommand, ...]:
    if body.requester is None:
        return ()
    requester_id, requester = await recording.known_customer(body.requester)
    return (ChangeRequester(requester_id=requester_id, requester=requester),)


@router.post("/tickets/{ticket_id}/status", response_class=DoneResponse)
async def change_status(
    ticket_id: TicketPath, body: bodies.StatusBody, recording: TheRecording, asking: Writing
) -> Done:
    """Put a ticket in a status."""
    return done(await recording.record(ticket_id, ChangeStatus(status=body.status), asking))


@router.post("/tickets/{ticket_id}/assignment", response_class=DoneResponse)
async def assign_ticket(
    ticket_id: TicketPath, body: bodies.Assignment, recording: TheRecording, asking: Assigning
) -> Done:
    """Make an agent responsible, or nobody."""
    recording.require_agent(body.agent_id)
    command = UnassignTicket() if body.agent_id is None else AssignTicket(agent_id=body.agent_id)
    return done(await recording.record(ticket_id, command, asking))


@router.post("/tickets/{ticket_id}/team", response_class=DoneResponse)
async def route_ticket(
    ticket_id: TicketPath, body: bodies.TeamBody, recording: TheRecording, asking: Assigning
) -> Done:
    """Put a ticket in a team's queue, or in none."""
    recording.require_team(body.team_id)
    command = RouteTicket(team_id=body.team_id, keep_assignee=body.keep_assignee)
    return done(await recording.record(ticket_id, command, asking))


@router.post("/tickets/{ticket_id}/snooze", response_class=DoneResponse)
async def snooze_ticket(ticket_id: TicketPath, body: bodies.Snooze, recording: TheRecording, asking: Writing) -> Done:
    """Put a ticket out of sight until a moment."""
    command = SnoozeTicket(until=body.until, at=asking.at, agent_id=asking.principal.id)
    return done(await recording.record(ticket_id, command, asking))


@router.post("/tickets/{ticket_id}/wake", response_class=DoneResponse)
async def wake_ticket(ticket_id: TicketPath, recording: TheRecording, asking: Writing) -> Done:
    """Bring a snoozed ticket back in sight."""
    return done(await recording.record(ticket_id, WakeTicket(reason="agent"), asking))


@router.post("/tickets/{ticket_id}/tasks", response_class=DoneResponse)
async def add_task(ticket_id: TicketPath, body: bodies.TaskBody, recording: TheRecording, asking: Writing) -> Done:
    """Say that something has to be done for a ticket."""
    recording.require_agent(body.assignee_id)
    task_id = asking.made_id("task")
    command = AddTask(task_id=task_id, title=body.title, assignee_id=body.assignee_id, due_at=body.due_at)
    return done(await recording.record(ticket_id, command, asking), task_id=task_id)


@router.post("/tickets/{ticket_id}/tasks/{task_id}/complete", response_class=DoneResponse)
async def complete_task(ticket_id: TicketPath, task_id: MessageId, recording: TheRecording, asking: Writing) -> Done:
    """Say that a task is done."""
    command = CompleteTask(task_id=task_id, agent_id=asking.principal.id)
    return done(await recording.record(ticket_id, command, asking), task_id=task_id)


@router.post("/tickets/{ticket_id}/time", response_class=DoneResponse)
async def log_time(ticket_id: TicketPath, body: bodies.TimeBody, recording: TheRecording, asking: Writing) -> Done:
    """Say how long somebody worked on a ticket."""
    command = LogTime(agent_id=asking.principal.id, seconds=body.seconds, activity=body.activity)
    return done(await recording.record(ticket_id, command, asking))


@router.post("/tickets/{ticket_id}/followers", response_class=DoneResponse)
async def change_followers(
    ticket_id: TicketPath, body: bodies.Followers, recording: TheRecording, asking: Writing
) -> Done:
    """Let agents follow a ticket, or no longer."""
    for agent_id in body.add:
        recording.require_agent(agent_id)
    return done(await recording.record(ticket_id, ChangeFollowers(add=body.add, remove=body.remove), asking))
