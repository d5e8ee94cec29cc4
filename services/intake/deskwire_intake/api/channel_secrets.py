"""Entering what channels sign in with at servers of others; it goes in and never comes out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field, RootModel, SecretStr, StringConstraints, TypeAdapter

from deskwire_intake.api.bodies import DocumentId
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.directory.port import Directory, UnknownDocument
from deskwire_shared.runtime.http_access import requires
from deskwire_shared.runtime.secrets import Secrets

SecretName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=4_000)]

_stored = TypeAdapter(dict[str, str])

router = APIRouter(tags=["channels"])


class ChannelSecrets(RootModel[Annotated[dict[SecretName, Secret], Field(min_length=1, max_length=20)]]):
    """Secrets by name, all that the channel has."""


@router.put("/channels/{channel_id}/secrets", status_code=HTTPStatus.NO_CONTENT)
async def enter_secrets(
    channel_id: DocumentId,
    body: ChannelSecrets,
    request: Request,
    principal: Annotated[Principal, Depends(requires("admin"))],
) -> None:
    """Enter the secrets of a channel, in place of those it had."""
    del principal
    directory: Directory = request.app.state.directory
    if directory.get(Channel, channel_id) is None:
        raise UnknownDocument(f"there is no channel {channel_id}")
    secrets: Secrets = request.app.state.secrets
    entered = {name: secret.get_secret_value() for name, secret in body.root.items()}
    await secrets.set_channel(channel_id, _stored.dump_json(entered))
