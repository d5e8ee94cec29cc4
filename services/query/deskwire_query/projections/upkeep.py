"""Keeps work going while the process lives, whatever goes away and comes back, and tells what is in its way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from structlog import get_logger

from deskwire_query.catalogue import Overtaken
from deskwire_query.database import is_transient
from deskwire_query.projections.log import TRANSIENT
from deskwire_shared.runtime.health import Unhealthy

RETRY_SECONDS: Final = 1.0

log = get_logger(__name__)


class Upkeep:
    """What follows a stream; `trouble` is None while it does."""

    def __init__(self, name: str, *, trouble: str) -> None:
        self._name = name
        self.trouble: str | None = trouble

    async def check(self) -> None:
        """Raise Unhealthy when the stream is not followed."""
        if self.trouble is not None:
            raise Unhealthy(self.trouble)

    async def carry_on(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do work again and again. Raises what no later try would meet otherwise."""
        while True:
            try:
                await work()
            except Overtaken as overtaken:
                log.info("another projector is ahead", work=self._name, reason=str(overtaken))
            except Exception as error:
                if not isinstance(error, TRANSIENT) and not is_transient(error):
                    raise
                self.trouble = f"{self._name} waits: {error!r}"
                log.warning("interrupted, will be taken up again", work=self._name, error=repr(error))
            await asyncio.sleep(RETRY_SECONDS)
