"""Serves attachments so that none can act as a page of this desk: pictures are shown, everything else is saved."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

import obstore
from fastapi import APIRouter, HTTPException, Path
from obstore.exceptions import NotFoundError
from starlette.responses import Response, StreamingResponse

from deskwire_query.web.access import Reader
from deskwire_query.web.desk import TheDesk
from deskwire_shared.contracts.facts import Attachment

if TYPE_CHECKING:
    from obstore import BytesStream  # a type only

SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
SAVED: Final = "application/octet-stream"
PIECE: Final = 256 * 1024
POLICY: Final = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"

router = APIRouter()


def attachment_address(ticket_id: str, version: int, index: int, file: Attachment) -> str:
    """Give the address of an attachment; the name in it is only for people."""
    return f"/attachments/{ticket_id}/{version}/{index}/{quote(file.filename, safe='') or 'file'}"


@router.get("/attachments/{ticket_id}/{version}/{index}/{name:path}")
async def attachment(
    desk: TheDesk,
    principal: Reader,
    *,
    ticket_id: str,
    version: Annotated[int, Path(ge=1)],
    index: Annotated[int, Path(ge=0, lt=1000)],
    name: str,
) -> Response:
    """Serve an attachment of a message; only messages of tickets name files, so no other file can be read."""
    del principal, name
    found = await desk.reads.timeline(ticket_id, after_version=version - 1, limit=1)
    if not found or found[0].version != version or found[0].redacted or index >= len(found[0].attachments):
        raise HTTPException(404, "There is no such attachment.")
    file = found[0].attachments[index]
    try:
        content = await obstore.get_async(desk.objects, file.key)
    except (NotFoundError, FileNotFoundError) as error:
        raise HTTPException(404, "The file is no longer in the store.") from error
    return StreamingResponse(_pieces(content.stream(min_chunk_size=PIECE)), headers=_headers(file))


async def _pieces(stream: "BytesStream") -> AsyncIterator[bytes]:
    async for piece in stream:
        yield bytes(piece)


def _headers(file: Attachment) -> dict[str, str]:
    shown = file.content_type.lower() in SHOWN
    how, name = "inline" if shown else "attachment", quote(file.filename, safe="")
    return {
        "Content-Type": file.content_type.lower() if shown else SAVED,
        "Content-Disposition": f"{how}; filename*=UTF-8''{name}",
        "Content-Security-Policy": POLICY,
        "Cache-Control": "private, max-age=86400, immutable",
    }
