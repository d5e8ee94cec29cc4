"""Live chat as a channel: a widget on any page that the channel names, a WebSocket behind it, a ticket at its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from nats.aio.client import Client
from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog import get_logger

from deskwire_intake.channels.chat.files import ChatFiles
from deskwire_intake.channels.chat.frames import Hello
from deskwire_intake.channels.chat.hours import ChatHours
from deskwire_intake.channels.chat.messages import ChatMessages, Visitor
from deskwire_intake.channels.chat.outlets import Outlet
from deskwire_intake.channels.chat.rooms import Rooms
from deskwire_intake.channels.chat.visits import FULL, REFUSED, UNAVAILABLE, UNKNOWN, Cut, Visit, close, hello_of
from deskwire_intake.channels.chat.words import words_for
from deskwire_intake.channels.passing import passes
from deskwire_intake.channels.site_origins import OriginRefused, SiteHeaders, require_origin
from deskwire_intake.channels.visitor_tokens import new_token, read_token
from deskwire_intake.figures import Figures
from deskwire_intake.rates import NoPlace, Places, RateLimit, client_of
from deskwire_intake.widgets import asset, page
from deskwire_shared.contracts.channels import Channel, ChatWidget
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.directory.port import Directory, UnknownDocument
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.problems import answer_with_problems, plainly
from deskwire_shared.ticket.chats import CHAT

LONGEST_ID: Final = 64
LOGGED_A_MINUTE: Final = 10
SESSION_LIFE: Final = timedelta(days=30)
WIDGETS: Final = ("chat.js", "chat.css", "chat_connection.js", "chat_panel.js", "chat_texts.js")

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ChatChannel:
    """Takes part in chats."""

    rooms: Rooms
    messages: ChatMessages
    directory: Directory
    hours: ChatHours
    files: ChatFiles
    connection: Client
    figures: Figures
    clock: Clock
    key: bytes
    places: Places
    """Sockets that are open at the same time."""
    opened: RateLimit
    """Sockets a client may open in a while."""
    said: RateLimit
    """Messages a customer may write in a while."""
    logged: RateLimit = field(default_factory=lambda: RateLimit(LOGGED_A_MINUTE, 60.0))
    """How often a reason to close a socket is logged, so that a flood cannot fill the log; all times are counted."""

    def channel(self, channel_id: str) -> Channel:
        """The channel of a chat. Raises UnknownDocument."""
        found = self.directory.get(Channel, channel_id)
        if found is None or found.medium != CHAT or not found.active:
            raise UnknownDocument(f"there is no chat {channel_id}")
        return found

    def described(self, channel_id: str) -> dict[str, Any]:
        """What a widget has to know before anybody chats. Raises UnknownDocument."""
        channel = self.channel(channel_id)
        chat, words = channel.chat or ChatWidget(), words_for(channel.locale)
        own = {"title": chat.title, "greeting": chat.greeting, "away": chat.away}
        return {
            "locale": channel.locale,
            "words": words | {name: text for name, text in own.items() if text},
            "asks_address": chat.asks_address,
            "is_open": self.hours.is_open(channel_id),
        }

    async def welcome(self, websocket: WebSocket, channel_id: str) -> None:
        """Serve one socket to its end, which is told by a code the widget knows."""
        await websocket.accept()
        try:
            with self._place(client_of(websocket.client.host if websocket.client else "")):
                await self._visit(websocket, self._allowed(websocket, channel_id), channel_id)
        except Cut as cut:
            await self._cut(websocket, cut)
        except WebSocketDisconnect:
            return
        except Exception as error:
            if not passes(error):
                raise
            log.warning("chat socket cannot be served at this moment", error=repr(error))
            await self._cut(websocket, Cut(*UNAVAILABLE))

    @contextmanager
    def _place(self, client: str) -> Iterator[None]:
        if self.opened.take(client):
            raise Cut(*FULL)
        try:
            with self.places.hold(client):
                yield
        except NoPlace as error:
            raise Cut(*FULL) from error

    def _allowed(self, websocket: WebSocket, channel_id: str) -> Channel:
        try:
            channel = self.channel(channel_id)
            require_origin(websocket, (channel.chat or ChatWidget()).origins)
        except UnknownDocument as error:
            raise Cut(*UNKNOWN) from error
        except OriginRefused as error:
            raise Cut(*REFUSED) from error
        return channel

    async def _visit(self, websocket: WebSocket, channel: Channel, channel_id: str) -> None:
        hello = await hello_of(websocket)
        session, chat_id = self._session(hello, channel_id)
        outlet = Outlet(websocket)
        async with self.rooms.enter(derived_id(CHAT, channel_id, chat_id), channel_id) as room:
            visit = Visit(
                websocket=websocket,
                outlet=outlet,
                room=room,
                visitor=Visitor(chat_id=chat_id, channel_id=channel_id, channel=channel),
                messages=self.messages,
                connection=self.connection,
                said=self.said,
            )
            room.join(outlet, session=session, last_seen=hello.last_seen)
            try:
                await visit.run()
            finally:
                room.outlets.discard(outlet)

    def _session(self, hello: Hello, channel_id: str) -> tuple[str, str]:
        """The session a customer comes back with, or a new one: its token, and the id of the chat."""
        now = self.clock.now()
        known = read_token(hello.session, "chat", channel_id, self.key)
        if known is not None and now - known.issued_at < SESSION_LIFE:
            return hello.session, known.id
        session = new_token("chat", channel_id, now, self.key)
        return session, session.partition(".")[0]

    async def _cut(self, websocket: WebSocket, cut: Cut) -> None:
        self.figures.count(CHAT, "refused")
        if not self.logged.take(cut.reason):
            log.info("chat socket closed", code=cut.code, reason=cut.reason)
        with suppress(WebSocketDisconnect, RuntimeError):  # the browser may be gone at the same moment
            await close(websocket, cut)


router = APIRouter(tags=["chat"])


async def _of_request(request: Request) -> ChatChannel:
    channel: ChatChannel = request.app.state.channel
    return channel


async def _of_websocket(websocket: WebSocket) -> ChatChannel:
    channel: ChatChannel = websocket.app.state.channel
    return channel


ChannelId = Annotated[str, Path(max_length=LONGEST_ID)]
DocumentId = Annotated[str, Path(pattern=r"^[a-z2-7]{16}$")]


@router.websocket("/{channel_id}/socket")
async def talk(
    websocket: WebSocket, channel_id: ChannelId, channel: Annotated[ChatChannel, Depends(_of_websocket)]
) -> None:
    """Chat."""
    await channel.welcome(websocket, channel_id)


for _name in WIDGETS:
    router.add_api_route(f"/{_name}", partial(asset, _name), response_class=FileResponse, include_in_schema=False)


@router.get("/files/{ticket_id}/{message_id}/{number}/{signature}", response_class=Response)
async def give_file(
    ticket_id: DocumentId,
    message_id: DocumentId,
    number: Annotated[int, Path(ge=0, le=1_000)],
    signature: ChannelId,
    channel: Annotated[ChatChannel, Depends(_of_request)],
) -> Response:
    """Give a file of an answer to whoever was told its address."""
    return await channel.files.answer(ticket_id, message_id, number, signature)


@router.get("/{channel_id}")
async def describe(
    channel_id: ChannelId, request: Request, channel: Annotated[ChatChannel, Depends(_of_request)]
) -> Response:
    """Tell a widget what it shows; people are shown a page with the chat in it."""
    described = channel.described(channel_id)
    if "text/html" in request.headers.get("accept", ""):
        return page("chat.html", policy=PAGE_POLICY)
    return JSONResponse(described, headers={"Cache-Control": "no-store"})


PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def chat_application(channel: ChatChannel) -> FastAPI:
    """Build the application that is mounted at `/intake/v1/chat`."""
    app = FastAPI(title="Deskwire chat", docs_url=None, redoc_url=None, openapi_url=None,
                  telemetry={"auto_configure": False})  # fmt: skip
    app.state.channel = channel
    app.include_router(router)
    answer_with_problems(
        app, more={OriginRefused: plainly(HTTPStatus.FORBIDDEN, "origin-refused", "The site may not use this chat")}
    )
    app.add_middleware(SiteHeaders, origins=_origins(channel.directory))
    return app


def _origins(directory: Directory) -> Callable[[str], tuple[str, ...]]:
    def origins(channel_id: str) -> tuple[str, ...]:
        found = directory.get(Channel, channel_id)
        return found.chat.origins if found is not None and found.chat is not None else ()

    return origins
