"""Where routing sets its timers."""

from datetime import datetime
from typing import Protocol


class TimerStore(Protocol):
    """Where timers are set; each is known by an id and a name."""

    async def set(self, ticket_id: str, name: str, at: datetime) -> None:
        """Set or move a timer."""
        ...
