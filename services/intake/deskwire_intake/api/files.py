"""Uploading the files of replies and notes."""

import asyncio
import hashlib
import re
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, UploadFile

from deskwire_intake.api.recording import TheRecording
from deskwire_intake.attachments import UNKNOWN_TYPE, attachment_key
from deskwire_intake.fitting import fitted_line
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.http_access import requires

UPLOAD_PATH: Final = "/v1/attachments"
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,127}/[\w.+-]{1,127}\Z", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_in_memory = asyncio.Semaphore(4)
"""Uploads that are held whole at once."""

router = APIRouter(tags=["attachments"])


@router.post("/attachments", status_code=HTTPStatus.CREATED)
async def upload_attachment(
    file: UploadFile,
    recording: TheRecording,
    principal: Annotated[Principal, Depends(requires("tickets:note"))],
) -> Attachment:
    """Keep a file; send the answer along with a reply or a note."""
    del principal
    async with _in_memory:
        content = await file.read()
        sha256 = hashlib.sha256(content).hexdigest()
        await recording.objects.put(attachment_key(sha256), content)
    return Attachment(
        key=attachment_key(sha256),
        filename=_safe_name(file.filename or ""),
        content_type=_safe_type(file.content_type or ""),
        size=len(content),
        sha256=sha256,
    )


def _safe_name(name: str) -> str:
    """Keep the last step of a path, on one line."""
    last = re.split(r"[/\\]", _UNPRINTABLE.sub("", name))[-1].strip(". ")
    return fitted_line(last) or "attachment"


def _safe_type(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.match(kind) else UNKNOWN_TYPE
