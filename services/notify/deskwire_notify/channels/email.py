"""The way out by SMTP, through the mail server of the organisation."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from deskwire_notify.channels.port import ACCEPTED, Answer
from deskwire_notify.mails.composing import OutgoingMail

Tls = Literal["starttls", "tls", "none"]

PERMANENT: Final = 500
NOT_ABOUT_THE_MAIL: Final = frozenset({530, 534, 535, 538})
"""The server wants us to sign in (RFC 4954): an operator can mend that, and the mail is sent then."""
LONGEST_REASON: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServer:
    """A mail server that takes our mails, and how it wants to be spoken to."""

    host: str
    port: int
    tls: Tls = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_seconds: float = 30.0


class SmtpRelay:
    """Sends over connections that are kept and used again: as many as there are mails sent at once."""

    name = "email"

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._idle: list[SMTP] = []

    async def send(self, mail: OutgoingMail) -> Mapping[str, Answer]:
        """See `Relay.send`."""
        try:
            async with self._connection() as connection:
                return await _transmit(connection, mail)
        except SMTPResponseException as error:  # in the greeting, the encryption or the sign-in: not about the mail
            answer = Answer("not_now", _reason(error.code, error.message), str(error.code))
        except (SMTPException, OSError, ValueError) as error:
            answer = Answer("not_now", f"the mail server cannot be reached: {error}", type(error).__name__)
        return dict.fromkeys(mail.recipients, answer)

    async def close(self) -> None:
        """See `Relay.close`."""
        while self._idle:
            self._idle.pop().close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        """Lend a connection; after trouble on it, it is not used again."""
        connection = await self._reused() or await connect(self._server)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if connection.is_connected:
            self._idle.append(connection)

    async def _reused(self) -> SMTP | None:
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.noop()
            except (SMTPException, OSError):  # the server has closed it meanwhile, as servers do
                connection.close()
            else:
                return connection
        return None


async def connect(server: SmtpServer) -> SMTP:
    """Open a connection and sign in. Raises SMTPException, OSError or ValueError."""
    connection = SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        cert_bundle=str(server.ca_file) if server.ca_file else None,
        timeout=server.timeout_seconds,
    )
    try:
        await connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection


async def _transmit(connection: SMTP, mail: OutgoingMail) -> Mapping[str, Answer]:
    options = ["SMTPUTF8", "BODY=8BITMIME"] if mail.needs_utf8 else []
    try:
        refused, _ = await connection.sendmail(mail.sender, mail.recipients, mail.content, mail_options=options)
    except SMTPRecipientsRefused as error:
        return {refusal.recipient: _refusal(refusal) for refusal in error.recipients}
    except (SMTPSenderRefused, SMTPDataError) as error:
        return dict.fromkeys(mail.recipients, _refusal(error))
    except SMTPNotSupported:
        answer = Answer("refused", "the mail server takes no addresses with other than ASCII letters", "no SMTPUTF8")
        return dict.fromkeys(mail.recipients, answer)
    return {
        recipient: _judged(*refused[recipient]) if recipient in refused else ACCEPTED for recipient in mail.recipients
    }


def _refusal(error: SMTPRecipientRefused | SMTPSenderRefused | SMTPDataError) -> Answer:
    return _judged(error.code, error.message)


def _judged(code: int, message: str) -> Answer:
    lasting = code >= PERMANENT and code not in NOT_ABOUT_THE_MAIL
    return Answer("refused" if lasting else "not_now", _reason(code, message), str(code))


def _reason(code: int, message: str) -> str:
    return f"{code} {' '.join(message.split())}"[:LONGEST_REASON]
