"""What `deskwire doctor` asks about outgoing mail."""

from aiosmtplib import SMTPException

from deskwire_notify.channels.email import connect
from deskwire_notify.settings import NotifySettings
from deskwire_shared.runtime.doctor import Finding
from deskwire_shared.runtime.settings import CommonSettings

RELAY = "outgoing mail"


async def check_relay(settings: CommonSettings) -> list[Finding]:
    """Look whether the mail server takes us in, if one is configured."""
    server = NotifySettings().server
    if server is None:
        return [Finding(RELAY, f"is kept in the local outbox, {settings.public_url}/outbox")]
    shown = f"smtp://{server.host}:{server.port}"
    try:
        connection = await connect(server)
        await connection.quit()
    except (SMTPException, OSError, ValueError) as error:
        return [Finding(RELAY, f"{shown} does not take us in: {error}", "see the settings DESKWIRE_NOTIFY_SMTP_…")]
    return [Finding(RELAY, f"{shown} takes us in")]
