"""Files of messages: kept under the digest of their content, each content once."""

import asyncio
from collections.abc import Sequence
from typing import Final

from deskwire_intake.channels.port import IncomingFile
from deskwire_intake.fitting import fitted_line
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.ticket import limits

UNKNOWN_TYPE: Final = "application/octet-stream"


def attachment_key(sha256: str) -> str:
    """Where a content is kept."""
    return f"attachments/{sha256[:2]}/{sha256}"


async def keep_files(objects: Objects, files: Sequence[IncomingFile]) -> tuple[Attachment, ...]:
    """Keep the files of a message; those beyond the desk's limit stay in the raw message alone.

    Raises ObjectStoreUnavailable.
    """
    kept = files[: limits.ATTACHMENTS]
    contents = {file.sha256: file.content for file in kept}
    await asyncio.gather(*(objects.put(attachment_key(sha256), content) for sha256, content in contents.items()))
    return tuple(_attachment(file) for file in kept)


def _attachment(file: IncomingFile) -> Attachment:
    return Attachment(
        key=attachment_key(file.sha256),
        filename=fitted_line(file.filename),
        content_type=fitted_line(file.content_type) or UNKNOWN_TYPE,
        size=len(file.content),
        sha256=file.sha256,
        content_id=fitted_line(file.content_id) if file.content_id else None,
        inline=file.inline,
    )
