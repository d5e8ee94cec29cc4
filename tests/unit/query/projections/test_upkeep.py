"""Work that goes on whatever comes in its way for a while, and ends with what would come again for ever."""

import asyncio

import pytest

from deskwire_query.catalogue import Overtaken
from deskwire_query.projections import upkeep
from deskwire_query.projections.upkeep import Upkeep
from deskwire_shared.runtime.health import Unhealthy


@pytest.mark.parametrize("trouble", [TimeoutError("no answer"), OSError("no route"), Overtaken("somebody else")])
async def test_what_passes_is_tried_again(trouble: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0)
    tries, done = iter([trouble, None]), asyncio.Event()

    async def work() -> None:
        if (error := next(tries)) is not None:
            raise error
        done.set()
        await asyncio.Event().wait()

    carrying = asyncio.create_task(Upkeep("the work", trouble="not begun").carry_on(work))
    await asyncio.wait_for(done.wait(), 5)
    carrying.cancel()


async def test_what_does_not_pass_ends_the_work() -> None:
    async def work() -> None:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        await Upkeep("the work", trouble="not begun").carry_on(work)


async def test_what_is_in_the_way_is_told() -> None:
    kept = Upkeep("the work", trouble="not begun")
    with pytest.raises(Unhealthy, match="not begun"):
        await kept.check()
    kept.trouble = None
    await kept.check()
