"""A webhook's document says where integrators are told, and nothing that cannot be sent."""

from typing import Any

import pytest
from pydantic import ValidationError

from deskwire_shared.contracts.webhooks import Webhook


def a_webhook(**changes: Any) -> Webhook:
    return Webhook.model_validate({"name": "Shop", "url": "https://shop.example/hook?a=b", **changes})


def test_an_address_is_kept_as_it_was_written() -> None:
    assert a_webhook().url == "https://shop.example/hook?a=b"


@pytest.mark.parametrize(
    "url",
    [
        "", "shop.example", "ftp://shop.example", "https://", "https:///x", "javascript:alert(1)", "https://a b.example",
        "https://user:secret@shop.example", "https://shop.example/#x", "https://shop.example:port/", "https://[::1",
        "https://shop.example/\r\nX: y", "https://sh\u00f6p.example/", f"https://shop.example/{'x' * 2000}",
    ],
)  # fmt: skip
def test_an_address_that_no_request_can_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        a_webhook(url=url)


@pytest.mark.parametrize(
    "name", ["Host", "content-type", "Webhook-Id", "webhook-signature", "Bad Name", "Transfer-Encoding"]
)
def test_a_header_that_the_desk_writes_itself_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        a_webhook(headers={name: "x"})


def test_a_webhook_that_is_switched_on_again_forgets_why_it_was_off() -> None:
    assert a_webhook(active=False, disabled_because="it is gone").disabled_because == "it is gone"
    assert a_webhook(active=True, disabled_because="it is gone").disabled_because == ""
