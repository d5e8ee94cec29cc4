"""Reads mails without letting one of them hold up the others: in a process with a time limit, unless they are simple.

Errors:

    CannotBeHandled
    ├── ReadingTookTooLong
    └── ReadingFailed
"""

import asyncio
import pickle
import sys
from typing import Final

from deskwire_intake.channels.port import CannotBeHandled
from deskwire_intake.mail import ParsedMail, is_packed, parse_mail, unpacked

READERS: Final = 2
"""Processes at once; each is started when it is first needed."""
LENGTH_BYTES: Final = 8
PIPE_BYTES: Final = 1024 * 1024
START_SECONDS: Final = 30.0


class ReadingTookTooLong(CannotBeHandled):
    """The mail would have held up the others."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"reading the mail took more than {seconds:g} s")


class ReadingFailed(CannotBeHandled):
    """The reader's process died of the mail."""

    def __init__(self) -> None:
        super().__init__("the mail could not be read: its reader died")


def read_mail(raw: bytes) -> ParsedMail:
    """Read a mail, and what lies in its files."""
    return unpacked(parse_mail(raw))


class MailReader:
    """Reads mails within a time limit."""

    def __init__(self, *, seconds: float, inline_bytes: int) -> None:
        self._seconds = seconds
        self._inline_bytes = inline_bytes
        self._idle: list[_Process] = []
        self._slots = asyncio.Semaphore(READERS)

    async def read(self, raw: bytes) -> ParsedMail:
        """Read a mail. Raises ReadingTookTooLong or ReadingFailed."""
        if len(raw) <= self._inline_bytes:
            mail = parse_mail(raw)
            if not is_packed(mail):
                return mail
        async with self._slots:
            return await self._read_in(await self._process(), raw)

    async def close(self) -> None:
        """End the processes."""
        while self._idle:
            await self._idle.pop().kill()

    async def _process(self) -> "_Process":
        """A process that lives; one that was ended while it had nothing to do is no fault of the next mail."""
        while self._idle:
            process = self._idle.pop()
            if process.is_alive:
                return process
        return await _Process.start()

    async def _read_in(self, process: "_Process", raw: bytes) -> ParsedMail:
        finished = False
        try:
            async with asyncio.timeout(self._seconds):
                mail = await process.read(raw)
            finished = True
        except TimeoutError as error:
            raise ReadingTookTooLong(self._seconds) from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ReadingFailed from error
        else:
            return mail
        finally:
            if finished:
                self._idle.append(process)
            else:
                await process.kill()


class _Process:
    """A process that reads one mail after the other; lengths and pickles on its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._input, self._output = process.stdin, process.stdout

    @classmethod
    async def start(cls) -> "_Process":
        """Start one and wait until it is ready. Raises OSError or TimeoutError: a later try may find more room."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deskwire_intake.reading_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=PIPE_BYTES,
        )
        started = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                await started._receive()
        except BaseException:
            await started.kill()
            raise
        return started

    @property
    def is_alive(self) -> bool:
        """Whether it can read a mail."""
        return self._process.returncode is None

    async def read(self, raw: bytes) -> ParsedMail:
        """Read one mail."""
        self._input.write(len(raw).to_bytes(LENGTH_BYTES))
        self._input.write(raw)
        await self._input.drain()
        mail = pickle.loads(await self._receive())  # noqa: S301  # written by our own child process
        assert isinstance(mail, ParsedMail)
        return mail

    async def kill(self) -> None:
        """End it at once."""
        if self.is_alive:
            self._process.kill()
        await self._process.wait()
        self._input.close()

    async def _receive(self) -> bytes:
        length = int.from_bytes(await self._output.readexactly(LENGTH_BYTES))
        return await self._output.readexactly(length)
