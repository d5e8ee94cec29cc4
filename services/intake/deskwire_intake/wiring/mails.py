"""Wires the ways in which mails come: listeners and mailboxes. A part of `app.py`, which would be long with it."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from typing import Final

import httpx2
from structlog import get_logger

from deskwire_intake.channels.email.channel import EmailChannel
from deskwire_intake.channels.email.lmtp import LmtpListener
from deskwire_intake.channels.email.mailboxes import Mailboxes
from deskwire_intake.channels.email.messages import EMAIL
from deskwire_intake.channels.email.smtp import SmtpLimits, SmtpListener
from deskwire_intake.channels.email.trust import TrustedRelays
from deskwire_intake.channels.imap.channel import BATCHES_AT_ONCE, ImapChannel, WatchedMailbox, watched_mailboxes
from deskwire_intake.channels.imap.credentials import Credentials
from deskwire_intake.channels.imap.fetcher import MailboxFetcher
from deskwire_intake.channels.imap.intake import ImapLimits, MailboxIntake
from deskwire_intake.channels.imap.session import imap_session
from deskwire_intake.channels.imap.states import ImapFigures, MailboxState
from deskwire_intake.figures import Figures
from deskwire_intake.handlers import Intake
from deskwire_intake.mail.tnef import can_unpack
from deskwire_intake.rates import RateLimit
from deskwire_intake.reading import MailReader
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.watching import watch
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.listening import bind, bind_unix, server_tls
from deskwire_shared.runtime.service import Runtime
from deskwire_shared.runtime.settings import UnknownRole

MINUTE: Final = 60.0

log = get_logger(__name__)


async def email_channel(runtime: Runtime, settings: IntakeSettings, intake: Intake, figures: Figures) -> EmailChannel:
    """Build what takes in mails, whichever way they come."""
    reader = MailReader(seconds=settings.reading_seconds, inline_bytes=settings.reading_inline_bytes)
    runtime.on_stop(reader.close)
    if not can_unpack():
        log.info("winmail.dat stays packed", extra="deskwire-intake[tnef]")
    return EmailChannel(
        accept=intake.accept,
        mailboxes=Mailboxes(runtime.directory),
        reader=reader,
        objects=intake.objects,
        parking=runtime.parking("intake"),
        ledger=intake.ledger,
        figures=figures,
        clock=runtime.clock,
        key=await runtime.secrets.site_key(),
        trust=TrustedRelays(frozenset(settings.trusted_relays), settings.spam_headers),
    )


async def listen_for_mails(runtime: Runtime, settings: IntakeSettings, channel: EmailChannel) -> None:
    """Take mails over SMTP and, where it is chosen, LMTP. Raises CannotListen."""
    host = runtime.settings.bind_host
    listening: list[tuple[SmtpListener, socket.socket]] = [
        (smtp_listener(settings, channel), bind(host, runtime.settings.smtp_port, setting="DESKWIRE_SMTP_PORT"))
    ]
    if settings.lmtp_port is not None:
        bound = bind(host, settings.lmtp_port, setting="DESKWIRE_INTAKE_LMTP_PORT")
        listening.append((lmtp_listener(settings, channel), bound))
    if settings.lmtp_socket is not None:
        bound = bind_unix(settings.lmtp_socket, setting="DESKWIRE_INTAKE_LMTP_SOCKET")
        listening.append((lmtp_listener(settings, channel), bound))
    for listener, bound in listening:
        await listener.start(bound)
        runtime.on_stop(listener.stop)
    most = settings.smtp_connections * len(listening)
    watch(runtime, channel.figures, EMAIL, lambda: sum(one.under_way for one, _ in listening), most)


def smtp_listener(settings: IntakeSettings, channel: EmailChannel) -> SmtpListener:
    """Build the mail listener; it does not listen yet. Raises CannotListen when its certificate cannot be used."""
    rate = None if settings.smtp_client_rate is None else RateLimit(settings.smtp_client_rate, MINUTE)
    return SmtpListener(
        channel, mail_limits(settings), hostname=settings.smtp_hostname, tls=_listener_tls(settings), rate=rate
    )


def lmtp_listener(settings: IntakeSettings, channel: EmailChannel) -> LmtpListener:
    """Build the listener for a mail server of one's own, whose mails are everybody's: no rate limits it.

    It does not listen yet. Raises CannotListen when its certificate cannot be used.
    """
    return LmtpListener(channel, mail_limits(settings), hostname=settings.smtp_hostname, tls=_listener_tls(settings))


def _listener_tls(settings: IntakeSettings) -> ssl.SSLContext | None:
    if settings.smtp_certificate is None or settings.smtp_key is None:
        return None
    return server_tls(settings.smtp_certificate, settings.smtp_key, setting="DESKWIRE_INTAKE_SMTP_CERTIFICATE")


def mail_limits(settings: IntakeSettings) -> SmtpLimits:
    """How much a mail listener takes."""
    return SmtpLimits(
        mail_bytes=settings.smtp_mail_bytes,
        recipients=settings.smtp_recipients,
        connections=settings.smtp_connections,
        memory_bytes=settings.smtp_memory_bytes,
        idle_seconds=settings.smtp_idle_seconds,
    )


def fetch_mails(runtime: Runtime, channel: ImapChannel) -> None:
    """Fetch from mailboxes for as long as the process lives."""
    fetching = runtime.spawn("fetch mails", channel.run())
    runtime.on_stop(lambda: end(fetching))
    runtime.health.tell("mailboxes", channel.states)


def imap_channel(
    runtime: Runtime, settings: IntakeSettings, channel: EmailChannel, *, only: str | None = None
) -> ImapChannel:
    """Build what fetches from mailboxes; it does not fetch yet."""
    figures, http, room = ImapFigures(runtime.registry), httpx2.AsyncClient(), asyncio.Semaphore(BATCHES_AT_ONCE)
    open_session = partial(imap_session, tls=ssl.create_default_context())
    runtime.on_stop(http.aclose)

    def fetcher(watched: WatchedMailbox) -> MailboxFetcher:
        intake = MailboxIntake(
            channel_id=watched.channel_id,
            address=watched.address,
            host=watched.imap.host,
            channel=channel,
            limits=ImapLimits(mail_bytes=settings.imap_mail_bytes),
            state=MailboxState(channel_id=watched.channel_id, figures=figures, clock=runtime.clock),
            room=room,
        )
        credentials = Credentials(watched.channel_id, watched.imap, runtime.secrets, http)
        return MailboxFetcher(mailbox=watched.imap, intake=intake, credentials=credentials, open_session=open_session)

    return ImapChannel(runtime.directory, fetcher, only=only)


def mailbox_called(runtime: Runtime, role: str, *, roles: Sequence[str]) -> str:
    """The id of the channel with this id or name. Raises UnknownRole when it has no mailbox."""
    channels = runtime.directory.all(Channel)
    fetching = {
        watched.channel_id: channels[watched.channel_id].name for watched in watched_mailboxes(runtime.directory)
    }
    found = [channel_id for channel_id, name in fetching.items() if role in {channel_id, name}]
    if len(found) != 1:
        mailboxes = ", ".join(sorted(fetching.values())) or "none"
        raise UnknownRole(f"intake plays {', '.join(roles)}, or one of the mailboxes: {mailboxes}; not {role!r}")
    return found[0]
