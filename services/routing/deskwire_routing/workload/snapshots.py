"""What the roster knows, kept beside the log, so that a start need not read all of it.

Nothing depends on a snapshot: one that is missing, cannot be read or belongs to another log is passed over, and the
log is read from its beginning.
"""

import zlib
from typing import Final, Protocol

import obstore
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from obstore.exceptions import BaseError
from obstore.store import ObjectStore
from pydantic import BaseModel, ValidationError
from structlog import get_logger

from deskwire_routing.workload.workload import Memory
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.plain_facts import plain_commit
from deskwire_shared.eventstore.port import BrokenHistory

KEY: Final = "routing/workload-v1"
MOST_BYTES: Final = 1024**3
"""Of an unpacked snapshot."""

log = get_logger(__name__)


class Snapshot(BaseModel):
    """What was known after a commit, which must still stand at its place in the log."""

    sequence: int
    commit_id: str
    memory: Memory


class Snapshots(Protocol):
    """Where snapshots are kept."""

    async def load(self) -> Snapshot | None:
        """The last snapshot of this very log; None when there is none to go on from."""
        ...

    async def save(self, snapshot: Snapshot) -> None:
        """Keep a snapshot instead of the last one."""
        ...

    async def stands(self, sequence: int, commit_id: str) -> bool:
        """Whether the log holds this commit at this place."""
        ...


class ObjectSnapshots:
    """Snapshots in the object store; one for all replicas, since all know the same."""

    def __init__(self, objects: ObjectStore, js: JetStreamContext) -> None:
        self._objects = objects
        self._js = js

    async def load(self) -> Snapshot | None:
        """See `Snapshots.load`."""
        try:
            found = await obstore.get_async(self._objects, KEY)
            packed = bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            log.warning("snapshot cannot be had, the whole log will be read", error=repr(error))
            return None
        snapshot = _unpacked(packed)
        if snapshot is None or not await self.stands(snapshot.sequence, snapshot.commit_id):
            log.warning("snapshot is not of this log, the whole log will be read")
            return None
        return snapshot

    async def save(self, snapshot: Snapshot) -> None:
        """See `Snapshots.save`."""
        packed = zlib.compress(snapshot.model_dump_json().encode(), level=1)
        try:
            await obstore.put_async(self._objects, KEY, packed)
        except (BaseError, OSError) as error:
            log.warning("snapshot cannot be kept, the next start will read more of the log", error=repr(error))

    async def stands(self, sequence: int, commit_id: str) -> bool:
        """See `Snapshots.stands`."""
        try:
            message = await self._js.get_msg(TICKETS, seq=sequence)
            return plain_commit(message.data or b"").commit_id == commit_id
        except (NotFoundError, BrokenHistory):
            return False


def _unpacked(packed: bytes) -> Snapshot | None:
    try:
        return Snapshot.model_validate_json(zlib.decompressobj().decompress(packed, MOST_BYTES))
    except (zlib.error, ValidationError):
        return None
