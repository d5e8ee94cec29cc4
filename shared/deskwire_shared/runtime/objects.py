"""Raw mail and attachments in the object store: what was put is on disk, or with the cloud, when `put` returns.

Errors:

    ObjectError
    ├── ObjectMissing            nothing is kept under that key
    └── ObjectStoreUnavailable   the store cannot be reached, or is full
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore

CHUNK_BYTES: Final = 256 * 1024
BATCH: Final = 256
"""Files written to disk together: one flush of the disk serves them all."""


class ObjectError(Exception):
    """The object store could not do what was asked."""


class ObjectMissing(ObjectError):
    """Nothing is kept under that key."""


class ObjectStoreUnavailable(ObjectError):
    """The object store cannot be reached, or is full."""


class Objects:
    """Immutable objects by key."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._local = _LocalWriter(Path(store.prefix)) if isinstance(store, LocalStore) and store.prefix else None

    async def put(self, key: str, data: bytes) -> bool:
        """Keep an object unless its key is taken already; whether it was new. Raises ObjectStoreUnavailable."""
        try:
            if self._local is not None:
                return await self._local.write(key, data)
            await obstore.put_async(self._store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except (BaseError, OSError) as error:
            raise ObjectStoreUnavailable(f"cannot keep {key}: {error}") from error
        return True

    async def get(self, key: str) -> bytes:
        """The bytes of an object. Raises ObjectMissing or ObjectStoreUnavailable."""
        return b"".join([chunk async for chunk in self.stream(key)])

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """The bytes of an object, piece by piece. Raises ObjectMissing or ObjectStoreUnavailable."""
        try:
            found = await obstore.get_async(self._store, key)
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        except (BaseError, OSError) as error:
            raise ObjectStoreUnavailable(f"cannot read {key}: {error}") from error

    async def size(self, key: str) -> int | None:
        """The size of an object in bytes; None when there is none. Raises ObjectStoreUnavailable."""
        try:
            return int((await obstore.head_async(self._store, key))["size"])
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise ObjectStoreUnavailable(f"cannot look for {key}: {error}") from error


class _LocalWriter:
    """Writes files that survive a power failure, those that wait at the same time in one go.

    A new file costs two flushes of the disk, its content and its name; a batch costs little more than one file.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: list[tuple[str, bytes, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, key: str, data: bytes) -> bool:
        """Write a file unless there is one already; whether it was new."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, data, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting(), name="write objects")
        return await written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._write_batch(batch)
        finally:
            self._writing = None

    async def _write_batch(self, batch: list[tuple[str, bytes, asyncio.Future[bool]]]) -> None:
        try:
            outcomes = await asyncio.to_thread(_write_files, self._root, [(key, data) for key, data, _ in batch])
        except BaseException:
            for _, _, written in batch:
                written.cancel()
            raise
        for (_, _, written), outcome in zip(batch, outcomes, strict=True):
            if written.cancelled():
                continue
            if isinstance(outcome, OSError):
                written.set_exception(outcome)
            else:
                written.set_result(outcome)


def _write_files(root: Path, files: list[tuple[str, bytes]]) -> list[bool | OSError]:
    """First every content, then every name: the disk flushes each kind once for all of them."""
    staged = [_stage(root, key, data) for key, data in files]
    named = [_name(path) if isinstance(path, _Staged) else path for path in staged]
    return [_flush_folder(path, outcome) if isinstance(path, _Staged) else path
            for path, outcome in zip(staged, named, strict=True)]  # fmt: skip


class _Staged:
    """A file whose content is written under a name of its own; only later it gets its real one."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        # Stores that list a folder leave out names with `#` and a number: uploads that were not finished.
        self.temporary = path.with_name(f"{path.name}#{secrets.randbits(63)}")
        self.descriptor = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(self.descriptor, "wb", closefd=False) as file:
                file.write(data)
        except OSError:
            self.discard()
            raise

    def flush(self) -> None:
        """Wait until the content is on disk."""
        os.fsync(self.descriptor)

    def discard(self) -> None:
        """Leave nothing under the temporary name."""
        os.close(self.descriptor)
        with suppress(FileNotFoundError):
            self.temporary.unlink()


def _stage(root: Path, key: str, data: bytes) -> _Staged | OSError:
    path = root / key
    try:
        _make_folder(path.parent)
        return _Staged(path, data)
    except OSError as error:
        return error


def _name(staged: _Staged) -> bool | OSError:
    try:
        staged.flush()
        os.link(staged.temporary, staged.path)
    except FileExistsError:
        return False
    except OSError as error:
        return error
    else:
        return True
    finally:
        staged.discard()


def _flush_folder(staged: _Staged, outcome: bool | OSError) -> bool | OSError:  # noqa: FBT001  # an outcome, not a switch
    """Wait until the name is on disk, another writer's too."""
    if isinstance(outcome, OSError):
        return outcome
    try:
        _flush(staged.path.parent)
    except OSError as error:
        return error
    return outcome


def _make_folder(path: Path) -> None:
    if path.is_dir():
        return
    _make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    _flush(path.parent)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
