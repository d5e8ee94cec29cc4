"""Objects are kept once, whole, and on disk."""

import asyncio
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from deskwire_shared.runtime import objects as module
from deskwire_shared.runtime.objects import ObjectMissing, Objects, ObjectStoreUnavailable

stores = pytest.mark.parametrize("make", [lambda _: MemoryStore(), LocalStore], ids=["memory", "local"])


@stores
async def test_an_object_is_read_as_it_was_kept(make: Any, tmp_path: Path) -> None:
    objects = Objects(make(tmp_path))
    assert await objects.put("raw/ab/x", b"data")
    assert await objects.get("raw/ab/x") == b"data"
    assert await objects.size("raw/ab/x") == 4


@stores
async def test_a_key_is_taken_once(make: Any, tmp_path: Path) -> None:
    objects = Objects(make(tmp_path))
    assert await objects.put("k", b"first")
    assert not await objects.put("k", b"second")
    assert await objects.get("k") == b"first"


@stores
async def test_a_file_is_kept_in_pieces_from_its_beginning(make: Any, tmp_path: Path) -> None:
    objects, content = Objects(make(tmp_path)), os.urandom(3 * module.CHUNK_BYTES + 1)
    file = FileInPieces(content)
    file.seek(7)
    assert await objects.put("k", file)
    assert await objects.get("k") == content
    assert not await objects.put("k", file)


class FileInPieces(BytesIO):
    """A file that nobody may read whole."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0, "the whole file would be in memory"
        return super().read(size)


@stores
async def test_what_is_not_there_is_told(make: Any, tmp_path: Path) -> None:
    store: ObjectStore = make(tmp_path)
    with pytest.raises(ObjectMissing):
        await Objects(store).get("nothing")
    assert await Objects(store).size("nothing") is None


@pytest.mark.parametrize("count", [1, 3, 50])
async def test_writers_at_the_same_time_agree_on_who_was_first(count: int, tmp_path: Path) -> None:
    objects = Objects(LocalStore(tmp_path))
    kept = await asyncio.gather(*(objects.put("same/key", b"%d" % number) for number in range(count)))
    assert sum(kept) == 1
    assert [path.name for path in (tmp_path / "same").iterdir()] == ["key"]


async def test_many_objects_are_kept_in_one_go(tmp_path: Path) -> None:
    objects = Objects(LocalStore(tmp_path))
    kept = await asyncio.gather(*(objects.put(f"{n % 7}/{n}", b"%d" % n) for n in range(600)))
    assert all(kept)
    assert [await objects.get(f"{n % 7}/{n}") for n in range(600)] == [b"%d" % n for n in range(600)]


@pytest.mark.parametrize("count", [1, 8])
async def test_an_object_that_cannot_be_written_is_told_and_does_not_stop_the_others(
    count: int, tmp_path: Path
) -> None:
    (tmp_path / "blocked").write_text("a file where a folder should be")
    objects = Objects(LocalStore(tmp_path))
    good = [objects.put(f"good/{number}", b"x") for number in range(count)]
    *kept, failed = await asyncio.gather(*good, objects.put("blocked/key", b"x"), return_exceptions=True)
    assert kept == [True] * count
    assert isinstance(failed, ObjectStoreUnavailable)


@pytest.mark.parametrize("count", [1, 8])
async def test_an_object_is_not_kept_before_the_disk_has_it(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "input/output error")

    monkeypatch.setattr(module, "_flush_file_system", broken)
    (tmp_path / "d").mkdir()
    monkeypatch.setattr(os, "fsync", broken)
    objects = Objects(LocalStore(tmp_path))
    kept = await asyncio.gather(*(objects.put(f"d/{n}", b"x") for n in range(count)), return_exceptions=True)
    assert all(isinstance(one, ObjectStoreUnavailable) for one in kept)
    assert list((tmp_path / "d").iterdir()) == []
