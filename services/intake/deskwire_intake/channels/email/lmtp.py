"""The mail listener behind a mail server of one's own: LMTP answers for each recipient of a mail (RFC 2033)."""

from typing import ClassVar

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from deskwire_intake.channels.email.smtp import SmtpListener
from deskwire_intake.channels.email.smtp_answers import TOO_BIG
from deskwire_intake.channels.email.smtp_connection import SmtpConnection
from deskwire_shared.contracts.intake_ledger import Via

NOT_LMTP = "500 5.5.1 This is LMTP: greet with LHLO"


class LmtpListener(SmtpListener):
    """Listens for mails of a mail server, which keeps those that are to be tried again."""

    via: ClassVar[Via] = "lmtp"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # the framework's
        """Take a mail in for each recipient; one answer for each."""
        del server
        answers = [await self.take(session, envelope, (recipient,)) for recipient in envelope.rcpt_tos]
        return "\r\n".join(answers)

    def _connection(self) -> SmtpConnection:
        return _LmtpConnection(self)


class _LmtpConnection(SmtpConnection):
    """One LMTP session."""

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802  # the name is the framework's
        """Greet."""
        await super().smtp_EHLO(arg)

    async def smtp_HELO(self, arg: str) -> None:  # noqa: N802  # the name is the framework's
        """Refuse the greeting of SMTP."""
        del arg
        await self.push(NOT_LMTP)

    async def smtp_EHLO(self, arg: str) -> None:  # noqa: N802  # the name is the framework's
        """Refuse the greeting of SMTP."""
        del arg
        await self.push(NOT_LMTP)

    def refusal(self, envelope: Envelope) -> str:
        """What answers a mail that is too large, once for each recipient."""
        return "\r\n".join([TOO_BIG] * len(envelope.rcpt_tos))
