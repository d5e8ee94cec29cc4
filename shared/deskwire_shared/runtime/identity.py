"""Who is asking: agents' sessions and integrations' tokens become principals.

A session is a cookie `<agent>.<secret>` whose digest names an entry in the bucket `SESSIONS`, beside those of the
agent's other sessions; a token is `dw_<id>_<secret>` whose secret's SHA-256 stands in the directory. Both can be
revoked at once.
"""

import hashlib
import hmac
import json
import re
import secrets
from datetime import datetime, timedelta

from nats.js import JetStreamContext

from deskwire_shared.contracts.access import ROLE_PERMISSIONS, Permission, Principal
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import ApiToken
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.subjects import SESSIONS
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.buckets import NOTHING, Bucket
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.secrets import Secrets

SESSION_COOKIE = "deskwire_session"
SESSION_LIFE = timedelta(days=14)
_COOKIE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.[A-Za-z0-9_-]{1,100}")
TOKEN_PREFIX = "dw_"  # noqa: S105  # the visible start of every token, so that leaks can be searched for


class Unauthenticated(Exception):
    """Nobody was recognised."""


class Identity:
    """Recognises principals and hands out credentials."""

    def __init__(self, js: JetStreamContext, directory: Directory, secrets_: Secrets, clock: Clock) -> None:
        self._sessions = Bucket(js, SESSIONS)
        self._directory = directory
        self._secrets = secrets_
        self._clock = clock

    def find_agent(self, email: str) -> tuple[str, Agent] | None:
        """The active agent with that address."""
        wanted = email.strip().lower()
        for agent_id, agent in self._directory.all(Agent).items():
            if agent.active and agent.email == wanted:
                return agent_id, agent
        return None

    async def sign_in(self, email: str, password: str) -> str:
        """The cookie of a new session. Raises Unauthenticated, without saying which of the two was wrong."""
        found = self.find_agent(email)
        if not await self._secrets.check_password(found[0] if found else None, password) or found is None:
            raise Unauthenticated("the address or the password is wrong")
        return await self.open_session(found[0])

    async def open_session(self, agent_id: str) -> str:
        """The cookie of a new session for an agent who has proved who they are."""
        cookie = f"{agent_id}.{secrets.token_urlsafe(32)}"
        entry = {"agent_id": agent_id, "at": self._clock.now().isoformat(), "csrf": secrets.token_urlsafe(24)}
        await self._sessions.put(_session(cookie), json.dumps(entry).encode())
        return cookie

    async def set_password(self, agent_id: str, password: str) -> None:
        """Give an agent another password, which ends the sessions of whoever knew the old one. Raises WeakPassword."""
        await self._secrets.set_password(agent_id, password)
        await self._sessions.remove(f"{agent_id}.*")

    async def sign_out(self, cookie: str) -> None:
        """End a session."""
        if _COOKIE.fullmatch(cookie):
            await self._sessions.remove(_session(cookie))

    async def by_cookie(self, cookie: str) -> Principal:
        """Whose session it is. Raises Unauthenticated when it has ended or the agent is no longer active."""
        kept = await self._sessions.get(_session(cookie)) if _COOKIE.fullmatch(cookie) else NOTHING
        if not kept.value:
            raise Unauthenticated("the session has ended; please sign in again")
        entry = json.loads(kept.value)
        agent = self._directory.get(Agent, entry["agent_id"])
        if agent is None or not agent.active or self._clock.now() - datetime.fromisoformat(entry["at"]) > SESSION_LIFE:
            raise Unauthenticated("the session has ended; please sign in again")
        return Principal(
            kind="agent", id=entry["agent_id"], name=agent.name, permissions=ROLE_PERMISSIONS[agent.role],
            role=agent.role, csrf=entry["csrf"],
        )  # fmt: skip

    async def by_token(self, token: str) -> Principal:
        """Whose API token it is. Raises Unauthenticated."""
        token_id, _, secret = token.removeprefix(TOKEN_PREFIX).partition("_")
        stored = self._directory.get(ApiToken, token_id) if token.startswith(TOKEN_PREFIX) else None
        if stored is None or not hmac.compare_digest(stored.secret_sha256, _sha256(secret)):
            raise Unauthenticated("the API token is not known")
        if not stored.active or (stored.expires_at is not None and stored.expires_at <= self._clock.now()):
            raise Unauthenticated("the API token is no longer valid")
        return Principal(kind="integration", id=token_id, name=stored.name, permissions=frozenset(stored.scopes))

    async def create_token(
        self, name: str, scopes: tuple[Permission, ...], *, actor: Actor, expires_at: datetime | None = None
    ) -> str:
        """A new API token in full; only its digest is kept."""
        token_id, secret = new_id(), secrets.token_urlsafe(32)
        document = ApiToken(name=name, secret_sha256=_sha256(secret), scopes=scopes, expires_at=expires_at)
        await self._directory.put(token_id, document, actor=actor)
        return f"{TOKEN_PREFIX}{token_id}_{secret}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _session(cookie: str) -> str:
    """The key of a session in the bucket; the cookie itself is stored nowhere."""
    return f"{cookie.partition('.')[0]}.{_sha256(cookie)[:40]}"
