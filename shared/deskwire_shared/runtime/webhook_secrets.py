"""The secrets of webhooks: what their requests are signed with, and what is sent along in headers."""

import base64
import secrets as randomness
from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError

from deskwire_shared.contracts.webhook_channels import FORMER_SIGNING, SIGNING
from deskwire_shared.runtime.secrets import Secrets

PREFIX: Final = "whsec_"
KEY_BYTES: Final = 32
LEAST_BYTES, MOST_BYTES = 24, 64
"""How long the key of a Standard Webhooks secret may be."""

_stored: Final = TypeAdapter(dict[str, str])


class UnreadableSecrets(Exception):
    """What is kept cannot be read; it has to be entered again."""

    def __init__(self) -> None:
        super().__init__("the secrets of the webhook cannot be read; enter them again")


class SecretsChanged(Exception):
    """Somebody else entered secrets in the same moment."""

    def __init__(self) -> None:
        super().__init__("somebody else has just changed the secrets of this webhook; try again")


def new_secret() -> str:
    """Make a secret that requests can be signed with."""
    return PREFIX + base64.b64encode(randomness.token_bytes(KEY_BYTES)).decode()


def require_signing(secret: str) -> str:
    """Give a secret back. Raises ValueError for one that requests cannot be signed with."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError as error:
        raise ValueError(f"a signing secret is {PREFIX} and base64") from error
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"a signing secret holds {LEAST_BYTES} to {MOST_BYTES} bytes")
    return secret


async def secrets_of(secrets: Secrets, webhook_id: str) -> Mapping[str, str]:
    """The secrets of a webhook by name. Raises UnreadableSecrets."""
    kept = await secrets.webhook(webhook_id)
    try:
        return _stored.validate_json(kept.value) if kept.value else {}
    except ValidationError as error:
        raise UnreadableSecrets from error


async def enter(secrets: Secrets, webhook_id: str, entered: Mapping[str, str]) -> None:
    """Keep the secrets of a webhook, in place of those it had."""
    await secrets.set_webhook(webhook_id, _stored.dump_json(dict(entered)))


async def change_signing(secrets: Secrets, webhook_id: str, secret: str) -> None:
    """Sign with another secret from now on, and with the former one too. Raises SecretsChanged, UnreadableSecrets."""
    revision = (await secrets.webhook(webhook_id)).revision
    known = await secrets_of(secrets, webhook_id)
    former = {FORMER_SIGNING: known[SIGNING]} if SIGNING in known and known[SIGNING] != secret else {}
    changed = {**known, **former, SIGNING: secret}
    if not await secrets.set_webhook(webhook_id, _stored.dump_json(changed), revision=revision):
        raise SecretsChanged
