"""Changes of the directory as messages, and the wait until they have arrived in this process."""

import asyncio

from pydantic_core import from_json

from deskwire_shared.contracts.directory import DOCUMENTS, Entry
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.process_manager import Heard


class DirectoryNews:
    """Tells which document a message is about, once the directory of this process knows of the change."""

    def __init__(self, directory: Directory, *, patience_seconds: float) -> None:
        self._directory = directory
        self._patience_seconds = patience_seconds
        self._changed = asyncio.Event()
        directory.on_change(self._tell)

    async def about(self, heard: Heard) -> str:
        """Name the document. Raises TimeoutError when the change does not arrive."""
        _, kind, document_id = heard.subject.split(".")
        revision = max(int(from_json(message.data)["revision"]) for message in heard.messages)
        async with asyncio.timeout(self._patience_seconds):
            while self._directory.revision(DOCUMENTS[kind], document_id) < revision:
                await self._changed.wait()
        return document_id

    def _tell(self, entry: Entry) -> None:
        del entry
        self._changed.set()
        self._changed = asyncio.Event()
