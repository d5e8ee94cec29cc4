"""A workspace over read models that are built from histories: pages are asked for as a browser would."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import httpx2
from obstore.store import MemoryStore

from deskwire_query.arrivals.tables import create_arrivals
from deskwire_query.reading.explanations import explanations
from deskwire_query.web.desk import Desk
from deskwire_query.web.live.presence import Presence
from deskwire_query.web.live.screens import Screens
from deskwire_query.web.pages import create_pages
from deskwire_query.web.ticket.file_addresses import FileAddresses
from deskwire_shared.contracts.access import ROLE_PERMISSIONS, Permission, Principal, Role
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import ApiToken
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.runtime.buckets import Kept
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.identity import SESSION_COOKIE, Unauthenticated
from deskwire_shared.runtime.parking import UnknownParked
from deskwire_shared.runtime.replaying import ReplayFailed
from query_desk import ADA, MONDAY, QueryDesk, query_desk

CSRF: Final = "csrf-of-ada"
PASSWORD: Final = "correct horse battery"
SETUP_TOKEN: Final = "first-run"


@dataclass
class MemorySessions:
    """Sessions and passwords in memory: the cookie names the agent."""

    desk: QueryDesk
    passwords: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Kept] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    setup_token: str = SETUP_TOKEN

    async def sign_in(self, email: str, password: str) -> str:
        await asyncio.sleep(0)  # as hashing takes a while, during which others knock
        for agent_id, agent in self.desk.directory.all(Agent).items():
            if agent.email == email.strip().lower() and self.passwords.get(agent_id) == password:
                return await self.open_session(agent_id)
        raise Unauthenticated("the address or the password is wrong")

    async def open_session(self, agent_id: str) -> str:
        return agent_id

    async def sign_out(self, cookie: str) -> None:
        self.ended.add(cookie)

    async def by_cookie(self, cookie: str) -> Principal:
        agent = self.desk.directory.get(Agent, cookie)
        if agent is None or cookie in self.ended:
            raise Unauthenticated("the session has ended; please sign in again")
        return Principal("agent", cookie, agent.name, ROLE_PERMISSIONS[agent.role], agent.role, CSRF)

    async def create_token(
        self, name: str, scopes: tuple[Permission, ...], *, actor: Actor, expires_at: datetime | None = None
    ) -> str:
        document = ApiToken(name=name, secret_sha256="0" * 64, scopes=scopes, expires_at=expires_at)
        await self.desk.directory.put("token", document, actor=actor)
        return "dw_token_secret"

    async def channel(self, channel_id: str) -> Kept:
        return self.secrets.get(channel_id, Kept(b"", 0))

    async def set_channel(self, channel_id: str, secret: bytes, *, revision: int | None = None) -> bool:
        kept = await self.channel(channel_id)
        if revision not in {None, kept.revision}:
            return False
        self.secrets[channel_id] = Kept(secret, kept.revision + 1)
        return True

    async def webhook(self, webhook_id: str) -> Kept:
        return await self.channel(webhook_id)

    async def set_webhook(self, webhook_id: str, secret: bytes, *, revision: int | None = None) -> bool:
        return await self.set_channel(webhook_id, secret, revision=revision)

    async def set_password(self, agent_id: str, password: str) -> None:
        self.passwords[agent_id] = password

    async def check_setup_token(self, token: str) -> bool:
        return bool(token) and token == self.setup_token

    async def spend_setup_token(self, token: str) -> bool:
        spent = await self.check_setup_token(token)
        self.setup_token = "" if spent else self.setup_token
        return spent


@dataclass
class MemoryParked:
    """Parked things by their numbers, each with the reason why it cannot be handled; none when it can."""

    reasons: dict[int, str] = field(default_factory=dict)

    async def waiting(self, numbers: Iterable[int]) -> frozenset[int]:
        return frozenset(numbers) & self.reasons.keys()

    async def replay(self, number: int) -> None:
        if number not in self.reasons:
            raise UnknownParked(str(number))
        if self.reasons[number]:
            raise ReplayFailed(self.reasons[number])
        del self.reasons[number]


@dataclass
class WebDesk:
    """The pages with a browser in front and read models behind."""

    desk: QueryDesk
    sessions: MemorySessions
    clock: ManualClock
    objects: MemoryStore
    browser: httpx2.AsyncClient
    parked: MemoryParked

    async def hire(self, agent_id: str = ADA.id, role: Role = "admin", name: str = "Ada Agent") -> None:
        """Put an agent into the directory."""
        agent = Agent(email=f"{agent_id}@desk.example", name=name, role=role)
        await self.desk.directory.put(agent_id, agent, actor=ADA)
        self.sessions.passwords[agent_id] = PASSWORD

    def sign_in(self, agent_id: str = ADA.id) -> None:
        """Let the browser have a session."""
        self.browser.cookies.set(SESSION_COOKIE, agent_id)

    async def page(self, address: str, *, part: str | None = None, status: int = 200) -> str:
        """Ask for a page, or for a part of it."""
        answer = await self.browser.get(address, headers={"Deskwire-Part": part} if part else {})
        assert answer.status_code == status, answer.text
        return answer.text


@asynccontextmanager
async def web_desk(url: str = "sqlite+aiosqlite:///:memory:") -> AsyncIterator[WebDesk]:
    """Build the workspace of a desk without tickets."""
    async with query_desk(url) as desk:
        clock, objects, sessions = ManualClock(MONDAY), MemoryStore(), MemorySessions(desk)
        parked = MemoryParked()
        await create_arrivals(desk.database)
        screens = Screens(most=10)

        async def publish(_: str, told: bytes) -> None:
            presence.hear(told)

        presence = Presence(screens, publish)

        async def site_key() -> bytes:
            return b"site"

        async def reached(sequence: int) -> None:
            assert await desk.reader.position() >= sequence

        pages = create_pages(
            Desk(
                reads=desk.reader,
                directory=desk.directory,
                sessions=sessions,
                credentials=sessions,
                objects=objects,
                files=FileAddresses(site_key),
                clock=clock,
                arrivals=desk.reader.arrivals,
                parked=parked,
                screens=screens,
                presence=presence,
                heartbeat_seconds=15,
                reached=reached,
                explained=partial(explanations, desk.reader, Codec(desk.history.keys)),
                public_url="http://127.0.0.1:8080",
                smtp_address="127.0.0.1:2525",
            )
        )
        transport = httpx2.ASGITransport(app=pages)
        async with httpx2.AsyncClient(transport=transport, base_url="http://desk.example") as browser:
            yield WebDesk(desk, sessions, clock, objects, browser, parked)
