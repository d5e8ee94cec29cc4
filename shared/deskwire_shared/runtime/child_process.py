"""Children that do not outlive their parent, and are waited for by its successor."""

import asyncio
import ctypes
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from deskwire_shared.runtime.data_directory import DataDirectoryBusy, read_pid, write_pid

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.01
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def terminate_with_parent() -> Callable[[], None] | None:
    """Give a `preexec_fn` that has the kernel end the child by SIGTERM when its parent dies, where it can.

    The kernel watches the *thread* that starts the child: start it from one that lives on.
    """
    libc, parent = _LIBC, os.getpid()
    if libc is None:
        return None

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


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
            while not _try_lock(descriptor):  # noqa: ASYNC110  # the kernel has no event for a lock
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise DataDirectoryBusy(file.parent, orphan) from None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
