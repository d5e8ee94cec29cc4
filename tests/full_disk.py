"""An object store whose disk is full: a small file system of its own, or, without the right to mount, a limit on files."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

MIB = 1024 * 1024
LARGE = 2 * MIB
"""What a disk does not take that is full; less may still fit."""


class Disk(Protocol):
    """A disk that can be full."""

    def fill(self) -> None:
        """Leave no room for anything large."""
        ...

    def free(self) -> None:
        """Make room again."""
        ...


class MountedDisk:
    """A file system in memory, with a ballast that leaves no room in it (ENOSPC)."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Write until there is no room."""
        with self._ballast.open("wb", buffering=0) as ballast:
            ballast.write(b"x" * (shutil.disk_usage(self._ballast.parent).free - LARGE // 2))

    def free(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink()


class LimitedFiles:
    """A limit on the size of the files that this process writes (EFBIG); Python ignores the signal that goes with it."""

    def __init__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """Allow small files alone."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGE // 2, self._before[1]))

    def free(self) -> None:
        """Allow all files."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@contextmanager
def mounted_disk(folder: Path, size: int = 16 * MIB) -> Iterator[Disk]:
    """Mount a small disk on a folder; who may not is skipped."""
    folder.mkdir(parents=True)
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if mounting.returncode != 0:
        pytest.skip(f"no right to mount a small disk: {mounting.stderr.decode().strip()}")
    try:
        yield MountedDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def limited_files() -> Iterator[Disk]:
    """Let large files be refused to this process."""
    disk = LimitedFiles()
    try:
        yield disk
    finally:
        disk.free()
