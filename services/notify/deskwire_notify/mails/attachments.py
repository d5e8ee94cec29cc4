"""Fetches the files that go along with a mail."""

import hashlib
from collections.abc import Sequence
from typing import Final

from deskwire_notify.undeliverable import NotReady, Undeliverable
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.objects import ObjectMissing, Objects, ObjectStoreUnavailable

IN_BASE64: Final = 1.37
"""How much longer bytes are in base64 with its line ends."""


async def fetch_contents(objects: Objects, files: Sequence[Attachment], *, most_bytes: int) -> dict[str, bytes]:
    """Read attachments by their keys.

    Raises Undeliverable when they are too large for a mail, missing or damaged, NotReady when the
    store does not answer.
    """
    if sum(file.size for file in files) * IN_BASE64 > most_bytes:
        raise Undeliverable(f"the attachments are larger than a mail of {most_bytes} bytes can carry")
    return {file.key: await _fetch(objects, file) for file in files}


async def _fetch(objects: Objects, file: Attachment) -> bytes:
    try:
        content = await objects.get(file.key)
    except ObjectMissing as error:
        raise Undeliverable(f"the attachment {file.filename} is missing in the object store") from error
    except ObjectStoreUnavailable as error:
        raise NotReady("the object store does not answer") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Undeliverable(f"the attachment {file.filename} is damaged in the object store")
    return content
