"""Children that do not outlive their parent, and are waited for by its successor."""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from deskwire_shared.runtime import end_with_parent
from deskwire_shared.runtime.data_directory import DataDirectoryBusy, read_pid, write_pid

_POLL_SECONDS = 0.01


def ending_with_parent(program: Path, *arguments: str | Path) -> list[str]:
    """Give the command line of a child that the kernel ends by SIGTERM when its parent dies, where it can.

    The kernel watches the *thread* that starts the child: start it from one that lives on. A launcher does this
    instead of a `preexec_fn`, since forking a process with threads runs their libraries' hooks in the child.
    """
    command = [str(program), *map(str, arguments)]
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", end_with_parent.__file__, str(os.getpid()), *command]


@asynccontextmanager
async def inherited_lock(file: Path, *, patience_seconds: float) -> AsyncIterator[int]:
    """Lock a file for a child that inherits the descriptor and so holds the lock for as long as it lives.

    A child whose parent was killed may still be writing: it is asked to end and waited for;
    DataDirectoryBusy when it does not.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _try_lock(descriptor):
            await _end_orphan(descriptor, file, patience_seconds)
        write_pid(descriptor, None)
        yield descriptor
    finally:
        os.close(descriptor)


async def _end_orphan(descriptor: int, file: Path, patience_seconds: float) -> None:
    orphan = read_pid(descriptor)
    if orphan is not None:
        with suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGTERM)
    try:
        async with asyncio.timeout(patience_seconds):
            while not _try_lock(descriptor):  # the kernel has no event for a lock
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise DataDirectoryBusy(file.parent, orphan) from None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
