"""The event store and key ring in memory: real behaviour without a server."""

import secrets
from collections.abc import Collection, Sequence

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.keyring import KEY_BYTES, key_id_of, split_key_id
from deskwire_shared.eventstore.port import Conflict, History, Recorded, Tip


class MemoryKeyRing:
    """Keys in a dictionary: per person the generations, a destroyed one is None."""

    def __init__(self) -> None:
        self._keys: dict[str, list[bytes | None]] = {}

    async def current(self, person_id: str, *, expect_new: bool = False) -> tuple[str, bytes]:
        """See `KeyRing.current`."""
        del expect_new  # looking costs nothing here
        generations = self._keys.setdefault(person_id, [])
        if not generations or generations[-1] is None:
            generations.append(secrets.token_bytes(KEY_BYTES))
        key = generations[-1]
        assert key is not None
        return key_id_of(person_id, len(generations)), key

    async def find(self, key_id: str) -> bytes | None:
        """See `KeyRing.find`."""
        person_id, generation = split_key_id(key_id)
        generations = self._keys.get(person_id, [])
        return generations[generation - 1] if 0 < generation <= len(generations) else None

    async def warm(self, person_ids: Collection[str]) -> None:
        """See `KeyRing.warm`."""
        del person_ids  # memory is as warm as it gets

    def forget(self, person_id: str) -> None:
        """See `KeyRing.forget`."""
        del person_id  # nothing is remembered beside the keys themselves

    async def destroy(self, person_id: str) -> int:
        """See `KeyRing.destroy`."""
        generations = self._keys.get(person_id, [])
        alive = sum(key is not None for key in generations)
        self._keys[person_id] = [None] * len(generations)
        return alive


class MemoryEventStore:
    """Stored bytes in a list, as the server would hold them, with an index by ticket."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._stored: list[tuple[str, bytes]] = []
        self._sequences: dict[str, list[int]] = {}
        self._indexed = 0

    async def load(self, ticket_id: str, *, at_least: int = 0, fresh: bool = False) -> History:
        """See `EventStore.load`."""
        del at_least, fresh  # memory never lags
        found = [(seq, self._stored[seq - 1][1]) for seq in self._sequences_of(ticket_id)]
        return History(ticket_id, tuple([Recorded(seq, await self._codec.decode(raw)) for seq, raw in found]))

    async def tip(self, ticket_id: str) -> Tip:
        """See `EventStore.tip`."""
        return (await self.load(ticket_id)).tip

    async def append(self, commit: Commit, *, after: Tip) -> Recorded:
        """See `EventStore.append`."""
        return (await self.append_together([(commit, after)]))[0]

    async def append_together(self, commits: Sequence[tuple[Commit, Tip]]) -> tuple[Recorded, ...]:
        """See `EventStore.append_together`."""
        encoded = [await self._codec.encode(commit, after=after) for commit, after in commits]
        for commit, after in commits:
            if self._last_sequence(commit.ticket_id) != after.sequence:
                raise Conflict(f"ticket {commit.ticket_id} has grown past {after.sequence}")
        recorded = []
        for commit, raw in encoded:
            self._stored.append((commit.ticket_id, raw))
            recorded.append(Recorded(len(self._stored), commit))
        return tuple(recorded)

    async def append_history(self, commits: Sequence[Commit]) -> tuple[Recorded, ...]:
        """See `EventStore.append_history`."""
        if self._last_sequence(commits[0].ticket_id):
            raise Conflict(f"ticket {commits[0].ticket_id} exists")
        return tuple([await self.append(commit, after=await self.tip(commit.ticket_id)) for commit in commits])

    def _last_sequence(self, ticket_id: str) -> int:
        return next(reversed(self._sequences_of(ticket_id)), 0)

    def _sequences_of(self, ticket_id: str) -> list[int]:
        for sequence, (owner, _) in enumerate(self._stored[self._indexed :], self._indexed + 1):
            self._sequences.setdefault(owner, []).append(sequence)
        self._indexed = len(self._stored)
        return self._sequences.get(ticket_id, [])
