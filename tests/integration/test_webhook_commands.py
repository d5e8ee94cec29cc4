"""Setting webhooks up: their documents and secrets over the API, a macro that calls one, the command line."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from deskwire_notify.app import webhook_caller
from deskwire_notify.commands import webhook as commands
from deskwire_notify.requests.webhook_sender import WebhookSender
from deskwire_notify.settings import NotifySettings
from deskwire_notify.webhooks.trying import try_out
from deskwire_shared.contracts.access import ADMIN, AGENT
from deskwire_shared.contracts.facts import TagsChanged, WebhookRequested
from deskwire_shared.contracts.rules import Macro
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import UnknownDocument
from deskwire_shared.runtime.webhook_secrets import secrets_of
from hook_sink import HookSink
from intake_desk import api_desk
from ticket_desk import TicketDesk

Api = tuple[TicketDesk, httpx2.AsyncClient]

OPENING = {"requester": {"address": "ann@example.net"}, "subject": "Printer", "text": "It burns."}
TELL_SHOP = {"do": "call_webhook", "webhook_id": "shop"}


@pytest_asyncio.fixture
async def api(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with api_desk(fresh_nats, tmp_path, ADMIN) as started:
        yield started


@pytest.fixture
def sink() -> Iterator[HookSink]:
    with HookSink().open() as listening:
        yield listening


async def put_shop(client: httpx2.AsyncClient, url: str = "https://shop.example/hook") -> httpx2.Response:
    return await client.put("/directory/webhook/shop", json={"name": "Shop", "url": url})


async def test_a_webhook_without_an_address_that_can_be_called_is_refused(api: Api) -> None:
    _, client = api
    assert (await put_shop(client)).status_code == 200
    refused = await put_shop(client, "file:///etc/passwd")
    assert refused.status_code == 422
    assert "https://" in refused.text


async def test_secrets_go_in_and_never_come_out(api: Api) -> None:
    desk, client = api
    await put_shop(client)
    entered = {"signing": "whsec_" + "QUFB" * 8, "token": "t0ken"}
    assert (await client.put("/webhooks/shop/secrets", json=entered)).status_code == 204
    assert await secrets_of(desk.runtime.secrets, "shop") == entered
    assert "t0ken" not in (await client.get("/directory/webhook/shop")).text


async def test_a_new_signing_secret_is_told_once_and_the_former_one_signs_along(api: Api) -> None:
    desk, client = api
    await put_shop(client)
    first, second = [(await client.post("/webhooks/shop/signing-secret")).json()["secret"] for _ in range(2)]
    assert first != second
    assert await secrets_of(desk.runtime.secrets, "shop") == {"signing": second, "signing_former": first}


@pytest.mark.parametrize("secret", ["short", "whsec_QUFB", "whsec_!!!!", "QUFB" * 40])
async def test_a_secret_that_nothing_can_be_signed_with_is_refused(api: Api, secret: str) -> None:
    _, client = api
    await put_shop(client)
    assert (await client.put("/webhooks/shop/secrets", json={"signing": secret})).status_code == 422


async def test_a_webhook_that_is_not_there_has_no_secrets(api: Api) -> None:
    _, client = api
    assert (await client.post("/webhooks/shop/signing-secret")).status_code == 404


async def test_agents_change_no_secrets(fresh_nats: str, tmp_path: Path) -> None:
    async with api_desk(fresh_nats, tmp_path, AGENT) as (desk, client):
        await desk.put("shop", Webhook(name="Shop", url="https://shop.example"))
        assert (await client.post("/webhooks/shop/signing-secret")).status_code == 403


async def test_a_macro_asks_for_a_webhook_in_the_commit_of_its_other_changes(api: Api) -> None:
    desk, client = api
    await put_shop(client)
    macro = {"name": "Ship", "actions": [{"do": "add_tags", "tags": ["shipped"]}, TELL_SHOP]}
    await desk.put("ship", Macro.model_validate(macro))
    ticket_id = (await client.post("/tickets", json=OPENING)).json()["ticket_id"]
    for _ in range(2):
        used = await client.post(f"/tickets/{ticket_id}/macros/ship", headers={"Idempotency-Key": "k"})
        assert used.status_code == 200, used.text
    commit = (await desk.commits(ticket_id))[-1]
    assert [type(fact) for fact in commit.facts] == [TagsChanged, WebhookRequested]
    (call,) = [fact for fact in commit.facts if isinstance(fact, WebhookRequested)]
    assert (call.asked_by, call.asker_id, call.asker_name) == ("macro", "ship", "Ship")


async def test_a_macro_whose_webhook_is_gone_does_nothing_at_all(api: Api) -> None:
    desk, client = api
    macro = {"name": "Ship", "actions": [{"do": "add_tags", "tags": ["shipped"]}, TELL_SHOP]}
    await desk.put("ship", Macro.model_validate(macro))
    ticket_id = (await client.post("/tickets", json=OPENING)).json()["ticket_id"]
    refused = await client.post(f"/tickets/{ticket_id}/macros/ship")
    assert refused.status_code == 409
    assert "webhook shop does not exist" in refused.text
    assert len(await desk.commits(ticket_id)) == 1


async def test_a_webhook_is_tried_out_even_while_it_is_off(api: Api, sink: HookSink) -> None:
    desk, client = api
    shop = Webhook(name="Shop", url=f"http://127.0.0.1:{sink.port}/hook", active=False)
    await desk.put("shop", shop)
    sender = WebhookSender(timeout_seconds=5, allow_private=True)
    caller = webhook_caller(desk.runtime, NotifySettings(), sender)
    unsigned = await try_out(caller, "shop")
    await client.post("/webhooks/shop/signing-secret")
    sink.next_answers.append((500, b""))
    answers = [unsigned, await try_out(caller, "shop"), await try_out(caller, "shop")]
    with pytest.raises(UnknownDocument):
        await try_out(caller, "gone")
    await sender.close()
    assert [(one.verdict, one.reason) for one in answers] == [
        ("not_now", "the webhook has no secret called signing"), ("not_now", "500 Internal Server Error"), ("accepted", ""),
    ]  # fmt: skip
    assert [request.json["type"] for request in sink.requests] == ["deskwire.webhook.tested.v1"]


async def test_the_command_line_makes_secrets_and_tries_webhooks(
    api: Api, sink: HookSink, fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, client = api
    await put_shop(client, f"http://127.0.0.1:{sink.port}/hook")
    monkeypatch.setenv("DESKWIRE_NATS_URL", fresh_nats)
    monkeypatch.setenv("DESKWIRE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DESKWIRE_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true")
    run = CliRunner().invoke
    made = await asyncio.to_thread(run, commands, ["secret", "shop"])
    assert made.output.startswith("whsec_"), made.output
    assert (await secrets_of(desk.runtime.secrets, "shop"))["signing"] == made.output.strip()
    tried = await asyncio.to_thread(run, commands, ["test", "shop"])
    assert "took it (HTTP 200)" in tried.output
    listed = await asyncio.to_thread(run, commands, ["list"])
    assert "Shop" in listed.output
    refused = await asyncio.to_thread(run, commands, ["secret", "shop", "--secret-stdin"], "short\n")
    assert refused.exit_code == 1
