"""Wires the intake service: the one place that reads its settings and builds its parts."""

import asyncio
import socket
import ssl
from functools import partial

import httpx2
from fastapi import FastAPI

from deskwire_intake.api.application import command_api
from deskwire_intake.api.hooks import HOOKS_PATH, hook_application
from deskwire_intake.api.recording import Recording
from deskwire_intake.channels.email import EmailChannel
from deskwire_intake.channels.hooks import Hooks
from deskwire_intake.channels.imap import BATCHES_AT_ONCE, ImapChannel, WatchedMailbox, watched_mailboxes
from deskwire_intake.channels.imap_credentials import Credentials
from deskwire_intake.channels.imap_fetcher import MailboxFetcher
from deskwire_intake.channels.imap_intake import ImapLimits, MailboxIntake
from deskwire_intake.channels.imap_session import imap_session
from deskwire_intake.channels.imap_states import ImapFigures, MailboxState
from deskwire_intake.channels.lmtp import LmtpListener
from deskwire_intake.channels.mailboxes import Mailboxes
from deskwire_intake.channels.smtp import SmtpLimits, SmtpListener
from deskwire_intake.channels.webhook import WebhookIntake
from deskwire_intake.conversations import Conversations
from deskwire_intake.customers import Customers
from deskwire_intake.figures import Figures
from deskwire_intake.handlers import Intake
from deskwire_intake.numbers import JetStreamNumbers
from deskwire_intake.rates import Places, RateLimit
from deskwire_intake.reading import MailReader
from deskwire_intake.replaying import HookReplays, MailReplays
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.threads import Threads
from deskwire_intake.visitors import chat_channel, serve_chat, serve_forms, web_channel
from deskwire_shared.contracts.directory import Channel
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.listening import bind, bind_unix, server_tls
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.runtime.service import Runtime, Service
from deskwire_shared.runtime.settings import UnknownRole

EMAIL_ROLE = "email"
IMAP_ROLE = "imap"
API_ROLE = "api"
WEB_ROLE = "web"
CHAT_ROLE = "chat"
WEBHOOK_ROLE = "webhook"
ROLES = (EMAIL_ROLE, IMAP_ROLE, WEB_ROLE, CHAT_ROLE, WEBHOOK_ROLE, API_ROLE)
MINUTE = 60.0
HOOKS = "intake-webhook"
"""Where payloads are parked, and replayed by those who hear webhooks."""


async def start(runtime: Runtime, role: str | None) -> None:
    """Start what the role asks for in a runtime; the name or id of a channel is its mailbox alone."""
    settings, intake, figures = IntakeSettings(), await intake_of(runtime), Figures(runtime.registry)
    if role in {None, WEB_ROLE}:
        serve_forms(runtime, await web_channel(runtime, settings, intake, figures))
    if role in {None, CHAT_ROLE}:
        await serve_chat(runtime, await chat_channel(runtime, settings, intake, figures))
    if role in {None, WEBHOOK_ROLE}:
        hear_webhooks(runtime, settings, webhook_intake(runtime, settings, intake, figures))
    if role in {None, API_ROLE}:
        runtime.mount("/intake", api_of(runtime, settings, intake))
    if role in {API_ROLE, WEB_ROLE, CHAT_ROLE, WEBHOOK_ROLE}:
        return
    channel = await email_channel(runtime, settings, intake, figures)
    runtime.on_replay("intake", MailReplays(channel, runtime.js).replay)
    if role in {None, EMAIL_ROLE}:
        await _listen(runtime, settings, channel)
    if role != EMAIL_ROLE:
        only = None if role in {None, IMAP_ROLE} else mailbox_called(runtime, role)
        _fetch(runtime, imap_channel(runtime, settings, channel, only=only))


async def intake_of(runtime: Runtime) -> Intake:
    """Build what every channel hands its messages to."""
    numbers = JetStreamNumbers(runtime.js)
    return Intake(
        recorder=runtime.recorder,
        threads=Threads(runtime.recorder, numbers),
        numbers=numbers,
        customers=Customers(runtime.directory, runtime.keys, await runtime.secrets.site_key()),
        objects=Objects(runtime.objects),
        clock=runtime.clock,
    )


async def email_channel(runtime: Runtime, settings: IntakeSettings, intake: Intake, figures: Figures) -> EmailChannel:
    """Build what takes in mails, whichever way they come."""
    reader = MailReader(seconds=settings.reading_seconds, inline_bytes=settings.reading_inline_bytes)
    runtime.on_stop(reader.close)
    return EmailChannel(
        accept=intake.accept,
        mailboxes=Mailboxes(runtime.directory),
        reader=reader,
        objects=intake.objects,
        parking=runtime.parking("intake"),
        figures=figures,
        clock=runtime.clock,
        key=await runtime.secrets.site_key(),
    )


def webhook_intake(runtime: Runtime, settings: IntakeSettings, intake: Intake, figures: Figures) -> WebhookIntake:
    """Build what takes webhook requests in."""
    return WebhookIntake(
        accept=intake.accept,
        conversations=Conversations(runtime.recorder),
        hooks=Hooks(
            directory=runtime.directory,
            secrets=runtime.secrets,
            clock=runtime.clock,
            url=runtime.settings.public_url + HOOKS_PATH,
        ),
        objects=intake.objects,
        parking=runtime.parking(HOOKS),
        figures=figures,
        places=Places(settings.webhook_at_once, settings.webhook_channel_at_once),
    )


def hear_webhooks(runtime: Runtime, settings: IntakeSettings, webhooks: WebhookIntake) -> None:
    """Take webhook requests in, and those that were parked once more when somebody asks for it."""
    runtime.mount(HOOKS_PATH, hook_application(webhooks, body_bytes=settings.webhook_bytes))
    runtime.on_replay(HOOKS, HookReplays(webhooks, runtime.js).replay)


def smtp_listener(settings: IntakeSettings, channel: EmailChannel) -> SmtpListener:
    """Build the mail listener; it does not listen yet. Raises CannotListen when its certificate cannot be used."""
    tls, rate = None, None
    if settings.smtp_certificate is not None and settings.smtp_key is not None:
        tls = server_tls(settings.smtp_certificate, settings.smtp_key, setting="DESKWIRE_INTAKE_SMTP_CERTIFICATE")
    if settings.smtp_client_rate is not None:
        rate = RateLimit(settings.smtp_client_rate, MINUTE)
    return SmtpListener(channel, mail_limits(settings), hostname=settings.smtp_hostname, tls=tls, rate=rate)


def lmtp_listener(settings: IntakeSettings, channel: EmailChannel) -> LmtpListener:
    """Build the listener for a mail server of one's own; it does not listen yet."""
    return LmtpListener(channel, mail_limits(settings), hostname=settings.smtp_hostname)


def mail_limits(settings: IntakeSettings) -> SmtpLimits:
    """How much a mail listener takes."""
    return SmtpLimits(
        mail_bytes=settings.smtp_mail_bytes,
        recipients=settings.smtp_recipients,
        connections=settings.smtp_connections,
        memory_bytes=settings.smtp_memory_bytes,
        idle_seconds=settings.smtp_idle_seconds,
    )


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


def mailbox_called(runtime: Runtime, role: str) -> str:
    """The id of the channel with this id or name. Raises UnknownRole when it has no mailbox."""
    channels = runtime.directory.all(Channel)
    fetching = {
        watched.channel_id: channels[watched.channel_id].name for watched in watched_mailboxes(runtime.directory)
    }
    found = [channel_id for channel_id, name in fetching.items() if role in {channel_id, name}]
    if len(found) != 1:
        mailboxes = ", ".join(sorted(fetching.values())) or "none"
        raise UnknownRole(f"intake plays {', '.join(ROLES)}, or one of the mailboxes: {mailboxes}; not {role!r}")
    return found[0]


def _fetch(runtime: Runtime, channel: ImapChannel) -> None:
    fetching = runtime.spawn("fetch mails", channel.run())
    runtime.on_stop(lambda: end(fetching))
    runtime.health.tell("mailboxes", channel.states)


async def _listen(runtime: Runtime, settings: IntakeSettings, channel: EmailChannel) -> None:
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


def api_of(runtime: Runtime, settings: IntakeSettings, intake: Intake) -> FastAPI:
    """Build the command API."""
    recording = Recording(
        recorder=intake.recorder,
        numbers=intake.numbers,
        customers=intake.customers,
        directory=runtime.directory,
        objects=intake.objects,
    )
    return command_api(
        recording,
        identity=runtime.identity,
        secrets=runtime.secrets,
        clock=runtime.clock,
        connection=runtime.connection,
        json_bytes=settings.json_bytes,
        attachment_bytes=settings.attachment_bytes,
    )


service = Service(name="intake", start=start, roles=ROLES, plays_channels=True)
