"""A desk with a past, and somebody who rehearses drafts on it over HTTP and on the command line."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from httpx2 import ASGITransport, AsyncClient, Response

from deskwire_shared.contracts.access import Permission
from processes import DESKWIRE
from ticket_desk import ADMIN, TicketDesk

DAY = timedelta(days=1)


@dataclass
class Rehearsals:
    """Rehearsals of a service: it answers at `/<service>/v1/rehearsals` and to `deskwire <service> rehearse`."""

    desk: TicketDesk
    http: AsyncClient
    folder: Path
    service: str
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.desk.runtime.clock.now()

    async def allow(self, *scopes: Permission) -> None:
        """Ask with a token that may do this."""
        token = await self.desk.runtime.identity.create_token("test", scopes, actor=ADMIN)
        self.http.headers["Authorization"] = f"Bearer {token}"

    async def post(self, **asked: Any) -> Response:
        """Rehearse the last day."""
        span = {"since": (self.now - DAY).isoformat(), "until": (self.now + DAY).isoformat()}
        return await self.http.post(f"/{self.service}/v1/rehearsals", json={**span, **asked})

    async def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Rehearse the last day by the command."""
        span = ("--from", (self.now - DAY).date().isoformat(), "--to", (self.now + 2 * DAY).date().isoformat())
        url = self.desk.runtime.settings.nats_url
        assert url is not None
        settings = {
            "DESKWIRE_NATS_URL": url.get_secret_value(), "DESKWIRE_DATA_DIR": str(self.folder), "COLUMNS": "150",
        }  # fmt: skip
        run = partial(subprocess.run, capture_output=True, text=True, timeout=60, check=False)
        return await asyncio.to_thread(
            run, [DESKWIRE, self.service, "rehearse", *span, *words], env=os.environ | settings
        )

    def file(self, name: str, document: object) -> str:
        """Write a draft down; the path of its file."""
        path = self.folder / name
        path.write_text(json.dumps(document))
        return str(path)


@asynccontextmanager
async def rehearsals_on(desk: TicketDesk, folder: Path, service: str) -> AsyncIterator[Rehearsals]:
    """Let somebody rehearse on a desk."""
    async with AsyncClient(transport=ASGITransport(app=desk.runtime.http), base_url="http://desk.example") as http:
        yield Rehearsals(desk, http, folder, service)
