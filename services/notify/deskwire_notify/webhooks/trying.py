"""Tries a webhook out: a signed event that says it is a test, sent once."""

from pydantic import JsonValue

from deskwire_notify.channels.port import Answer
from deskwire_notify.undeliverable import CannotWrite
from deskwire_notify.webhooks.calling import WebhookCaller, judge_call
from deskwire_notify.webhooks.events import TEST
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import Directory, UnknownDocument


def known_webhook(directory: Directory, webhook_id: str) -> Webhook:
    """A webhook of the directory. Raises UnknownDocument."""
    webhook = directory.get(Webhook, webhook_id)
    if webhook is None:
        raise UnknownDocument(f"there is no webhook {webhook_id}")
    return webhook


async def try_out(caller: WebhookCaller, webhook_id: str) -> Answer:
    """Send a test to a webhook, even to one that is switched off; what it answered. Raises UnknownDocument."""
    webhook, message_id = known_webhook(caller.directory, webhook_id), new_id()
    event: dict[str, JsonValue] = {
        "specversion": "1.0",
        "id": message_id,
        "source": caller.teller.public_url,
        "type": TEST,
        "time": caller.clock.now().isoformat(),
        "datacontenttype": "application/json",
        "data": {"webhook": {"id": webhook_id, "name": webhook.name}},
    }
    try:
        request = await caller.request(webhook_id, webhook, message_id, event)
    except CannotWrite as error:
        return Answer("not_now", str(error))
    return await caller.sender.send(request, judge_call)
