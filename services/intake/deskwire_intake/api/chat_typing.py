"""Telling customers in a chat that an agent is writing at this moment."""

import json
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from nats.aio.client import Client

from deskwire_intake.api.bodies import TicketPath
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.subjects import chat_typing_subject
from deskwire_shared.runtime.http_access import requires

router = APIRouter(tags=["tickets"])


@router.post("/tickets/{ticket_id}/typing", status_code=HTTPStatus.NO_CONTENT)
async def tell_typing(
    ticket_id: TicketPath, request: Request, principal: Annotated[Principal, Depends(requires("tickets:reply"))]
) -> None:
    """Tell the customer of a chat that an agent is writing; send it again every few seconds while that lasts."""
    connection: Client = request.app.state.connection
    typing = json.dumps({"by": "agent", "name": principal.name}).encode()
    await connection.publish(chat_typing_subject(ticket_id), typing)
