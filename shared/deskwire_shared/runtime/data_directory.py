"""The folder that holds one Deskwire's data: who uses it now, and where that one is reached."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


class DataDirectoryBusy(Exception):
    """Another process uses this data directory."""

    def __init__(self, directory: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{directory} is in use by {holder}. "
            "Stop that Deskwire first, or choose another folder with DESKWIRE_DATA_DIR."
        )
        self.directory = directory
        self.pid = pid


class DataDirectoryUnusable(Exception):
    """Nothing can be kept in this data directory."""

    def __init__(self, directory: Path, error: OSError) -> None:
        super().__init__(f"{directory} cannot be used: {error.strerror}. Choose another folder with DESKWIRE_DATA_DIR.")


class DataDirectoryLock:
    """The right to use a data directory, for one process at a time; the kernel ends it with the process."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir.resolve()
        self._file = self._directory / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the directory, creating it when missing. Raises DataDirectoryBusy or DataDirectoryUnusable."""
        make_data_directory(self._directory)
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataDirectoryUnusable(self._directory, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = read_pid(descriptor)
            os.close(descriptor)
            raise DataDirectoryBusy(self._directory, holder) from None
        write_pid(descriptor, os.getpid())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the directory back."""
        if self._descriptor is not None:
            write_pid(self._descriptor, None)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def make_data_directory(directory: Path) -> None:
    """Make a data directory that only our own user can read. Raises DataDirectoryUnusable."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataDirectoryUnusable(directory, error) from error


def read_pid(descriptor: int) -> int | None:
    """Read the process id that a lock file names."""
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else None


def write_pid(descriptor: int, pid: int | None) -> None:
    """Let a lock file name a process, or nobody."""
    os.ftruncate(descriptor, 0)
    if pid is not None:
        os.pwrite(descriptor, f"{pid}\n".encode(), 0)


@dataclass(frozen=True)
class RunningDeskwire:
    """Where the Deskwire that runs on a data directory is reached."""

    pid: int
    nats_url: str
    nats_system_url: str
    http_url: str
    smtp_address: str


def announce_running(data_dir: Path, running: RunningDeskwire) -> None:
    """Write where we are reached, readable for our own user only: the address holds a password."""
    write_private(_announcement(data_dir), json.dumps(asdict(running), indent=2) + "\n")


def withdraw_running(data_dir: Path) -> None:
    """Take the announcement back at the end."""
    _announcement(data_dir).unlink(missing_ok=True)


def find_running(data_dir: Path) -> RunningDeskwire | None:
    """Find the Deskwire that runs on a data directory; None when none does, or it died without a word."""
    try:
        running = RunningDeskwire(**json.loads(_announcement(data_dir).read_text()))
    except FileNotFoundError:
        return None
    return running if _is_alive(running.pid) else None


def write_private(file: Path, text: str) -> None:
    """Write a file that only our own user can read, whole or not at all."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    unfinished.replace(file)


def _announcement(data_dir: Path) -> Path:
    return data_dir / "runtime.json"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
