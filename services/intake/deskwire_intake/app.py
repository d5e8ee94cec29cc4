"""Wires the intake service: the one place that reads its settings and builds its parts."""

from fastapi import FastAPI

from deskwire_intake.api.application import command_api
from deskwire_intake.api.recording import Recording
from deskwire_intake.channels.email import EmailChannel
from deskwire_intake.channels.mailboxes import Mailboxes
from deskwire_intake.channels.smtp import SmtpLimits, SmtpListener
from deskwire_intake.customers import Customers
from deskwire_intake.figures import Figures
from deskwire_intake.handlers import Intake
from deskwire_intake.numbers import JetStreamNumbers
from deskwire_intake.reading import MailReader
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.threads import Threads
from deskwire_shared.runtime.listening import bind
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.runtime.service import Runtime, Service

EMAIL_ROLE = "email"
API_ROLE = "api"


async def start(runtime: Runtime, role: str | None) -> None:
    """Start what the role asks for in a runtime."""
    settings, intake = IntakeSettings(), await intake_of(runtime)
    if role in {None, EMAIL_ROLE}:
        await _listen(runtime, await email_listener(runtime, settings, intake))
    if role in {None, API_ROLE}:
        runtime.mount("/intake", api_of(runtime, settings, intake))


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


async def email_listener(runtime: Runtime, settings: IntakeSettings, intake: Intake) -> SmtpListener:
    """Build the mail listener; it does not listen yet."""
    figures = Figures(runtime.registry)
    reader = MailReader(seconds=settings.reading_seconds, inline_bytes=settings.reading_inline_bytes)
    channel = EmailChannel(
        accept=intake.accept,
        mailboxes=Mailboxes(runtime.directory),
        reader=reader,
        objects=intake.objects,
        parking=runtime.parking("intake"),
        figures=figures,
        clock=runtime.clock,
        key=await runtime.secrets.site_key(),
    )
    limits = SmtpLimits(
        mail_bytes=settings.smtp_mail_bytes,
        recipients=settings.smtp_recipients,
        connections=settings.smtp_connections,
        memory_bytes=settings.smtp_memory_bytes,
        idle_seconds=settings.smtp_idle_seconds,
    )
    runtime.on_stop(reader.close)
    return SmtpListener(channel, limits, figures, hostname=settings.smtp_hostname)


async def _listen(runtime: Runtime, listener: SmtpListener) -> None:
    address = runtime.settings.bind_host, runtime.settings.smtp_port
    await listener.start(bind(*address, setting="DESKWIRE_SMTP_PORT"))
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
        json_bytes=settings.json_bytes,
        attachment_bytes=settings.attachment_bytes,
    )


service = Service(name="intake", start=start, roles=(EMAIL_ROLE, API_ROLE))
