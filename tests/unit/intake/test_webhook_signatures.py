"""Nobody but the service itself speaks through its webhook."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from deskwire_intake.channels.webhook.hooks import Challenged, HookNotReady, HookRequest, UnknownHook
from deskwire_intake.channels.webhook.signatures import SignatureRefused
from unit.intake.hook_desk import SECRET, HookDesk, a_payload, sha256, twilio_headers

PAYLOADS = {
    "telegram": "telegram_text",
    "whatsapp": "whatsapp_text",
    "twilio_sms": "twilio_sms",
    "slack": "slack_message",
    "alertmanager": "alertmanager_firing",
    "standard": "standard_message",
}
each_service = pytest.mark.parametrize("name", PAYLOADS)


async def a_desk(name: str, webhook: dict[str, Any] | None = None) -> HookDesk:
    desk = HookDesk()
    await desk.listen(name, webhook)
    return desk


async def refused(desk: HookDesk, request: HookRequest) -> str:
    with pytest.raises(SignatureRefused) as refusal:
        await desk.webhooks.receive(request)
    assert desk.parking.parked == []
    return str(refusal.value)


@each_service
async def test_an_unsigned_request_is_refused(name: str) -> None:
    desk = await a_desk(name)
    assert "has no" in await refused(desk, replace(desk.request(name, a_payload(PAYLOADS[name])), headers={}))


@each_service
async def test_a_request_signed_with_another_secret_is_refused(name: str) -> None:
    desk = await a_desk(name)
    request = desk.request(name, a_payload(PAYLOADS[name]))
    desk.enter(name, signing="YW5vdGhlciBzZWNyZXQ=")
    assert await refused(desk, request) == "The signature does not match."


@each_service
async def test_a_former_secret_still_counts_while_the_other_side_changes_over(name: str) -> None:
    desk = await a_desk(name)
    request = desk.request(name, a_payload(PAYLOADS[name]))
    former = desk.secrets.kept[name]
    desk.secrets.kept[name] = former.replace(b'"signing"', b'"signing_former"').replace(
        b"{", b'{"signing": "YW5vdGhlcg==", '
    )
    await desk.webhooks.receive(request)


@pytest.mark.parametrize("name", ["whatsapp", "twilio_sms", "slack", "standard"])
async def test_a_body_that_was_changed_on_its_way_is_refused(name: str) -> None:
    desk = await a_desk(name)
    request = desk.request(name, a_payload(PAYLOADS[name]))
    assert await refused(desk, replace(request, body=request.body.replace(b"e", b"3", 1)))


@pytest.mark.parametrize("name", ["slack", "standard"])
@pytest.mark.parametrize("minutes", [6, -6])
async def test_an_old_or_early_request_is_refused_though_it_is_signed(name: str, minutes: int) -> None:
    desk = await a_desk(name)
    request = desk.request(name, a_payload(PAYLOADS[name]))
    desk.clock.set(desk.clock.now() + timedelta(minutes=minutes))
    assert "300 seconds" in await refused(desk, request)


@pytest.mark.parametrize("at", ["", "soon", "-1", "9" * 400, "1e9", "٣"])
async def test_an_odd_time_is_refused(at: str) -> None:
    desk = await a_desk("slack")
    request = desk.request("slack", a_payload("slack_message"))
    assert await refused(desk, replace(request, headers={**request.headers, "x-slack-request-timestamp": at}))


async def test_a_twilio_request_to_an_address_with_a_query_is_signed_with_it() -> None:
    desk, form = await a_desk("twilio_sms"), a_payload("twilio_sms")
    request = replace(desk.request("twilio_sms", form), query="bodySHA=1")
    assert await refused(desk, request)
    await desk.webhooks.receive(replace(request, headers=twilio_headers("twilio_sms", form, "?bodySHA=1")))


async def test_an_hmac_may_have_another_header_another_encoding_and_no_prefix() -> None:
    signature = {"scheme": "hmac", "header": "X-Shop-Hmac", "prefix": "", "encoding": "base64"}
    desk = await a_desk("shop", {"mapping": "standard", "signature": signature})
    body = desk.request("shop", a_payload("standard_message")).body
    header = base64.b64encode(sha256(SECRET.encode(), body)).decode()
    await desk.webhooks.receive(HookRequest(channel_id="shop", headers={"x-shop-hmac": header}, body=body))


async def test_a_standard_secret_that_is_no_base64_is_told() -> None:
    desk = await a_desk("standard")
    desk.enter("standard", signing="whsec_%%%")
    assert "base64" in await refused(desk, desk.request("standard", a_payload("standard_message")))


@pytest.mark.parametrize("kept", [b"", b"{}", b'{"signing": ""}', b'{"other": "x"}', b"[1]", b"not json"])
async def test_a_channel_without_a_secret_hears_nobody(kept: bytes) -> None:
    desk = await a_desk("alertmanager")
    desk.secrets.kept["alertmanager"] = kept
    request = desk.request("alertmanager", a_payload("alertmanager_firing"))
    with pytest.raises(HookNotReady):
        await desk.webhooks.receive(replace(request, headers={"authorization": "Bearer "}))


async def test_a_hook_that_does_not_exist_or_rests_hears_nobody() -> None:
    desk = await a_desk("telegram")
    await desk.listen("resting", {"mapping": "telegram"}, active=False)
    await desk.open_mailbox("support@example.com")
    for channel_id in ("nowhere", "resting"):
        with pytest.raises(UnknownHook):
            await desk.webhooks.receive(desk.request(channel_id, {}))


async def test_a_mapping_that_is_not_there_is_told() -> None:
    desk = await a_desk("pigeon", {"mapping": "pigeon"})
    with pytest.raises(HookNotReady, match="pigeon"):
        await desk.webhooks.receive(desk.request("pigeon", {}))


async def test_slack_verifies_the_address_by_a_signed_request() -> None:
    desk = await a_desk("slack")
    request = desk.request("slack", a_payload("slack_verification"))
    assert await desk.webhooks.receive(request) == Challenged(
        "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "challenge"
    )
    await refused(desk, replace(request, headers={}))


async def test_meta_verifies_the_address_by_its_token() -> None:
    desk = await a_desk("whatsapp")
    asked = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    assert await desk.challenged("whatsapp", f"{asked}verify%20me") == Challenged("1158201444")
    for query in (f"{asked}guess", asked, "hub.challenge=1", "", "&" * 400, "a=b&" * 5_000):
        with pytest.raises(UnknownHook):
            await desk.challenged("whatsapp", query)


async def test_who_needs_no_challenge_answers_none() -> None:
    with pytest.raises(UnknownHook):
        await (await a_desk("telegram")).challenged("telegram", "hub.mode=subscribe&hub.verify_token=verify%20me")


def test_a_request_shows_no_secret_when_it_is_printed() -> None:
    desk = HookDesk()
    shown = repr(desk.request("telegram", a_payload("telegram_text")))
    assert SECRET not in shown
    assert "printer" not in shown
