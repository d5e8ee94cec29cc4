"""What an installation may choose about outgoing mail."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from deskwire_notify.retries import Patience
from deskwire_notify.settings import NotifySettings


def chosen(monkeypatch: pytest.MonkeyPatch, **values: str) -> NotifySettings:
    for name, value in values.items():
        monkeypatch.setenv(f"DESKWIRE_NOTIFY_{name.upper()}", value)
    return NotifySettings()


def test_without_a_mail_server_mails_leave_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = chosen(monkeypatch)
    assert settings.server is None
    assert settings.fallback_sender == "support@localhost"


def test_a_mail_server_is_spoken_to_as_the_operator_says(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = chosen(
        monkeypatch, smtp_host="mail.acme.example", smtp_tls="tls", smtp_port="465", smtp_username="desk",
        smtp_password="hush-hush",
    )  # fmt: skip
    assert settings.server is not None
    assert (settings.server.host, settings.server.port, settings.server.tls) == ("mail.acme.example", 465, "tls")
    assert (settings.server.username, settings.server.password) == ("desk", "hush-hush")
    assert settings.fallback_sender is None
    assert "hush-hush" not in repr(settings) + repr(settings.server)


@pytest.mark.parametrize(
    "values",
    [
        {"smtp_username": "desk"},
        {"smtp_password": "hush"},
        {"smtp_tls": "ssl"},
        {"smtp_port": "0"},
        {"connections": "0"},
        {"sender": "nobody"},
        {"give_up_hours": "-1"},
    ],
)
def test_settings_that_make_no_sense_are_refused(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        chosen(monkeypatch, **values)


def test_patience_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(monkeypatch).patience == Patience()
    settings = chosen(monkeypatch, retry_first_seconds="2", retry_longest_seconds="10", give_up_hours="1")
    assert settings.patience == Patience(timedelta(seconds=2), timedelta(seconds=10), timedelta(hours=1))
