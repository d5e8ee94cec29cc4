"""Uploading the files of replies and notes."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, UploadFile

from deskwire_intake.api.recording import TheRecording
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.http_access import requires

UPLOAD_PATH: Final = "/v1/attachments"


class InfectedUpload(Exception):
    """The file is infected and is given to nobody."""

    def __init__(self, filename: str, virus: str) -> None:
        super().__init__(f"{filename} is infected: {virus}")


router = APIRouter(tags=["attachments"])


@router.post("/attachments", status_code=HTTPStatus.CREATED)
async def upload_attachment(
    file: UploadFile,
    recording: TheRecording,
    principal: Annotated[Principal, Depends(requires("tickets:note"))],
) -> Attachment:
    """Keep a file; send the answer along with a reply or a note."""
    del principal
    kept = await recording.uploads.keep(file)
    if kept.infected is not None:
        raise InfectedUpload(kept.filename, kept.infected)
    return kept
