"""Which mailbox a ticket's mails leave from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deskwire_notify.mails.addresses import mailable
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.ticket.state import Ticket


@dataclass(frozen=True, slots=True)
class Sender:
    """A mailbox of the desk, and the name and language it speaks with."""

    address: str
    name: str = ""
    locale: str = "en"


def sender_for(ticket: Ticket, channels: Mapping[str, Channel], fallback: str | None) -> Sender | None:
    """Choose the mailbox the ticket came in by, else one of its team, else any; `fallback` when there is none."""
    candidates = sorted(channels.items(), key=lambda entry: _preference(ticket, *entry))
    sender = next(_senders(candidates), None)
    if sender is None and fallback is not None:
        sender = Sender(fallback)
    own = channels.get(ticket.channel_id or "")
    return sender if sender is None or own is None else Sender(sender.address, sender.name, own.locale)


def mailboxes(channels: Mapping[str, Channel], fallback: str | None) -> frozenset[str]:
    """List every mailbox of the desk."""
    named = {channel.address for channel in channels.values() if channel.address}
    return frozenset(named | {fallback} if fallback else named)


def _preference(ticket: Ticket, channel_id: str, channel: Channel) -> tuple[bool, bool, str]:
    other_team = ticket.team_id is None or channel.team_id != ticket.team_id
    return (channel_id != ticket.channel_id, other_team, channel_id)


def _senders(candidates: list[tuple[str, Channel]]) -> Iterator[Sender]:
    for _, channel in candidates:
        address = mailable(channel.address or "")
        if channel.active and channel.medium == "email" and address is not None:
            yield Sender(address, channel.sender_name or channel.name, channel.locale)
