"""One SMTP session, from the greeting to the answer of each mail."""

import asyncio
import logging
import re
from typing import TYPE_CHECKING, AnyStr, Final

from aiosmtpd.smtp import SMTP, Envelope, syntax

from deskwire_intake.channels.email.receiving import HeldBytes, OutOfMemory, TooBig, receive
from deskwire_intake.channels.email.smtp_answers import OUT_OF_MEMORY, TOO_BIG, TOO_MANY_CONNECTIONS

if TYPE_CHECKING:
    from deskwire_intake.channels.email.smtp import SmtpListener

COMMANDS: Final = {"*": 100, "MAIL": 10_000, "RCPT": 100_000, "DATA": 10_000, "RSET": 10_000}
"""Most commands of a kind in one connection."""

_SIZE = re.compile(r"\sSIZE=([0-9]{1,20})(?:\s|\Z)", re.IGNORECASE)
_IN_PATH: Final = r"[^<>\x00-\x20\x7f\ud800-\udfff]"  # surrogates stand for bytes that are no UTF-8 (RFC 6531, 3.3)
_PATH = re.compile(rf"<({_IN_PATH}*)>\s*(.*)\Z|({_IN_PATH}+)(?:\s+(.*))?\Z")
_SOURCE_ROUTE = re.compile(r"@[^:]*:")

logging.getLogger("mail.log").setLevel(logging.WARNING)  # it would tell every command with its addresses


class SmtpConnection(SMTP):
    """One SMTP session."""

    def __init__(self, listener: "SmtpListener") -> None:
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
            with self._listener.memory.holding() as held:
                await self._receive(self.envelope, held)
        finally:
            self.is_busy = False
            self.envelope = self._create_envelope()

    async def _receive(self, envelope: Envelope, held: HeldBytes) -> None:
        try:
            envelope.content = await receive(self._reader, held, most=self._listener.limits.mail_bytes)
        except TooBig:
            self._listener.refuse_size(self.session)
            await self.push(self.refusal(envelope))
        except OutOfMemory:
            self._listener.turn_away("memory", self.session)
            self.end(OUT_OF_MEMORY)
        else:
            await self.push(await self._call_handler_hook("DATA"))

    def refusal(self, envelope: Envelope) -> str:
        """What answers a mail that is too large."""
        del envelope
        return TOO_BIG

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read a path (RFC 5321, 4.1.2) with its parameters; a source route is dropped, as the RFC asks."""
        path = _PATH.match(arg.strip())
        if path is None:
            return None, None
        address = _SOURCE_ROUTE.sub("", path[1], count=1) if path[1] is not None else path[3]
        # The null sender of a bounce must not look like no sender at all.
        return address or "<>", path[2] or path[4] or ""
