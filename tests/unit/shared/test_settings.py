"""What an installation may choose."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from deskwire_shared.runtime.settings import CommonSettings, ServiceSettings


def settings_from(monkeypatch: pytest.MonkeyPatch, **variables: str) -> CommonSettings:
    for name, value in variables.items():
        monkeypatch.setenv(f"DESKWIRE_{name}", value)
    return CommonSettings()


def test_without_a_choice_everything_stays_on_this_machine() -> None:
    settings = CommonSettings()
    here = Path("data").resolve()
    assert settings.data_dir == here
    assert settings.nats_url is None
    assert settings.database_url.get_secret_value() == f"sqlite+aiosqlite:///{here}/deskwire.db"
    assert settings.object_store_url == (here / "objects").as_uri()
    assert settings.bind_host == "127.0.0.1"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.durability == "single"


def test_the_database_and_the_objects_follow_the_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_from(monkeypatch, DATA_DIR="/srv/desk")
    assert settings.database_url.get_secret_value() == "sqlite+aiosqlite:////srv/desk/deskwire.db"
    assert settings.object_store_url == "file:///srv/desk/objects"


def test_links_follow_the_address_that_is_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_from(monkeypatch, BIND_HOST="::1", HTTP_PORT="9000").public_url == "http://[::1]:9000"


def test_an_empty_variable_is_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_from(monkeypatch, NATS_URL="", HTTP_PORT="").http_port == 8080


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_is_named_as_everybody_names_it(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    settings = settings_from(monkeypatch, DATABASE_URL=f"{scheme}://desk:pw@db/desk")
    assert settings.database_url.get_secret_value() == "postgresql+asyncpg://desk:pw@db/desk"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NATS_URL", "http://nats:4222"),
        ("NATS_URL", "nats://one:4222,two:4222"),
        ("DATABASE_URL", "mysql://desk:hunter2@db/desk"),
        ("PUBLIC_URL", "desk.example"),
        ("PUBLIC_URL", "https://"),
        ("HTTP_PORT", "65536"),
        ("HTTP_PORT", "eighty"),
        ("DURABILITY", "hopeful"),
        ("SHUTDOWN_GRACE_SECONDS", "-1"),
    ],
)
def test_a_senseless_choice_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings_from(monkeypatch, **{name: value})
    assert name.lower() in str(refusal.value)


def test_a_refused_address_does_not_show_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings_from(monkeypatch, DATABASE_URL="mysql://desk:hunter2@db/desk")
    assert "hunter2" not in str(refusal.value)


def test_settings_can_be_shown_without_showing_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_from(
        monkeypatch, NATS_URL="nats://desk:hunter2@nats", DATABASE_URL="postgresql://desk:hunter2@db/desk"
    )
    assert "hunter2" not in repr(settings)


def test_several_nats_servers_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_from(monkeypatch, NATS_URL="nats://one:4222, tls://two:4222")
    assert settings.nats_url is not None
    assert settings.nats_url.get_secret_value() == "nats://one:4222, tls://two:4222"


def test_every_setting_explains_itself() -> None:
    unexplained = [name for name, field in CommonSettings.model_fields.items() if not field.description]
    assert unexplained == []


def test_a_service_reads_its_own_settings_under_its_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    class SlaSettings(ServiceSettings):
        model_config = SettingsConfigDict(env_prefix="DESKWIRE_SLA_")
        warn_at: float = 0.75

    monkeypatch.setenv("DESKWIRE_SLA_WARN_AT", "0.5")
    assert SlaSettings().warn_at == 0.5
