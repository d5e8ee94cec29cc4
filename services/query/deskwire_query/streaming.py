"""Event streams that end with the session or token they were opened with."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from fastapi import Request

from deskwire_shared.contracts.access import NotPermitted
from deskwire_shared.runtime.http_access import Unauthenticated, authenticate


async def while_allowed(request: Request, frames: AsyncGenerator[bytes], *, every: float) -> AsyncIterator[bytes]:
    """Give frames; whether whoever listens may still hear them is asked again now and then, in seconds."""
    asked = time.monotonic()
    async with aclosing(frames):
        async for frame in frames:
            if time.monotonic() - asked >= every:
                if not await _may_hear(request):
                    return
                asked = time.monotonic()
            yield frame


async def _may_hear(request: Request) -> bool:
    try:
        (await authenticate(request)).require("tickets:read")
    except (Unauthenticated, NotPermitted):
        return False
    return True
