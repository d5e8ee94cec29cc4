"""The folder that holds one Deskwire's data."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deskwire_shared.runtime.data_directory import (
    DataDirectoryBusy,
    DataDirectoryLock,
    DataDirectoryUnusable,
    RunningDeskwire,
    announce_running,
    find_running,
    withdraw_running,
)

HOLD_THE_LOCK = """
import sys
from pathlib import Path
from deskwire_shared.runtime.data_directory import DataDirectoryLock
DataDirectoryLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def running(pid: int) -> RunningDeskwire:
    return RunningDeskwire(
        pid=pid,
        nats_url="nats://deskwire:secret@127.0.0.1:4222",
        nats_system_url="nats://deskwire-system:secret@127.0.0.1:4222",
        http_url="http://127.0.0.1:8080",
        smtp_address="127.0.0.1:2525",
    )


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_user_of_a_data_directory_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with (
        DataDirectoryLock(tmp_path),
        pytest.raises(DataDirectoryBusy, match=f"in use by process {os.getpid()}") as refusal,
    ):
        DataDirectoryLock(tmp_path).acquire()
    assert refusal.value.pid == os.getpid()


def test_a_released_data_directory_can_be_used_again(tmp_path: Path) -> None:
    with DataDirectoryLock(tmp_path):
        pass
    with DataDirectoryLock(tmp_path):
        pass


def test_a_data_directory_is_made_when_it_is_missing(tmp_path: Path) -> None:
    with DataDirectoryLock(tmp_path / "new" / "data"):
        assert (tmp_path / "new" / "data").is_dir()


def test_a_new_data_directory_is_private(tmp_path: Path) -> None:
    with DataDirectoryLock(tmp_path / "data"):
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_data_directory_that_cannot_be_made_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataDirectoryUnusable, match=r"file/data cannot be used: Not a directory.*DESKWIRE_DATA_DIR"):
        DataDirectoryLock(tmp_path / "file" / "data").acquire()


def test_a_data_directory_with_no_place_for_a_lock_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(DataDirectoryUnusable, match="Is a directory"):
        DataDirectoryLock(tmp_path).acquire()


def test_a_killed_process_leaves_the_data_directory_free(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataDirectoryBusy, match=str(holder.pid)):
            DataDirectoryLock(tmp_path).acquire()
        holder.kill()
    with DataDirectoryLock(tmp_path):
        pass


def test_a_running_deskwire_is_found_by_its_data_directory(tmp_path: Path) -> None:
    announce_running(tmp_path, running(os.getpid()))
    assert find_running(tmp_path) == running(os.getpid())


def test_the_address_of_a_running_deskwire_is_private(tmp_path: Path) -> None:
    announce_running(tmp_path, running(os.getpid()))
    assert stat.S_IMODE((tmp_path / "runtime.json").stat().st_mode) == 0o600


def test_nothing_is_found_where_nothing_runs(tmp_path: Path) -> None:
    assert find_running(tmp_path) is None


def test_a_withdrawn_deskwire_is_not_found(tmp_path: Path) -> None:
    announce_running(tmp_path, running(os.getpid()))
    withdraw_running(tmp_path)
    assert find_running(tmp_path) is None


def test_a_deskwire_that_died_without_a_word_is_not_found(tmp_path: Path) -> None:
    announce_running(tmp_path, running(ended_process()))
    assert find_running(tmp_path) is None
