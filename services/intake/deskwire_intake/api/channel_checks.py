"""Trying out whether a mailbox can be fetched from."""

import ssl
from typing import Annotated

import httpx2
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from deskwire_intake.api.bodies import DocumentId
from deskwire_intake.mailbox.connecting import waiting_in
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.directory.port import Directory, UnknownDocument
from deskwire_shared.runtime.http_access import requires

router = APIRouter(tags=["channels"])


class Waiting(BaseModel):
    """A mailbox that can be fetched from."""

    waiting: int
    """The mails that the desk does not have yet."""


@router.post("/channels/{channel_id}/check")
async def check_mailbox(
    channel_id: DocumentId, request: Request, principal: Annotated[Principal, Depends(requires("admin"))]
) -> Waiting:
    """Sign in to the mailbox of a channel, open its folder, and count what waits there."""
    del principal
    directory: Directory = request.app.state.directory
    channel = directory.get(Channel, channel_id)
    if channel is None or channel.imap is None:
        raise UnknownDocument(f"there is no mailbox of a channel {channel_id}")
    async with httpx2.AsyncClient() as http:
        tls = ssl.create_default_context()
        return Waiting(waiting=await waiting_in(channel_id, channel.imap, request.app.state.secrets, http, tls))
