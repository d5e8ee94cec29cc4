"""The log as projections read it: commits in order, each decoded or with the reason why it cannot be."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import nats.errors
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from pydantic_core import from_json

from deskwire_query.catalogue import Position
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.subjects import KEYS, TICKETS
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.follower import Delivery, Follower
from deskwire_shared.eventstore.port import BrokenHistory

LONGEST_ID = 64
KEYS_STREAM = f"KV_{KEYS}"


class LogChanged(Exception):
    """The log no longer holds what the read models were made from."""


class Stored(NamedTuple):
    """The bytes of a commit with their place in the log."""

    sequence: int
    ticket_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Logged:
    """A commit with its place in the log and its stored bytes; without `commit`, `reason` says why."""

    sequence: int
    ticket_id: str
    stored: bytes
    commit: Commit | None = None
    reason: str = ""

    @property
    def commit_id(self) -> str:
        """The id of the commit, or of bytes that are none."""
        return self.commit.commit_id if self.commit else identity(self.stored)


class TicketLog:
    """The stream of tickets."""

    def __init__(self, connection: Client, stream: str = TICKETS) -> None:
        self._connection = connection
        self._js = connection.jetstream()
        self.stream = stream

    async def origin(self) -> Position:
        """Give the position before the first commit."""
        return Position(self.stream, str((await self._js.stream_info(self.stream)).created))

    async def last_sequence(self) -> int:
        """Tell where the log ends."""
        return (await self._js.stream_info(self.stream)).state.last_seq

    async def read(self, sequence: int) -> bytes | None:
        """Read the stored bytes at a sequence, from the leader."""
        try:
            return (await self._js.get_msg(self.stream, seq=sequence)).data or b""
        except NotFoundError:
            return None

    def follow(self, position: Position) -> Follower:
        """Give a follower that reads on behind a position; it has to be opened."""
        return Follower(self._connection, self.stream, start=position.sequence + 1)

    async def keys_sequence(self) -> int:
        """Tell the last change of anybody's keys."""
        return (await self._js.stream_info(KEYS_STREAM)).state.last_seq

    def follow_keys(self, after: int) -> Follower:
        """Give a follower of the changes of people's keys; it has to be opened."""
        return Follower(self._connection, KEYS_STREAM, start=after + 1)

    async def require(self, position: Position) -> Position:
        """Check that the log still holds the commit at a position, and give the position in the log's own epoch.

        Raises LogChanged: after a lost tail the server gives sequence numbers away again.
        """
        origin = await self.origin()
        if position.sequence == 0:
            return origin
        if position.epoch != origin.epoch:
            raise LogChanged(f"stream {self.stream} was made anew ({origin.epoch}, not {position.epoch})")
        stored = await self.read(position.sequence)
        if stored is None or identity(stored) != position.commit_id:
            raise LogChanged(
                f"{self.stream} sequence {position.sequence} holds {'nothing' if stored is None else identity(stored)},"
                f" not commit {position.commit_id}"
            )
        return position


TRANSIENT = (nats.errors.Error, TimeoutError, OSError)
"""What goes away by itself when the server is back."""


def identity(stored: bytes) -> str:
    """Name a commit by its id, or bytes that are no commit by their digest."""
    try:
        commit_id = from_json(stored)["commit_id"]
    except (ValueError, KeyError, TypeError):
        commit_id = None
    if isinstance(commit_id, str) and len(commit_id) <= LONGEST_ID:
        return commit_id
    return f"sha256:{hashlib.sha256(stored).hexdigest()}"


def erased_people(changes: Iterable[Delivery]) -> list[str]:
    """Name the people whose keys are all destroyed, by changes of the bucket."""
    return [one.subject.rpartition(".")[2] for one in changes if not from_json(one.data or b"{}").get("keys")]


def delivered(deliveries: Iterable[Delivery]) -> list[Stored]:
    """Give the commits that were delivered, still as bytes."""
    return [Stored(one.sequence, one.subject.rpartition(".")[2], one.data) for one in deliveries]


async def read_commits(stored: Sequence[Stored], codec: Codec) -> list[Logged]:
    """Decode commits."""
    await codec.warm(one.data for one in stored)
    return [await _read(*one, codec) for one in stored]


async def _read(sequence: int, ticket_id: str, data: bytes, codec: Codec) -> Logged:
    try:
        commit = await codec.decode(data)
    except BrokenHistory as error:
        return Logged(sequence, ticket_id, data, reason=str(error)[:500])
    if commit.ticket_id != ticket_id:
        reason = f"a commit of ticket {commit.ticket_id} on the subject of {ticket_id}"
        return Logged(sequence, ticket_id, data, reason=reason)
    return Logged(sequence, ticket_id, data, commit)
