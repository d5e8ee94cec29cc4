"""The mail listener: SMTP with limits on size, recipients, connections, memory, time and the mails of one client.

A mail is answered with 250 only once it is in the log or parked; trouble that passes is answered with 451.
"""

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session
from structlog import get_logger

from deskwire_intake.channels.email.channel import EmailChannel
from deskwire_intake.channels.email.deliveries import Delivery, dated, raw_mail_key
from deskwire_intake.channels.email.messages import EMAIL
from deskwire_intake.channels.email.receiving import Memory
from deskwire_intake.channels.email.smtp_answers import (
    ACCEPTED,
    STOPPING,
    TOO_MANY_MAILS,
    TOO_MANY_RECIPIENTS,
    TRY_LATER,
    UNKNOWN_RECIPIENT,
)
from deskwire_intake.channels.email.smtp_connection import SmtpConnection
from deskwire_intake.channels.passing import passes
from deskwire_intake.rates import RateLimit, client_of
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.intake_ledger import Via

WAIT_SECONDS: Final = 10.0
LOGGED_A_MINUTE: Final = 10
"""So often a reason to turn somebody away is logged; all times are counted."""

Reason = Literal["connections", "rate", "recipient", "recipients", "size", "memory"]
"""Why somebody is turned away: the mailbox is unknown, the mail too large, or there are too many of something."""

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpLimits:
    """How much the listener takes."""

    mail_bytes: int
    recipients: int
    connections: int
    memory_bytes: int
    idle_seconds: float


class SmtpListener:
    """Listens for mails and hands them to the e-mail channel."""

    via: ClassVar[Via] = "smtp"

    def __init__(
        self,
        channel: EmailChannel,
        limits: SmtpLimits,
        *,
        hostname: str,
        tls: ssl.SSLContext | None = None,
        rate: RateLimit | None = None,
    ) -> None:
        self.channel = channel
        self.limits = limits
        self.hostname = hostname
        self.tls = tls
        self._rate = rate
        self._figures = channel.figures
        self._connections: set[SmtpConnection] = set()
        self._logged = RateLimit(LOGGED_A_MINUTE, 60.0)
        self.memory = Memory(limits.memory_bytes)
        self._server: asyncio.Server | None = None

    async def start(self, bound: socket.socket) -> None:
        """Listen on a socket that is bound."""
        loop = asyncio.get_running_loop()
        create = loop.create_unix_server if bound.family is socket.AF_UNIX else loop.create_server
        self._server = await create(self._connection, sock=bound)

    @property
    def port(self) -> int:
        """The port that is listened on; 0 for a Unix socket."""
        assert self._server is not None
        address = self._server.sockets[0].getsockname()
        return int(address[1]) if isinstance(address, tuple) else 0

    @property
    def under_way(self) -> int:
        """How many mails are being taken in."""
        return sum(connection.is_busy for connection in self._connections)

    async def stop(self) -> None:
        """Take no new connections, let mails under way be answered, and end the rest."""
        assert self._server is not None
        self._server.close()
        loop = asyncio.get_running_loop()
        give_up = loop.time() + WAIT_SECONDS
        while any(connection.is_busy for connection in self._connections) and loop.time() < give_up:
            await asyncio.sleep(0.02)
        for connection in tuple(self._connections):
            connection.end(STOPPING)
        await self._server.wait_closed()

    async def handle_EHLO(  # noqa: N802  # the name is the framework's
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Greet, and allow commands to be sent without waiting (RFC 2920)."""
        del server, envelope
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_MAIL(  # noqa: N802  # the name is the framework's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Begin a mail, unless its client has sent too many lately."""
        del server
        if self._rate is not None and self._rate.take(client_of(session.peer[0] if session.peer else "")):
            self._figures.count(EMAIL, "deferred")
            self.turn_away("rate", session)
            return TOO_MANY_MAILS
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802  # the name is the framework's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, if it is a mailbox of the desk."""
        del server, options
        if len(envelope.rcpt_tos) >= self.limits.recipients:
            self.turn_away("recipients", session)
            return TOO_MANY_RECIPIENTS
        if self.channel.mailboxes.find(address) is None:
            self._figures.count(EMAIL, "refused")
            self.turn_away("recipient", session)
            return UNKNOWN_RECIPIENT
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # see above
        """Take a mail."""
        del server
        return await self.take(session, envelope, tuple(envelope.rcpt_tos))

    async def take(self, session: Session, envelope: Envelope, recipients: tuple[str, ...]) -> str:
        """Take a mail in for some of its recipients; the answer, whatever happens, since LMTP owes one to each."""
        assert isinstance(envelope.content, bytes)
        receipt = new_id()
        self._figures.count(EMAIL, "received")
        delivery = Delivery(
            sender=(envelope.mail_from or "").strip("<>"),
            recipients=recipients,
            content=dated(envelope.content, self.channel.clock.now()),
            client=_client(session),
            via=self.via,
            source=receipt,
        )
        try:
            results = await self.channel.receive(delivery)
        except Exception as error:  # noqa: BLE001  # told to the sender, who keeps the mail
            self._figures.count(EMAIL, "deferred")
            if not passes(error):
                return await self.handle_exception(error)
            log.warning("mail deferred", listener=self.via, raw_key=raw_mail_key(delivery), error=repr(error))
            return TRY_LATER
        if not results:  # its mailboxes were closed meanwhile; the next try is told so
            return TRY_LATER
        self._figures.taken.labels(self.via).inc(len(results))
        return ACCEPTED.format(receipt=receipt)

    async def handle_exception(self, error: Exception) -> str:
        """Answer an error of ours so that the mail comes again."""
        log.error("mail session failed", listener=self.via, error=repr(error), exc_info=error)
        return TRY_LATER

    def turn_away(self, reason: Reason, session: Session | None) -> None:
        """Count and log that somebody was turned away; the log takes so much of it as a flood cannot fill it."""
        self._figures.turned_away.labels(self.via, reason).inc()
        if not self._logged.take(reason):
            peer = session.peer[0] if session is not None and session.peer else ""
            log.info("mail turned away", listener=self.via, reason=reason, client=client_of(peer))

    def refuse_size(self, session: Session | None) -> None:
        """Count a mail that is too large."""
        self._figures.count(EMAIL, "refused")
        self.turn_away("size", session)

    def opened(self, connection: "SmtpConnection") -> bool:
        """Count a connection; whether there is room for it."""
        self._connections.add(connection)
        return len(self._connections) <= self.limits.connections

    def closed(self, connection: "SmtpConnection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def _connection(self) -> "SmtpConnection":
        return SmtpConnection(self)


def _client(session: Any) -> str:
    """Who handed a mail over; a name with anything but letters, digits, dots and the like is not repeated."""
    name = re.sub(r"[^A-Za-z0-9.:\[\]_-]", "", session.host_name or "")[:255]
    return f"{name or 'unknown'} ([{session.peer[0] if session.peer else ''}])"
