"""Raw mail and attachments in the object store: what was put is on disk, or with the cloud, when `put` returns.

Errors:

    ObjectError
    ├── ObjectMissing            nothing is kept under that key
    └── ObjectStoreUnavailable   the store cannot be reached, or is full
"""

import asyncio
import ctypes
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore

CHUNK_BYTES: Final = 256 * 1024
BATCH: Final = 256
"""Most files that are written to disk together: one flush of the disk serves them all."""
MANY: Final = 4

Content = bytes | BinaryIO
"""What is kept: bytes, or a file that is read from its beginning, in pieces."""

_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)  # Linux only


class ObjectError(Exception):
    """The object store could not do what was asked."""


class ObjectMissing(ObjectError):
    """Nothing is kept under that key."""


class ObjectStoreUnavailable(ObjectError):
    """The object store cannot be reached, or is full."""


def size_of(content: Content) -> int:
    """How many bytes there are."""
    return len(content) if isinstance(content, bytes) else content.seek(0, os.SEEK_END)


def pieces_of(content: Content) -> Iterator[bytes]:
    """The bytes of a content, piece by piece."""
    if isinstance(content, bytes):
        yield from (content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES))
        return
    content.seek(0)
    while piece := content.read(CHUNK_BYTES):
        yield piece


class Objects:
    """Immutable objects by key."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._local = _LocalWriter(Path(store.prefix)) if isinstance(store, LocalStore) and store.prefix else None

    async def put(self, key: str, data: Content) -> bool:
        """Keep an object unless its key is taken already; whether it was new. Raises ObjectStoreUnavailable."""
        try:
            if self._local is not None:
                return await self._local.write(key, data)
            if not isinstance(data, bytes):
                return await self._put_in_parts(key, data)
            await obstore.put_async(self._store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except (BaseError, OSError) as error:
            raise ObjectStoreUnavailable(f"cannot keep {key}: {error}") from error
        return True

    async def _put_in_parts(self, key: str, file: BinaryIO) -> bool:
        """Keep a file that is sent in parts, which no store takes on the condition that the key is free."""
        if await self.size(key) is not None:
            return False
        file.seek(0)
        await obstore.put_async(self._store, key, file)
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
        self._waiting: list[tuple[str, Content, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, key: str, data: Content) -> bool:
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

    async def _write_batch(self, batch: list[tuple[str, Content, asyncio.Future[bool]]]) -> None:
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


def _write_files(root: Path, files: list[tuple[str, Content]]) -> list[bool | OSError]:
    """Write every content, then every name: a name never stands for content that is not on disk."""
    writings = [_Writing(root / key, data) for key, data in files]
    _each(writings, _Writing.stage)
    _flush(root, writings, _Writing.flush_content)
    _each(writings, _Writing.name)
    _flush(root, writings, _Writing.flush_name)
    return [writing.outcome for writing in writings]


class _Writing:
    """A file on its way to disk; its outcome is whether it is new, or why it could not be written."""

    def __init__(self, path: Path, data: Content) -> None:
        self.outcome: bool | OSError = True
        self._path = path
        self._data = data
        # Stores that list a folder leave out names with `#` and a number: uploads that were not finished.
        self._temporary = path.with_name(f"{path.name}#{secrets.randbits(63)}")

    def stage(self) -> None:
        """Write the content under a name of its own."""
        _make_folder(self._path.parent)
        self._temporary.touch(mode=0o600, exist_ok=False)
        with self._temporary.open("wb") as file:
            file.writelines(pieces_of(self._data))

    def flush_content(self) -> None:
        """Wait until the content is on disk."""
        _flush_path(self._temporary)

    def name(self) -> None:
        """Give the content its real name, unless that is taken."""
        try:
            os.link(self._temporary, self._path)
        except FileExistsError:
            self.outcome = False
        self._temporary.unlink()

    def flush_name(self) -> None:
        """Wait until the name is on disk, also when another writer gave it."""
        _flush_path(self._path.parent)

    def fail(self, error: OSError) -> None:
        """Keep why, and nothing else."""
        self.outcome = error
        with suppress(OSError):
            self._temporary.unlink()


def _each(writings: list[_Writing], step: Callable[[_Writing], None]) -> None:
    for writing in writings:
        if isinstance(writing.outcome, OSError):
            continue
        try:
            step(writing)
        except OSError as error:
            writing.fail(error)


def _flush(root: Path, writings: list[_Writing], flush_one: Callable[[_Writing], None]) -> None:
    """Flush files one by one or, when there are many, the whole file system, which costs as much as two files."""
    if len(writings) < MANY or _syncfs is None:
        _each(writings, flush_one)
        return
    try:
        _flush_file_system(root)
    except OSError as error:
        for writing in writings:
            writing.fail(error)


def _flush_file_system(root: Path) -> None:
    """Wait until all that was written is on disk (syncfs(2); it tells of failed writes since Linux 5.8)."""
    assert _syncfs is not None
    descriptor = os.open(root, os.O_RDONLY)
    try:
        if _syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)


def _make_folder(path: Path) -> None:
    if path.is_dir():
        return
    _make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    _flush_path(path.parent)


def _flush_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
