"""Entering and changing the secrets of webhooks; only one that is made here comes out, once."""

from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, RootModel, model_validator

from deskwire_intake.api.bodies import DocumentId
from deskwire_intake.api.channel_secrets import Secret, SecretName
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.webhook_channels import FORMER_SIGNING, SIGNING
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import Directory, UnknownDocument
from deskwire_shared.runtime import webhook_secrets
from deskwire_shared.runtime.http_access import requires
from deskwire_shared.runtime.secrets import Secrets

router = APIRouter(tags=["webhooks"])

Administrator = Annotated[Principal, Depends(requires("admin"))]


class WebhookSecrets(RootModel[Annotated[dict[SecretName, Secret], Field(min_length=1, max_length=20)]]):
    """Secrets by name, all that the webhook has; `signing` is what requests are signed with."""

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        for name in {SIGNING, FORMER_SIGNING} & self.root.keys():
            webhook_secrets.require_signing(self.root[name].get_secret_value())
        return self


class SigningSecret(BaseModel):
    """What requests of a webhook are signed with from now on."""

    secret: str


@router.put("/webhooks/{webhook_id}/secrets", status_code=HTTPStatus.NO_CONTENT)
async def enter_secrets(
    webhook_id: DocumentId, body: WebhookSecrets, request: Request, principal: Administrator
) -> None:
    """Enter the secrets of a webhook, in place of those it had."""
    del principal
    secrets = _secrets_beside(request, webhook_id)
    entered = {name: secret.get_secret_value() for name, secret in body.root.items()}
    await webhook_secrets.enter(secrets, webhook_id, entered)


@router.post("/webhooks/{webhook_id}/signing-secret", status_code=HTTPStatus.CREATED)
async def change_signing_secret(webhook_id: DocumentId, request: Request, principal: Administrator) -> SigningSecret:
    """Sign with another secret, made here and told this once; the former one goes on signing along."""
    del principal
    secret = webhook_secrets.new_secret()
    await webhook_secrets.change_signing(_secrets_beside(request, webhook_id), webhook_id, secret)
    return SigningSecret(secret=secret)


def _secrets_beside(request: Request, webhook_id: str) -> Secrets:
    """The secrets of the desk, once it is certain that the webhook exists. Raises UnknownDocument."""
    directory: Directory = request.app.state.directory
    if directory.get(Webhook, webhook_id) is None:
        raise UnknownDocument(f"there is no webhook {webhook_id}")
    secrets: Secrets = request.app.state.secrets
    return secrets
