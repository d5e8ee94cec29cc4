"""Small values that services share."""

from pathlib import Path

import pytest

from deskwire_shared.contracts.subjects import DELIVERIES
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.buckets import NOTHING, Bucket
from ticket_desk import ticket_desk


async def test_a_value_is_written_over_the_one_that_was_read_only(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        bucket = Bucket(desk.runtime.js, DELIVERIES)
        assert await bucket.put("a", b"1", revision=0)
        first = await bucket.get("a")
        assert await bucket.put("a", b"2", revision=first.revision)
        assert not await bucket.put("a", b"3", revision=first.revision)
        await bucket.remove("a")
        assert await bucket.get("a") == NOTHING


async def test_a_bucket_that_does_not_answer_is_trouble_with_the_store(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        nowhere = Bucket(desk.runtime.js, "NOWHERE")
        for doing in (nowhere.put("a", b"1"), nowhere.remove("a")):
            with pytest.raises(EventStoreError, match="NOWHERE"):
                await doing
