"""Directory entries to bytes and back; people's documents are sealed under their own key."""

from typing import Any

from pydantic_core import from_json

from deskwire_shared.contracts.directory import DOCUMENTS, Entry
from deskwire_shared.contracts.document import Document, PersonDocument
from deskwire_shared.eventstore.codec import canonical
from deskwire_shared.eventstore.keyring import KeyRing
from deskwire_shared.eventstore.sealing import seal, unseal


async def encode_entry(entry: Entry, document: Document | None, keys: KeyRing) -> bytes:
    """The bytes to store."""
    stored = entry.model_dump(mode="json", exclude={"document", "sequence"})
    stored["document"] = None if document is None else await _encode_document(entry.id, document, keys)
    return canonical(stored)


async def _encode_document(document_id: str, document: Document, keys: KeyRing) -> dict[str, Any]:
    if not isinstance(document, PersonDocument):
        return document.model_dump(mode="json")
    key_id, key = await keys.current(document_id)
    return seal(document, key_id, key)


async def decode_entry(raw: bytes, sequence: int, keys: KeyRing) -> tuple[Entry, Document | None]:
    """Read an entry; the document is None when it was deleted or its kind is newer than this program."""
    entry = Entry.model_validate({**from_json(raw), "sequence": sequence})
    model = DOCUMENTS.get(entry.kind)
    if entry.document is None or model is None:
        return entry, None
    assert isinstance(entry.document, dict)
    stored: dict[str, Any] = dict(entry.document)
    if "sealed" in stored:
        stored = unseal(stored, model, await keys.find(stored["key"]))
    known = {name: value for name, value in stored.items() if name in model.model_fields}
    return entry, model.model_validate(known)
