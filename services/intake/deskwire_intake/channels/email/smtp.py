"""The mail listener: SMTP with limits on size, recipients, connections, memory, time and the mails of one client.

A mail is answered with 250 only once it is in the log or parked; trouble that passes is answered with 451.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, AnyStr, ClassVar, Final, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax
from structlog import get_logger

from deskwire_intake.channels.email.channel import EMAIL, Delivery, EmailChannel, dated
from deskwire_intake.channels.passing import passes
from deskwire_intake.rates import RateLimit, client_of
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.intake_ledger import Via

END_OF_DATA: Final = b"\r\n.\r\n"
COMMANDS: Final = {"*": 100, "MAIL": 10_000, "RCPT": 100_000, "DATA": 10_000, "RSET": 10_000}
"""Most commands of a kind in one connection."""
WAIT_SECONDS: Final = 10.0
LOGGED_A_MINUTE: Final = 10
"""So often a reason to turn somebody away is logged; all times are counted."""

ACCEPTED: Final = "250 2.0.0 The mail was accepted as {receipt}"
TRY_LATER: Final = "451 4.3.0 The mail cannot be kept at the moment; please try again later"
TOO_BIG: Final = "552 5.3.4 The mail is too large"
TOO_MANY_RECIPIENTS: Final = "452 4.5.3 Too many recipients"
TOO_MANY_MAILS: Final = "450 4.7.1 Too many mails from you; please try again later"
UNKNOWN_RECIPIENT: Final = "550 5.1.1 There is no such mailbox here"
TOO_MANY_CONNECTIONS: Final = "421 4.3.2 Too many connections; please try again later"
OUT_OF_MEMORY: Final = "421 4.3.1 Too many mails at once; please try again later"
STOPPING: Final = "421 4.3.2 The desk is being stopped; please try again later"

Reason = Literal["connections", "rate", "recipient", "recipients", "size", "memory"]
"""Why somebody is turned away: the mailbox is unknown, the mail too large, or there are too many of something."""

_SIZE = re.compile(r"\sSIZE=([0-9]{1,20})(?:\s|\Z)", re.IGNORECASE)
_IN_PATH: Final = r"[^<>\x00-\x20\x7f\ud800-\udfff]"  # surrogates stand for bytes that are no UTF-8 (RFC 6531, 3.3)
_PATH = re.compile(rf"<({_IN_PATH}*)>\s*(.*)\Z|({_IN_PATH}+)(?:\s+(.*))?\Z")
_SOURCE_ROUTE = re.compile(r"@[^:]*:")

log = get_logger(__name__)
logging.getLogger("mail.log").setLevel(logging.WARNING)  # it would tell every command with its addresses


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
        self._held_bytes = 0
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
            log.warning("mail deferred", error=repr(error))
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

    @contextmanager
    def holding(self) -> Iterator["HeldBytes"]:
        """Count the bytes of a mail while it is in memory."""
        held = HeldBytes(self)
        try:
            yield held
        finally:
            self._held_bytes -= held.size

    def hold(self, size: int) -> bool:
        """Count bytes as held; whether there is room for them."""
        self._held_bytes += size
        return self._held_bytes <= self.limits.memory_bytes

    def opened(self, connection: "SmtpConnection") -> bool:
        """Count a connection; whether there is room for it."""
        self._connections.add(connection)
        return len(self._connections) <= self.limits.connections

    def closed(self, connection: "SmtpConnection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def _connection(self) -> "SmtpConnection":
        return SmtpConnection(self)


class HeldBytes:
    """The bytes of one mail being received."""

    def __init__(self, listener: SmtpListener) -> None:
        self._listener = listener
        self.size = 0

    def add(self, size: int) -> bool:
        """Count more; whether there is room for them."""
        self.size += size
        return self._listener.hold(size)


class _TooBig(Exception):
    """The mail is beyond the limit."""


class _OutOfMemory(Exception):
    """All mails together are beyond the limit."""


class SmtpConnection(SMTP):
    """One SMTP session; reads mails in pieces instead of lines, since most of a session's time went there."""

    def __init__(self, listener: SmtpListener) -> None:
        super().__init__(
            listener,
            data_size_limit=listener.limits.mail_bytes,
            enable_SMTPUTF8=True,
            hostname=listener.hostname,
            ident="Deskwire",
            timeout=listener.limits.idle_seconds,
            command_call_limit=COMMANDS,
            tls_context=listener.tls,
        )
        self._listener = listener
        self.is_busy = False
        self._answers = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session, unless there are too many."""
        has_room = self._listener.opened(self)
        super().connection_made(transport)
        if not has_room:
            self._listener.turn_away("connections", self.session)
            self.end(TOO_MANY_CONNECTIONS)

    def connection_lost(self, error: Exception | None) -> None:
        """End the session."""
        self._listener.closed(self)
        super().connection_lost(error)

    async def push(self, status: AnyStr) -> None:
        """Answer; while more commands lie here already, answers wait and leave together (RFC 2920, 3.2)."""
        self._answers += (status if isinstance(status, bytes) else status.encode()) + b"\r\n"
        if b"\n" in self._reader._buffer:  # type: ignore[attr-defined]  # noqa: SLF001  # the stream tells no other way
            return
        self._writer.write(bytes(self._answers))
        self._answers.clear()
        await self._writer.drain()

    def end(self, farewell: str) -> None:
        """Say why, and hang up."""
        if self.transport is not None:
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.write(self._answers + farewell.encode() + b"\r\n")
            self.transport.close()

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802  # the name is the framework's
        """Go on encrypted; what was sent unencrypted behind the command is no part of it (RFC 3207, 6)."""
        self._reader._buffer.clear()  # type: ignore[attr-defined]  # noqa: SLF001  # the stream has no other way
        await super().smtp_STARTTLS(arg)

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802  # the name is the framework's
        """Begin a mail, unless it says itself that it is too large (RFC 1870)."""
        size = _SIZE.search(arg or "")
        if size is not None and int(size[1]) > self._listener.limits.mail_bytes:
            self._listener.refuse_size(self.session)
            await self.push(TOO_BIG)
            return
        await super().smtp_MAIL(arg)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802  # the name is the framework's
        """Receive a mail and answer what became of it."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos or arg:
            await self.push("501 5.5.4 Syntax: DATA" if arg else "503 5.5.1 No recipient was accepted")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self.is_busy = True
        try:
            with self._listener.holding() as held:
                await self._receive(self.envelope, held)
        finally:
            self.is_busy = False
            self.envelope = self._create_envelope()

    async def _receive(self, envelope: Envelope, held: HeldBytes) -> None:
        try:
            envelope.content = await self._read_mail(held)
        except _TooBig:
            self._listener.refuse_size(self.session)
            await self.push(self.refusal(envelope))
        except _OutOfMemory:
            self._listener.turn_away("memory", self.session)
            self.end(OUT_OF_MEMORY)
        else:
            await self.push(await self._call_handler_hook("DATA"))

    def refusal(self, envelope: Envelope) -> str:
        """What answers a mail that is too large."""
        del envelope
        return TOO_BIG

    async def _read_mail(self, held: HeldBytes) -> bytes:
        """Read a mail; one that is too big is read to its end, so that the answer is understood."""
        pieces = [await self._read_beginning()]
        if pieces[0] == b".\r\n":
            return b""
        size, limit = len(pieces[0]), self._listener.limits.mail_bytes
        ended = pieces[0].endswith(END_OF_DATA)
        while not ended:
            piece, ended = await self._read_piece()
            size += len(piece)
            if size > limit + len(END_OF_DATA):
                pieces.clear()
            elif not held.add(len(piece)):
                raise _OutOfMemory
            pieces.append(piece)
        if size > limit + len(END_OF_DATA):
            raise _TooBig
        return _without_dots(b"".join(pieces)[: 2 - len(END_OF_DATA)])

    async def _read_beginning(self) -> bytes:
        """The first bytes, so many that the end cannot begin among them."""
        beginning = bytes(await self._reader.readexactly(3))
        while not beginning.endswith(END_OF_DATA) and _may_be_ending(beginning):
            beginning += await self._reader.readexactly(1)
        return beginning

    async def _read_piece(self) -> tuple[bytes, bool]:
        """What has arrived, up to the end of the mail; whether it was the end."""
        try:
            return await self._reader.readuntil(END_OF_DATA), True
        except asyncio.LimitOverrunError as more:
            return await self._reader.readexactly(more.consumed), False

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read a path (RFC 5321, 4.1.2) with its parameters; a source route is dropped, as the RFC asks."""
        path = _PATH.match(arg.strip())
        if path is None:
            return None, None
        address = _SOURCE_ROUTE.sub("", path[1], count=1) if path[1] is not None else path[3]
        # The null sender of a bounce must not look like no sender at all.
        return address or "<>", path[2] or path[4] or ""


def _may_be_ending(text: bytes) -> bool:
    return any(text.endswith(END_OF_DATA[:length]) for length in range(1, len(END_OF_DATA)))


def _without_dots(content: bytes) -> bytes:
    """Undo the doubling of dots at the beginning of lines (RFC 5321, 4.5.2)."""
    content = content.removeprefix(b".")
    return content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content


def _client(session: Any) -> str:
    """Who handed a mail over; a name with anything but letters, digits, dots and the like is not repeated."""
    name = re.sub(r"[^A-Za-z0-9.:\[\]_-]", "", session.host_name or "")[:255]
    return f"{name or 'unknown'} ([{session.peer[0] if session.peer else ''}])"
