"""What a message says about why a ticket is looked at; what is due is decided anew by whoever hears it."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from deskwire_shared.contracts.ids import new_id

SERVICE: Final = "sla"
NEXT_LOOK: Final = "next"
"""The timer of a ticket for the next moment at which something is due."""

RECHECK: Final = "recheck"
"""A look that is due because a policy or a calendar changed."""


class Revision(BaseModel):
    """A directory document at least at a revision."""

    model_config = ConfigDict(frozen=True)

    kind: str
    id: str
    revision: int


class Hint(BaseModel):
    """The commit that a reaction goes back to, and the documents it has to know. A stored commit is a hint, too."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    commit_id: str | None = None
    correlation_id: str = Field(default_factory=new_id)
    revisions: tuple[Revision, ...] = ()

    def stored(self) -> bytes:
        """The bytes to store."""
        return self.model_dump_json().encode()
