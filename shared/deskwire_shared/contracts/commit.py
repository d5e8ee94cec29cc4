"""A commit: the facts one accepted command added to one ticket, stored as one message."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from deskwire_shared.contracts.facts import AnyFact

ActorKind = Literal["agent", "customer", "integration", "rule", "system"]


class Actor(BaseModel):
    """Who caused a commit."""

    model_config = ConfigDict(frozen=True)

    kind: ActorKind
    id: str


class Commit(BaseModel):
    """What was appended to a ticket's history.

    `version` is the ticket's number of facts after this commit, without gaps. `chain` is
    SHA-256 over the ticket's previous chain and this commit's canonical stored bytes.
    """

    model_config = ConfigDict(frozen=True)

    commit_id: str
    command_id: str
    ticket_id: str
    version: int
    at: datetime
    actor: Actor
    correlation_id: str
    causation_id: str | None = None
    chain: str = ""
    facts: tuple[AnyFact, ...] = ()

    @property
    def first_version(self) -> int:
        """The version of the first fact in this commit."""
        return self.version - len(self.facts) + 1
