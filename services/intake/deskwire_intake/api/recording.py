"""Carries requests out on tickets and tells what became of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from deskwire_intake.api.answers import Done
from deskwire_intake.api.asking import Asking
from deskwire_intake.api.bodies import File, Person
from deskwire_intake.attachments import attachment_key
from deskwire_intake.customers import Customers
from deskwire_intake.ledger.entering import Ledger
from deskwire_intake.uploads import Uploads
from deskwire_shared.contracts.facts import Address, Attachment
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.numbers import Numbers
from deskwire_shared.eventstore.recorder import Outcome, Recorder, Wish
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.ticket.commands import SingleCommand, TicketCommand
from deskwire_shared.ticket.refusals import TicketDoesNotExist
from deskwire_shared.ticket.state import Ticket


class UnknownReference(Exception):
    """The request names somebody or something that is not there."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is no {what} {name}.")


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What the command API works with."""

    recorder: Recorder
    numbers: Numbers
    customers: Customers
    directory: Directory
    objects: Objects
    ledger: Ledger
    uploads: Uploads

    async def record(self, ticket_id: str, wished: SingleCommand | Wish, asking: Asking) -> Outcome:
        """Record a change on a ticket. Raises its refusals, VersionConflict or IdempotencyKeyReused."""
        return await self.recorder.record(
            ticket_id, _once(wished, asking), asking.cause, expected_version=asking.expected_version
        )

    async def record_new(self, ticket_id: str, command: TicketCommand, asking: Asking) -> Outcome:
        """Record the opening of a ticket."""
        return await self.recorder.record(ticket_id, _once(command, asking), asking.cause, unwritten=True)

    async def record_together(self, ticket_id: str, wishes: Mapping[str, Wish], asking: Asking) -> Outcome:
        """Record changes on several tickets at once; the outcome on the one that was asked about."""
        expected = {} if asking.expected_version is None else {ticket_id: asking.expected_version}
        outcomes = await self.recorder.record_together(
            {key: _once(wish, asking) for key, wish in wishes.items()}, asking.cause, expected_versions=expected
        )
        return outcomes[ticket_id]

    async def ticket(self, ticket_id: str) -> Ticket:
        """A ticket as it is now. Raises TicketDoesNotExist."""
        ticket = await self.recorder.ticket(ticket_id)
        if not ticket.exists:
            raise TicketDoesNotExist(ticket_id)
        return ticket

    async def known_customer(self, person: Person) -> tuple[str, Address]:
        """The id of a customer, who is entered in the directory if they are not there yet."""
        customer_id, address = self.customers.id_of(person.address), Address(address=person.address, name=person.name)
        if await self.customers.find(customer_id) is None:
            await self.customers.enter(customer_id, address)
        return customer_id, address

    async def attachments(self, files: Sequence[File]) -> tuple[Attachment, ...]:
        """The files of a request. Raises UnknownReference for a file that was never uploaded."""
        return tuple(await asyncio.gather(*map(self._attachment, files)))

    async def _attachment(self, file: File) -> Attachment:
        key = attachment_key(file.sha256)
        size = await self.objects.size(key)
        if size is None:
            raise UnknownReference("uploaded file", file.sha256)
        return Attachment(key=key, size=size, **file.model_dump())

    def require_agent(self, agent_id: str | None) -> None:
        """Raise UnknownReference unless there is such an agent, and active."""
        agent = self.directory.get(Agent, agent_id) if agent_id is not None else None
        if agent_id is not None and (agent is None or not agent.active):
            raise UnknownReference("active agent", agent_id)

    def require_team(self, team_id: str | None) -> None:
        """Raise UnknownReference unless there is such a team."""
        if team_id is not None and self.directory.get(Team, team_id) is None:
            raise UnknownReference("team", team_id)


def done(outcome: Outcome, **made: str) -> Done:
    """Tell what became of a change; of a repeated one, what became of it the first time."""
    version = outcome.recorded.commit.version if outcome.recorded else outcome.ticket.version
    return Done(
        ticket_id=outcome.ticket.id,
        number=outcome.ticket.number,
        version=version,
        sequence=outcome.sequence,
        message_id=made.get("message_id"),
        task_id=made.get("task_id"),
        split_off=made.get("split_off"),
    )


class DoneResponse(JSONResponse):
    """Tells what became of a change, with the new version as the entity tag that `If-Match` asks for."""

    def __init__(self, content: dict[str, object], status_code: int = HTTPStatus.OK, **options: Any) -> None:
        told = {name: value for name, value in content.items() if value is not None}
        super().__init__(told, status_code, **options)
        self.headers["ETag"] = f'"{content["version"]}"'


def _once(wished: TicketCommand | Wish, asking: Asking) -> Wish:
    wish: Callable[[Ticket], TicketCommand | None] = wished if callable(wished) else lambda _: wished

    def checked(ticket: Ticket) -> TicketCommand | None:
        asking.refuse_reuse(ticket)
        return wish(ticket)

    return checked


async def _of_application(request: Request) -> Recording:
    recording: Recording = request.app.state.recording
    return recording


TheRecording = Annotated[Recording, Depends(_of_application)]
