"""A mail server for tests: it takes mails over SMTP, keeps them, and refuses what it is told to."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailSink:
    """What arrived, and what the server answers instead of taking it."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    next_answers: deque[str] = field(default_factory=deque)
    """Answers to the next mails, one each; then mails are taken."""
    refused: dict[str, str] = field(default_factory=dict)
    """Answers by recipient."""
    sessions: int = 0
    servers: list[SMTP] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802, the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        """Answer to a recipient."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, the same
        """Answer to a mail."""
        if self.next_answers:
            return self.next_answers.popleft()
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"

    def connect(self) -> SMTP:
        """Begin a session."""
        self.sessions += 1
        self.servers.append(SMTP(self, hostname="sink.example", loop=asyncio.get_running_loop()))
        return self.servers[-1]

    def hang_up(self) -> None:
        """End every session, as servers do with those that are idle."""
        for server in self.servers:
            if server.transport is not None:
                server.transport.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["MailSink"]:
        """Listen, on the same port as before if there was one."""
        server = await asyncio.get_running_loop().create_server(self.connect, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()
