"""What opens a mailbox: a password, or an access token that is asked for again before it ends (OAuth 2.0)."""

import asyncio
import json
from dataclasses import dataclass
from typing import Final, Protocol

import httpx2
from pydantic import BaseModel, SecretStr, ValidationError

from deskwire_intake.channels.imap.session import (
    AccessToken,
    Credential,
    MailboxUnreachable,
    Password,
    SignInRefused,
)
from deskwire_shared.contracts.channels import ImapMailbox, MailboxOAuth
from deskwire_shared.runtime.buckets import Kept

EARLY_SECONDS: Final = 60.0
"""A token is replaced this long before its end."""
ANSWER_SECONDS: Final = 15.0
ANSWER_BYTES: Final = 256 * 1024


class MailboxSecret(BaseModel, frozen=True, hide_input_in_errors=True):
    """What is kept among the secrets for a mailbox: a password, or what OAuth asks for."""

    password: SecretStr = SecretStr("")
    client_secret: SecretStr = SecretStr("")
    refresh_token: SecretStr = SecretStr("")

    def stored(self) -> bytes:
        """As it is kept."""
        shown = {name: value.get_secret_value() for name, value in self if value.get_secret_value()}
        return json.dumps(shown).encode()


class ChannelSecrets(Protocol):
    """Where the secrets of channels are kept."""

    async def channel(self, channel_id: str) -> Kept:
        """The secret of a channel, with its revision."""
        ...

    async def set_channel(self, channel_id: str, secret: bytes, *, revision: int | None = None) -> bool:
        """Keep a channel's secret; with `revision`, only over that one."""
        ...


class Credentials:
    """Gives what opens one mailbox."""

    def __init__(
        self, channel_id: str, mailbox: ImapMailbox, secrets: ChannelSecrets, http: httpx2.AsyncClient
    ) -> None:
        self._channel_id = channel_id
        self._mailbox = mailbox
        self._secrets = secrets
        self._http = http
        self._token: _Token | None = None
        self._revision = 0

    async def have_changed(self) -> bool:
        """Whether somebody has entered another secret since the last one was given."""
        return (await self._secrets.channel(self._channel_id)).revision != self._revision

    async def get(self) -> Credential:
        """What to sign in with. Raises SignInRefused, MailboxUnreachable, or EventStoreError."""
        kept = await self._secrets.channel(self._channel_id)
        if kept.revision != self._revision:
            self._revision, self._token = kept.revision, None
        if not kept.value:
            raise SignInRefused("no password is kept for this mailbox")
        secret = MailboxSecret.model_validate_json(kept.value)
        if self._mailbox.oauth is None:
            return Password(secret.password.get_secret_value())
        if self._token is None or self._token.is_over:
            self._token = await self._new_token(self._mailbox.oauth, secret)
        return AccessToken(self._token.value)

    def refused(self) -> None:
        """Forget a token that did not open the mailbox."""
        self._token = None

    async def _new_token(self, oauth: MailboxOAuth, secret: MailboxSecret) -> "_Token":
        asked_at = asyncio.get_running_loop().time()
        answer = await ask_for_token(self._http, oauth, secret)
        if answer.refresh_token is not None and answer.refresh_token != secret.refresh_token:
            await self._replace(secret.model_copy(update={"refresh_token": answer.refresh_token}))
        return _Token(answer.access_token.get_secret_value(), asked_at + answer.expires_in - EARLY_SECONDS)

    async def _replace(self, secret: MailboxSecret) -> None:
        """Keep a refresh token that takes the place of the one before, unless a person was faster."""
        if await self._secrets.set_channel(self._channel_id, secret.stored(), revision=self._revision):
            self._revision = (await self._secrets.channel(self._channel_id)).revision


async def ask_for_token(http: httpx2.AsyncClient, oauth: MailboxOAuth, secret: MailboxSecret) -> "TokenAnswer":
    """Ask a token endpoint (RFC 6749, 4.4 and 6). Raises SignInRefused or MailboxUnreachable."""
    form = {
        "grant_type": oauth.grant,
        "client_id": oauth.client_id,
        "client_secret": secret.client_secret.get_secret_value(),
        "scope": oauth.scope,
        "refresh_token": secret.refresh_token.get_secret_value() if oauth.grant == "refresh_token" else "",
    }
    try:
        answer = await http.post(
            oauth.token_url, data={name: value for name, value in form.items() if value}, timeout=ANSWER_SECONDS
        )
    except httpx2.HTTPError as error:
        raise MailboxUnreachable(f"the token endpoint does not answer: {error!r}") from error
    if answer.is_client_error:
        raise SignInRefused(f"the token endpoint refuses: {_refusal(answer.content)}")
    try:
        return TokenAnswer.model_validate_json(answer.content[:ANSWER_BYTES])
    except ValidationError as error:
        raise MailboxUnreachable(f"the token endpoint answers {answer.status_code} and no token") from error


class TokenAnswer(BaseModel, frozen=True, hide_input_in_errors=True):
    """A token as an endpoint gives it (RFC 6749, 5.1)."""

    access_token: SecretStr
    expires_in: float = 3600.0
    refresh_token: SecretStr | None = None


class _Refusal(BaseModel):
    error: str = "without a reason"
    error_description: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    ends_at: float

    @property
    def is_over(self) -> bool:
        return asyncio.get_running_loop().time() >= self.ends_at


def _refusal(body: bytes) -> str:
    try:
        refusal = _Refusal.model_validate_json(body[:ANSWER_BYTES])
    except ValidationError:
        return _Refusal().error
    return " ".join(f"{refusal.error} {refusal.error_description}".split())[:300]
