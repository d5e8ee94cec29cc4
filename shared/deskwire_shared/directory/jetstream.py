"""The directory on the stream `DIRECTORY`: settings cached whole and kept live, people read one by one."""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import DOCUMENTS, Entry
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.subjects import DIRECTORY, directory_subject
from deskwire_shared.directory.entries import decode_entry, encode_entry
from deskwire_shared.directory.port import Change, D, DirectoryUnavailable, RevisionConflict, UnknownDocument
from deskwire_shared.eventstore.batch_get import BatchReader
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.follower import Delivery, Follower
from deskwire_shared.eventstore.jetstream import WRONG_LAST_SEQUENCE
from deskwire_shared.eventstore.keyring import KeyRing

NUMEROUS = frozenset({"customer"})
"""Kinds of which there may be millions: never cached whole."""

CHANGE_ATTEMPTS = 4

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class JetStreamDirectory:
    """Reads from a live cache, writes to the stream, and sees its own writes at once."""

    def __init__(self, connection: Client, keys: KeyRing, now: Callable[[], datetime]) -> None:
        self._js: JetStreamContext = connection.jetstream()
        self._keys = keys
        self._now = now
        cached = [directory_subject(kind, "*") for kind in DOCUMENTS if kind not in NUMEROUS]
        self._follower = Follower(connection, DIRECTORY, subjects=cached, last_per_subject=True)
        self._reader = BatchReader(connection, DIRECTORY)
        self._live: dict[tuple[str, str], tuple[Entry, Document | None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._caught_up = asyncio.Event()
        self._listeners: list[Change] = []

    async def start(self) -> None:
        """Fill the cache, then keep it live. Raises DirectoryUnavailable when the stream does not answer."""
        try:
            waiting = await self._follower.open()
        except (NotFoundError, nats.errors.Error) as error:
            raise DirectoryUnavailable(f"stream {DIRECTORY}: {error!r}; was `deskwire migrate` run?") from error
        if not waiting:
            self._caught_up.set()
        self._task = asyncio.create_task(self._follow(), name="follow the directory")
        await self._caught_up.wait()

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            await end(self._task)
        await self._follower.close()

    def on_change(self, listener: Change) -> None:
        """See `Directory.on_change`."""
        self._listeners.append(listener)

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

    async def fetch(self, model: type[D], document_id: str) -> D | None:
        """See `Directory.fetch`."""
        _, document = await self._latest(_kind(model), document_id)
        return document if isinstance(document, model) else None

    async def put(
        self, document_id: str, document: Document, *, actor: Actor, expected_revision: int | None = None
    ) -> Entry:
        """See `Directory.put`."""
        return await self._store(_kind(type(document)), document_id, document, actor, expected_revision)

    async def delete(
        self, model: type[Document], document_id: str, *, actor: Actor, expected_revision: int | None = None
    ) -> Entry:
        """See `Directory.delete`."""
        _, document = await self._latest(_kind(model), document_id)
        if document is None:
            raise UnknownDocument(f"there is no {_kind(model)} {document_id}")
        return await self._store(_kind(model), document_id, None, actor, expected_revision)

    async def history(self, model: type[D], document_id: str) -> list[tuple[Entry, D | None]]:
        """See `Directory.history`."""
        if not _is_id(document_id):
            return []
        stored = await self._reader.read(directory_subject(_kind(model), document_id))
        found: list[tuple[Entry, D | None]] = []
        for message in stored:
            entry, document = await decode_entry(message.data, message.sequence, self._keys)
            found.append((entry, document if isinstance(document, model) else None))
        return found

    async def _store(
        self, kind: str, document_id: str, document: Document | None, actor: Actor, expected: int | None
    ) -> Entry:
        if not _is_id(document_id):
            raise UnknownDocument(f"{document_id!r} is no id of a document")
        for attempt in range(CHANGE_ATTEMPTS):
            is_new = expected == 0 and attempt == 0  # the append itself tells when it is not
            last = None if is_new else (await self._latest(kind, document_id))[0]
            revision = last.revision if last else 0
            if expected is not None and expected != revision:
                raise RevisionConflict(f"{kind} {document_id} is at revision {revision}, not {expected}")
            entry = Entry(
                kind=kind, id=document_id, revision=revision + 1, at=self._now(), actor=actor,
                deleted=document is None,
            )  # fmt: skip
            raw = await encode_entry(entry, document, self._keys)
            sequence = await self._publish(entry, raw, last.sequence if last else 0)
            if sequence is not None:
                if kind not in NUMEROUS:
                    await self._remember(raw, sequence)
                return entry.model_copy(update={"sequence": sequence})
        raise RevisionConflict(f"{kind} {document_id} is being changed by others")

    async def _publish(self, entry: Entry, raw: bytes, last_sequence: int) -> int | None:
        """The new sequence, or None when somebody else was faster."""
        subject = directory_subject(entry.kind, entry.id)
        guard = {"Nats-Expected-Last-Subject-Sequence": str(last_sequence)}
        try:
            return (await self._js.publish(subject, raw, stream=DIRECTORY, headers=guard)).seq
        except APIError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                return None
            raise DirectoryUnavailable(f"{subject}: {error}") from error
        except nats.errors.Error as error:
            raise DirectoryUnavailable(f"{subject}: {error!r}") from error

    async def _latest(self, kind: str, document_id: str) -> tuple[Entry | None, Document | None]:
        if kind not in NUMEROUS and (cached := self._live.get((kind, document_id))):
            return cached
        if not _is_id(document_id):
            return None, None
        try:
            message = await self._js.get_msg(DIRECTORY, subject=directory_subject(kind, document_id))
        except NotFoundError:
            return None, None
        except nats.errors.Error as error:
            raise DirectoryUnavailable(f"{kind} {document_id}: {error!r}") from error
        return await decode_entry(message.data or b"", message.seq or 0, self._keys)

    async def _follow(self) -> None:
        while True:
            for delivery in await self._follower.batch():
                await self._apply(delivery)

    async def _apply(self, delivery: Delivery) -> None:
        await self._remember(delivery.data, delivery.sequence)
        if not delivery.pending:
            self._caught_up.set()

    async def _remember(self, raw: bytes, sequence: int) -> None:
        entry, document = await decode_entry(raw, sequence, self._keys)
        known, _ = self._live.get((entry.kind, entry.id), (None, None))
        if entry.kind in NUMEROUS or (known is not None and known.sequence >= sequence):
            return
        self._live[entry.kind, entry.id] = entry, document
        for listener in self._listeners:
            listener(entry)


def _is_id(document_id: str) -> bool:
    """Whether an id, which may come from an address, names one subject: `*` would name them all."""
    return _ID.fullmatch(document_id) is not None


def _kind(model: type[Document]) -> str:
    return str(model.model_fields["kind"].default)
