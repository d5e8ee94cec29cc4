"""Files that people send by HTTP: they wait on disk, and are kept from there."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import UploadFile

from deskwire_intake.attachments import keep_upload
from deskwire_intake.scanning import NO_SCANNER, Scanner
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.objects import Objects

AT_ONCE: Final = 4
"""Files that are read from disk at the same time."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """Keeps files that wait on disk."""

    objects: Objects
    scanner: Scanner = NO_SCANNER
    _reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def keep(self, file: UploadFile) -> Attachment:
        """Keep a file. Raises ObjectStoreUnavailable, ScannerUnavailable or TooLargeToScan."""
        async with self._reading:
            return await keep_upload(
                self.objects,
                file.file,
                filename=file.filename or "",
                content_type=file.content_type or "",
                scanner=self.scanner,
            )
