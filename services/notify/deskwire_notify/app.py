"""Wires the notify service: the one place that reads its settings and builds its parts."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from deskwire_notify.channels.chat import ChatPatience, ChatSender
from deskwire_notify.channels.email import SmtpRelay
from deskwire_notify.channels.local_outbox import LocalOutbox
from deskwire_notify.channels.port import Relay
from deskwire_notify.channels.webhook import WebhookWriter
from deskwire_notify.claims import Claims
from deskwire_notify.deliveries import LEASE, Deliveries
from deskwire_notify.figures import Figures
from deskwire_notify.handlers import Outgoing, on_ticket
from deskwire_notify.mails.writing import Writer
from deskwire_notify.quota import Quota, Quotas
from deskwire_notify.requests.webhook_sender import WebhookSender
from deskwire_notify.settings import NotifySettings
from deskwire_notify.webhooks.calling import WebhookCaller
from deskwire_notify.webhooks.events import Teller, name_of
from deskwire_notify.webhooks.health import WebhookHealth
from deskwire_notify.webhooks.lane import HEARD as WEBHOOKS_HEARD
from deskwire_notify.webhooks.lane import LANE, WebhookLane
from deskwire_shared.contracts.facts import FACTS, AgentReplied, Opened, RequesterChanged
from deskwire_shared.contracts.subjects import DELIVERIES, TICKETS
from deskwire_shared.runtime.buckets import Bucket
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.runtime.service import Runtime, Service
from deskwire_shared.runtime.timers import Timers

HEARD = frozenset(name for name, fact in FACTS.items() if fact in {Opened, AgentReplied, RequesterChanged})
"""What makes a customer owed a mail, or lets one reach them; all else a reply goes through is awaited by a timer."""

CALLS_AT_ONCE = 32
"""Calls of webhooks, of all of them together, that one process has under way."""
RETRY_SPREAD = 0.3
"""By which share the waits between attempts to call a webhook vary."""


async def start(runtime: Runtime, role: str | None) -> None:
    """Start what the role asks for in a runtime."""
    del role  # there is one
    settings = NotifySettings()
    relay: Relay = SmtpRelay(settings.server) if settings.server else LocalOutbox(Objects(runtime.objects))
    runtime.announcements["Mail out"] = _told(settings, runtime.settings.public_url)
    outgoing = await wired(runtime, settings, relay, Figures(runtime.registry))
    react = partial(on_ticket, outgoing=outgoing)
    runtime.react("notify", TICKETS, "ticket.>", react, facts=HEARD)
    runtime.react_to_timers(outgoing.timers, react)
    lane = webhook_lane(runtime, settings, outgoing)
    runtime.react(LANE, TICKETS, "ticket.>", lane.on_ticket, facts=WEBHOOKS_HEARD)
    runtime.react_to_timers(lane.timers, lane.on_ticket)
    runtime.on_stop(relay.close)


def _told(settings: NotifySettings, public_url: str) -> str:
    if settings.smtp_host is None:
        return f"{public_url}/outbox (no mail server is configured: DESKWIRE_NOTIFY_SMTP_HOST)"
    return f"smtp://{settings.smtp_host}:{settings.smtp_port}"


async def wired(runtime: Runtime, settings: NotifySettings, relay: Relay, figures: Figures) -> Outgoing:
    """Build what the handlers need."""
    bucket = Bucket(runtime.js, DELIVERIES)
    objects = Objects(runtime.objects)
    parking = runtime.parking("notify")
    key = await runtime.secrets.site_key()
    return Outgoing(
        store=runtime.store,
        recorder=runtime.recorder,
        directory=runtime.directory,
        deliveries=Deliveries(
            store=runtime.store,
            recorder=runtime.recorder,
            claims=Claims(bucket, lease=LEASE),
            parking=parking,
            clock=runtime.clock,
            figures=figures,
            at_once=settings.connections,
        ),
        writer=Writer(
            directory=runtime.directory,
            objects=objects,
            relay=relay,
            key=key,
            parking=parking,
            fallback_sender=settings.fallback_sender,
            most_bytes=settings.most_mail_bytes,
        ),
        webhook=_webhook_writer(runtime, settings),
        chat=ChatSender(
            connection=runtime.connection,
            recorder=runtime.recorder,
            clock=runtime.clock,
            figures=figures,
            patience=ChatPatience(
                timedelta(seconds=settings.chat_grace_seconds), timedelta(hours=settings.give_up_hours)
            ),
        ),
        quotas=Quotas(
            acknowledgements=Quota(bucket, most=settings.acknowledgements_per_hour),
            by_sender=Quota(bucket, most=settings.automatic_mails_per_hour),
            by_ticket=Quota(bucket, most=settings.automatic_mails_per_ticket),
            key=key,
        ),
        timers=Timers(runtime.js, "notify"),
        clock=runtime.clock,
        figures=figures,
        patience=settings.patience,
    )


def webhook_lane(runtime: Runtime, settings: NotifySettings, outgoing: Outgoing) -> WebhookLane:
    """Build what calls webhooks."""
    bucket = Bucket(runtime.js, DELIVERIES)
    return WebhookLane(
        store=runtime.store,
        deliveries=Deliveries(
            store=runtime.store,
            recorder=runtime.recorder,
            claims=Claims(bucket, lease=LEASE),
            parking=None,
            clock=runtime.clock,
            figures=outgoing.figures,
            at_once=CALLS_AT_ONCE,
        ),
        caller=webhook_caller(runtime, settings, outgoing.webhook.sender),
        timers=Timers(runtime.js, LANE),
        clock=runtime.clock,
        patience=replace(settings.patience, spread=RETRY_SPREAD),
        at_once=settings.webhook_calls_at_once,
    )


def webhook_caller(desk: Desk, settings: NotifySettings, sender: WebhookSender) -> WebhookCaller:
    """Build what writes calls of webhooks down."""
    health = WebhookHealth(
        bucket=Bucket(desk.js, DELIVERIES),
        directory=desk.directory,
        clock=desk.clock,
        patience=timedelta(days=settings.webhook_off_after_days),
    )
    return WebhookCaller(
        directory=desk.directory,
        secrets=desk.secrets,
        sender=sender,
        health=health,
        clock=desk.clock,
        teller=Teller(public_url=desk.settings.public_url, name=partial(name_of, desk.directory)),
    )


def webhook_sender(settings: NotifySettings) -> WebhookSender:
    """Build what sends requests."""
    return WebhookSender(
        timeout_seconds=settings.webhook_timeout_seconds,
        allow_private=settings.webhook_allow_private,
        ca_file=settings.webhook_ca_file,
    )


def _webhook_writer(runtime: Runtime, settings: NotifySettings) -> WebhookWriter:
    sender = webhook_sender(settings)
    runtime.on_stop(sender.close)
    return WebhookWriter(directory=runtime.directory, secrets=runtime.secrets, sender=sender, clock=runtime.clock)


service = Service(name="notify", start=start)
