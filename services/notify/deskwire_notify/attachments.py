"""Fetches the files that go along with a mail."""

import hashlib
from collections.abc import Sequence
from typing import Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore

from deskwire_notify.undeliverable import NotReady, Undeliverable
from deskwire_shared.contracts.facts import Attachment

IN_BASE64: Final = 1.37
"""How much longer bytes are in base64 with its line ends."""


async def fetch_contents(objects: ObjectStore, files: Sequence[Attachment], *, most_bytes: int) -> dict[str, bytes]:
    """Read attachments by their keys.

    Raises Undeliverable when they are too large for a mail, missing or damaged, NotReady when the
    store does not answer.
    """
    if sum(file.size for file in files) * IN_BASE64 > most_bytes:
        raise Undeliverable(f"the attachments are larger than a mail of {most_bytes} bytes can carry")
    return {file.key: await _fetch(objects, file) for file in files}


async def _fetch(objects: ObjectStore, file: Attachment) -> bytes:
    try:
        content = bytes(await (await obstore.get_async(objects, file.key)).bytes_async())
    except (NotFoundError, FileNotFoundError) as error:
        raise Undeliverable(f"the attachment {file.filename} is missing in the object store") from error
    except (BaseError, OSError) as error:
        raise NotReady(f"the object store does not answer: {type(error).__name__}") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Undeliverable(f"the attachment {file.filename} is damaged in the object store")
    return content
