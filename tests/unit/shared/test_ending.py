"""A background task ends when it is told to, whatever it is waiting for."""

import asyncio

import pytest

from deskwire_shared.eventstore.ending import end


async def test_a_task_that_waits_is_ended() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    await end(task)
    assert task.cancelled()


async def test_a_task_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    async def stubborn() -> None:
        swallowed = False
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed = True

    task = asyncio.create_task(stubborn())
    await asyncio.wait({task}, timeout=0.01)
    await asyncio.wait_for(end(task), 5)
    assert task.cancelled()


async def test_a_task_that_has_returned_is_left_alone() -> None:
    async def work() -> int:
        return 1

    task = asyncio.create_task(work())
    await task
    await end(task)
    assert task.result() == 1


async def test_what_a_task_failed_with_is_not_lost() -> None:
    async def fail() -> None:
        raise RuntimeError("the disk is full")

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    with pytest.raises(RuntimeError, match="the disk is full"):
        await end(task)
