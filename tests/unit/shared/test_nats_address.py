"""Addresses of NATS servers, and the login that counts for all of them."""

from urllib.parse import quote

import pytest
from pydantic import SecretStr

from deskwire_shared.runtime.nats_address import nats_address


def test_a_login_in_the_address_is_shown_to_every_server() -> None:
    found = nats_address(SecretStr("nats://desk:s3cret@one:4222, nats://desk:s3cret@two:4222"))
    assert found.servers == ["nats://one:4222", "nats://two:4222"]
    assert found.login == {"user": "desk", "password": "s3cret"}


def test_a_login_without_a_password_is_a_token() -> None:
    assert nats_address(SecretStr("tls://t0ken@one:4222")).login == {"token": "t0ken"}


def test_a_server_that_takes_everybody_in_is_shown_nothing() -> None:
    found = nats_address(SecretStr("nats://127.0.0.1:4222"))
    assert (found.servers, found.login) == (["nats://127.0.0.1:4222"], {})


@pytest.mark.parametrize("password", ["a@b", "50%", "x:y/z"])
def test_signs_with_a_meaning_in_addresses_are_written_in_percent(password: str) -> None:
    assert nats_address(SecretStr(f"nats://desk:{quote(password, safe='')}@one:4222")).login["password"] == password
