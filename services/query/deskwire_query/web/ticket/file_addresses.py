"""Addresses of files that need no cookie: signed, for a while, and if it is wished at a name of their own."""

import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

VALID_SECONDS: Final = 600
"""How long an address is valid at least; it is the same for so long, that browsers may keep what it leads to."""
SIGNATURE_BYTES: Final = 20

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def name_in_address(filename: str) -> str:
    """Write a file's name as the end of an address; it is only for people."""
    return quote(_CONTROL.sub("_", filename), safe="") or "file"


@dataclass(frozen=True)
class FileAddresses:
    """Makes and checks addresses of attachments."""

    key: Callable[[], Awaitable[bytes]]
    origin: str = ""
    """Where they are served, such as `https://files.example.com`; empty for the address of the desk itself."""

    async def of(self, ticket_id: str, version: int, index: int, filename: str, *, now: datetime) -> str:
        """Give the address of an attachment."""
        until = (int(now.timestamp()) // VALID_SECONDS + 2) * VALID_SECONDS
        signature = await self._signature(ticket_id, version, index, until)
        place = f"{ticket_id}/{version}/{index}/{until}/{signature}"
        return f"{self.origin}/files/{place}/{name_in_address(filename)}"

    async def is_valid(
        self, ticket_id: str, version: int, index: int, until: int, signature: str, *, now: datetime
    ) -> bool:
        """Whether an address was made here, and not too long ago."""
        expected = await self._signature(ticket_id, version, index, until)
        is_ours = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
        return is_ours and now < datetime.fromtimestamp(until, UTC)

    async def _signature(self, *named: str | int) -> str:
        signed = "\x1f".join(("attachment", *map(str, named)))
        digest = hmac.digest(await self.key(), signed.encode("utf-8", "replace"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode().rstrip("=")
