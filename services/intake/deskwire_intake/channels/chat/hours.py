"""Whether somebody answers a chat at this moment."""

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.clock import Clock


class ChatHours:
    """The hours of chats; a calendar is made ready once for each of its revisions."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._ready: dict[str, tuple[int, OpenHours]] = {}

    def is_open(self, channel_id: str) -> bool:
        """Whether somebody answers on a channel now; a chat without a calendar is always open."""
        channel = self._directory.get(Channel, channel_id)
        calendar_id = channel.chat.calendar_id if channel is not None and channel.chat is not None else None
        hours = self._hours(calendar_id) if calendar_id is not None else None
        return hours is None or hours.is_open(self._clock.now())

    def _hours(self, calendar_id: str) -> OpenHours | None:
        calendar = self._directory.get(Calendar, calendar_id)
        if calendar is None:
            return None
        revision = self._directory.revision(Calendar, calendar_id)
        known = self._ready.get(calendar_id)
        if known is None or known[0] != revision:
            known = self._ready[calendar_id] = (revision, OpenHours(calendar))
        return known[1]
