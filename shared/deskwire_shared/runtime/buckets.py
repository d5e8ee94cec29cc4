"""Small key-value access to JetStream buckets, each key read from the leader."""

from typing import NamedTuple

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from deskwire_shared.eventstore.jetstream import WRONG_LAST_SEQUENCE
from deskwire_shared.eventstore.port import EventStoreError


class Kept(NamedTuple):
    """A value with the revision it was read at; revision 0 is no value."""

    value: bytes
    revision: int


NOTHING = Kept(b"", 0)


class Bucket:
    """One key-value bucket; an empty value counts as none."""

    def __init__(self, js: JetStreamContext, name: str) -> None:
        self._js = js
        self._name = name

    async def get(self, key: str) -> Kept:
        """The value of a key, or NOTHING. Raises EventStoreError when the server does not answer."""
        try:
            message = await self._js.get_msg(f"KV_{self._name}", subject=self._subject(key))
        except NotFoundError:
            return NOTHING
        except nats.errors.Error as error:
            raise EventStoreError(f"bucket {self._name} does not answer: {error!r}") from error
        return Kept(message.data or b"", message.seq or 0)

    async def put(self, key: str, value: bytes, *, revision: int | None = None) -> bool:
        """Write a value; with `revision`, only over that one, and False when it has changed. Raises EventStoreError."""
        guard = {} if revision is None else {"Nats-Expected-Last-Subject-Sequence": str(revision)}
        try:
            await self._js.publish(self._subject(key), value, stream=f"KV_{self._name}", headers=guard)
        except APIError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                return False
            raise EventStoreError(f"bucket {self._name}: {error}") from error
        except nats.errors.Error as error:
            raise EventStoreError(f"bucket {self._name} does not answer: {error!r}") from error
        return True

    async def remove(self, key: str) -> None:
        """Forget a key and its value. Raises EventStoreError when the server does not answer."""
        try:
            await self._js.purge_stream(f"KV_{self._name}", subject=self._subject(key))
        except nats.errors.Error as error:
            raise EventStoreError(f"bucket {self._name} does not answer: {error!r}") from error

    def _subject(self, key: str) -> str:
        return f"$KV.{self._name}.{key}"
