"""The directory as services see it: read a document, list a kind, store a change.

Errors:

    DirectoryError
    ├── UnknownDocument      there is none by that kind and id
    ├── RevisionConflict     somebody changed the document in between
    └── DirectoryUnavailable the stream does not answer
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Entry
from deskwire_shared.contracts.document import Document

D = TypeVar("D", bound=Document)

Change = Callable[[Entry], None]
"""What listens for changes."""


class DirectoryError(Exception):
    """The directory could not do what was asked."""


class UnknownDocument(DirectoryError):
    """No such document."""


class RevisionConflict(DirectoryError):
    """The document has another revision than the one changed."""


class DirectoryUnavailable(DirectoryError):
    """The directory stream does not answer."""


class Documents(Protocol):
    """Settings documents at hand, of now or of another time."""

    def get(self, model: type[D], document_id: str) -> D | None:
        """A settings document from the cache; None when there is none."""
        ...

    def all(self, model: type[D]) -> Mapping[str, D]:
        """Every living settings document of a kind, by id."""
        ...

    def revision(self, model: type[Document], document_id: str) -> int:
        """How often the cached document was changed; 0 when it never was."""
        ...

    def on_change(self, listener: Change) -> None:
        """Be told of every settings document that changed, once the cache holds it."""
        ...


class Directory(Documents, Protocol):
    """People and settings of a desk."""

    async def fetch(self, model: type[D], document_id: str) -> D | None:
        """A document of any kind as it is now; for the many (customers) that are not cached whole."""
        ...

    async def put(
        self, document_id: str, document: Document, *, actor: Actor, expected_revision: int | None = None
    ) -> Entry:
        """Store a document. Raises RevisionConflict when `expected_revision` does not hold."""
        ...

    async def delete(
        self, model: type[Document], document_id: str, *, actor: Actor, expected_revision: int | None = None
    ) -> Entry:
        """Delete a document; its history stays. Raises UnknownDocument, or RevisionConflict as `put` does."""
        ...

    async def history(self, model: type[D], document_id: str) -> list[tuple[Entry, D | None]]:
        """Every change of a document, oldest first."""
        ...
