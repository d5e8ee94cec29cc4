"""The event store as its callers see it: load a ticket's history, append a commit to it.

Errors:

    EventStoreError
    ├── Conflict          somebody else appended first; load again and decide again
    ├── OutcomeUnknown    no answer came; the commit may or may not be there
    └── BrokenHistory     the stored bytes contradict themselves
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from deskwire_shared.contracts.commit import Commit

GENESIS = "0" * 64
"""The chain value before the first commit of a ticket."""


class EventStoreError(Exception):
    """The event store could not do what was asked."""


class Conflict(EventStoreError):
    """The history has grown since it was loaded."""


class OutcomeUnknown(EventStoreError):
    """The append was sent and no answer came."""


class BrokenHistory(EventStoreError):
    """A stored commit cannot be what was once written."""


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a ticket's history ends; an append states the tip it was decided on."""

    sequence: int = 0
    version: int = 0
    chain: str = GENESIS


UNWRITTEN = Tip()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A commit with its place in the stream."""

    sequence: int
    commit: Commit


@dataclass(frozen=True, slots=True)
class History:
    """All commits of a ticket, oldest first."""

    ticket_id: str
    recorded: tuple[Recorded, ...] = ()

    @property
    def commits(self) -> tuple[Commit, ...]:
        """The commits without their places."""
        return tuple(entry.commit for entry in self.recorded)

    @property
    def tip(self) -> Tip:
        """Where the next commit has to be appended."""
        if not self.recorded:
            return UNWRITTEN
        last = self.recorded[-1]
        return Tip(last.sequence, last.commit.version, last.commit.chain)


class EventStore(Protocol):
    """The log of record for tickets."""

    async def load(self, ticket_id: str, *, at_least: int = 0, fresh: bool = False) -> History:
        """Read a ticket's history.

        A replica may lag: `at_least` names a stream sequence that must be seen, `fresh` asks the
        leader itself. An unknown ticket has an empty history.
        """
        ...

    async def tip(self, ticket_id: str) -> Tip:
        """Where a ticket's history ends at this moment, as the leader knows it."""
        ...

    async def append(self, commit: Commit, *, after: Tip) -> Recorded:
        """Append a commit, or raise `Conflict` when the history no longer ends at `after`."""
        ...

    async def append_together(self, commits: Sequence[tuple[Commit, Tip]]) -> tuple[Recorded, ...]:
        """Append to several tickets, all or nothing."""
        ...

    async def append_history(self, commits: Sequence[Commit]) -> tuple[Recorded, ...]:
        """Append the whole history of a ticket that does not exist yet, all or nothing: for imports."""
        ...
