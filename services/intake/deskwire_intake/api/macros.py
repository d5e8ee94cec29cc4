"""Macros: several changes that an agent makes with one key, in one commit."""

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import APIRouter, Depends

from deskwire_intake.api.answers import Done, MacroPreview
from deskwire_intake.api.asking import Asking, asks
from deskwire_intake.api.bodies import DocumentId, TicketPath
from deskwire_intake.api.recording import DoneResponse, Recording, TheRecording, done
from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.actions import (
    Action,
    NotifyAgents,
    SetAssignee,
    SetTeam,
    Unassign,
    WriteNote,
    WriteReply,
)
from deskwire_shared.contracts.facts import AgentReplied, NoteAdded
from deskwire_shared.contracts.rules import Macro
from deskwire_shared.directory.port import UnknownDocument
from deskwire_shared.directory.staff import staff_of
from deskwire_shared.eventstore.recorder import Outcome, Wish
from deskwire_shared.runtime.telling import Teller
from deskwire_shared.ticket.acting import Acting, Staff
from deskwire_shared.ticket.actions import Deeds, FollowUp, deeds, opening
from deskwire_shared.ticket.commands import Several
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.state import Ticket

PERMISSIONS: Final[dict[type[Action], Permission]] = {
    WriteReply: "tickets:reply",
    WriteNote: "tickets:note",
    NotifyAgents: "tickets:note",
    SetTeam: "tickets:assign",
    SetAssignee: "tickets:assign",
    Unassign: "tickets:assign",
}
"""What the actions of a macro need; the others need to write."""

router = APIRouter(tags=["macros"])


class MacroImpossible(Exception):
    """A macro names something that is not there any more; it does nothing at all."""

    def __init__(self, name: str, troubles: Iterable[str]) -> None:
        super().__init__(f"The macro {name} cannot be used: {'; '.join(troubles)}.")


@router.get("/tickets/{ticket_id}/macros/{macro_id}")
async def preview_macro(
    ticket_id: TicketPath,
    macro_id: DocumentId,
    recording: TheRecording,
    asking: Annotated[Asking, Depends(asks("tickets:read"))],
) -> MacroPreview:
    """Say what a macro would do at this moment, and do nothing."""
    using = using_of(macro_id, ticket_id, recording, asking)
    ticket = await recording.ticket(ticket_id)
    facts = decide(using.wish(ticket), ticket)
    teller = Teller(recording.directory)
    return MacroPreview(
        name=using.name,
        version=ticket.version,
        replies=[fact.text for fact in facts if isinstance(fact, AgentReplied)],
        notes=[fact.text for fact in facts if isinstance(fact, NoteAdded)],
        changes=[teller.tell(fact) for fact in facts if not isinstance(fact, AgentReplied | NoteAdded)],
    )


@router.post("/tickets/{ticket_id}/macros/{macro_id}", response_class=DoneResponse)
async def use_macro(
    ticket_id: TicketPath,
    macro_id: DocumentId,
    recording: TheRecording,
    asking: Annotated[Asking, Depends(asks("tickets:read"))],
) -> Done:
    """Do what a macro says, all of it or nothing."""
    return done(await carry_out(using_of(macro_id, ticket_id, recording, asking), ticket_id, recording, asking))


async def carry_out(using: "Using", ticket_id: str, recording: Recording, asking: Asking) -> Outcome:
    """Use a macro on a ticket. Raises MacroImpossible."""
    follow_ups = using.on(await recording.ticket(ticket_id)).follow_ups
    if not follow_ups:
        return await recording.record(ticket_id, using.wish, asking)
    await using.number(follow_ups, recording)
    wishes = {ticket_id: using.wish, **{one.ticket_id: using.opening_of(one) for one in follow_ups}}
    return await recording.record_together(ticket_id, wishes, asking)


def using_of(macro_id: str, ticket_id: str, recording: Recording, asking: Asking) -> "Using":
    """Prepare to use a macro. Raises UnknownDocument or NotPermitted."""
    macro = recording.directory.get(Macro, macro_id)
    if macro is None:
        raise UnknownDocument(f"there is no macro {macro_id}")
    actions = actions_of(macro)
    for action in actions:
        asking.principal.require(PERMISSIONS.get(type(action), "tickets:write"))
    return Using(macro, actions, staff_of(recording.directory), _acting(macro_id, macro, ticket_id, asking))


def actions_of(macro: Macro) -> tuple[Action, ...]:
    """What a macro does: its reply, then its actions."""
    reply = (WriteReply(text=macro.reply),) if macro.reply.strip() else ()
    return (*reply, *macro.actions)


class Using:
    """A macro that an agent uses on a ticket."""

    def __init__(self, macro: Macro, actions: tuple[Action, ...], staff: Staff, acting: Acting) -> None:
        self._macro = macro
        self._actions = actions
        self._staff = staff
        self._acting = acting
        self._numbers: dict[str, int] = {}
        self._source: Ticket | None = None

    @property
    def name(self) -> str:
        """The name of the macro."""
        return self._macro.name

    def on(self, ticket: Ticket) -> Deeds:
        """What the macro comes to. Raises MacroImpossible."""
        found = deeds(self._actions, ticket, self._staff, self._acting, self._numbers)
        if found.troubles:
            raise MacroImpossible(self._macro.name, found.troubles)
        return found

    async def number(self, follow_ups: Iterable[FollowUp], recording: Recording) -> None:
        """Take numbers for the tickets that are to be opened."""
        self._numbers = {one.ticket_id: await recording.numbers.take(one.ticket_id) for one in follow_ups}

    def wish(self, ticket: Ticket) -> Several:
        """What is wished for the ticket."""
        self._source = ticket
        return Several(commands=self.on(ticket).commands)

    def opening_of(self, follow_up: FollowUp) -> Wish:
        """What is wished for a ticket that is to be opened along."""

        def wish(_: Ticket) -> Several:
            assert self._source is not None
            return opening(follow_up, self._source, self._numbers[follow_up.ticket_id])

        return wish


def _acting(macro_id: str, macro: Macro, ticket_id: str, asking: Asking) -> Acting:
    return Acting(
        agent_id=asking.principal.id,
        agent_name=asking.principal.name,
        strategy="manual",
        asked_by="macro",
        asker_id=macro_id,
        asker_name=macro.name,
        key=("macro", asking.key_id, asking.request_id, ticket_id),
        automated=False,
    )
