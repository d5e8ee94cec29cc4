"""Wires the intake service: the one place that reads its settings and builds its parts."""

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
    settings = IntakeSettings()
    numbers = JetStreamNumbers(runtime.js)
    customers = Customers(runtime.directory, runtime.keys, await runtime.secrets.site_key())
    objects = Objects(runtime.objects)
    intake = Intake(
        recorder=runtime.recorder,
        threads=Threads(runtime.recorder, numbers),
        numbers=numbers,
        customers=customers,
        objects=objects,
        clock=runtime.clock,
    )
    if role in {None, EMAIL_ROLE}:
        await _start_email(runtime, settings, intake)
    if role in {None, API_ROLE}:
        _start_api(runtime, settings, intake)


async def _start_email(runtime: Runtime, settings: IntakeSettings, intake: Intake) -> None:
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
    listener = SmtpListener(channel, limits, figures, hostname=settings.smtp_hostname)
    address = runtime.settings.bind_host, runtime.settings.smtp_port
    await listener.start(bind(*address, setting="DESKWIRE_SMTP_PORT"))
    runtime.on_stop(reader.close)
    runtime.on_stop(listener.stop)


def _start_api(runtime: Runtime, settings: IntakeSettings, intake: Intake) -> None:
    recording = Recording(
        recorder=intake.recorder,
        numbers=intake.numbers,
        customers=intake.customers,
        directory=runtime.directory,
        objects=intake.objects,
    )
    api = command_api(
        recording,
        identity=runtime.identity,
        secrets=runtime.secrets,
        clock=runtime.clock,
        json_bytes=settings.json_bytes,
        attachment_bytes=settings.attachment_bytes,
    )
    runtime.mount("/intake", api)


service = Service(name="intake", start=start, roles=(EMAIL_ROLE, API_ROLE))
