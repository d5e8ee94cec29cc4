"""Ends background tasks for sure."""

import asyncio
from typing import Any

PATIENCE_SECONDS = 0.2


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it is done; raises what it failed with.

    One `cancel` is not enough: up to Python 3.11 `asyncio.wait_for`, which nats-py waits with, swallows a
    cancellation that comes at the same time as its answer (https://github.com/python/cpython/issues/86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    if not task.cancelled():
        task.result()


def insist() -> None:
    """Raise the cancellation that was asked of the current task and swallowed on its way here."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
