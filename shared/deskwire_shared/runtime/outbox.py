"""The local outbox: where mails are kept, to be looked at, as long as no mail server is configured."""

import email
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import decode_header, make_header
from email.policy import compat32

import obstore
from obstore.store import ObjectStore

from deskwire_shared.runtime.objects import ObjectMissing, Objects

FOLDER = "outbox"
HEAD_BYTES = 32 * 1024
"""Enough of a mail to hold every header the desk writes."""

_MAIL_ID = re.compile(r"[a-z2-7]{16}\Z")


class UnknownMail(Exception):
    """The outbox holds no such mail."""


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail in the outbox, as a list shows it."""

    id: str
    at: datetime
    size: int
    sender: str
    to: str
    subject: str


async def keep(objects: Objects, mail_id: str, content: bytes) -> None:
    """Put a mail in the outbox; the same mail again is not another one. Raises ObjectStoreUnavailable."""
    await objects.put(_key(mail_id), content)


async def list_outbox(objects: ObjectStore, most: int = 100) -> list[KeptMail]:
    """List the newest mails of the outbox, the newest first."""
    found: list[tuple[datetime, int, str]] = []
    async for chunk in obstore.list(objects, prefix=FOLDER, chunk_size=1000):
        found += [(meta["last_modified"], meta["size"], meta["path"]) for meta in chunk]
    newest = sorted(found, reverse=True)[:most]
    return [await _kept(objects, *mail) for mail in newest]


async def read_outbox(objects: ObjectStore, mail_id: str) -> bytes:
    """Give the bytes of a mail. Raises UnknownMail."""
    try:
        return await Objects(objects).get(_key(mail_id))
    except ObjectMissing as error:
        raise UnknownMail(mail_id) from error


def _key(mail_id: str) -> str:
    if not _MAIL_ID.match(mail_id):
        raise UnknownMail(mail_id)
    return f"{FOLDER}/{mail_id}.eml"


async def _kept(objects: ObjectStore, at: datetime, size: int, path: str) -> KeptMail:
    head = bytes(await obstore.get_range_async(objects, path, start=0, length=min(size, HEAD_BYTES)))
    mail = email.message_from_bytes(head, policy=compat32)
    sender, to, subject = (_readable(mail.get_all(name, [])) for name in ("From", "To", "Subject"))
    mail_id = path.rpartition("/")[2].removesuffix(".eml")
    return KeptMail(id=mail_id, at=at, size=size, sender=sender, to=to, subject=subject)


def _readable(values: Sequence[str]) -> str:
    return ", ".join(" ".join(str(make_header(decode_header(str(value)))).split()) for value in values)
