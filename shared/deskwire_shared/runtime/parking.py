"""Where messages and mails wait that nobody could handle: kept whole, with the reason, until replayed or dismissed."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime

from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import BadRequestError, NotFoundError
from pydantic import AwareDatetime, BaseModel

from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.subjects import PARKED, parked_subject
from deskwire_shared.runtime.clock import Clock

OCCUPIED = 10071
"""The server's word that a subject holds a message already."""
INLINE_BYTES = 256 * 1024
"""Larger payloads are cut here; the original is named by `reference` (a stream subject or an object key)."""


class UnknownParked(Exception):
    """Nothing is parked under that number."""


class Parked(BaseModel, frozen=True):
    """Something that could not be handled; `number` is its place in the stream."""

    number: int = 0
    service: str
    at: AwareDatetime
    reason: str
    reference: str
    headers: dict[str, str] = {}
    payload: str = ""

    @property
    def data(self) -> bytes:
        """The payload's bytes."""
        return base64.b64decode(self.payload)


@dataclass(frozen=True, slots=True)
class ParkingLot:
    """The parking space of one service."""

    js: JetStreamContext
    clock: Clock
    service: str

    async def park(
        self, reference: str, data: bytes, headers: dict[str, str], *, reason: str, once: tuple[str, ...] = ()
    ) -> int:
        """Keep something with the reason; its number.

        What `once` names is kept once while it waits, however many processes park it: the first one's number counts.
        """
        at: datetime = self.clock.now()
        parked = Parked(
            service=self.service, at=at, reason=reason[:2000], reference=reference, headers=headers,
            payload=base64.b64encode(data[:INLINE_BYTES]).decode(),
        )  # fmt: skip
        body = parked.model_dump_json(exclude={"number"}).encode()
        if once:
            return await self._publish_once(parked_subject(self.service, derived_id(*once)), body)
        ack = await self.js.publish(parked_subject(self.service), body, stream=PARKED)
        return ack.seq

    async def _publish_once(self, subject: str, body: bytes) -> int:
        """Publish where nothing is; what is there may be dismissed before it is looked at, then try again."""
        number: int | None = None
        while number is None:
            number = await self._publish_first(subject, body) or await self._number_at(subject)
        return number

    async def _publish_first(self, subject: str, body: bytes) -> int | None:
        empty: dict[str, str] = {Header.EXPECTED_LAST_SUBJECT_SEQUENCE: "0"}
        try:
            return (await self.js.publish(subject, body, stream=PARKED, headers=empty)).seq
        except BadRequestError as error:
            if error.err_code != OCCUPIED:
                raise
        return None

    async def _number_at(self, subject: str) -> int | None:
        try:
            return (await self.js.get_last_msg(PARKED, subject)).seq
        except NotFoundError:
            return None


async def list_parked(js: JetStreamContext, *, most: int = 100, after: int = 0) -> list[Parked]:
    """What is parked, oldest first."""
    found: list[Parked] = []
    while len(found) < most:
        try:
            message = await js.get_msg(PARKED, seq=after + 1, subject="parked.>", next=True, direct=True)
        except NotFoundError:
            break
        assert message.seq is not None
        after = message.seq
        found.append(_read(message.data or b"{}", after))
    return found


async def get_parked(js: JetStreamContext, number: int) -> Parked:
    """One parked thing. Raises UnknownParked."""
    try:
        message = await js.get_msg(PARKED, seq=number)
    except NotFoundError as error:
        raise UnknownParked(f"nothing is parked under {number}") from error
    return _read(message.data or b"{}", number)


async def dismiss(js: JetStreamContext, number: int) -> None:
    """Take something out of the parking lot for good."""
    await get_parked(js, number)
    await js.delete_msg(PARKED, number)


def _read(raw: bytes, number: int) -> Parked:
    return Parked.model_validate({**json.loads(raw), "number": number})
