"""What routing names as the cause of what it records."""

from dataclasses import dataclass, field
from datetime import datetime

from deskwire_routing.actors import BY_ROUTING, ROUTING
from deskwire_shared.contracts.ids import derived_id, new_id
from deskwire_shared.eventstore.plain_facts import PlainCommit
from deskwire_shared.eventstore.recorder import Cause


@dataclass(frozen=True, slots=True)
class Because:
    """The commit that something goes back to; none when a person's document or the time was the cause."""

    correlation_id: str = field(default_factory=new_id)
    commit_id: str | None = None

    @classmethod
    def of(cls, commit: PlainCommit) -> "Because":
        """Name a commit."""
        return cls(commit.correlation_id, commit.commit_id)

    def cause(self, at: datetime, *command: str) -> Cause:
        """Give the cause of a command that is recorded once for life under its name."""
        return Cause(derived_id(ROUTING, *command), BY_ROUTING, at, self.correlation_id, self.commit_id)
