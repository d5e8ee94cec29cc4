"""Connects mailboxes to a desk, and looks into them."""

import ssl

import httpx2

from deskwire_intake.channels.imap.credentials import ChannelSecrets, Credentials, MailboxSecret
from deskwire_intake.channels.imap.session import MailboxError, imap_session
from deskwire_shared.contracts.channels import Channel, ImapMailbox, MailboxOAuth
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.people import COMMAND_LINE, team_named
from deskwire_shared.runtime.running import CommandFailed


def microsoft(tenant: str, client_id: str) -> MailboxOAuth:
    """How Microsoft 365 gives tokens to an application that may read a mailbox."""
    return MailboxOAuth(
        grant="client_credentials",
        token_url=f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        client_id=client_id,
        scope="https://outlook.office365.com/.default",
    )


def google(client_id: str) -> MailboxOAuth:
    """How Google gives tokens for a refresh token that the mailbox's owner agreed to."""
    return MailboxOAuth(grant="refresh_token", token_url="https://oauth2.googleapis.com/token", client_id=client_id)  # noqa: S106  # an address


async def connect_mailbox(
    desk: Desk, address: str, imap: ImapMailbox, secret: MailboxSecret, *, name: str = "", team: str | None = None
) -> str:
    """Let the channel of an address fetch its mails, a new one if it has none; its id. Raises CommandFailed."""
    changed = {"imap": imap.model_dump()} | ({"team_id": team_named(desk, team)} if team else {})
    channel_id, channel = _with_address(desk, address) or (
        new_id(),
        Channel(name=name or address, medium="email", address=address),
    )
    await desk.secrets.set_channel(channel_id, secret.stored())  # first, so that nobody signs in without it
    connected = Channel.model_validate(channel.model_dump() | changed)
    await desk.directory.put(channel_id, connected, actor=COMMAND_LINE)
    return channel_id


async def keep_secret(desk: Desk, asked: str, secret: MailboxSecret) -> None:
    """Replace what a mailbox is opened with. Raises CommandFailed."""
    channel_id, _, _ = mailbox_of(desk, asked)
    await desk.secrets.set_channel(channel_id, secret.stored())


async def count_waiting(desk: Desk, asked: str) -> int:
    """Sign in, open the folder, and count the mails that the desk does not have. Raises CommandFailed."""
    channel_id, _, imap = mailbox_of(desk, asked)
    async with httpx2.AsyncClient() as http:
        try:
            return await waiting_in(channel_id, imap, desk.secrets, http, ssl.create_default_context())
        except MailboxError as error:
            raise CommandFailed(f"{asked}: {error}") from error


async def waiting_in(
    channel_id: str, imap: ImapMailbox, secrets: ChannelSecrets, http: httpx2.AsyncClient, tls: ssl.SSLContext
) -> int:
    """Count the mails in a mailbox that the desk does not have. Raises MailboxError."""
    credential = await Credentials(channel_id, imap, secrets, http).get()
    async with imap_session(imap, credential, tls) as session:
        return len(await session.waiting())


def mailbox_of(desk: Desk, asked: str) -> tuple[str, Channel, ImapMailbox]:
    """The channel with this id, name or address, and its mailbox. Raises CommandFailed."""
    channels = desk.directory.all(Channel)
    for channel_id, channel in channels.items():
        if channel.imap is not None and asked in (channel_id, channel.name, channel.address):
            return channel_id, channel, channel.imap
    known = ", ".join(sorted(channel.name for channel in channels.values() if channel.imap is not None)) or "none"
    raise CommandFailed(f"there is no mailbox {asked}; mailboxes: {known}")


def _with_address(desk: Desk, address: str) -> tuple[str, Channel] | None:
    channels = desk.directory.all(Channel).items()
    return next((found for found in channels if found[1].medium == "email" and found[1].address == address), None)
