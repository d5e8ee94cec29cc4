"""Gives out attachments and mails as they came, so that none can act as a page of this desk.

Errors:

    FileNotThere             no message that can be seen has such a file, or it is no longer in the store
    FileIsInfected           a virus was found in it
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import ObjectStore
from starlette.responses import StreamingResponse

from deskwire_query.reading.read_models import Reads, TimelineEntry
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.facts import Attachment

if TYPE_CHECKING:
    from obstore import BytesStream  # a type only

SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
SAVED: Final = "application/octet-stream"
PIECE: Final = 256 * 1024
POLICY: Final = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"


class FileNotThere(LookupError):
    """No message that can be seen has such a file, or it is no longer in the store."""


class FileIsInfected(Exception):
    """A virus was found in the file."""

    def __init__(self, virus: str) -> None:
        super().__init__(f"the file is infected ({virus}) and is given to nobody")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the object store, and what it is called."""

    key: str
    filename: str
    content_type: str = SAVED


async def attachment_of(reads: Reads, ticket_id: str, version: int, index: int) -> StoredFile:
    """Find an attachment; only messages of tickets name files, so no other can be read.

    Raises FileNotThere or FileIsInfected.
    """
    said = await _message(reads, ticket_id, version)
    if index >= len(said.attachments):
        raise FileNotThere("there is no such attachment")
    file: Attachment = said.attachments[index]
    if file.infected is not None:
        raise FileIsInfected(file.infected)
    return StoredFile(file.key, file.filename, file.content_type)


async def raw_mail_of(reads: Reads, ticket_id: str, version: int, principal: Principal) -> StoredFile:
    """Find a message as it came; one in which a virus was found only for administrators.

    Raises FileNotThere or FileIsInfected.
    """
    said = await _message(reads, ticket_id, version)
    if said.raw_key is None:
        raise FileNotThere("this message came without anything that was kept apart")
    virus = next((file.infected for file in said.attachments if file.infected), None)
    if virus is not None and not principal.may("admin"):
        raise FileIsInfected(virus)
    return StoredFile(said.raw_key, f"message-{version}.{'eml' if said.channel == 'email' else 'txt'}")


async def _message(reads: Reads, ticket_id: str, version: int) -> TimelineEntry:
    found = await reads.timeline(ticket_id, after_version=version - 1, limit=1)
    if not found or found[0].version != version or found[0].redacted:
        raise FileNotThere("there is no such message, or its words were removed")
    return found[0]


async def given_out(store: ObjectStore, file: StoredFile, **headers: str) -> StreamingResponse:
    """Answer with a file: pictures are shown, everything else is saved. Raises FileNotThere."""
    try:
        content = await obstore.get_async(store, file.key)
    except (NotFoundError, FileNotFoundError) as error:
        raise FileNotThere("the file is no longer in the store") from error
    return StreamingResponse(_pieces(content.stream(min_chunk_size=PIECE)), headers=_headers(file) | headers)


async def _pieces(stream: "BytesStream") -> AsyncIterator[bytes]:
    async for piece in stream:
        yield bytes(piece)


def _headers(file: StoredFile) -> dict[str, str]:
    shown = file.content_type.lower() in SHOWN
    how, name = "inline" if shown else "attachment", quote(file.filename, safe="")
    return {
        "Content-Type": file.content_type.lower() if shown else SAVED,
        "Content-Disposition": f"{how}; filename*=UTF-8''{name}",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=86400, immutable",
    }
