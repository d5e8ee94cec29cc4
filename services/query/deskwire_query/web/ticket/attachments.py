"""Serves the files of messages: the session opens the door, and a signed address without cookies leads to the file."""

from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Path
from starlette.responses import RedirectResponse, Response

from deskwire_query.reading.files import attachment_of, given_out, raw_mail_of
from deskwire_query.reading.read_models import LAST_VERSION
from deskwire_query.web.access import Reader
from deskwire_query.web.desk import TheDesk
from deskwire_query.web.ticket.file_addresses import name_in_address
from deskwire_shared.contracts.facts import Attachment

LAST_INDEX: Final = 999
FAR_FUTURE: Final = 2**40
ANYWHERE: Final = {"Cross-Origin-Resource-Policy": "cross-origin"}
"""Files may stand at a name of their own, and be pictures in the mails of the desk's."""

router = APIRouter()

Version = Annotated[int, Path(ge=1, le=LAST_VERSION)]
Index = Annotated[int, Path(ge=0, le=LAST_INDEX)]


def attachment_address(ticket_id: str, version: int, index: int, file: Attachment) -> str:
    """Give the address of an attachment."""
    return f"/attachments/{ticket_id}/{version}/{index}/{name_in_address(file.filename)}"


@router.get("/attachments/{ticket_id}/{version}/{index}/{name:path}")
async def attachment(
    desk: TheDesk, principal: Reader, *, ticket_id: str, version: Version, index: Index, name: str
) -> Response:
    """Lead an agent to an attachment of a message."""
    del principal, name
    file = await attachment_of(desk.reads, ticket_id, version, index)
    address = await desk.files.of(ticket_id, version, index, file.filename, now=desk.clock.now())
    return RedirectResponse(address, 303)


@router.get("/files/{ticket_id}/{version}/{index}/{until}/{signature}/{name:path}")
async def signed_file(
    desk: TheDesk,
    *,
    ticket_id: str,
    version: Version,
    index: Index,
    until: Annotated[int, Path(ge=0, le=FAR_FUTURE)],
    signature: str,
    name: str,
) -> Response:
    """Serve an attachment to whoever has its address, which only those learn who may read the message."""
    del name
    if not await desk.files.is_valid(ticket_id, version, index, until, signature, now=desk.clock.now()):
        raise HTTPException(404, "This address leads nowhere, or does no longer: open the file from its ticket again.")
    file = await attachment_of(desk.reads, ticket_id, version, index)
    return await given_out(desk.objects, file, **ANYWHERE)


@router.get("/tickets/{ticket_id}/messages/{version}/raw")
async def raw_mail(desk: TheDesk, principal: Reader, ticket_id: str, version: Version) -> Response:
    """Give a message as it came."""
    file = await raw_mail_of(desk.reads, ticket_id, version, principal)
    return await given_out(desk.objects, file, **{"Cache-Control": "no-store"})
