"""Webhook requests of others, each to the channel it names; a signature stands in for a sign-in."""

from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from deskwire_intake.api.bodies import DocumentId
from deskwire_intake.channels.port import Accepted, Parked, TicketKeepsMoving
from deskwire_intake.channels.webhook.channel import Ignored, Outcome, Report, WebhookIntake, outcome_of
from deskwire_intake.channels.webhook.hooks import Challenged, HookNotReady, HookRequest, UnknownHook
from deskwire_intake.channels.webhook.mapping import UnreadablePayload
from deskwire_intake.channels.webhook.signatures import SignatureRefused
from deskwire_intake.rates import NoPlace
from deskwire_shared.runtime.problems import RETRY_AFTER_SECONDS, Describe, answer_with_problems, plainly

HOOKS_PATH: Final = "/intake/v1/hooks"
ONLY_TEXT: Final = {"X-Content-Type-Options": "nosniff"}

router = APIRouter(tags=["webhooks"])


BUSY: Final = plainly(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "busy",
    "The desk is busy",
    headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
)
ERRORS: Final[dict[type[Exception], Describe]] = {
    UnknownHook: plainly(HTTPStatus.NOT_FOUND, "unknown-webhook", "No such webhook"),
    HookNotReady: plainly(HTTPStatus.SERVICE_UNAVAILABLE, "webhook-not-ready", "The webhook is not set up"),
    SignatureRefused: plainly(HTTPStatus.UNAUTHORIZED, "signature-refused", "The request proves no sender"),
    UnreadablePayload: plainly(HTTPStatus.BAD_REQUEST, "unreadable-payload", "The body cannot be read"),
    NoPlace: BUSY,
    TicketKeepsMoving: BUSY,
}


def hook_application(webhooks: WebhookIntake, *, body_bytes: int) -> FastAPI:
    """Build the application that is mounted at `/intake/v1/hooks`."""
    app = FastAPI(
        title="Deskwire webhooks", version=version("deskwire-intake"), docs_url=None, redoc_url=None,
        telemetry={"auto_configure": False},
    )  # fmt: skip
    app.state.webhooks = webhooks
    app.include_router(router)
    answer_with_problems(app, json_bytes=body_bytes, more=ERRORS)
    return app


class HookResult(BaseModel):
    """What became of one message of a payload."""

    outcome: Outcome
    ticket_id: str | None = None
    number: int | None = None
    parked: int | None = None
    reason: str | None = None


class HookReport(BaseModel):
    """What became of a payload."""

    messages: list[HookResult]


async def _of_application(request: Request) -> WebhookIntake:
    webhooks: WebhookIntake = request.app.state.webhooks
    return webhooks


TheWebhooks = Annotated[WebhookIntake, Depends(_of_application)]


@router.post("/{channel_id}", response_model=HookReport)
async def receive_hook(channel_id: DocumentId, request: Request, webhooks: TheWebhooks) -> Response:
    """Take a signed payload of another service in."""
    return _answer(await webhooks.receive(await _as_it_came(channel_id, request)))


@router.get("/{channel_id}", response_class=PlainTextResponse)
async def answer_challenge(channel_id: DocumentId, request: Request, webhooks: TheWebhooks) -> Response:
    """Prove to another service that the address is the desk's."""
    return _answer(await webhooks.hooks.challenge(await _as_it_came(channel_id, request)))


async def _as_it_came(channel_id: str, request: Request) -> HookRequest:
    return HookRequest(
        channel_id=channel_id,
        query=request.url.query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
    )


def _answer(heard: Report | Challenged) -> Response:
    match heard:
        case Challenged(answer=answer, name=None):
            return PlainTextResponse(answer, headers=ONLY_TEXT)
        case Challenged(answer=answer, name=name):
            return JSONResponse({name: answer})
        case Report(results=results, mapping=mapping):
            if mapping.answer is not None:
                return Response(mapping.answer.body, media_type=mapping.answer.content_type, headers=ONLY_TEXT)
            report = HookReport(messages=[_result(result) for result in results])
            return JSONResponse(report.model_dump(exclude_none=True))


def _result(result: Accepted | Parked | Ignored) -> HookResult:
    outcome = outcome_of(result)
    match result:
        case Accepted(ticket_id=ticket_id, number=number):
            return HookResult(outcome=outcome, ticket_id=ticket_id, number=number)
        case Parked(number=number, reason=reason):
            return HookResult(outcome=outcome, parked=number, reason=reason)
        case Ignored(reason=reason):
            return HookResult(outcome=outcome, reason=reason)
