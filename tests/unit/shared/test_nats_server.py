"""What the embedded NATS server is started with."""

import stat
import subprocess
from pathlib import Path

import pytest

from deskwire_shared.runtime.nats_server import (
    Credentials,
    NatsServerMissing,
    find_program,
    is_recent_enough,
    load_or_create_credentials,
    render_configuration,
)

CREDENTIALS = Credentials(password="one", system_password="two")


def test_passwords_are_made_up_once_and_kept(tmp_path: Path) -> None:
    first = load_or_create_credentials(tmp_path / "credentials")
    assert load_or_create_credentials(tmp_path / "credentials") == first
    assert load_or_create_credentials(tmp_path / "others") != first


def test_passwords_are_readable_for_their_owner_only(tmp_path: Path) -> None:
    load_or_create_credentials(tmp_path / "credentials")
    assert stat.S_IMODE((tmp_path / "credentials").stat().st_mode) == 0o600


@pytest.mark.parametrize("folder", ["plain", 'with "quotes" and \\', "Größe 大"])
def test_the_server_accepts_its_configuration_whatever_the_folder_is_called(tmp_path: Path, folder: str) -> None:
    home = tmp_path / folder
    home.mkdir()
    configuration = home / "nats.conf"
    configuration.write_text(render_configuration(home, CREDENTIALS, port=4222, sync_interval="always"))
    checked = subprocess.run([find_program(), "-t", "-c", configuration], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_server_listens_on_loopback_only_and_opens_no_monitoring(tmp_path: Path) -> None:
    configuration = render_configuration(tmp_path, CREDENTIALS, port=4222, sync_interval="always")
    assert 'listen: "127.0.0.1:4222"' in configuration
    assert "http" not in configuration


@pytest.mark.parametrize(
    ("version", "is_enough"), [("2.14.0", True), ("2.15.1", True), ("3.0.0-dev", True), ("2.13.9", False), ("", False)]
)
def test_message_schedules_need_a_recent_server(version: str, *, is_enough: bool) -> None:
    assert is_recent_enough(version) is is_enough


def test_a_missing_server_is_named_with_three_ways_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(NatsServerMissing, match=r"pip install.*PATH.*DESKWIRE_NATS_URL"):
        find_program()
