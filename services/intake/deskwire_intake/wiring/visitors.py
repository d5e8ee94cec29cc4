"""Wires what customers use in their browsers: forms and chats. A part of `app.py`, which would be long with it."""

from functools import partial
from typing import Final

from deskwire_intake.channels.chat.channel import ChatChannel, chat_application
from deskwire_intake.channels.chat.files import ChatFiles
from deskwire_intake.channels.chat.hours import ChatHours
from deskwire_intake.channels.chat.messages import ChatMessages
from deskwire_intake.channels.chat.room import RoomParts
from deskwire_intake.channels.chat.rooms import Rooms
from deskwire_intake.channels.port import Accept
from deskwire_intake.channels.web.channel import WebChannel, form_application
from deskwire_intake.channels.web.pages import FileLimits
from deskwire_intake.channels.web.submissions import WEB
from deskwire_intake.figures import Figures
from deskwire_intake.handlers import Intake
from deskwire_intake.ledger.entering import LedgeredAccept
from deskwire_intake.rates import Places, RateLimit
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.uploads import Uploads
from deskwire_intake.watching import watch
from deskwire_shared.contracts.intake_ledger import Via
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.service import Runtime
from deskwire_shared.runtime.timers import Timers
from deskwire_shared.ticket.chats import CHAT

MINUTE: Final = 60.0


async def web_channel(runtime: Runtime, settings: IntakeSettings, intake: Intake, figures: Figures) -> WebChannel:
    """Build what takes in forms."""
    return WebChannel(
        accept=accepting(intake, "web"),
        directory=runtime.directory,
        uploads=Uploads(intake.objects, intake.scanner),
        figures=figures,
        clock=runtime.clock,
        key=await runtime.secrets.site_key(),
        limits=FileLimits(count=settings.web_files, size=settings.web_file_bytes),
        seconds=settings.web_seconds,
        per_client=RateLimit(settings.web_client_rate, MINUTE),
        per_channel=RateLimit(settings.web_channel_rate, MINUTE),
        places=Places(settings.web_at_once, settings.web_client_at_once),
    )


def accepting(intake: Intake, via: Via) -> Accept:
    """What a channel hands its messages to that keeps nothing else of them."""
    return LedgeredAccept(accept=intake.accept, ledger=intake.ledger, clock=intake.clock, via=via)


def serve_forms(runtime: Runtime, channel: WebChannel) -> None:
    """Serve forms."""
    watch(runtime, channel.figures, WEB, lambda: channel.places.taken, channel.places.most)
    runtime.mount("/intake/v1/forms", form_application(channel))


async def chat_channel(runtime: Runtime, settings: IntakeSettings, intake: Intake, figures: Figures) -> ChatChannel:
    """Build what takes part in chats; it does not hear the log yet."""
    hours, key = ChatHours(runtime.directory, runtime.clock), await runtime.secrets.site_key()
    files = ChatFiles(runtime.recorder, intake.objects, key)
    rooms = Rooms(
        RoomParts(
            connection=runtime.connection,
            recorder=runtime.recorder,
            timers=Timers(runtime.js, "notify"),
            clock=runtime.clock,
            name_of=partial(agent_name, runtime.directory),
            is_open=hours.is_open,
            path_of=files.path,
        )
    )
    places = Places(settings.chat_sockets, settings.chat_client_sockets)
    figures.open_sockets.labels(CHAT).set_function(lambda: places.taken)
    figures.under_way.labels(CHAT).set(0)
    return ChatChannel(
        rooms=rooms,
        messages=ChatMessages(
            accept=accepting(intake, "chat"),
            recorder=runtime.recorder,
            customers=intake.customers,
            figures=figures,
            clock=runtime.clock,
        ),
        directory=runtime.directory,
        hours=hours,
        files=files,
        connection=runtime.connection,
        figures=figures,
        clock=runtime.clock,
        key=key,
        places=places,
        opened=RateLimit(settings.chat_client_rate, MINUTE),
        said=RateLimit(settings.chat_messages_rate, MINUTE),
    )


def agent_name(directory: Directory, agent_id: str) -> str:
    """The name of an agent, as customers read it."""
    agent = directory.get(Agent, agent_id)
    return agent.name if agent is not None else ""


async def serve_chat(runtime: Runtime, channel: ChatChannel) -> None:
    """Serve chats, and hear the log for them."""
    last = (await runtime.js.stream_info(TICKETS)).state.last_seq
    await channel.rooms.start()
    runtime.mount("/intake/v1/chat", chat_application(channel))
    talking = runtime.spawn("chat", channel.rooms.run(last + 1))
    runtime.on_stop(lambda: end(talking))
    runtime.health.tell("chat", lambda: {"chats": str(channel.rooms.count), "sockets": str(channel.places.taken)})
