"""The files of answers in a chat: a signed address leads to each, which only those learn who may read the answer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fastapi.responses import StreamingResponse

from deskwire_intake.channels.visitor_tokens import is_signed, sign
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.objects import ObjectMissing, Objects

HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class ChatFiles:
    """Gives out the files of answers."""

    recorder: Recorder
    objects: Objects
    key: bytes

    def path(self, ticket_id: str, message_id: str, number: int) -> str:
        """Where a file is reached, below the address of chats."""
        named = (ticket_id, message_id, str(number))
        return "/".join(("files", *named, sign(*named, key=self.key)))

    async def answer(self, ticket_id: str, message_id: str, number: int, signature: str) -> StreamingResponse:
        """Answer with a file, to be saved and never to be run. Raises ObjectMissing or ObjectStoreUnavailable."""
        if not is_signed(signature, ticket_id, message_id, str(number), key=self.key):
            raise ObjectMissing("there is no such file")
        message = (await self.recorder.ticket(ticket_id)).message(message_id)
        if message is None or message.redacted or not 0 <= number < len(message.attachments):
            raise ObjectMissing("there is no such file")
        file = message.attachments[number]
        if file.infected is not None or await self.objects.size(file.key) is None:
            raise ObjectMissing("there is no such file")
        return StreamingResponse(self._bytes(file), media_type="application/octet-stream", headers=_headers(file))

    async def _bytes(self, file: Attachment) -> AsyncIterator[bytes]:
        async for piece in self.objects.stream(file.key):
            yield piece


def _headers(file: Attachment) -> dict[str, str]:
    named = f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}"
    return {**HEADERS, "Content-Disposition": named, "Content-Length": str(file.size)}
