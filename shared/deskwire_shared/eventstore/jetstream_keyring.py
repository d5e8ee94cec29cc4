"""The key ring in the key-value bucket `KEYS`: one entry a person, holding the living generations."""

import base64
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from deskwire_shared.contracts.subjects import KEYS
from deskwire_shared.eventstore.batch_get import BatchReader
from deskwire_shared.eventstore.jetstream import WRONG_LAST_SEQUENCE
from deskwire_shared.eventstore.keyring import KEY_BYTES, key_id_of, split_key_id
from deskwire_shared.eventstore.port import EventStoreError

CACHED_PEOPLE = 50_000
CACHED_SECONDS = 60.0
"""How long an erasure may go unnoticed if its notice is lost with a connection."""

STREAM = f"KV_{KEYS}"


@dataclass(slots=True)
class _Entry:
    generation: int = 0
    keys: dict[int, bytes] = field(default_factory=dict)
    revision: int = 0
    read_at: float = 0.0

    def next_generation(self) -> "_Entry":
        number = self.generation + 1
        return _Entry(number, {**self.keys, number: secrets.token_bytes(KEY_BYTES)}, self.revision)


class JetStreamKeyRing:
    """Keys in JetStream, cached in the process; a change anywhere drops the cached entry."""

    def __init__(self, connection: Client) -> None:
        self._connection = connection
        self._js: JetStreamContext = connection.jetstream()
        self._reader = BatchReader(connection, STREAM)
        self._cache: OrderedDict[str, _Entry] = OrderedDict()

    async def start(self) -> None:
        """Listen for changed entries."""
        await self._connection.subscribe(f"$KV.{KEYS}.>", cb=self._hear)

    async def current(self, person_id: str, *, expect_new: bool = False) -> tuple[str, bytes]:
        """See `KeyRing.current`."""
        guess = expect_new and person_id not in self._cache
        entry = await (self._write(person_id, _Entry().next_generation()) if guess else self._entry(person_id))
        while entry.generation not in entry.keys:
            entry = await self._write(person_id, entry.next_generation())
        return key_id_of(person_id, entry.generation), entry.keys[entry.generation]

    async def find(self, key_id: str) -> bytes | None:
        """See `KeyRing.find`."""
        person_id, generation = split_key_id(key_id)
        return (await self._entry(person_id)).keys.get(generation)

    async def warm(self, person_ids: Collection[str]) -> None:
        """See `KeyRing.warm`; who is not found here is asked for again when needed, from the leader."""
        unknown = [person_id for person_id in person_ids if not self._is_fresh(self._cache.get(person_id))]
        for message in await self._reader.read_last([_subject(person_id) for person_id in unknown]):
            self._keep(message.subject.rpartition(".")[2], _parse(message.data, message.sequence))

    def forget(self, person_id: str) -> None:
        """See `KeyRing.forget`."""
        self._cache.pop(person_id, None)

    async def destroy(self, person_id: str) -> int:
        """See `KeyRing.destroy`."""
        while (entry := await self._read(person_id)).keys:
            bare = _Entry(entry.generation, {}, entry.revision)
            if not (await self._write(person_id, bare)).keys:
                return len(entry.keys)
        return 0

    async def _entry(self, person_id: str) -> _Entry:
        cached = self._cache.get(person_id)
        if cached is not None and self._is_fresh(cached):
            return cached
        return await self._read(person_id)

    def _is_fresh(self, entry: _Entry | None) -> bool:
        return entry is not None and time.monotonic() - entry.read_at < CACHED_SECONDS

    async def _read(self, person_id: str) -> _Entry:
        try:
            message = await self._js.get_msg(STREAM, subject=_subject(person_id))
        except NotFoundError:
            return _Entry()
        return self._keep(person_id, _parse(message.data or b"{}", message.seq or 0))

    async def _write(self, person_id: str, entry: _Entry) -> _Entry:
        """Write an entry over the revision it was made from; when another was faster, what that one wrote."""
        guard = {"Nats-Expected-Last-Subject-Sequence": str(entry.revision)}
        try:
            ack = await self._js.publish(_subject(person_id), _format(entry), stream=STREAM, headers=guard)
        except APIError as error:
            if error.err_code != WRONG_LAST_SEQUENCE:
                raise EventStoreError(f"cannot write the keys of {person_id}: {error}") from error
            return await self._read(person_id)
        entry.revision = ack.seq
        return self._keep(person_id, entry)

    def _keep(self, person_id: str, entry: _Entry) -> _Entry:
        entry.read_at = time.monotonic()
        self._cache[person_id] = entry
        self._cache.move_to_end(person_id)
        if len(self._cache) > CACHED_PEOPLE:
            self._cache.popitem(last=False)
        return entry

    async def _hear(self, message: Msg) -> None:
        person_id = message.subject.rpartition(".")[2]
        cached = self._cache.get(person_id)
        if cached is not None and _parse(message.data, 0).keys != cached.keys:
            self.forget(person_id)


def _subject(person_id: str) -> str:
    return f"$KV.{KEYS}.{person_id}"


def _format(entry: _Entry) -> bytes:
    keys = {str(number): base64.b64encode(key).decode() for number, key in entry.keys.items()}
    return json.dumps({"generation": entry.generation, "keys": keys}).encode()


def _parse(raw: bytes, revision: int) -> _Entry:
    stored = json.loads(raw or b"{}")
    keys = {int(number): base64.b64decode(key) for number, key in stored.get("keys", {}).items()}
    return _Entry(stored.get("generation", 0), keys, revision)
