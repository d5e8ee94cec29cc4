"""The directory in memory: real behaviour without a server."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Entry
from deskwire_shared.contracts.document import Document
from deskwire_shared.directory.entries import decode_entry, encode_entry
from deskwire_shared.directory.port import Change, D, RevisionConflict, UnknownDocument
from deskwire_shared.eventstore.keyring import KeyRing


class MemoryDirectory:
    """Stored bytes in a list, as the stream would hold them."""

    def __init__(self, keys: KeyRing, now: Callable[[], datetime]) -> None:
        self._keys = keys
        self._now = now
        self._stored: list[tuple[str, str, bytes]] = []
        self._live: dict[tuple[str, str], tuple[Entry, Document | None]] = {}
        self._listeners: list[Change] = []

    def get(self, model: type[D], document_id: str) -> D | None:
        """See `Directory.get`."""
        _, document = self._live.get((_kind(model), document_id), (None, None))
        return document if isinstance(document, model) else None

    def all(self, model: type[D]) -> Mapping[str, D]:
        """See `Directory.all`."""
        return {key[1]: doc for key, (_, doc) in self._live.items() if isinstance(doc, model)}

    def revision(self, model: type[Document], document_id: str) -> int:
        """See `Directory.revision`."""
        entry, _ = self._live.get((_kind(model), document_id), (None, None))
        return entry.revision if entry else 0

    def on_change(self, listener: Change) -> None:
        """See `Directory.on_change`."""
        self._listeners.append(listener)

    async def fetch(self, model: type[D], document_id: str) -> D | None:
        """See `Directory.fetch`."""
        return self.get(model, document_id)

    async def put(
        self, document_id: str, document: Document, *, actor: Actor, expected_revision: int | None = None
    ) -> Entry:
        """See `Directory.put`."""
        revision = self._require_revision(type(document), document_id, expected_revision)
        return await self._store(_kind(type(document)), document_id, document, revision + 1, actor)

    async def delete(
        self, model: type[Document], document_id: str, *, actor: Actor, expected_revision: int | None = None
    ) -> Entry:
        """See `Directory.delete`."""
        if self.get(model, document_id) is None:
            raise UnknownDocument(f"there is no {_kind(model)} {document_id}")
        revision = self._require_revision(model, document_id, expected_revision)
        return await self._store(_kind(model), document_id, None, revision + 1, actor)

    async def history(self, model: type[D], document_id: str) -> list[tuple[Entry, D | None]]:
        """See `Directory.history`."""
        found: list[tuple[Entry, Any]] = []
        for sequence, (kind, stored_id, raw) in enumerate(self._stored, 1):
            if (kind, stored_id) == (_kind(model), document_id):
                found.append(await decode_entry(raw, sequence, self._keys))
        return found

    def _require_revision(self, model: type[Document], document_id: str, expected: int | None) -> int:
        revision = self.revision(model, document_id)
        if expected not in {None, revision}:
            raise RevisionConflict(f"{_kind(model)} {document_id} is at revision {revision}, not {expected}")
        return revision

    async def _store(
        self, kind: str, document_id: str, document: Document | None, revision: int, actor: Actor
    ) -> Entry:
        at = self._now()
        entry = Entry(kind=kind, id=document_id, revision=revision, at=at, actor=actor, deleted=document is None)
        raw = await encode_entry(entry, document, self._keys)
        self._stored.append((kind, document_id, raw))
        stored = await decode_entry(raw, len(self._stored), self._keys)
        self._live[kind, document_id] = stored
        for listener in self._listeners:
            listener(stored[0])
        return stored[0]


def _kind(model: type[Document]) -> str:
    return str(model.model_fields["kind"].default)
