"""Attachments, and messages as they came."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from deskwire_query.api.parameters import TicketInPath, TicketsReader
from deskwire_query.api.state import PartsOfDesk
from deskwire_query.reading.files import attachment_of, given_out, raw_mail_of
from deskwire_query.reading.read_models import LAST_VERSION

router = APIRouter(tags=["files"])

Version = Annotated[int, Path(ge=1, le=LAST_VERSION, description="The `version` of the message in the timeline.")]


@router.get(
    "/tickets/{ticket}/messages/{version}/raw", summary="Download a message as it came", response_class=Response
)
async def read_raw_mail(
    ticket: TicketInPath, version: Version, principal: TicketsReader, parts: PartsOfDesk
) -> Response:
    """Download the raw mail or payload; one in which a virus was found needs the permission `admin`."""
    found = await parts.reader.ticket(ticket)
    return await given_out(parts.objects, await raw_mail_of(parts.reader, found.id, version, principal))


@router.get(
    "/tickets/{ticket}/messages/{version}/attachments/{index}",
    summary="Download an attachment",
    response_class=Response,
)
async def read_attachment(
    ticket: TicketInPath,
    version: Version,
    index: Annotated[int, Path(ge=0, le=999, description="Its place in the message's `attachments`, from 0.")],
    _principal: TicketsReader,
    parts: PartsOfDesk,
) -> Response:
    """Download an attachment, unless a virus was found in it."""
    found = await parts.reader.ticket(ticket)
    return await given_out(parts.objects, await attachment_of(parts.reader, found.id, version, index))
