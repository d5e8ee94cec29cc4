"""One call of a webhook: the request, its signature, what the answer means, what is recorded of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from pydantic import JsonValue
from pydantic_core import to_json

from deskwire_notify.channels.port import ACCEPTED, Answer
from deskwire_notify.errands import Settled, sentence_of
from deskwire_notify.requests.webhook_requests import WebhookRequest, header_value, secrets_in, sign
from deskwire_notify.requests.webhook_sender import WebhookSender
from deskwire_notify.retries import Patience
from deskwire_notify.undeliverable import NotReady, Undeliverable
from deskwire_notify.webhooks.events import CONTENT_TYPE, Teller, call_of
from deskwire_notify.webhooks.health import WebhookHealth
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.mapping_language import fill
from deskwire_shared.contracts.webhook_channels import FORMER_SIGNING, SIGNING
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.port import History
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.secrets import Secrets
from deskwire_shared.runtime.webhook_secrets import UnreadableSecrets, secrets_of
from deskwire_shared.ticket.commands import RecordWebhookDelivery, RecordWebhookFailure, TicketCommand
from deskwire_shared.ticket.state import Ticket


def judge_call(status: int, answer: JsonValue) -> Answer:
    """Tell from a status what became of a call; all but 410 Gone may pass."""
    del answer
    if status // 100 == 2:  # noqa: PLR2004 - 200 to 299
        return ACCEPTED
    told = f"{status} {_phrase(status)}".rstrip()
    return Answer("refused" if status == HTTPStatus.GONE else "not_now", told, f"http {status}")


def _phrase(status: int) -> str:
    return next((known.phrase for known in HTTPStatus if known == status), "")


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookCaller:
    """Calls webhooks of the directory."""

    directory: Directory
    secrets: Secrets
    sender: WebhookSender
    health: WebhookHealth
    clock: Clock
    teller: Teller

    async def call(self, webhook_id: str, message_id: str, event: Mapping[str, JsonValue]) -> "CallParcel":
        """Make a call ready to leave. Raises CannotWrite."""
        webhook = self.directory.get(Webhook, webhook_id)
        if webhook is None:
            raise Undeliverable("the webhook was deleted")
        if not webhook.active:
            raise Undeliverable("; ".join(filter(None, ("the webhook is switched off", webhook.disabled_because))))
        request = await self.request(webhook_id, webhook, message_id, event)
        return CallParcel(webhook_id=webhook_id, name=webhook.name, request=request, caller=self)

    async def request(
        self, webhook_id: str, webhook: Webhook, message_id: str, event: Mapping[str, JsonValue]
    ) -> WebhookRequest:
        """Write a request down and sign it. Raises CannotWrite."""
        secrets = await self._secrets_of(webhook_id)
        if missing := [name for name in (SIGNING, *secrets_in(str(webhook.headers))) if name not in secrets]:
            raise NotReady(f"the webhook has no secret called {', '.join(missing)}")
        former = secrets.get(FORMER_SIGNING, "")
        return sign(_request(webhook, event, secrets), secrets[SIGNING], message_id, self.clock.now(), former=former)

    async def _secrets_of(self, webhook_id: str) -> Mapping[str, str]:
        try:
            return await secrets_of(self.secrets, webhook_id)
        except UnreadableSecrets as error:
            raise NotReady(str(error)) from error


def _request(webhook: Webhook, event: Mapping[str, JsonValue], secrets: Mapping[str, str]) -> WebhookRequest:
    own = {"Content-Type": CONTENT_TYPE, "User-Agent": "Deskwire", "Accept-Encoding": "identity"}
    scope: dict[str, JsonValue] = {"secret": dict(secrets)}
    chosen = {name: header_value(fill(template, scope)) for name, template in webhook.headers.items()}
    return WebhookRequest(method="POST", url=webhook.url, headers=own | chosen, content=to_json(event))


@dataclass(frozen=True, kw_only=True, slots=True)
class CallParcel:
    """A call that is ready to leave; see `Parcel`."""

    webhook_id: str
    name: str
    request: WebhookRequest = field(repr=False)
    caller: WebhookCaller = field(repr=False)
    refused: Mapping[str, Answer] = field(default_factory=dict)
    template_id: str = ""

    @property
    def recipients(self) -> tuple[str, ...]:
        """See `Parcel.recipients`."""
        return (self.name,)

    async def send(self, to: tuple[str, ...]) -> Mapping[str, Answer]:
        """See `Parcel.send`."""
        answer = await self.caller.sender.send(self.request, judge_call)
        await self.caller.health.note(self.webhook_id, answer)
        return dict.fromkeys(to, answer)


@dataclass(frozen=True, kw_only=True, slots=True)
class CallErrand:
    """Tells a webhook of a ticket; see `Errand`."""

    request_id: str
    webhook_id: str
    caller: WebhookCaller
    patience: Patience
    kind: Literal["webhook"] = "webhook"
    channel: str = "webhook"

    @property
    def mail_id(self) -> str:
        """See `Errand.mail_id`."""
        return self.request_id

    def origin(self, history: History) -> Commit:
        """See `Errand.origin`."""
        return call_of(history, self.request_id)[0]

    def is_due(self, ticket: Ticket) -> bool:
        """See `Errand.is_due`."""
        call = ticket.webhook_call(self.request_id)
        return call is not None and call.outcome == "waiting"

    async def write(self, ticket: Ticket, history: History) -> CallParcel:
        """See `Errand.write`."""
        event = self.caller.teller.event(self.request_id, ticket, history)
        return await self.caller.call(self.webhook_id, self.request_id, event)

    def settled(self, outcome: Settled) -> TicketCommand:
        """See `Errand.settled`."""
        if outcome.delivered:
            return RecordWebhookDelivery(
                request_id=self.request_id, status=outcome.status or HTTPStatus.OK, attempts=outcome.attempts
            )
        return RecordWebhookFailure(
            request_id=self.request_id,
            status=outcome.status,
            reason=sentence_of(refusal.reason for refusal in outcome.refusals),
            attempts=outcome.attempts,
        )

    def late(self, reason: str) -> TicketCommand | None:
        """See `Errand.late`: how long it takes is told by what became of it."""
        del reason
        return None
