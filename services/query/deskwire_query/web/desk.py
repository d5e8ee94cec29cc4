"""What the pages need of the desk; `app.py` builds it once and every page finds it in its request."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, Request
from obstore.store import ObjectStore

from deskwire_query.arrivals.reading import ArrivalReader
from deskwire_query.reading.read_models import Reads
from deskwire_query.web.live.presence import Presence
from deskwire_query.web.live.screens import Screens
from deskwire_query.web.ticket.file_addresses import FileAddresses
from deskwire_shared.contracts.access import Permission, Principal
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.buckets import Kept
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.ticket.explaining import Explanation

Reached = Callable[[int], Awaitable[None]]
"""Waits until the read models have reached a sequence. Raises NotCaughtUp after a bounded time."""

Explained = Callable[[str], Awaitable[tuple[Explanation, ...]]]
"""Explains a ticket by its id."""


class Sessions(Protocol):
    """Knows agents by their passwords and sessions, and programs by their tokens."""

    async def sign_in(self, email: str, password: str) -> str:
        """Open a session and give its cookie. Raises Unauthenticated."""
        ...

    async def open_session(self, agent_id: str) -> str:
        """Open a session for somebody who has proved who they are, and give its cookie."""
        ...

    async def set_password(self, agent_id: str, password: str) -> None:
        """Give an agent another password, and end their sessions. Raises WeakPassword."""
        ...

    async def sign_out(self, cookie: str) -> None:
        """End a session."""
        ...

    async def by_cookie(self, cookie: str) -> Principal:
        """Tell whose session it is. Raises Unauthenticated."""
        ...

    async def create_token(
        self, name: str, scopes: tuple[Permission, ...], *, actor: Actor, expires_at: datetime | None = None
    ) -> str:
        """Make an API token and give it in full, this once."""
        ...


class Credentials(Protocol):
    """Keeps the secrets of channels and webhooks, and the one-time token of the first run."""

    async def channel(self, channel_id: str) -> Kept:
        """The secrets of a channel, with their revision."""
        ...

    async def set_channel(self, channel_id: str, secret: bytes, *, revision: int | None = None) -> bool:
        """Keep a channel's secrets; with `revision`, only over that one, and False when it has changed."""
        ...

    async def webhook(self, webhook_id: str) -> Kept:
        """The secrets of a webhook, with their revision."""
        ...

    async def set_webhook(self, webhook_id: str, secret: bytes, *, revision: int | None = None) -> bool:
        """Keep a webhook's secrets; with `revision`, only over that one, and False when it has changed."""
        ...

    async def check_setup_token(self, token: str) -> bool:
        """Say whether it is the living first-run token."""
        ...

    async def spend_setup_token(self, token: str) -> bool:
        """Use the first-run token up; False when it is not the living one."""
        ...


class Parked(Protocol):
    """Knows what is parked."""

    async def waiting(self, numbers: Iterable[int]) -> frozenset[int]:
        """Say which of these still wait."""
        ...

    async def replay(self, number: int) -> None:
        """Have something handled once more. Raises UnknownParked or ReplayFailed."""
        ...


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The parts of the desk that pages use."""

    reads: Reads
    directory: Directory
    sessions: Sessions
    credentials: Credentials
    objects: ObjectStore
    """Where attachments and the local outbox are."""
    files: FileAddresses
    clock: Clock
    arrivals: ArrivalReader
    parked: Parked
    screens: Screens
    presence: Presence
    heartbeat_seconds: int
    reached: Reached
    explained: Explained
    public_url: str
    smtp_address: str
    """Where the mail listener is, as `127.0.0.1:2525`."""


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]
