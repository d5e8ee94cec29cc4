"""Direct batch get (ADR-31): all messages of one subject, or the last ones of many, in one request.

nats-py reads one message a request; twenty of those cost six times one batch.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from deskwire_shared.eventstore.port import EventStoreError

BATCH = 500
MOST_SUBJECTS = 1_000
"""Of one request for last messages; the server takes 1,024."""
END_OF_BATCH = "204"
NOT_FOUND = "404"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as the stream holds it."""

    sequence: int
    subject: str
    data: bytes


class BatchReader:
    """Reads whole subjects over one shared inbox."""

    def __init__(self, connection: Client, stream: str, *, timeout: float = 5.0) -> None:
        self._connection = connection
        self._api = f"$JS.API.DIRECT.GET.{stream}"
        self._timeout = timeout
        self._inbox = connection.new_inbox()
        self._waiting: dict[str, asyncio.Queue[Msg]] = {}
        self._serial = 0
        self._subscribing: asyncio.Task[None] | None = None

    async def read(self, subject: str) -> list[StoredMessage]:
        """Every message on a subject, oldest first. Raises EventStoreError when the server does not answer."""
        found: list[StoredMessage] = []
        while True:
            after = found[-1].sequence + 1 if found else 1
            page, pending = await self._page(subject, after)
            found += page
            if not pending or not page:
                return found

    async def read_last(self, subjects: Sequence[str]) -> list[StoredMessage]:
        """Read the last message on each of some subjects. Raises EventStoreError when the server does not answer."""
        found: list[StoredMessage] = []
        for start in range(0, len(subjects), MOST_SUBJECTS):
            asked = subjects[start : start + MOST_SUBJECTS]
            page, _ = await self._ask({"multi_last": asked, "batch": len(asked)}, f"{len(asked)} subjects")
            found += page
        return found

    async def _page(self, subject: str, start: int) -> tuple[list[StoredMessage], int]:
        return await self._ask({"seq": start, "next_by_subj": subject, "batch": BATCH}, subject)

    async def _ask(self, question: dict[str, Any], what: str) -> tuple[list[StoredMessage], int]:
        await self._subscribed()
        self._serial += 1
        token = str(self._serial)
        answers: asyncio.Queue[Msg] = asyncio.Queue()
        self._waiting[token] = answers
        request = json.dumps(question).encode()
        try:
            async with asyncio.timeout(self._timeout):
                await self._connection.publish(self._api, request, reply=f"{self._inbox}.{token}")
                return await _collect(answers)
        except TimeoutError as error:
            raise EventStoreError(f"no answer to a read of {what} within {self._timeout} s") from error
        finally:
            del self._waiting[token]

    async def _subscribed(self) -> None:
        if self._subscribing is None:
            self._subscribing = asyncio.ensure_future(self._subscribe())
        await asyncio.shield(self._subscribing)

    async def _subscribe(self) -> None:
        await self._connection.subscribe(f"{self._inbox}.*", cb=self._receive)

    async def _receive(self, message: Msg) -> None:
        answers = self._waiting.get(message.subject.rpartition(".")[2])
        if answers is not None:
            answers.put_nowait(message)


async def _collect(answers: asyncio.Queue[Msg]) -> tuple[list[StoredMessage], int]:
    page: list[StoredMessage] = []
    while True:
        message = await answers.get()
        headers = message.headers or {}
        status = headers.get("Status")
        if status == NOT_FOUND:
            return page, 0
        if status == END_OF_BATCH:
            return page, int(headers.get("Nats-Num-Pending", 0))
        if status is not None:
            raise EventStoreError(f"batch get refused: {status} {headers.get('Description', '')}")
        page.append(StoredMessage(int(headers["Nats-Sequence"]), headers["Nats-Subject"], message.data))
