"""Wires the intake service: the one place that reads its settings and builds its parts."""

from fastapi import FastAPI

from deskwire_intake.api.application import command_api
from deskwire_intake.api.hooks import HOOKS_PATH, hook_application
from deskwire_intake.api.recording import Recording
from deskwire_intake.channels.webhook.channel import WebhookIntake
from deskwire_intake.channels.webhook.conversations import Conversations
from deskwire_intake.channels.webhook.hooks import Hooks
from deskwire_intake.customers import Customers
from deskwire_intake.figures import Figures
from deskwire_intake.handlers import Intake
from deskwire_intake.ledger.jetstream import JetStreamLedger
from deskwire_intake.rates import Places
from deskwire_intake.replaying import HookReplays, MailReplays
from deskwire_intake.scanning import NO_SCANNER, Clamd, Scanner
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.threads import Threads
from deskwire_intake.uploads import Uploads
from deskwire_intake.watching import watch
from deskwire_intake.wiring.mails import email_channel, fetch_mails, imap_channel, listen_for_mails, mailbox_called
from deskwire_intake.wiring.visitors import chat_channel, serve_chat, serve_forms, web_channel
from deskwire_shared.eventstore.numbers import JetStreamNumbers
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.runtime.service import Runtime, Service

EMAIL_ROLE = "email"
IMAP_ROLE = "imap"
API_ROLE = "api"
WEB_ROLE = "web"
CHAT_ROLE = "chat"
WEBHOOK_ROLE = "webhook"
ROLES = (EMAIL_ROLE, IMAP_ROLE, WEB_ROLE, CHAT_ROLE, WEBHOOK_ROLE, API_ROLE)
HOOKS = "intake-webhook"
"""Where payloads are parked, and replayed by those who hear webhooks."""


async def start(runtime: Runtime, role: str | None) -> None:
    """Start what the role asks for in a runtime; the name or id of a channel is its mailbox alone."""
    settings, figures = IntakeSettings(), Figures(runtime.registry)
    intake = await intake_of(runtime, scanner_of(settings))
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
        await listen_for_mails(runtime, settings, channel)
    if role != EMAIL_ROLE:
        only = None if role in {None, IMAP_ROLE} else mailbox_called(runtime, role, roles=ROLES)
        fetch_mails(runtime, imap_channel(runtime, settings, channel, only=only))


async def intake_of(runtime: Runtime, scanner: Scanner = NO_SCANNER) -> Intake:
    """Build what every channel hands its messages to."""
    numbers = JetStreamNumbers(runtime.js)
    return Intake(
        recorder=runtime.recorder,
        threads=Threads(runtime.recorder, numbers),
        numbers=numbers,
        customers=Customers(runtime.directory, runtime.keys, await runtime.secrets.site_key()),
        objects=Objects(runtime.objects),
        scanner=scanner,
        clock=runtime.clock,
        ledger=JetStreamLedger(runtime.js, runtime.registry),
    )


def scanner_of(settings: IntakeSettings) -> Scanner:
    """What looks for viruses."""
    if settings.clamd is None:
        return NO_SCANNER
    return Clamd(
        address=settings.clamd,
        seconds=settings.clamd_seconds,
        tries=settings.clamd_tries,
        accepts_unscanned=settings.clamd_away == "accept",
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
        ledger=intake.ledger,
        figures=figures,
        places=Places(settings.webhook_at_once, settings.webhook_channel_at_once),
    )


def hear_webhooks(runtime: Runtime, settings: IntakeSettings, webhooks: WebhookIntake) -> None:
    """Take webhook requests in, and those that were parked once more when somebody asks for it."""
    watch(runtime, webhooks.figures, WEBHOOK_ROLE, lambda: webhooks.places.taken, webhooks.places.most)
    runtime.mount(HOOKS_PATH, hook_application(webhooks, body_bytes=settings.webhook_bytes))
    runtime.on_replay(HOOKS, HookReplays(webhooks, runtime.js).replay)


def api_of(runtime: Runtime, settings: IntakeSettings, intake: Intake) -> FastAPI:
    """Build the command API."""
    recording = Recording(
        recorder=intake.recorder,
        numbers=intake.numbers,
        customers=intake.customers,
        directory=runtime.directory,
        objects=intake.objects,
        ledger=intake.ledger,
        uploads=Uploads(intake.objects, intake.scanner),
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
