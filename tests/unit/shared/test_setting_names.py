"""Settings that were mistyped."""

import pytest

from deskwire_shared.runtime.setting_names import UnknownSetting, setting_names, unknown_settings


def test_a_mistyped_setting_is_told_with_the_one_that_was_meant() -> None:
    assert unknown_settings({"DESKWIRE_HTP_PORT": "80"}) == [UnknownSetting("DESKWIRE_HTP_PORT", "DESKWIRE_HTTP_PORT")]
    (found,) = unknown_settings({"DESKWIRE_NOTIFY_SMPT_HOST": "mx"})
    assert str(found) == "there is no setting DESKWIRE_NOTIFY_SMPT_HOST; did you mean DESKWIRE_NOTIFY_SMTP_HOST?"


def test_what_is_like_no_setting_is_told_alone() -> None:
    assert [str(one) for one in unknown_settings({"DESKWIRE_UMBRELLA": ""})] == [
        "there is no setting DESKWIRE_UMBRELLA"
    ]


def test_every_setting_is_known_however_it_is_written() -> None:
    assert unknown_settings(dict.fromkeys([*setting_names(), "deskwire_http_port"], "1")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/bin"),
        ("DESKWIRE_TEST_NATS_URL", "nats://localhost"),
        ("DESKWIRE_QUERY_PORT", "tcp://10.0.0.1:8080"),
        ("DESKWIRE_PORT", "tcp://10.0.0.1:8080"),
        ("DESKWIRE_QUERY_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("DESKWIRE_QUERY_SERVICE_HOST", "10.0.0.1"),
        ("DESKWIRE_NATS_CLUSTER_PASSWORD", "secret"),
    ],
)
def test_what_others_put_into_the_environment_is_no_setting(name: str, value: str) -> None:
    assert unknown_settings({name: value}) == []
