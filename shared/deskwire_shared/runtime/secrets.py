"""The secrets of a desk: the site key, agents' password hashes, the first-run token. Never in the log of record."""

import asyncio
import hashlib
import hmac
import secrets

from nats.js import JetStreamContext
from pwdlib import PasswordHash

from deskwire_shared.contracts.subjects import SECRETS
from deskwire_shared.runtime.buckets import Bucket, Kept

SITE_KEY = "site"
SETUP_KEY = "setup"
SITE_KEY_BYTES = 32
MIN_PASSWORD = 10
MAX_PASSWORD = 200

_hasher = PasswordHash.recommended()


class WeakPassword(Exception):
    """The password is too short or too long to be accepted."""


class Secrets:
    """Secrets in the bucket `SECRETS`."""

    def __init__(self, js: JetStreamContext) -> None:
        self._bucket = Bucket(js, SECRETS)
        self._site_key: bytes | None = None

    async def site_key(self) -> bytes:
        """The key behind customers' ids, threading tokens and signatures; made once for the life of the desk."""
        if self._site_key is None:
            await self._bucket.put(SITE_KEY, secrets.token_bytes(SITE_KEY_BYTES), revision=0)
            self._site_key = (await self._bucket.get(SITE_KEY)).value
        return self._site_key

    async def set_password(self, agent_id: str, password: str) -> None:
        """Keep the argon2 hash of an agent's password. Raises WeakPassword."""
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise WeakPassword(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        hashed = await asyncio.to_thread(_hasher.hash, password)
        await self._bucket.put(f"password.{agent_id}", hashed.encode())

    async def check_password(self, agent_id: str | None, password: str) -> bool:
        """Whether it is the agent's password; takes as long for an unknown agent."""
        stored = (await self._bucket.get(f"password.{agent_id}")).value if agent_id else b""
        hashed = stored.decode() if stored else await _decoy()
        matches = await asyncio.to_thread(_hasher.verify, password[:MAX_PASSWORD], hashed)
        return matches and bool(stored)

    async def channel(self, channel_id: str) -> Kept:
        """What a channel signs in with at a server of others, as it was kept, with its revision."""
        return await self._bucket.get(f"channel.{channel_id}")

    async def set_channel(self, channel_id: str, secret: bytes, *, revision: int | None = None) -> bool:
        """Keep what a channel signs in with; with `revision`, only over that one, and False when it has changed."""
        return await self._bucket.put(f"channel.{channel_id}", secret, revision=revision)

    async def webhook(self, webhook_id: str) -> Kept:
        """What a webhook is signed with and sends along, as it was kept, with its revision."""
        return await self._bucket.get(f"webhook.{webhook_id}")

    async def set_webhook(self, webhook_id: str, secret: bytes, *, revision: int | None = None) -> bool:
        """Keep what a webhook is signed with; with `revision`, only over that one, and False when it has changed."""
        return await self._bucket.put(f"webhook.{webhook_id}", secret, revision=revision)

    async def new_setup_token(self) -> str:
        """A token that lets one person create the first administrator; it replaces an earlier one."""
        token = secrets.token_urlsafe(24)
        await self._bucket.put(SETUP_KEY, hashlib.sha256(token.encode()).hexdigest().encode())
        return token

    async def check_setup_token(self, token: str) -> bool:
        """Whether it is the living first-run token."""
        stored = (await self._bucket.get(SETUP_KEY)).value
        return bool(stored) and hmac.compare_digest(stored, hashlib.sha256(token.encode()).hexdigest().encode())

    async def spend_setup_token(self, token: str) -> bool:
        """Use the first-run token up; False when it is not (or no longer) the living one."""
        kept = await self._bucket.get(SETUP_KEY)
        if not await self.check_setup_token(token):
            return False
        return await self._bucket.put(SETUP_KEY, b"", revision=kept.revision)


_decoy_hash: str | None = None


async def _decoy() -> str:
    global _decoy_hash  # noqa: PLW0603  # computed once, and only when somebody tries an unknown name
    if _decoy_hash is None:
        _decoy_hash = await asyncio.to_thread(_hasher.hash, secrets.token_urlsafe(16))
    return _decoy_hash
