"""Which channel a mail is for, by the address it was sent to."""

from dataclasses import dataclass

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Entry
from deskwire_shared.contracts.threading_tokens import without_detail
from deskwire_shared.directory.port import Directory

DEFAULT_FOLLOW_UP_DAYS = int(Channel.model_fields["follow_up_days"].default)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address of the desk; it stands for no channel document on a desk that has none yet."""

    address: str
    channel_id: str | None = None
    follow_up_days: int = DEFAULT_FOLLOW_UP_DAYS


class Mailboxes:
    """The mailboxes of a desk.

    A desk without any e-mail channel takes every mail, so that a newcomer's first one works.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._known: dict[str, Mailbox] | None = None
        self._takes_all = False
        directory.on_change(self._forget)

    def find(self, recipient: str) -> Mailbox | None:
        """The mailbox behind a recipient, whatever stands behind a plus sign."""
        known = self._mailboxes()
        address = recipient.strip().lower()
        plain = without_detail(address)
        found = known.get(address) or known.get(plain)
        if found is None and self._takes_all and "@" in plain:
            return Mailbox(plain)
        return found

    def addresses(self) -> tuple[str, ...]:
        """Every address of the desk."""
        return tuple(self._mailboxes())

    def _mailboxes(self) -> dict[str, Mailbox]:
        if self._known is None:
            channels = {key: one for key, one in self._directory.all(Channel).items() if one.medium == "email"}
            self._takes_all = not channels
            self._known = {
                channel.address.strip().lower(): Mailbox(
                    channel.address.strip().lower(), channel_id, channel.follow_up_days
                )
                for channel_id, channel in channels.items()
                if channel.active and channel.address
            }
        return self._known

    def _forget(self, changed: Entry) -> None:
        if changed.kind == "channel":
            self._known = None
