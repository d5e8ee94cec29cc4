"""Files of messages: kept under the digest of their content, each content once."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from typing import Final

from deskwire_intake.channels.port import IncomingFile
from deskwire_intake.fitting import fitted_line
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.ticket import limits

UNKNOWN_TYPE: Final = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,127}/[\w.+-]{1,127}\Z", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


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


async def keep_upload(objects: Objects, content: bytes, *, filename: str, content_type: str) -> Attachment:
    """Keep a file that somebody has sent, whatever they call it. Raises ObjectStoreUnavailable."""
    sha256 = hashlib.sha256(content).hexdigest()
    await objects.put(attachment_key(sha256), content)
    return Attachment(
        key=attachment_key(sha256),
        filename=safe_name(filename),
        content_type=safe_type(content_type),
        size=len(content),
        sha256=sha256,
    )


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


def safe_name(name: str) -> str:
    """Keep the last step of a path, on one line."""
    last = re.split(r"[/\\]", _UNPRINTABLE.sub("", name))[-1].strip(". ")
    return fitted_line(last) or "attachment"


def safe_type(content_type: str) -> str:
    """Keep the bare media type that somebody claims for a file."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.match(kind) else UNKNOWN_TYPE
