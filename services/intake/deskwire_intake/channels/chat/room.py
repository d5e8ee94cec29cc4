"""One chat whose customer is connected to this process: what changes on its ticket is told to its sockets."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from structlog import get_logger

from deskwire_intake.channels.chat.frames import AgentTyping, File, Outgoing, Removed, Spoken, State, Told, Welcome
from deskwire_intake.channels.chat.outlets import Outlet
from deskwire_intake.channels.chat.states import (
    Line,
    behind,
    line_of,
    removed_from,
    state_of,
    transcript,
    waiting_replies,
)
from deskwire_intake.channels.chat.waiting import ChatQueue
from deskwire_intake.channels.passing import passes
from deskwire_shared.contracts.subjects import chat_reply_subject, chat_typing_subject
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.timers import Timers
from deskwire_shared.ticket.chats import is_mailable
from deskwire_shared.ticket.state import Ticket

SHOWN_WITHIN_SECONDS: Final = 3.0
"""How long a browser may take to say that it has shown a message."""
RETRY_SECONDS: Final = 1.0

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class RoomParts:
    """What rooms work with."""

    connection: Client
    recorder: Recorder
    timers: Timers
    clock: Clock
    name_of: Callable[[str], str]
    """The name of an agent, as customers read it."""
    is_open: Callable[[str], bool]
    """Whether somebody answers on a channel at this moment."""
    path_of: Callable[[str, str, int], str]
    """Where a file is reached, by ticket, message and number."""


@dataclass(eq=False)
class Room:
    """One chat and its sockets."""

    ticket_id: str
    channel_id: str
    parts: RoomParts
    queue: ChatQueue
    outlets: set[Outlet] = field(default_factory=set)
    visitors: int = 0
    ticket: Ticket = field(init=False)
    _state: State | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _at_least: int = 0
    _awaited: dict[str, asyncio.Event] = field(default_factory=dict)
    _subscriptions: list[Subscription] = field(default_factory=list)
    _updating: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Load the ticket, and hear what is meant for its customer."""
        self.ticket = await self.parts.recorder.ticket(self.ticket_id)
        for subject, hear in (
            (chat_reply_subject(self.ticket_id), self._hear_reply),
            (chat_typing_subject(self.ticket_id), self._hear_typing),
        ):
            self._subscriptions.append(await self.parts.connection.subscribe(subject, cb=hear))
        self._updating = asyncio.create_task(self._keep_up(), name=f"chat {self.ticket_id}")

    async def close(self) -> None:
        """Hear no more."""
        self.queue.leave(self.ticket_id)
        if self._updating is not None:
            await end(self._updating)
        for subscription in self._subscriptions:
            if not self.parts.connection.is_closed:
                await subscription.unsubscribe()

    def join(self, outlet: Outlet, *, session: str, last_seen: str) -> None:
        """Let a socket take part, and tell it what was said since it last did."""
        lines = transcript(self.ticket, self.parts.name_of)
        missed = behind(lines, last_seen)
        told = lines if missed is None else missed
        outlet.told.update(line.id for line in lines)
        outlet.send(Welcome(session=session, messages=tuple(map(self._spoken, told)), is_replay=missed is not None))
        self.outlets.add(outlet)
        state = self.state()
        self._state = self._state or state  # who has been told it need not be told it again
        outlet.send(state)

    def _spoken(self, line: Line) -> Spoken:
        files = tuple(
            File(name=name, path=self.parts.path_of(self.ticket_id, line.id, number))
            for number, name in enumerate(line.files)
        )
        return Spoken(id=line.id, by=line.by, name=line.name, text=line.text, at=line.at, files=files)

    def changed(self, sequence: int) -> None:
        """Look at the ticket again, as of that sequence or later."""
        self._at_least = max(self._at_least, sequence)
        self._news.set()

    def state(self) -> State:
        """How the chat stands."""
        ticket = self.ticket
        state = state_of(ticket, is_open=self.parts.is_open(self.channel_id))
        if state == "queued" and ticket.opened_at is not None:
            self.queue.join(self.ticket_id, self.channel_id, ticket.opened_at)
        else:
            self.queue.leave(self.ticket_id)
        return State(
            state=state,
            position=self.queue.position(self.ticket_id),
            agent=self.parts.name_of(ticket.assignee_id) if ticket.assignee_id and state == "with_agent" else "",
            number=ticket.number if ticket.exists else None,
            address=ticket.requester.address if ticket.requester and is_mailable(ticket.requester) else "",
        )

    def tell_state(self) -> None:
        """Tell how the chat stands, if it has changed."""
        state = self.state()
        if state != self._state:
            self._state = state
            self.tell(state)

    def tell(self, frame: Outgoing, *, besides: Outlet | None = None) -> None:
        """Send a frame to every socket but one."""
        for outlet in self.outlets:
            if outlet is not besides:
                outlet.send(frame)

    def tell_message(self, spoken: Spoken) -> None:
        """Send a message to the sockets that do not have it."""
        for outlet in self.outlets:
            if spoken.id not in outlet.told:
                outlet.told.add(spoken.id)
                outlet.send(Told(message=spoken))

    async def was_shown(self, message_id: str) -> None:
        """Note that a browser has shown an answer; when nobody waits to hear it, notify looks again."""
        awaited = self._awaited.get(message_id)
        if awaited is not None:
            awaited.set()
        elif any(message.id == message_id for message in waiting_replies(self.ticket, self.parts.clock.now())):
            await self.ask_for_replies()

    async def ask_for_replies(self) -> None:
        """Let notify send the answers that wait for the customer to come back."""
        if waiting_replies(self.ticket, self.parts.clock.now()):
            await self.parts.timers.fire(self.ticket_id, "chat")

    async def _keep_up(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                self.update(await self.parts.recorder.ticket(self.ticket_id, at_least=self._at_least))
            except Exception as error:
                if not passes(error):  # the sockets come back, and the chat is looked at anew
                    log.exception("chat cannot be kept up", ticket_id=self.ticket_id)
                    self._cut()
                    return
                log.warning("chat cannot be looked at, will be tried again", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)
                self._news.set()

    def _cut(self) -> None:
        for outlet in self.outlets:
            outlet.is_broken.set()

    def update(self, ticket: Ticket) -> None:
        """Tell the sockets what is new on the ticket."""
        if ticket.version < self.ticket.version:
            return
        self.ticket = ticket
        for line in transcript(ticket, self.parts.name_of):
            self.tell_message(self._spoken(line))
        for outlet in self.outlets:
            for removed in outlet.told & removed_from(ticket):
                outlet.told.discard(removed)
                outlet.send(Removed(id=removed))
        self.tell_state()

    async def _hear_reply(self, message: Msg) -> None:
        """Show an answer, and say so once a browser has; who cannot show it says nothing: another may."""
        asked = json.loads(message.data)
        ticket = await self.parts.recorder.ticket(self.ticket_id, at_least=int(asked["sequence"]))
        reply = ticket.message(str(asked["message_id"]))
        if reply is None or not self.outlets:
            return
        self.update(ticket)
        shown = self._awaited.setdefault(reply.id, asyncio.Event())
        spoken = self._spoken(line_of(reply, self.parts.name_of(reply.author)))
        for outlet in self.outlets:
            outlet.told.discard(reply.id)
        self.tell_message(spoken)
        try:
            async with asyncio.timeout(SHOWN_WITHIN_SECONDS):
                await shown.wait()
            await message.respond(b"shown")
        except TimeoutError:
            log.info("chat answer not shown in time", ticket_id=self.ticket_id)
        finally:
            self._awaited.pop(reply.id, None)

    async def _hear_typing(self, message: Msg) -> None:
        typing = json.loads(message.data)
        if typing["by"] == "agent":
            self.tell(AgentTyping(name=str(typing["name"])))
