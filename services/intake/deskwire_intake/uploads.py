"""Files that people send by HTTP: kept one by one, few of them held whole at once."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import UploadFile

from deskwire_intake.attachments import keep_upload
from deskwire_intake.scanning import NO_SCANNER, Scanner
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.objects import Objects

AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Uploads:
    """Keeps files that wait on disk."""

    objects: Objects
    scanner: Scanner = NO_SCANNER
    _in_memory: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def keep(self, file: UploadFile) -> Attachment:
        """Keep a file. Raises ObjectStoreUnavailable, ScannerUnavailable or TooLargeToScan."""
        async with self._in_memory:
            return await keep_upload(
                self.objects,
                await file.read(),
                filename=file.filename or "",
                content_type=file.content_type or "",
                scanner=self.scanner,
            )
