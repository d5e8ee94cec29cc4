"""What the command API answers."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from deskwire_shared.contracts.staff import Availability


class Done(BaseModel):
    """What became of a change; `sequence` is what `?after=` of the read API waits for."""

    model_config = ConfigDict(frozen=True)

    ticket_id: str
    number: int
    version: int
    sequence: int
    message_id: str | None = None
    task_id: str | None = None
    split_off: str | None = None


class Found(BaseModel):
    """A ticket by its number."""

    ticket_id: str
    number: int


class MacroPreview(BaseModel):
    """What a macro would do to a ticket at a version of it."""

    name: str
    version: int
    replies: list[str]
    notes: list[str]
    changes: list[str]


class BulkAnswer(BaseModel):
    """What became of one ticket of many; `problem` says why it was refused."""

    ticket_id: str
    status: int
    version: int | None = None
    sequence: int | None = None
    problem: dict[str, object] | None = None


class StoredDocument(BaseModel):
    """A document of the directory at one of its revisions."""

    kind: str
    id: str
    revision: int
    at: datetime
    actor: dict[str, str]
    deleted: bool = False
    document: dict[str, object] | None = None


class StoredPresence(BaseModel):
    """The availability of an agent, as the directory has it now."""

    availability: Availability
    out_until: datetime | None
    revision: int


class DocumentWithHistory(StoredDocument):
    """A document as it is now, and as it was."""

    history: list[StoredDocument]


class Token(BaseModel):
    """A new API token; it is shown this once."""

    id: str
    token: str
